"""The rater of the plugin: encounters with lines in, one charge for each line out, with what the contract allows beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction

import attrs

from billing_framework import (
    AgreementUsage,
    Amount,
    BillingGroup,
    Charge,
    Component,
    DateSpan,
    Finding,
    KeyedUsage,
    PlanVersion,
    Quantity,
    Rater,
    Rating,
    RoundingMode,
    Severity,
    Step,
    exact_text,
    format_number,
    to_places,
)
from billing_healthcare.kinds import ENCOUNTER, SERVICE_LINE, Encounter, ServiceLine
from billing_healthcare.pricing.contract import MODEL, Basis, Bills, Contract
from billing_healthcare.pricing.expected import expect
from billing_healthcare.pricing.procedure import Expected, Service
from billing_healthcare.tables.lookup import priced_row
from billing_healthcare.tables.rows import ChargeRow

HELD = "held with its encounter"
WAITS = "its encounter is not here as a whole"


@attrs.frozen(kw_only=True)
class _Priced:
    """A line on its way to a charge."""

    record: KeyedUsage
    service: Service
    component: Component
    plan: PlanVersion
    contract: Contract
    text: str
    steps: tuple[Step, ...]


@attrs.define(kw_only=True)
class _Billing:
    """One agreement being billed."""

    group: BillingGroup
    usage: AgreementUsage
    charges: list[Charge] = attrs.field(factory=list)
    unpriced: dict[int, str] = attrs.field(factory=dict)
    deferred: dict[int, str] = attrs.field(factory=dict)
    findings: list[Finding] = attrs.field(factory=list)

    def bill(self) -> None:
        """Bill every encounter that is here as a whole; a line that cannot be priced holds the account with the reason."""
        encounters = {record.usage.body.encounter: record for record in self.usage.of_kind(ENCOUNTER.name)}
        lines: dict[str, list[KeyedUsage]] = {name: [] for name in encounters}
        # In the order of the visit, not of the store: equal fees are ranked by it.
        for record in sorted(self.usage.of_kind(SERVICE_LINE.name), key=_place):
            lines.setdefault(record.usage.body.encounter, []).append(record)
        by_contract: dict[tuple[str, str], list[_Priced]] = {}
        for name, listed in lines.items():
            encounter = encounters.get(name)
            if encounter is None or not listed or len(listed) < encounter.usage.body.lines:
                self._wait(name, encounter, listed)
                continue
            for record in listed:
                found = self._priced(record, encounter.usage.body)
                if found is None:
                    self.unpriced[record.key] = HELD
                else:
                    by_contract.setdefault((found.plan.name, found.component.code), []).append(found)
        for some in by_contract.values():
            self._charge(some, encounters)
        charged = {key for charge in self.charges for key in charge.records}
        for encounter in encounters.values():
            if encounter.key not in charged and encounter.key not in self.deferred:
                self.unpriced[encounter.key] = HELD

    def _wait(self, name: str, encounter: KeyedUsage | None, lines: Sequence[KeyedUsage]) -> None:
        """Leave an encounter for a later bill: it is billed whole, because its lines decide each other's price and one claim."""
        wanted = encounter.usage.body.lines or "more" if encounter is not None else "more"
        what = f"the encounter {name} waits: {len(lines)} of {wanted} lines are here"
        if encounter is None:
            what = f"{len(lines)} lines of the encounter {name} wait for its record"
        remedy = "Take in what is missing, or take back the edit that leaves a part of it for later"
        self.findings.append(Finding(code="HEALTH20", severity=Severity.INFORMATION, what=what, remedy=remedy, subject=name))
        for record in (*lines, *([encounter] if encounter is not None else ())):
            self.deferred[record.key] = WAITS

    def _priced(self, record: KeyedUsage, encounter: Encounter) -> _Priced | None:
        line: ServiceLine = record.usage.body
        tile = self.usage.tile_at(line.served_on)
        components = [one for one in tile.plan.components if one.model == MODEL] if tile else []
        if tile is None or len(components) != 1:
            what = f"the plan of {line.served_on} has {len(components)} components of the model {MODEL}"
            self._problem("HEALTH25", what, "Give the plan exactly one", line.encounter)
            return None
        contract: Contract = components[0].params
        charge, step, text = self._gross(line, contract)
        if charge is None:
            what = f"line {line.number} of encounter {line.encounter} has no charge, and no charge master has {line.code}"
            self._problem("HEALTH21", what, "Give the line a charge, or load a charge master with the code", line.encounter)
            return None
        return _Priced(
            record=record,
            service=Service(line=line, place=line.place or encounter.place, charge=charge),
            component=components[0],
            plan=tile.plan,
            contract=contract,
            text=text,
            steps=(step,),
        )

    def _gross(self, line: ServiceLine, contract: Contract) -> tuple[Fraction | None, Step, str]:
        """Return the charge of a line with its step and own text: the line's own charge, else that of the charge master."""
        table = self.usage.table(contract.charge_master, line.served_on) if contract.charge_master else None
        row = priced_row(table, line.code, line.modifier_list) if table else None
        text = row.text if isinstance(row, ChargeRow) else ""
        if line.charge is not None:
            step = Step(label="charge", formula="as delivered with the line", result=exact_text(line.charge))
            return line.charge, step, text
        if table is None or not isinstance(row, ChargeRow):
            return None, Step(label="charge", formula="", result=""), text
        charge = to_places(row.charge * line.units, 2, RoundingMode.HALF_UP)
        formula = f"{exact_text(line.units)} × {exact_text(row.charge)} by {table.name}"
        return charge, Step(label="charge", formula=formula, result=exact_text(charge)), text

    def _charge(self, listed: Sequence[_Priced], encounters: Mapping[str, KeyedUsage]) -> None:
        services = [one.service for one in listed]
        for one, expected in zip(listed, expect(services, listed[0].contract, self.usage.table), strict=True):
            line = one.service.line
            amount = self._amount(one, expected)
            if amount is None:
                self.unpriced[one.record.key] = HELD
                continue
            self.charges.append(self._made(one, expected, amount, encounters[line.encounter]))

    def _amount(self, one: _Priced, expected: Expected) -> Fraction | None:
        """Return what the document asks for; tell where the contract's price is needed and a person must give it."""
        line = one.service.line
        is_needed = one.contract.bills is Bills.ALLOWED
        if expected.amount is None and one.contract.basis is not Basis.NONE:
            self.findings.append(
                Finding(
                    code="HEALTH23",
                    severity=Severity.ISSUE if is_needed else Severity.INFORMATION,
                    what=f"line {line.number} ({line.code}) has no expected payment: {expected.reason}",
                    remedy="Load the price, give the contract a default percentage, or edit the line",
                    subject=line.encounter,
                    value=line.code,
                )
            )
        return expected.amount if is_needed else one.service.charge

    def _made(self, one: _Priced, expected: Expected, amount: Fraction, encounter: KeyedUsage) -> Charge:
        line, component = one.service.line, one.component
        locale = self.group.account.locale
        details = {"Encounter": line.encounter, "Place": one.service.place}
        if line.served_through:
            details["Served"] = f"{line.served_on} to {line.served_through}"
        if expected.amount is not None and one.contract.bills is Bills.CHARGES:
            details["Expected"] = format_number(expected.amount, locale, least_decimals=2)
        if expected.reason:
            details["Expected because"] = expected.reason
        is_charged = one.contract.bills is Bills.CHARGES
        steps = (*one.steps, *(_renamed(step, is_charged=is_charged) for step in expected.steps))
        code = "-".join((line.code, *line.modifier_list))
        dates = DateSpan(line.served_on, line.last_on + timedelta(days=1))
        return Charge(
            agreement=self.usage.agreement.code,
            component=component.code,
            code=component.charge_code,
            description=" · ".join(part for part in (component.title(locale), code, one.text) if part),
            service=DateSpan(dates.start, max(dates.start + timedelta(days=1), min(dates.end, self.usage.period.end))),
            source=f"{line.encounter}.{line.number}",
            quantity=Quantity(line.units, "minute" if line.measure == "MJ" else "each"),
            amount=Amount(amount, one.plan.currency),
            tax_category=component.tax_category,
            plan=one.plan.name,
            records=tuple(sorted((one.record.key, encounter.key))),
            steps=steps,
            details=details,
        )

    def _problem(self, code: str, what: str, remedy: str, encounter: str) -> None:
        self.findings.append(Finding(code=code, what=what, remedy=remedy, subject=encounter))


def _place(record: KeyedUsage) -> tuple[str, int]:
    return record.usage.body.encounter, record.usage.body.number


def _renamed(step: Step, *, is_charged: bool) -> Step:
    return attrs.evolve(step, label=f"expected: {step.label}") if is_charged else step


def rate(group: BillingGroup) -> Rating:
    """Bill the encounters of a group: one charge for each service line.

    Prices come from the line or the charge master, and what the contract allows from its terms; names, birth dates and diagnoses
    of patients are never looked at.
    """
    found = []
    for usage in group.agreements:
        billing = _Billing(group=group, usage=usage)
        billing.bill()
        found.append(billing)
    return Rating(
        charges=tuple(charge for one in found for charge in one.charges),
        unpriced={key: reason for one in found for key, reason in one.unpriced.items()},
        deferred={key: reason for one in found for key, reason in one.deferred.items()},
        findings=tuple(finding for one in found for finding in one.findings),
    )


RATER = Rater(name="healthcare", kinds=(ENCOUNTER.name, SERVICE_LINE.name), rate=rate, models={MODEL: Contract})
