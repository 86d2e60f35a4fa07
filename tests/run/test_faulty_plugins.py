"""Whatever a plugin does at one account, that account is held with the plugin's name, and the run goes on with the others."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import attrs
import pytest

from billing_framework import (
    Amount,
    BillingGroup,
    CarriedState,
    ChargeItem,
    DateSpan,
    DraftDocument,
    Finding,
    Note,
    Origin,
    Priced,
    Pricing,
    Quantity,
    Rating,
    Step,
    UnitPrice,
)
from billing_framework.plugin.host import Host
from billing_framework.plugin.settings import RunSettings
from billing_framework.rating.charge import ChargeShare
from billing_framework.run.deployment import open_deployment
from billing_framework.run.review.report import report_run
from billing_framework.run.review.review import review_run
from billing_framework.run.work.work import Work
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.run_rows import RunAccount, run_accounts
from billing_framework.storage.engine import Database
from billing_framework.storage.ledger.verify import verify
from tests.grown import grown_once
from tests.run.faulty import PLAN, VICTIM, Fault, faulty_plugin, without_records
from tests.run.strange_errors import STRANGE, UNSPEAKABLE, OwnError, leave, raising
from tests.run.workforce import REPOSITORY, SETTINGS
from tests.scenarios.office import Office

HUGE = Fraction(10) ** 400
NO_STEP = Step(label="odd", formula="1", result=None)  # type: ignore[arg-type]  # that is the fault


def office_of(database: Database, plugin: ModuleType) -> Office:
    """An office that was filled while its plugin was right."""
    office = filled(database)
    deployment = attrs.evolve(office.deployment, host=Host.build([(plugin.__name__, plugin)]))
    return Office(deployment, office.clock)


@grown_once
def filled(database: Database) -> Office:
    office = Office.of(database, plugin=faulty_plugin(), plan=PLAN.replace("{", "{{").replace("}", "}}"))
    for number in range(3):
        office.customer(f"C{number}", f"machine-{number}")
    office.jobs(*(f"j{number},machine-{number},2026-07-0{number + 2}T08:00:00+00:00,{number + 3}" for number in range(3)))
    return office


def rows(office: Office) -> dict[str, RunAccount]:
    with office.deployment.database.read() as connection:
        return {row.account: row for row in run_accounts(connection, meant_run(connection, ""))}


def the_others_are_billed(office: Office, code: str) -> str:
    """Bill the month: the victim is held by the plugin, the others are posted; return what is told."""
    office.start("2026-07")
    found = rows(office)
    assert [found[account].state for account in ("C0", VICTIM, "C2")] == ["drafted", "held", "drafted"]
    (held,) = [hold for hold in report_run(office.deployment).holds if hold.code == code]
    assert held.some == (VICTIM,)
    assert "faulty" in held.example
    assert review_run(office.deployment).reconciled
    office.approve()
    assert office.post().posted == 2
    assert office.documents() == ["INV-2026-000001 C0 39.60", "INV-2026-000002 C2 44.00"]
    assert verify(office.deployment.database, "MAIN") == []
    return held.example


def raise_error(*_: object) -> NoReturn:
    raise RuntimeError("no idea")


def raise_unspeakably(*_: object) -> NoReturn:
    raise ValueError(UNSPEAKABLE)


def raise_strangely(*_: object) -> NoReturn:
    raise type("OddError", (ValueError,), {"__str__": lambda _: "x" * 10_000})


def never_end(*_: object) -> NoReturn:
    never_end()
    raise AssertionError


def with_charge(done: Priced, **changes: Any) -> Priced:
    return attrs.evolve(done, charges=tuple(attrs.evolve(charge, **changes) for charge in done.charges))


def with_item(given: Pricing, done: Priced, **changes: Any) -> Priced:
    """Return what was priced with one item, of the whole amount and with changes, in each charge."""
    record = given.usage.records[0].key
    items = [
        attrs.evolve(ChargeItem(record=record, on=one.service.start, text="a job", amount=one.amount), **changes)
        for one in done.charges
    ]
    charges = [attrs.evolve(one, records=(record,), items=(item,)) for one, item in zip(done.charges, items, strict=True)]
    return attrs.evolve(done, charges=tuple(charges))


def change_terms(given: BillingGroup | Pricing) -> None:
    usages = given.agreements if isinstance(given, BillingGroup) else (given.usage,)
    for usage in usages:
        usage.agreement.terms["tariff"] = "cheap"  # type: ignore[index]  # that is the fault


def rate_and_change(group: BillingGroup, done: Rating) -> Rating:
    change_terms(group)
    return done


def rate_and_forget(group: BillingGroup, done: Rating) -> Rating:
    group.agreements[0].state["odd"] = {}  # type: ignore[index]  # that is the fault
    group.agreements[0].billed_through["stand"] = group.period.end  # type: ignore[index]
    return done


def price_and_change(pricing: Pricing, done: Priced) -> Priced:
    change_terms(pricing)
    return done


def carried(values: dict[Any, Any]) -> CarriedState:
    return CarriedState(scope="A-C1", name="odd", period=DateSpan(date(2026, 7, 1), date(2026, 8, 1)), values=values)


RIGHT = carried({"x": Fraction(1)})


def with_state(done: Rating | Priced, **changes: Any) -> Any:
    return attrs.evolve(done, state=(attrs.evolve(RIGHT, **changes),))


def with_measure(done: Rating, **changes: Any) -> Rating:
    return attrs.evolve(done, measures=tuple(attrs.evolve(one, **changes) for one in done.measures))


def with_finding(done: Rating | Priced, **changes: Any) -> Any:
    return attrs.evolve(done, findings=(attrs.evolve(Finding(code="FAULTY01", what="odd"), **changes),))


def no_dates(group: BillingGroup | Pricing) -> DateSpan:
    """Return a span without a date, which its class would refuse."""
    usage = group.agreements[0] if isinstance(group, BillingGroup) else group.usage
    span = attrs.evolve(usage.period)
    object.__setattr__(span, "end", span.start)
    return span


SHARE = ChargeShare(payer="C0", percent=Fraction(50), whole=Amount(Fraction(60), "USD"))

STATES: dict[str, dict[str, Any]] = {
    "of another account": {"scope": "A-C0", "name": "accumulated.hours"},
    "of an account": {"scope": "C1"},
    "of no scope": {"scope": None},
    "of an empty scope": {"scope": ""},
    "of a scope that cannot be stored": {"scope": UNSPEAKABLE},
    "without a name": {"name": ""},
    "of a name that is none": {"name": None},
    "of a name that cannot be stored": {"name": UNSPEAKABLE},
    "of a number as name": {"name": 2**63},
    "of keys that cannot be stored": {"values": {UNSPEAKABLE: Fraction(1)}},
    "of keys that are no texts": {"values": {None: Fraction(1)}},
    "of a float": {"values": {"x": 0.1}},
    "of a whole number": {"values": {"x": 2**63}},
    "of no values": {"values": None},
    "of another time": {"period": DateSpan(date(2030, 1, 1), date(2031, 1, 1))},
    "of no time": {"period": "July"},
    "that a document wrote": {"written_by": "1"},
}

FINDINGS: dict[str, dict[str, Any]] = {
    "a code that cannot be stored": {"code": UNSPEAKABLE},
    "no code": {"code": None},
    "an empty code": {"code": ""},
    "an endless code": {"code": "X" * 10_000},
    "a list as code": {"code": ["X"]},
    "a severity of another type": {"severity": "issue"},
    "half a line": {"line": 1.5},
    "a text as line": {"line": "a"},
    "a line that no column holds": {"line": 2**63},
}

MEASURES: dict[str, dict[str, Any]] = {
    "a name that is none": {"name": 7},
    "an empty name": {"name": ""},
    "a name that cannot be stored": {"name": UNSPEAKABLE},
    "an agreement of another type": {"agreement": ["A-C1"]},
    "a source that cannot be stored": {"source": UNSPEAKABLE},
    "a source of another type": {"source": None},
    "no steps": {"steps": None},
    "a step without a result": {"steps": (NO_STEP,)},
    "details that cannot be stored": {"details": {"odd": UNSPEAKABLE}},
    "details of another type": {"details": {None: None}},
    "dates of another type": {"dates": "July"},
    "a unit that cannot be stored": {"quantity": Quantity(Fraction(3), UNSPEAKABLE)},
    "a unit of another type": {"quantity": Quantity(Fraction(3), None)},  # type: ignore[arg-type]
    "an estimate of another type": {"estimated": 1},
    "records of another type": {"records": None},
    "state that it cannot name": {"state_read": (UNSPEAKABLE,)},
    "state of another type": {"state_read": (None,)},
    "no state": {"state_read": None},
}

CHARGES: dict[str, dict[str, Any]] = {
    "no state": {"state_read": None},
    "a number of state": {"state_read": 7},
    "state of another type": {"state_read": (None,)},
    "state that cannot be stored": {"state_read": (UNSPEAKABLE,)},
    "a list of state": {"state_read": ["odd"]},
    "a share of another type": {"share": 7},
    "a share": {"share": SHARE},
    "a unit that cannot be stored": {"quantity": Quantity(Fraction(1), UNSPEAKABLE)},
    "a unit of another type": {"quantity": Quantity(Fraction(1), None)},  # type: ignore[arg-type]
    "a price per what cannot be stored": {"unit_price": UnitPrice(Fraction(30), "USD", UNSPEAKABLE)},
    "a price per nothing": {"unit_price": UnitPrice(Fraction(30), "USD", None)},  # type: ignore[arg-type]
    "an estimate of another type": {"estimated": None},
    "a text as items": {"items": ""},
    "a text as records": {"records": ""},
    "a list of steps": {"steps": []},
    "another plan": {"plan": "nosuch@1"},
    "no plan": {"plan": ""},
    "an edit": {"origin": Origin.EDITED},
    "an answer": {"origin": Origin.ANSWER},
    "an officer's": {"origin": Origin.MANUAL},
}

ITEMS: dict[str, dict[str, Any]] = {
    "a unit that cannot be stored": {"quantity": Quantity(Fraction(1), UNSPEAKABLE)},
    "a unit of another type": {"quantity": Quantity(Fraction(1), None)},  # type: ignore[arg-type]
    "a text as details": {"details": "ab"},
    "texts as details": {"details": ("ab",)},
    "details of three": {"details": (("a", "b", "c"),)},
    "details of no texts": {"details": (("a", None),)},
    "a record of another type": {"record": "1"},
    "a time of another type": {"time": None},
}


def forged(numerator: int, denominator: int) -> Fraction:
    """Return a fraction that nobody has reduced or checked."""
    number = Fraction(1, 3)
    number._numerator, number._denominator = numerator, denominator  # type: ignore[attr-defined]  # noqa: SLF001  forged
    return number


class OwnRating(Rating):
    """A rating that could say another thing each time."""


RATING: dict[str, tuple[Fault, str]] = {
    "raises": (raise_error, "RATE01"),
    "raises an endless message": (raise_strangely, "RATE01"),
    "raises what cannot be stored": (raise_unspeakably, "RATE01"),
    "excuses a record with what cannot be stored": (
        lambda _, done: attrs.evolve(
            done, measures=(), unpriced={key: UNSPEAKABLE for one in done.measures for key in one.records}
        ),
        "RATE03",
    ),
    "exits": (leave, "RATE01"),
    "recurs for ever": (never_end, "RATE01"),
    "returns nothing": (lambda *_: None, "RATE03"),
    "returns a mapping": (lambda *_: {"measures": ()}, "RATE03"),
    "returns measures of another type": (lambda _, done: attrs.evolve(done, measures=("much",)), "RATE03"),
    "returns what is no sequence": (lambda _, done: attrs.evolve(done, measures=7), "RATE03"),
    "loses a record": (lambda *_: Rating(), "RATE02"),
    "names unknown records": (lambda _, done: attrs.evolve(done, measures=without_records(done)), "RATE03"),
    "excuses unknown records": (lambda _, done: attrs.evolve(done, unpriced={4711: "lost"}), "RATE03"),
    "measures an unknown agreement": (
        lambda _, done: attrs.evolve(done, measures=tuple(attrs.evolve(one, agreement="A-C2") for one in done.measures)),
        "RATE03",
    ),
    "returns inexact state": (lambda _, done: attrs.evolve(done, state=(carried({"x": 0.1}),)), "RATE03"),
    "changes the terms": (rate_and_change, "RATE03"),
    "changes the state": (rate_and_forget, "RATE03"),
    "returns a number that is none": (lambda _, done: with_measure(done, quantity=Quantity(forged(1, 0), "hour")), "RATE03"),
    "returns a number that is not in lowest terms": (
        lambda _, done: with_measure(done, quantity=Quantity(forged(2, 4), "hour")),
        "RATE03",
    ),
    "returns a rating of its own": (lambda _, done: OwnRating(measures=done.measures), "RATE03"),
    **{name: (fault, "RATE01") for name, fault in STRANGE.items()},
}

PRICING: dict[str, tuple[Fault, str]] = {
    "raises": (raise_error, "RATE01"),
    "exits": (leave, "RATE01"),
    "returns nothing": (lambda *_: None, "RATE03"),
    "another currency": (lambda _, done: with_charge(done, amount=Amount(Fraction(30), "EUR")), "RATE03"),
    "another agreement": (lambda _, done: with_charge(done, agreement="A-C2"), "RATE03"),
    "another component": (lambda _, done: with_charge(done, component="hours"), "RATE03"),
    "dates outside": (lambda _, done: with_charge(done, service=DateSpan(date(2026, 1, 1), date(2027, 1, 1))), "RATE03"),
    "a float": (lambda _, done: with_charge(done, amount=30.0), "RATE03"),
    "raises what cannot be stored": (raise_unspeakably, "RATE01"),
    "words that cannot be stored": (lambda _, done: with_charge(done, description=UNSPEAKABLE), "RATE03"),
    "a source that cannot be stored": (lambda _, done: with_charge(done, source=UNSPEAKABLE), "RATE03"),
    "details that cannot be stored": (lambda _, done: with_charge(done, details={"odd": UNSPEAKABLE}), "RATE03"),
    "details that are no texts": (lambda _, done: with_charge(done, details={"odd": None}), "RATE03"),
    "a step that cannot be stored": (
        lambda _, done: with_charge(done, steps=(Step(label="odd", formula=UNSPEAKABLE, result="1"),)),
        "RATE03",
    ),
    "a step without a result": (lambda _, done: with_charge(done, steps=(NO_STEP,)), "RATE03"),
    "an item that cannot be stored": (lambda given, done: with_item(given, done, text=UNSPEAKABLE), "RATE03"),
    "an item with details that cannot be stored": (
        lambda given, done: with_item(given, done, details=(("odd", "\ud800"),)),
        "RATE03",
    ),
    "an item without a text": (lambda given, done: with_item(given, done, text=None), "RATE03"),
    "an item without a date": (lambda given, done: with_item(given, done, on=None), "RATE03"),
    "an item of an inexact quantity": (lambda given, done: with_item(given, done, quantity=2.5), "RATE03"),
    "no charge code": (lambda _, done: with_charge(done, code=""), "RATE03"),
    "raises an error of its own": (raising(OwnError), "RATE01"),
    "the charge twice": (lambda _, done: attrs.evolve(done, charges=done.charges * 2), "RATE04"),
    "changes the terms": (price_and_change, "RATE03"),
}

CHECKS: dict[str, tuple[Fault, str]] = {
    "raises": (raise_error, "PLUGIN05"),
    "exits": (leave, "PLUGIN05"),
    "returns nothing": (lambda _: None, "PLUGIN05"),
    "raises what cannot be stored": (raise_unspeakably, "PLUGIN05"),
    **{name: (fault, "PLUGIN05") for name, fault in STRANGE.items()},
    "returns text": (lambda _: ["odd"], "PLUGIN04"),
    "speaks about another account": (lambda _: [Finding(code="REVIEW01", what="odd", subject="C9")], "INVOICE06"),
    "speaks about an account that it is not asked about": (
        lambda _: [Finding(code="REVIEW01", what="odd", subject="")],
        "INVOICE06",
    ),
}


def change_draft(draft: DraftDocument) -> list[Note]:
    object.__setattr__(draft, "issue_on", draft.due_on)
    return []


NOTES: dict[str, tuple[Fault, str]] = {
    "raises": (raise_error, "PLUGIN05"),
    "exits": (leave, "PLUGIN05"),
    **{name: (fault, "PLUGIN05") for name, fault in STRANGE.items()},
    "returns text": (lambda _: ["odd"], "PLUGIN04"),
    "notes on another document": (lambda _: [Note("information", "odd", 4711)], "PLUGIN08"),
    "notes on no document": (lambda _: [Note("information", "odd", [1])], "PLUGIN08"),  # type: ignore[arg-type]
    "notes on a document by another type": (lambda draft: [Note("information", "odd", float(draft.key))], "PLUGIN08"),  # type: ignore[arg-type]
    "changes a draft": (change_draft, "PLUGIN08"),
}


@pytest.mark.parametrize("fault", RATING)
def test_a_faulty_rater(sqlite_database: Database, fault: str) -> None:
    does, code = RATING[fault]
    the_others_are_billed(office_of(sqlite_database, faulty_plugin(rating=does)), code)


@pytest.mark.parametrize("fault", PRICING)
def test_a_faulty_charge_model(sqlite_database: Database, fault: str) -> None:
    does, code = PRICING[fault]
    the_others_are_billed(office_of(sqlite_database, faulty_plugin(pricing=does)), code)


@pytest.mark.parametrize("fault", STATES)
def test_state_that_breaks_the_contract(sqlite_database: Database, fault: str) -> None:
    plugin = faulty_plugin(rating=lambda _, done: with_state(done, **STATES[fault]))
    told = the_others_are_billed(office_of(sqlite_database, plugin), "RATE03")
    assert told.startswith("rater 'faulty' returned")


@pytest.mark.parametrize("fault", ["of another account", "without a name", "that a document wrote"])
def test_state_of_a_model_that_breaks_the_contract(sqlite_database: Database, fault: str) -> None:
    plugin = faulty_plugin(pricing=lambda _, done: with_state(done, **STATES[fault]))
    told = the_others_are_billed(office_of(sqlite_database, plugin), "RATE03")
    assert told.startswith("charge model 'faulty.flat'")


def test_the_same_state_twice(sqlite_database: Database) -> None:
    plugin = faulty_plugin(rating=lambda _, done: attrs.evolve(done, state=(RIGHT, RIGHT)))
    told = the_others_are_billed(office_of(sqlite_database, plugin), "RATE03")
    assert "returned the state 'odd' of 'A-C1' twice" in told


def test_state_that_a_rater_and_a_model_both_carry_on(sqlite_database: Database) -> None:
    plugin = faulty_plugin(rating=lambda _, done: with_state(done), pricing=lambda _, done: with_state(done))
    told = the_others_are_billed(office_of(sqlite_database, plugin), "RATE03")
    assert "rater 'faulty' returned the state 'odd' of 'A-C1', which another rater or a component carries on" in told


@pytest.mark.parametrize("fault", FINDINGS)
@pytest.mark.parametrize("by", ["rating", "pricing", "check"])
def test_findings_with_fields_of_wrong_types(sqlite_database: Database, by: str, fault: str) -> None:
    changes = FINDINGS[fault]
    if by == "check":
        right = Finding(code="FAULTY01", what="odd", subject=VICTIM)
        plugin = faulty_plugin(check=lambda _: [attrs.evolve(right, **changes)])
    else:
        plugin = faulty_plugin(**{by: lambda _, done: with_finding(done, **changes)})
    the_others_are_billed(office_of(sqlite_database, plugin), "PLUGIN04" if by == "check" else "RATE03")


@pytest.mark.parametrize("fault", MEASURES)
def test_measures_with_fields_of_wrong_types(sqlite_database: Database, fault: str) -> None:
    plugin = faulty_plugin(rating=lambda _, done: with_measure(done, **MEASURES[fault]))
    told = the_others_are_billed(office_of(sqlite_database, plugin), "RATE03")
    assert told.startswith("rater 'faulty' ")


def test_a_measure_without_dates(sqlite_database: Database) -> None:
    plugin = faulty_plugin(rating=lambda group, done: with_measure(done, dates=no_dates(group)))
    the_others_are_billed(office_of(sqlite_database, plugin), "RATE03")


@pytest.mark.parametrize("fault", CHARGES)
def test_charges_with_fields_that_a_plugin_may_not_give(sqlite_database: Database, fault: str) -> None:
    plugin = faulty_plugin(pricing=lambda _, done: with_charge(done, **CHARGES[fault]))
    the_others_are_billed(office_of(sqlite_database, plugin), "RATE03")


def test_a_charge_without_dates(sqlite_database: Database) -> None:
    plugin = faulty_plugin(pricing=lambda given, done: with_charge(done, service=no_dates(given)))
    the_others_are_billed(office_of(sqlite_database, plugin), "RATE03")


@pytest.mark.parametrize("field", ["items", "steps", "records", "state_read"])
def test_a_charge_whose_content_is_gone_when_it_was_looked_at(sqlite_database: Database, field: str) -> None:
    plugin = faulty_plugin(pricing=lambda _, done: with_charge(done, **{field: iter(())}))
    the_others_are_billed(office_of(sqlite_database, plugin), "RATE03")


@pytest.mark.parametrize("fault", ITEMS)
def test_items_with_fields_of_wrong_types(sqlite_database: Database, fault: str) -> None:
    plugin = faulty_plugin(pricing=lambda given, done: with_item(given, done, **ITEMS[fault]))
    the_others_are_billed(office_of(sqlite_database, plugin), "RATE03")


@pytest.mark.parametrize("fault", CHECKS)
def test_a_faulty_review_check(sqlite_database: Database, fault: str) -> None:
    does, code = CHECKS[fault]
    the_others_are_billed(office_of(sqlite_database, faulty_plugin(check=does)), code)


@pytest.mark.parametrize("fault", NOTES)
def test_faulty_notes(sqlite_database: Database, fault: str) -> None:
    does, code = NOTES[fault]
    the_others_are_billed(office_of(sqlite_database, faulty_plugin(noting=does)), code)


def test_numbers_that_no_account_can_hold(sqlite_database: Database) -> None:
    office = office_of(sqlite_database, faulty_plugin(pricing=lambda _, done: with_charge(done, amount=Amount(HUGE, "USD"))))
    office.start("2026-07")
    assert {account: row.state for account, row in rows(office).items()} == {"C0": "drafted", VICTIM: "held", "C2": "drafted"}


def change_and_rate(groups: Sequence[BillingGroup], ratings: list[Rating]) -> list[Rating]:
    change_terms(next(group for group in groups if group.account.code == VICTIM))
    return ratings


def faulty_rating(groups: Sequence[BillingGroup], ratings: list[Rating]) -> list[Rating]:
    place = next(place for place, group in enumerate(groups) if group.account.code == VICTIM)
    ratings[place] = attrs.evolve(ratings[place], measures=without_records(ratings[place]))
    return ratings


def raise_for_the_victim(groups: Sequence[BillingGroup], ratings: list[Rating]) -> list[Rating]:
    return raise_error() if any(group.account.code == VICTIM for group in groups) else ratings


TWINS: dict[str, Fault] = {
    "raises": raise_for_the_victim,
    "exits": leave,
    "returns nothing": lambda *_: None,
    "returns too few": lambda _, ratings: ratings[:-1],
    "returns other types": lambda _, ratings: [None for _ in ratings],
    "breaks the contract at one": faulty_rating,
    "takes an account away": lambda groups, ratings: groups.pop() and ratings,
    **STRANGE,
}


@pytest.mark.parametrize("fault", TWINS)
def test_a_faulty_twin_costs_time_and_nothing_else(sqlite_database: Database, fault: str) -> None:
    office = office_of(sqlite_database, faulty_plugin(twin=TWINS[fault]))
    report = office.start("2026-07")
    told, counted = report.findings
    assert not told.stops
    assert "faulty" in told.what
    assert told.what.endswith("; the reference rates instead")
    of = 1 if fault == "breaks the contract at one" else 3
    assert str(counted).startswith(f"faulty: RUN64 the reference of rater 'faulty' rated {of} accounts")
    assert any(f"rated {of} accounts" in one for one in report_run(office.deployment).told)
    office.approve()
    office.post()
    assert [row.split(maxsplit=1)[1] for row in office.documents()] == ["C0 39.60", "C1 41.80", "C2 44.00"]


def test_a_slow_plugin_is_told_and_changes_nothing(sqlite_database: Database) -> None:
    def sleep(_: object, done: Rating) -> Rating:
        time.sleep(1.05)
        return done

    quick = office_of(sqlite_database, faulty_plugin())
    rehearsed = quick.start("2026-07", kind="rehearsal")
    settings = attrs.evolve(quick.deployment.settings, run=RunSettings(plugin_budget_seconds=1))
    host = Host.build([("faulty", faulty_plugin(rating=sleep))])
    slow = Office(attrs.evolve(quick.deployment, settings=settings, host=host), quick.clock)
    report = slow.start("2026-07")
    (told,) = report.findings
    assert (told.code, told.stops) == ("PLUGIN20", False)
    assert told.what == "rater 'faulty' of plugin faulty took 1 s; 1 s are allowed"
    assert rehearsed.run is not None
    assert report.run is not None
    digests = {review_run(slow.deployment, run.code).digest for run in (rehearsed.run, report.run)}
    assert len(digests) == 1


@pytest.mark.parametrize("hangs", ["rating", "twin"])
def test_a_plugin_that_hangs_is_ended_by_a_worker_process(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hangs: str
) -> None:
    info = tmp_path / "hanging_for_tests-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hanging-for-tests\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[billing_framework]\nfaulty = tests.run.hanging_{hangs}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{REPOSITORY}")
    settings = SETTINGS.replace("workshop", "faulty") + "[run]\nplugin_budget_seconds = 1\n"
    (tmp_path / "billing.toml").write_text(settings, encoding="utf-8")
    url = sqlite_database.engine.url.render_as_string(hide_password=False)
    (tmp_path / "database.url").write_text(url, encoding="utf-8")
    office = office_of(sqlite_database, faulty_plugin())
    with open_deployment(tmp_path / "billing.toml", clock=office.clock) as deployment:
        desk = Office(deployment, office.clock)
        report = desk.start("2026-07", work=Work(executor="processes", workers=1))
        assert report.counts == ({"drafted": 2, "held": 1} if hangs == "rating" else {"drafted": 3})
        assert "PLUGIN20" in {told.code for told in report.findings}
        if hangs == "rating":
            held = rows(desk)[VICTIM]
            assert "rater 'faulty' of faulty failed: PluginOverran: did not return within 1 s and was ended" in held.reason


def test_a_twin_that_changes_what_it_is_given(sqlite_database: Database) -> None:
    the_others_are_billed(office_of(sqlite_database, faulty_plugin(twin=change_and_rate)), "RATE03")


def test_a_twin_and_a_reference_that_both_fail(sqlite_database: Database) -> None:
    plugin = faulty_plugin(twin=raise_for_the_victim, rating=raise_error)
    told = the_others_are_billed(office_of(sqlite_database, plugin), "RATE01")
    assert "rater 'faulty' of faulty failed: RuntimeError: no idea" in told


def test_a_note_of_what_cannot_be_stored_is_printed_with_escapes(database: Database) -> None:
    office = office_of(database, faulty_plugin(noting=lambda draft: [Note("information", UNSPEAKABLE, draft.key)]))
    office.start("2026-07")
    office.approve()
    assert office.post().posted == 3
    assert verify(office.deployment.database, "MAIN") == []


def test_a_twin_that_says_what_cannot_be_stored(database: Database) -> None:
    office = office_of(database, faulty_plugin(twin=raise_unspeakably))
    (told,) = [one for one in office.start("2026-07").findings if one.code == "RATE01"]
    assert "half \\ud800 and nothing \\0" in told.what
    office.approve()
    assert office.post().posted == 3


def test_a_rater_that_says_what_cannot_be_stored(postgres_database: Database) -> None:
    told = the_others_are_billed(office_of(postgres_database, faulty_plugin(rating=raise_unspeakably)), "RATE01")
    assert "half \\ud800 and nothing \\0" in told
