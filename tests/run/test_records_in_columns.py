"""Records that stand in columns are seen, billed, guided and rated as objects are: the judge goes through them one by one."""

from __future__ import annotations

import io
import random
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import attrs
import pytest

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.rating.contract import due_records
from billing_framework.rating.gather_columns import columns_of
from billing_framework.rating.group import AgreementUsage, BillingGroup
from billing_framework.rating.stored_records import StoredRecords, keys_of, kinds_of, of_kinds
from billing_framework.rating.usage_columns import UsageColumns
from billing_framework.run.draft.bill_input import AgreementInput, BillInput, Material, UsageRef
from billing_framework.run.draft.carried import Places, carried_records
from billing_framework.run.draft.guiding import is_seen, lasting, seen_places
from billing_framework.run.draft.rated_input import billing_group
from billing_framework.run.usage.intake import take_in
from billing_framework.storage.engine import open_database
from billing_framework.storage.master.account_tables import subject_id
from billing_framework.storage.usage.columns import StoredColumns, read_columns
from billing_framework.storage.usage.kind_table import kind_tables
from billing_framework.storage.usage.load import UsageRow, current_records, usage_rows
from billing_framework.usage.content import slot_key
from billing_framework.values.clock import timezone
from billing_framework.values.period import DateSpan, Span
from tests.run.gate import assign, gate_of
from tests.run.test_usage_columns import plain
from tests.usage.stays import STAY, Size, Stay, stay

JULY = DateSpan(date(2026, 7, 1), date(2026, 8, 1))
CARDS = ("CARD-1", "CARD-2")
ZONES = ("Europe/Berlin", "America/St_Johns", "Pacific/Auckland", "UTC")
FIELDS = tuple(field.name for field in attrs.fields(Stay))


def seeded(seed: int) -> random.Random:
    """Return dice that fall the same way every time."""
    return random.Random(seed)  # noqa: S311  made data


