"""The kit proves itself: each planted fault is noticed, each check notices something, and a sound rater passes all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

import attrs
import billing_parking
import pytest

from billing_framework.plugin.hookspecs import hookimpl
from billing_framework.rating.account_rater import AccountRule, MeasureScale, account_rater
from billing_framework.rating.group import BillingGroup
from billing_framework.rating.rater import Rater
from billing_framework.rating.rating import Measure, Rating
from billing_framework.testing import Figure, RaterContract, Specimen
from billing_framework.testing.checks import CHECKS
from billing_framework.testing.faults import FAULTS, Fault
from billing_framework.testing.specimen import Bench
from billing_framework.usage.delimited import delimited_reader
from billing_framework.usage.reader import Reader
from billing_framework.usage.record import Usage, UsageKind
from billing_framework.values.errors import ConfigurationError
from billing_framework.values.finding import Finding
from billing_framework.values.period import DateSpan, Span
from billing_framework.values.quantity import Quantity

ROOT = Path(__file__).parents[2]
PLAN = """
schema = 1
[plan]
code = "parking"
version = "1"
valid_from = 2026-01-01
currency = "EUR"
[[component]]
code = "parked"
title = { en = "Parking" }
model = "per_unit"
measure = "parked"
unit = "half_hour"
charge_code = "parking"
tax_category = "standard"
price = "1.25"
"""
BAD_LINE = b"ticket,plate,entered,minutes\nT-9,P,2026-07-01T08:55:00+01:00,many\n"


def stay(ticket: str, day: int, minutes: int) -> Usage[billing_parking.Stay]:
    return Usage(
        kind="stay",
        source="gate",
        external_id=ticket,
        subject="P",
        span=Span.at(datetime(2026, 7, day, 9, tzinfo=UTC)),
        body=billing_parking.Stay(minutes=minutes),
    )


LOST_TICKET = 9_999


def rate(group: BillingGroup) -> Rating:
    """Count started half hours; a ticket without an end cannot be rated."""
    records = [one for usage in group.agreements for one in usage.records]
    bad = [one for one in records if one.usage.body.minutes == LOST_TICKET]
    good = [one for one in records if one not in bad]
    (own,) = group.agreements
    (tile,) = own.tiles
    count = sum((Fraction(one.usage.body.half_hours) for one in good), Fraction(0))
    measure = Measure(
        agreement=own.agreement.code,
        name="parked",
        quantity=Quantity(count, "half_hour"),
        dates=tile.dates,
        records=tuple(one.key for one in good),
    )
    return Rating(measures=(measure,), unpriced={one.key: "the ticket has no end" for one in bad})


class Parking:
    """A plugin as an object; `twin` is its columnar twin."""

    def __init__(self, reference: Callable[[BillingGroup], Rating] = rate) -> None:
        self.reference = reference

    @hookimpl
    def billing_usage_kinds(self) -> list[UsageKind]:
        return [billing_parking.STAY]

    @hookimpl
    def billing_readers(self) -> list[Reader]:
        return [delimited_reader("tickets", "Tickets", billing_parking.TICKETS)]

    @hookimpl
    def billing_raters(self) -> list[Rater]:
        def twin(groups: Sequence[BillingGroup]) -> Sequence[Rating]:
            return [self.reference(group) for group in groups]

        return [Rater(name="stays", kinds=("stay",), rate=self.reference, rate_columns=twin)]


SPECIMEN = Specimen(
    plugins=[("parking", Parking())],
    plan=PLAN,
    records=[stay("T-1", 1, 95), stay("T-2", 2, 30), stay("T-3", 3, 241)],
    figures=[Figure("parked", "17.50")],
    period=DateSpan(date(2026, 7, 1), date(2026, 8, 1)),
    bad_records=[stay("T-4", 4, LOST_TICKET)],
    bad_files=[("tickets", BAD_LINE)],
)


class TestASoundRater(RaterContract):
    @pytest.fixture
    def specimen(self) -> Specimen:
        return SPECIMEN


def noticed_by(bench: Bench, fault: Fault) -> set[str]:
    found = set()
    for name, check in CHECKS.items():
        faulty = bench.with_rate(fault.plant)
        try:
            problems = check(bench, faulty)
        except ZeroDivisionError:  # what the planted fault raises
            problems = ["failed"]
        if problems:
            found.add(name)
    return found


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("a record is dropped and said to be priced", "figures"),
        ("a record is forgotten", "conservation"),
        ("a record is counted twice", "figures"),
        ("the numbers of a record are zero", "figures"),
        ("a digit is another one", "figures"),
        ("the order of the records matters", "order"),
        ("the input is changed", "input_kept"),
        ("the rater remembers earlier calls", "determinism"),
        ("the ambient decimal context decides a digit", "surroundings"),
        ("charges name no records", "sources"),
        ("a record makes the rater fail", "figures"),
    ],
)
def test_each_fault_is_noticed_by_the_check_that_is_made_for_it(fault: str, check: str) -> None:
    (planted,) = [one for one in FAULTS if one.name == fault]
    assert check in noticed_by(Bench.of(SPECIMEN), planted)


def test_every_fault_has_its_case_above() -> None:
    cases = test_each_fault_is_noticed_by_the_check_that_is_made_for_it.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {fault for fault, _ in cases} == {fault.name for fault in FAULTS}


def test_a_twin_that_looks_at_its_neighbours_is_noticed() -> None:
    bench = Bench.of(SPECIMEN)

    def twin(groups: Sequence[BillingGroup]) -> Sequence[Rating]:
        ratings = [rate(group) for group in groups]
        return ratings if len(groups) == 1 else [ratings[0], *(rate(groups[0]) for _ in groups[1:])]

    planted = attrs.evolve(
        bench.offers, raters=tuple(attrs.evolve(one, rate=rate, rate_columns=twin) for one in bench.offers.raters)
    )
    assert CHECKS["twin"](bench, planted)
    assert CHECKS["shards"](bench, planted) == []  # the core notices too, and asks the reference


def counted(times: int) -> Rater:
    """Return a rater of columns that counts each half hour so many times."""
    rule = AccountRule(
        kind=billing_parking.STAY,
        fields={"minutes": 0},
        measures={"parked": MeasureScale(unit="half_hour")},
        rate=lambda records: {"parked": times * sum(-(-minutes // 30) for minutes in records.fields["minutes"])},
    )
    return account_rater("stays", rule)


@pytest.mark.parametrize("beside", [False, True])
def test_a_twin_of_columns_that_measures_something_else_is_noticed(*, beside: bool) -> None:
    bench = Bench.of(SPECIMEN)
    sound, wrong = counted(1), counted(2)
    if beside:  # a run asks the other twin, which is right; this one is compared all the same
        sound = attrs.evolve(sound, rate_columns=lambda groups: [sound.rate(group) for group in groups])
    for rater, told in ((sound, 0), (attrs.evolve(sound, shard=wrong.shard), 4)):
        assert len(CHECKS["twin"](bench, attrs.evolve(bench.offers, raters=(rater,)))) == told
        assert CHECKS["columns"](bench, attrs.evolve(bench.offers, raters=(rater,))) == []


def test_a_bad_record_that_is_rated_like_any_other_is_noticed() -> None:
    def careless(group: BillingGroup) -> Rating:
        rating = rate(group)
        return attrs.evolve(
            rating,
            unpriced={},
            measures=tuple(attrs.evolve(one, records=(*one.records, *rating.unpriced)) for one in rating.measures),
        )

    bench = Bench.of(attrs.evolve(SPECIMEN, plugins=[("parking", Parking(careless))]))
    assert CHECKS["bad_records"](bench, bench.offers) == ["the bad record T-4 is rated like any other"]


def test_a_bad_record_that_is_told_by_a_finding_is_told() -> None:
    def strict(group: BillingGroup) -> Rating:
        rating = rate(group)
        told = tuple(Finding(code="PARK01", what="the ticket has no end", remedy="Ask the gate") for _ in rating.unpriced)
        return attrs.evolve(rating, findings=told)

    bench = Bench.of(attrs.evolve(SPECIMEN, plugins=[("parking", Parking(strict))]))
    assert CHECKS["bad_records"](bench, bench.offers) == []


def test_a_reader_that_fails_on_a_bad_file_is_noticed() -> None:
    def failing(_stream: object, _request: object) -> object:
        raise UnicodeError("no text")

    class Careless(Parking):
        @hookimpl
        def billing_readers(self) -> list[Reader]:
            return [Reader(format="tickets", title="Tickets", kinds=("stay",), read=failing)]  # type: ignore[arg-type]

    bench = Bench.of(attrs.evolve(SPECIMEN, plugins=[("parking", Careless())]))
    assert CHECKS["bad_files"](bench, bench.offers) == ["the reader tickets failed: UnicodeError: no text"]


def test_a_reader_that_passes_over_a_bad_line_is_noticed() -> None:
    def deaf(_stream: object, _request: object) -> list[object]:
        return []

    class Deaf(Parking):
        @hookimpl
        def billing_readers(self) -> list[Reader]:
            return [Reader(format="tickets", title="Tickets", kinds=("stay",), read=deaf)]  # type: ignore[arg-type]

    bench = Bench.of(attrs.evolve(SPECIMEN, plugins=[("parking", Deaf())]))
    assert CHECKS["bad_files"](bench, bench.offers) == ["the reader tickets read a bad file without a word"]


WEAK = """
import attrs, pytest
from billing_framework.testing import Figure, RaterContract
from tests.testing.test_rater_contract import SPECIMEN, stay

