"""Scenario files: what is delivered and what the bill must be, played from intake to the proven ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import attrs

from billing_framework.invoicing.draft import DraftLine
from billing_framework.run.master.periods import month
from billing_framework.testing.office import Office
from billing_framework.values.errors import BillingError, ConfigurationError
from billing_framework.values.money import Money
from billing_framework.values.number import exact
from billing_framework.values.typed_toml import Codes, raise_first, read_toml, structure

_CODES = Codes(unreadable="TEST02", unknown_key="TEST03", missing_key="TEST04", bad_value="TEST05")
_CUSTOMER = "CUSTOMER"


@attrs.frozen(kw_only=True)
class Delivery:
    """A file of usage that is taken in.

    Attributes:
        file: its path, from the scenario's folder.
        format: name of its reader.
        options: options of the reader.
    """

    file: str
    format: str
    options: dict[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class ExpectedLine:
    """A line that the invoice must have; what is left out is not looked at.

    Attributes:
        component: code of its component.
        quantity: number and unit, such as ``12 half_hour``.
        net: amount without tax, such as ``14.40``.
        description: what is printed.
    """

    component: str
    quantity: str = ""
    net: str = ""
    description: str = ""


@attrs.frozen(kw_only=True)
class Scenario:
    """A scenario.

    Attributes:
        title: what it proves.
        plugins: names of the plugins.
        plans: files of price plans, from the scenario's folder; the customer's agreement is on the first one's plan.
        plan: code of the agreement's plan.
        period: the month that is billed, ``2026-07``.
        currency: ISO 4217 code.
        zone: IANA zone.
        locale: language of the documents.
        subjects: identifiers of the customer.
        terms: terms of the agreement.
        details: facts about the identifiers.
        settings: further text of ``billing.toml``.
        usage: files that are taken in.
        suspended: how many records must wait in suspense.
        line: the lines that the invoice must have, in any order, and no others.
        net: sum of the lines.
    """

    title: str
    plugins: tuple[str, ...]
    plans: tuple[str, ...]
    plan: str
    period: str
    currency: str = "EUR"
    zone: str = "UTC"
    locale: str = "en_US"
    subjects: tuple[str, ...] = ()
    terms: dict[str, str] = attrs.field(factory=dict)
    details: dict[str, str] = attrs.field(factory=dict)
    settings: str = ""
    usage: tuple[Delivery, ...] = ()
    suspended: int = 0
    line: tuple[ExpectedLine, ...]
    net: str = ""


def read_scenario(path: Path) -> Scenario:
    """Return the scenario in a file.

    Raises:
        ConfigurationError: a mistake in the file, with its line.
    """
    text, table, findings = read_toml(path.read_bytes(), path.name, _CODES)
    raise_first(findings, ConfigurationError)
    scenario, findings = structure(Scenario, table, file=path.name, text=text, codes=_CODES)
    raise_first(findings, ConfigurationError)
    if scenario is None:
        raise ConfigurationError("TEST02", f"{path.name} is no scenario", remedy="Compare it with the example in the how-to")
    return scenario


def play(scenario: Scenario, folder: Path, *, database: str = "") -> list[str]:
    """Play a scenario and return what came out differently; empty where all is as it must be.

    Beside the lines it proves what every deployment relies on: a file taken in twice changes nothing, the rehearsal is the real
    run, every line is explained by replay, and the ledger is sound.

    Args:
        scenario: the scenario.
        folder: where its files are.
        database: URL of an empty database; one in memory by default.
    """
    period = month(scenario.period)
    after = datetime.combine(period.end, datetime.min.time(), tzinfo=UTC) + timedelta(days=1)
    opened = Office.open(
        scenario.plugins,
        currency=scenario.currency,
        zone=scenario.zone,
        locale=scenario.locale,
        settings=scenario.settings,
        now=after,
        database=database,
    )
    with opened as office:
        try:
            return list(_played(scenario, folder, office))
        except BillingError as error:
            return [f"{error.code} {error.what}"]


def _played(scenario: Scenario, folder: Path, office: Office) -> Iterator[str]:
    for plan in scenario.plans:
        office.load_plan((folder / plan).read_text(encoding="utf-8"), file=plan)
    period = month(scenario.period)
    start = date(period.start.year, 1, 1)
    office.customer(
        _CUSTOMER,
        plan=scenario.plan,
        subjects=scenario.subjects,
        starts_on=start,
        terms=scenario.terms,
        details=scenario.details,
    )
    yield from _delivered(scenario, folder, office)
    rehearsal, real = office.draft(period, kind="rehearsal").run, office.draft(period).run
    if rehearsal is None or real is None:
        yield f"there is nothing to bill for {period}"
        return
    review = office.review(real.code)
    if review.digest != office.review(rehearsal.code).digest:
        yield "the rehearsal comes to another digest than the real run"
    if review.held:
        yield from (f"the account is held: {row.reason}" for row in review.held)
        return
    office.post(real.code)
    documents = office.documents()
    if len(documents) != 1:
        yield f"{len(documents)} documents were issued, not one"
        return
    yield from _billed(scenario, office, documents[0].number)
    for finding in office.problems():
        yield f"the ledger: {finding.code} {finding.what}"


def _delivered(scenario: Scenario, folder: Path, office: Office) -> Iterator[str]:
    suspended = 0
    for delivery in scenario.usage:
        data = (folder / delivery.file).read_bytes()
        report = office.take_in(data, delivery.format, name=delivery.file, **delivery.options)
        suspended += report.totals.suspended
        if not scenario.suspended:
            yield from (f"{delivery.file}: {finding.code} {finding.what}" for finding in report.findings if finding.stops)
        if not office.take_in(data, delivery.format, name=delivery.file, **delivery.options).repeated:
            yield f"{delivery.file} taken in twice is not noticed"
    if suspended != scenario.suspended:
        yield f"{suspended} records wait in suspense, not {scenario.suspended}"


def _billed(scenario: Scenario, office: Office, number: str) -> Iterator[str]:
    content = office.document(number).document.content
    left = list(content.lines)
    for wanted in scenario.line:
        found = next((line for line in left if _fits(line, wanted, scenario.currency)), None)
        if found is None:
            asked = ", ".join(f"{name} {value}" for name, value in attrs.asdict(wanted).items() if value)
            yield f"the invoice has no line with {asked}"
        else:
            left.remove(found)
    yield from (f"the invoice has another line: {_shown(line)}" for line in left)
    if scenario.net and content.totals.net != Money.of(scenario.net, scenario.currency):
        yield f"the lines sum to {content.totals.net}, not to {scenario.net}"
    for line in content.lines:
        explained = office.explain(f"{number}/{line.number}")
        if not explained.proven:
            why = "; ".join(finding.what for finding in explained.findings)
            yield f"line {line.number} is not explained by its replay: {why}"


def _fits(line: DraftLine, wanted: ExpectedLine, currency: str) -> bool:
    return (
        line.component == wanted.component
        and (not wanted.description or line.description == wanted.description)
        and (not wanted.net or line.net == Money.of(wanted.net, currency))
        and (not wanted.quantity or _quantity(line) == _parsed(wanted.quantity))
    )


def _quantity(line: DraftLine) -> tuple[Fraction, str] | None:
    return None if line.quantity is None else (line.quantity.value, line.quantity.unit)


def _parsed(text: str) -> tuple[Fraction, str]:
    number, _, unit = text.partition(" ")
    return exact(number), unit


def _shown(line: DraftLine) -> str:
    facts: Mapping[str, object] = {"component": line.component, "quantity": line.quantity, "net": line.net}
    return ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