@pytest.fixture(scope="module")
def stays(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> StoredColumns:
    """Return some hundred records of two cards around July, read as columns."""
    dice = seeded(2026)
    given = []
    for number in range(300):
        start = datetime(2026, 6, 20, tzinfo=UTC) + timedelta(minutes=30 * dice.randrange(48 * 45))
        given.append(
            stay(
                f"T{number}",
                dice.choice(CARDS),
                span=dice.choice([Span.at(start), Span(start, start + timedelta(hours=2))]),
                minutes=number,
                plate=dice.choice(["", "Zürich", "B"]),
                fee=dice.choice([None, Fraction(number, 8)]),
                day=dice.choice([None, date(2026, 7, 4)]),
                left=dice.choice([None, start]),
                size=dice.choice(list(Size)),
                weights=tuple(dice.sample(range(-9, 2**40), dice.randrange(3))),
                slot=dice.choice(["", "", f"s{number}"]),
            )
        )
    path = tmp_path_factory.mktemp("stays") / "billing.sqlite3"
    shutil.copyfile(sqlite_template, path)
    database = open_database(f"sqlite:///{path}")
    deployment = gate_of(database, *given)
    assign(deployment, "CARD-2")
    assert take_in(deployment, io.BytesIO(b""), "told").totals.accepted == len(given)
    derived = kind_tables(deployment.host.kinds)["stay"]
    with database.read() as connection:
        found = read_columns(connection, derived, current_records(derived, 1), {subject_id(card): card for card in CARDS})
    database.close()
    return found


def assigned(dice: random.Random, agreement: str) -> tuple[Assignment, ...]:
    """Return assignments of some cards, of which some end, come back or meet."""
    found = []
    for card in dice.sample(CARDS, dice.randint(1, 2)):
        day = date(2026, 6, 1) + timedelta(days=dice.randrange(45))
        for _ in range(dice.randint(1, 3)):
            end = dice.choice([None, day + timedelta(days=dice.randint(1, 20))])
            found.append(Assignment(subject=card, agreement=agreement, starts_on=day, ends_on=end))
            if end is None:
                break
            day = end + timedelta(days=dice.randrange(4))
    return tuple(found)


def judged(assignments: Sequence[Assignment], rows: Sequence[UsageRow], zone: str) -> tuple[list[UsageRow], list[Assignment]]:
    """Return the records that assignments bring, and those that bring some, by looking at each record."""
    end = JULY.instants(timezone(zone)).end
    found: dict[int, UsageRow] = {}
    brought = []
    for one in assignments:
        dates = lasting(one, DateSpan(one.starts_on, JULY.end)) if one.starts_on < JULY.end else None
        if dates is None:
            continue
        held = dates.instants(timezone(zone))
        mine = [row for row in rows if row.usage.subject == one.subject and held.start <= row.usage.start < min(held.end, end)]
        if mine:
            brought.append(one)
            found |= {row.key: row for row in mine}
    ordered = sorted(found.values(), key=lambda row: (row.usage.kind, row.usage.subject, row.usage.start, row.key))
    return ordered, sorted(brought, key=lambda one: (one.subject, one.starts_on))


def refs(places: Sequence[Places]) -> tuple[UsageRef, ...]:
    """Return records by name."""
    return tuple(
        UsageRef(columns.kind, columns.keys[place], columns.digests[place].hex())
        for columns, low, high in places
        for place in range(low, high)
    )


@pytest.mark.parametrize("seed", range(40))
def test_the_same_records_are_billed_with_the_same_dates(stays: StoredColumns, seed: int) -> None:
    dice = seeded(seed)
    zone, assignments = dice.choice(ZONES), assigned(dice, "G1")
    rows, brought = judged(assignments, list(usage_rows(stays)), zone)
    found = carried_records(assignments, {"stay": stays}, JULY, timezone(zone))
    assert refs(found.spans) == tuple(UsageRef("stay", row.key, row.digest.hex()) for row in rows)
    assert found.assignments == tuple(brought)
    days = {row.usage.start.astimezone(timezone(zone)).date() for row in rows}
    for day in (JULY.start, JULY.end, JULY.start - timedelta(days=8)):
        assert found.dates_before(day) == sorted(one for one in days if one < day)


@pytest.mark.parametrize("seed", range(40))
def test_the_same_records_are_seen(stays: StoredColumns, seed: int) -> None:
    dice = seeded(seed)
    zone = timezone(dice.choice(ZONES))
    kind = dice.choice([STAY, attrs.evolve(STAY, divisible=True), attrs.evolve(STAY, reach_days=4, divisible=seed % 2 == 0)])
    kept = dice.choice([kind, attrs.evolve(kind, reach_after_days=2)])
    own = [dates for one in assigned(dice, "G1") if (dates := lasting(one, JULY)) is not None]
    for low, high in stays.spans.values():
        found = seen_places(stays, low, high, kind=kept, own=own, period=JULY, zone=zone) if own else []
        seen = [place for place in range(low, high) if is_seen(kept, Span(stays.start(place), stays.end(place)), own, JULY, zone)]
        assert [place for first, last in found for place in range(first, last)] == seen if own else True
        assert all(one[1] < other[0] for one, other in pairwise(found))


def manifest(
    dice: random.Random, code: str, places: Sequence[Places], assignments: tuple[Assignment, ...], zone: str
) -> BillInput:
    """Return the manifest of an account with one agreement, and a neighbour that has had its cards, too."""
    account = Account(code=code, party="P", book="MAIN", currency="EUR", cycle="monthly", zone=zone, locale="en")
    agreement = Agreement(code="G1", account=code, plan="parking", starts_on=date(2026, 6, 1))
    neighbours = assigned(dice, "G2") if dice.random() < 0.5 else ()
    one = AgreementInput(
        agreement=agreement,
        period=JULY,
        full_period=JULY,
        next_period=DateSpan(JULY.end, date(2026, 9, 1)),
        tiles=(),
        assignments=assignments,
        neighbours=neighbours,
        usage=refs(places),
    )
    return BillInput(
        document=1,
        account=account,
        payer=code,
        period=JULY,
        issue_on=JULY.end,
        known_at=datetime(2026, 8, 1, tzinfo=UTC),
        agreements=(one,),
    )


def told(columns: UsageColumns) -> Mapping[str, object]:
    """Return what columns say of their records."""
    names = ("firsts", "group_of", "keys", "own", "start", "end", "day", "second")
    return {
        **{name: getattr(columns, name).tolist() for name in names},
        **{name: plain(column) for name, column in {**columns.fields, "": columns.subject}.items()},
        "mixed": columns.mixed,
        "records": [columns.record(row) for row in range(len(columns))],
    }


@pytest.mark.parametrize("seed", range(40))
def test_records_in_columns_are_rated_as_objects_are(stays: StoredColumns, seed: int) -> None:
    dice = seeded(seed)
    plain_usage = {row.key: row.usage for row in usage_rows(stays)}
    by_columns, by_objects = Material(usage={}, plans={}, columns={"stay": stays}), Material(usage=plain_usage, plans={})
    groups: list[tuple[BillingGroup, BillingGroup]] = []
    for number in range(4):
        zone, assignments = dice.choice(ZONES), assigned(dice, "G1")
        carried = carried_records(assignments, {"stay": stays}, JULY, timezone(zone)).spans
        every = [(stays, *places) for _, places in sorted(stays.spans.items())]
        given = manifest(dice, f"A{number}", dice.choice([carried, every]), assignments, zone)
        groups.append((billing_group(given, by_columns), billing_group(given, by_objects)))
        keys = [ref.key for ref in given.agreements[0].usage]
        assert by_columns.claims(keys) == tuple(keys)  # the kind is not carried
        assert by_objects.claims(keys) == tuple(slot_key(plain_usage[key], carried=True) or key for key in keys)
    for fast, judge in groups:
        (mine,), (other,) = fast.agreements, judge.agreements
        assert isinstance(mine.records, StoredRecords) or not other.records
        assert list(keys_of(mine.records)) == list(keys_of(other.records))
        assert kinds_of(mine.records) == kinds_of(other.records)
        for whole, cut in ((("stay",), ()), ((), ("stay",)), ((), ())):
            assert list(due_records(fast, cut, whole).items()) == list(due_records(judge, cut, whole).items())
        assert not of_kinds(mine.records, ("trip",))
        assert mine.records == other.records
        assert fast == judge
    assert told(columns_of([one for one, _ in groups], STAY, FIELDS)) == told(
        columns_of([one for _, one in groups], STAY, FIELDS)
    )


class Unmade(Exception):
    """Somebody has asked for a record."""


class Refused:
    """The body of records that must not be made."""

    def __init__(self, **_: object) -> None:
        raise Unmade


def test_records_for_which_nobody_asks_are_no_objects(stays: StoredColumns) -> None:
    derived = attrs.evolve(stays.derived, kind=attrs.evolve(STAY, body=Refused))
    columns = attrs.evolve(stays, derived=derived)
    assignments = (Assignment(subject="CARD-1", agreement="G1", starts_on=date(2026, 1, 1)),)
    found = carried_records(assignments, {"stay": columns}, JULY, timezone("UTC"))
    given = manifest(seeded(2), "A1", found.spans, assignments, "UTC")
    material = Material(usage={}, plans={}, columns={"stay": columns})
    group = billing_group(given, material)
    assert len(columns_of([group], STAY, ("minutes",))) == len(due_records(group, (), ("stay",))) > 9
    assert material.claims([ref.key for ref in given.agreements[0].usage])
    (usage,) = group.agreements
    with pytest.raises(Unmade):
        usage.records[0]


def test_an_agreement_with_edited_records_is_mixed_with_others_in_columns(stays: StoredColumns) -> None:
    assignments = (Assignment(subject="CARD-1", agreement="G1", starts_on=date(2026, 1, 1)),)
    found = carried_records(assignments, {"stay": stays}, JULY, timezone("UTC"))
    dice = seeded(1)
    material = Material(usage={}, plans={}, columns={"stay": stays})
    groups = [billing_group(manifest(dice, code, found.spans, assignments, "UTC"), material) for code in ("A1", "A2")]
    (usage,) = groups[1].agreements
    objects: AgreementUsage = attrs.evolve(usage, records=tuple(usage.records))
    mixed = [groups[0], attrs.evolve(groups[1], agreements=(objects,))]
    assert told(columns_of(mixed, STAY, FIELDS)) == told(columns_of(groups, STAY, FIELDS))