class TestWeak(RaterContract):
    @pytest.fixture
    def specimen(self):
        return attrs.evolve(SPECIMEN, records=[stay("T-1", 1, 0), stay("T-2", 2, 0)], figures=[Figure("parked", "0")])
"""


def test_a_specimen_that_is_too_weak_is_told(tmp_path: Path) -> None:
    (tmp_path / "test_weak.py").write_text(WEAK)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "twice", "test_weak.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1, done.stdout
    assert "it changes nothing of the result: give records that it would change" in done.stdout


def test_the_plan_of_a_specimen_passes_the_check_of_plans() -> None:
    with pytest.raises(ConfigurationError, match="TEST06"):
        Bench.of(attrs.evolve(SPECIMEN, plan=PLAN + PLAN[PLAN.index("[[component]]") :]))


def test_a_rater_that_loses_late_records_of_a_carried_kind_is_noticed() -> None:
    class Carried(Parking):
        @hookimpl
        def billing_usage_kinds(self) -> list[UsageKind]:
            return [attrs.evolve(billing_parking.STAY, carried=True)]

    def own_period_only(group: BillingGroup) -> Rating:
        (own,) = group.agreements
        (tile,) = own.tiles
        inside = own.starting_in(tile, "stay", group.account.zone)
        return rate(attrs.evolve(group, agreements=(attrs.evolve(own, records=inside),)))

    sound = Bench.of(attrs.evolve(SPECIMEN, plugins=[("parking", Carried())]))
    assert CHECKS["late_records"](sound, sound.offers) == []
    forgetful = Bench.of(attrs.evolve(SPECIMEN, plugins=[("parking", Carried(own_period_only))]))
    (told,) = CHECKS["late_records"](forgetful, forgetful.offers)
    assert told.startswith("T-1-late came after its period and is accounted for nowhere; measure it for a tile of the period, ")


def test_a_rater_that_measures_late_records_for_their_own_tile_is_told_what_is_wrong() -> None:
    class Carried(Parking):
        @hookimpl
        def billing_usage_kinds(self) -> list[UsageKind]:
            return [attrs.evolve(billing_parking.STAY, carried=True)]

    def by_own_tile(group: BillingGroup) -> Rating:
        (own,) = group.agreements
        found = rate(group).measures[0]
        return Rating(measures=tuple(attrs.evolve(found, dates=tile.dates) for tile in (*own.earlier_tiles, *own.tiles)))

    bench = Bench.of(attrs.evolve(SPECIMEN, plugins=[("parking", Carried(by_own_tile))]))
    (told,) = CHECKS["late_records"](bench, bench.offers)
    assert told.startswith("T-1-late came after its period: rater 'stays'")
    assert "which lies before the period: components price tiles of the period only, so measure it" in told
