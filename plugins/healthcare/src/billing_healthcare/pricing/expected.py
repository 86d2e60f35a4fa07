"""What a contract allows for the lines of a patient: basis, modifiers, rules over the day, factor, never above the charge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from fractions import Fraction

import attrs

from billing_framework import RateTable, RoundingStep, Step, exact_text
from billing_healthcare.pricing.adjust import adjusted
from billing_healthcare.pricing.contract import Basis, Contract
from billing_healthcare.pricing.multiple import ENDOSCOPY, alone, ranked
from billing_healthcare.pricing.procedure import Endoscopy, Expected, Parts, Procedure, Service, percent_of
from billing_healthcare.pricing.value import CENT, fee_step, valuation
from billing_healthcare.tables.lookup import conversion_factor, locality_row, priced_row, value_row
from billing_healthcare.tables.rows import FeeRow, LocalityRow, ValueRow

Tables = Callable[[str, date], RateTable | None]
"""Returns the version of a rate table that prices a date."""

PRICED = ("A", "R", "T")
"""Status codes of the federal schedule that are paid by it; T only where nothing else of the day is."""

_BY_CONTRACT = RoundingStep("allowed", CENT)


class _Unpriced(Exception):
    """A line has no price under the contract; caught where the line's result is made."""


def expect(services: Sequence[Service], contract: Contract, tables: Tables) -> tuple[Expected, ...]:
    """Return what the contract allows for each service, in the order given.

    Services of one date and renderer are judged together, whatever their encounter: rules about several procedures count a
    patient's day, not the lines of a form.

    Args:
        services: services of one patient under one contract.
        contract: its terms.
        tables: versions of the rate tables that the terms name.
    """
    results: dict[int, Expected] = {}
    days: dict[tuple[date, str], list[tuple[int, Procedure]]] = {}
    pricer = _Pricer(contract=contract, tables=tables)
    for place, service in enumerate(services):
        try:
            found = pricer.priced(service)
        except _Unpriced as reason:
            found = pricer.by_default(service, str(reason))
        if isinstance(found, Expected):
            results[place] = found
        else:
            days.setdefault((service.line.served_on, service.line.renderer), []).append((place, found))
    for listed in days.values():
        results.update(_of_day(listed, contract))
    return tuple(_limited(results[place], service, contract) for place, service in enumerate(services))


def _of_day(listed: Sequence[tuple[int, Procedure]], contract: Contract) -> Mapping[int, Expected]:
    paid = alone([procedure for _, procedure in listed])
    amounts = ranked(paid, contract)
    found = {id(procedure): expected for procedure, expected in zip(paid, amounts, strict=True)}
    bundled = Expected(amount=Fraction(0), reason="status T: nothing is paid beside another service of the day")
    return {place: _multiplied(found.get(id(procedure), bundled), contract) for place, procedure in listed}


def _multiplied(expected: Expected, contract: Contract) -> Expected:
    if expected.amount is None or contract.factor == 1:
        return expected
    amount = _BY_CONTRACT(expected.amount * contract.factor)
    formula = f"{exact_text(expected.amount)} × {exact_text(contract.factor)}"
    step = Step(label="factor of the contract", formula=formula, result=exact_text(amount))
    return attrs.evolve(expected, amount=amount, steps=(*expected.steps, step))


def _limited(expected: Expected, service: Service, contract: Contract) -> Expected:
    if expected.amount is None or not contract.lesser_of or expected.amount <= service.charge:
        return expected
    formula = f"lower of {exact_text(expected.amount)} and the charge {exact_text(service.charge)}"
    step = Step(label="never more than the charge", formula=formula, result=exact_text(service.charge))
    return attrs.evolve(expected, amount=service.charge, steps=(*expected.steps, step))


@attrs.frozen(kw_only=True)
class _Pricer:
    """Prices single services of one contract."""

    contract: Contract
    tables: Tables

    def priced(self, service: Service) -> Procedure | Expected:
        """Return a procedure that the rules over the day go on with, or what is allowed for good."""
        contract, line = self.contract, service.line
        if contract.carve_outs:
            row = priced_row(self.table(contract.carve_outs, line.served_on), line.code, line.modifier_list)
            if isinstance(row, FeeRow):
                amount = _BY_CONTRACT(row.fee * line.units)
                formula = f"{exact_text(line.units)} × {exact_text(row.fee)}"
                return Expected(amount=amount, steps=(Step(label="carved out", formula=formula, result=exact_text(amount)),))
        if contract.basis is Basis.NONE:
            return Expected(amount=None, reason="nothing is agreed")
        if contract.basis is Basis.PERCENT_OF_CHARGES:
            return self.percentage(service)
        return self.from_schedule(service) if contract.basis is Basis.FEE_SCHEDULE else self.from_values(service)

    def percentage(self, service: Service) -> Expected:
        """Return a percentage of the charge within cap and floor."""
        contract = self.contract
        amount, step = percent_of(service.charge, contract.percent or Fraction(0), "percentage of charges")
        steps = [step]
        bounded = amount
        if contract.cap is not None:
            bounded = min(bounded, contract.cap)
        if contract.floor is not None:
            bounded = max(bounded, contract.floor)
        if bounded != amount:
            formula = f"{exact_text(amount)} within {_bounds(contract)}"
            steps.append(Step(label="cap and floor", formula=formula, result=exact_text(bounded)))
        return Expected(amount=bounded, steps=tuple(steps))

    def by_default(self, service: Service, reason: str) -> Expected:
        """Return what is allowed for a service that the schedule does not price."""
        percent = self.contract.default_percent
        if percent is None:
            return Expected(amount=None, reason=reason)
        amount, step = percent_of(service.charge, percent, f"default percentage of charges: {reason}")
        return Expected(amount=amount, steps=(step,))

    def from_schedule(self, service: Service) -> Procedure:
        """Price by the contract's own schedule."""
        line = service.line
        table = self.table(self.contract.fee_schedule, line.served_on)
        row = priced_row(table, line.code, line.modifier_list)
        if not isinstance(row, FeeRow):
            raise _Unpriced(f"{line.code} is not in {table.name}")
        label = f"fee of {row.code} {row.modifier}".strip()
        step = Step(label=label, formula=table.name, result=exact_text(row.fee))
        code = row.family or (row.code if row.multiple == ENDOSCOPY else "")
        base = priced_row(table, code, ()) if code else None
        family = None
        if isinstance(base, FeeRow):
            family = Endoscopy(base=code, base_fee=base.fee, base_exact=base.fee, exact=row.fee)
        made = Procedure(service=service, fee=row.fee, steps=(step,), multiple=row.multiple, endoscopy=family)
        return self._adjusted(made, row.bilateral, None)

    def from_values(self, service: Service) -> Procedure | Expected:
        """Price by relative values."""
        line = service.line
        table = self.table(self.contract.relative_values, line.served_on)
        row = value_row(table, line.code, line.modifier_list)
        if row is None:
            raise _Unpriced(f"{line.code} is not in {table.name}")
        if row.status_code not in PRICED:
            return Expected(amount=Fraction(0), reason=f"status {row.status_code}: not paid by the schedule")
        in_facility = service.place in self.contract.facility_places
        if (row.fac_na_ind if in_facility else row.nonfac_na_ind) == "NA":
            raise _Unpriced(f"{line.code} is not done at place {service.place}")
        locality = self._locality(line.served_on)
        factor = self._factor(row, line.served_on)
        found = valuation(row, locality, factor, in_facility=in_facility)

        def exact_of(code: str, mod: str) -> Fraction | None:
            other = value_row(table, code, (mod,) if mod else ())
            if other is None or other.mod != mod:
                return None
            return valuation(other, locality, factor, in_facility=in_facility).exact()

        family = row.endo_base or (row.hcpcs if row.mult_proc == ENDOSCOPY else "")
        base = exact_of(family, "") if family else None
        procedure = Procedure(
            service=service,
            fee=found.fee(),
            steps=(fee_step(row, locality, found, in_facility=in_facility),),
            multiple=row.mult_proc,
            endoscopy=None
            if base is None
            else Endoscopy(base=family, base_fee=_BY_CONTRACT(base), base_exact=base, exact=found.exact()),
            parts=Parts(
                technical=_part(row.mod, "TC", found.fee(), exact_of(row.hcpcs, "TC")),
                professional=_part(row.mod, "26", found.fee(), exact_of(row.hcpcs, "26")),
            ),
            valuation=found,
            only_if_alone=row.status_code == "T",
        )
        return self._adjusted(procedure, row.bilat_surg, row)

    def table(self, code: str, on: date) -> RateTable:
        """Return the version of a table for a date."""
        found = self.tables(code, on)
        if found is None:
            raise _Unpriced(f"no version of the rate table {code} prices {on}")
        return found

    def _adjusted(self, procedure: Procedure, bilateral: str, row: ValueRow | None) -> Procedure:
        made = adjusted(procedure, bilateral, row, self.contract)
        if made is None:
            raise _Unpriced("a discontinued service has no price of its own")
        return made

    def _locality(self, on: date) -> LocalityRow | None:
        if not self.contract.localities:
            return None
        table = self.table(self.contract.localities, on)
        found = locality_row(table, self.contract.locality)
        if found is None:
            raise _Unpriced(f"the locality {self.contract.locality} is not in {table.name}")
        return found

    def _factor(self, row: ValueRow, on: date) -> Fraction:
        found = row.conv_factor
        if self.contract.conversion_factors:
            table = self.table(self.contract.conversion_factors, on)
            found = conversion_factor(table, on, is_qualifying=self.contract.is_qualifying)
        if found is None:
            raise _Unpriced(f"there is no conversion factor for {on}")
        return found


def _part(mod: str, part: str, own: Fraction, other: Fraction | None) -> Fraction | None:
    """Return the fee of a part: the whole fee of a row for that part, none of a row for the other, else that of its own row."""
    if mod:
        return own if mod == part else None
    return None if other is None else _BY_CONTRACT(other)


def _bounds(contract: Contract) -> str:
    bounds = (("at least", contract.floor), ("at most", contract.cap))
    return " and ".join(f"{name} {exact_text(bound)}" for name, bound in bounds if bound is not None)
