"""The shared samples: every line of every file is accounted for, and priced as two separately written raters have it."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import pytest
from billing_telecom_usage.deck.prefixes import prefixes_of
from billing_telecom_usage.deck.table import DECK
from billing_telecom_usage.formats.asterisk import ASTERISK
from billing_telecom_usage.formats.freeswitch import FREESWITCH
from billing_telecom_usage.numbers import NumberClass, NumberPlan
from billing_telecom_usage.rating.price import priced, settled
from billing_telecom_usage.rating.quoting import rates_of
from billing_telecom_usage.rating.tariff import CallPricing
from billing_telecom_usage.rating.wall_clock import Segment
from billing_telecom_usage.settings import Source, TelecomSettings

from billing_framework import AnyUsage, BadRecord, Finding, RateTable, Reader, RoundingMode, Usage, exact_text, timezone
from billing_framework.rating.rate_table_diff import rate_table_diff
from billing_framework.rating.rate_table_file import RateTableHeader, read_rate_table

Sample = Callable[[str], Path]
Read = Callable[..., list[Any]]
SETTINGS = TelecomSettings(
    source={
        "new_york": Source(numbers=NumberPlan(international=("011",))),
        "london": Source(numbers=NumberPlan(international=("00",))),
    }
)


@attrs.frozen
class File:
    """A sample file and how it is read."""

    name: str
    reader: Reader
    zone: str
    source: str
    options: Mapping[str, str] = attrs.field(factory=dict)


FILES = (
    File("synthetic_asterisk_Master.csv", ASTERISK, "America/New_York", "new_york"),
    File("synthetic_freeswitch_example.csv", FREESWITCH, "Europe/London", "london"),
    File("synthetic_freeswitch_asterisk.csv", FREESWITCH, "Europe/London", "london", {"template": "asterisk"}),
)


def load_deck(path: Path) -> RateTable:
    version = path.stem.removeprefix("synthetic_deck_")
    header = RateTableHeader(
        code="deck", version=version, kind=DECK.name, valid_from=datetime.fromisoformat(version).date(), currency="USD"
    )
    found = read_rate_table(path.read_bytes(), file=path.name, header=header, kind=DECK)
    assert found.table is not None, [str(finding) for finding in found.findings]
    return found.table


@pytest.fixture(scope="module")
def decks(sample: Sample) -> tuple[RateTable, RateTable]:
    """Both versions of the sample deck."""
    return load_deck(sample("synthetic_deck_2026-10-01.csv")), load_deck(sample("synthetic_deck_2026-11-01.csv"))


@pytest.fixture(scope="module")
def expected(sample: Sample) -> Mapping[str, Any]:
    """The acceptance numbers."""
    found: Mapping[str, Any] = json.loads(sample("synthetic_expected.json").read_text())
    return found


def owners_of(path: Path) -> dict[str, list[tuple[datetime, datetime | None, str]]]:
    found: dict[str, list[tuple[datetime, datetime | None, str]]] = {}
    for row in csv.DictReader(path.read_text().splitlines()):
        until = datetime.fromisoformat(row["valid_to"]) if row["valid_to"] else None
        found.setdefault(row["number"], []).append((datetime.fromisoformat(row["valid_from"]), until, row["account"]))
    return found


def test_the_change_report_of_the_decks(decks: tuple[RateTable, RateTable], expected: Mapping[str, Any]) -> None:
    diff, wanted = rate_table_diff(*decks, DECK), expected["deck_change"]
    by_turn: dict[str, list[str]] = {}
    for one in diff.turns:
        by_turn.setdefault(one.turn.value, []).append(one.key.split("/")[0])
    assert by_turn["new"] == wanted["new"]
    assert by_turn["withdrawn"] == wanted["withdrawn"]
    assert len(diff.turns) - len(by_turn["new"]) - len(by_turn["withdrawn"]) == wanted["changed"]
    assert diff.same == wanted["same"]
    before, after = ({row.prefix: row for row in deck.rows} for deck in decks)
    both = before.keys() & after.keys()
    assert sum(after[prefix].rate_per_min > before[prefix].rate_per_min for prefix in both) == wanted["dearer"]
    assert sum(after[prefix].rate_per_min < before[prefix].rate_per_min for prefix in both) == wanted["cheaper"]


@pytest.mark.parametrize("file", FILES, ids=lambda one: one.name)
def test_every_line_of_a_file_is_accounted_for(
    file: File, sample: Sample, read: Read, decks: tuple[RateTable, RateTable], expected: Mapping[str, Any]
) -> None:
    items = read(file.reader, sample(file.name), zone=file.zone, source=file.source, settings=SETTINGS, **file.options)
    owners, zone = owners_of(sample("synthetic_numbers.csv")), timezone(file.zone)
    found: Counter[str] = Counter()
    by_account: Counter[str] = Counter()
    by_prefix: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    seen: dict[str, AnyUsage] = {}
    for item in items:
        if isinstance(item, Finding):
            continue
        if isinstance(item, BadRecord):
            found[{"TEL02": "rejected", "TEL03": "suspense:bad_number"}[item.findings[0].code]] += 1
            if item.findings[0].code == "TEL03":
                seconds["answered"] += int(next(csv.reader([item.raw]))[_billed_column(file)])
            continue
        assert isinstance(item, Usage)
        known = seen.setdefault(item.external_id, item)
        if known is not item:
            found["duplicate" if known == item else "suspense:conflict"] += 1
            continue
        seconds["answered"] += item.body.billed_seconds
        for kind, account, prefix, billed, amount in _classed(item, owners, zone, decks):
            found[kind] += 1
            if kind == "rated":
                by_account[account] += amount  # type: ignore[assignment]
                by_prefix[prefix] += 1
                seconds["billed"] += billed
    wanted = dict(expected[file.name])
    assert seconds["answered"] == wanted.pop("answered_billsec")
    assert seconds["billed"] == wanted.pop("rated_billed_s")
    total = Fraction(sum(by_account.values()))
    assert total == Fraction(wanted.pop("charge"))
    assert {name: exact_text(Fraction(amount)) for name, amount in sorted(by_account.items())} == {
        name: exact_text(Fraction(text)) for name, text in wanted.pop("by_account").items()
    }
    assert by_prefix == wanted.pop("by_prefix_count")
    assert found.total() == wanted.pop("records")
    assert found == {name: count for name, count in wanted.items() if count}


def _billed_column(file: File) -> int:
    return 13 if file.reader is ASTERISK or file.options else 8


def _classed(
    usage: AnyUsage, owners: Mapping[str, Any], zone: Any, decks: tuple[RateTable, RateTable]
) -> Iterator[tuple[str, str, str, int, Fraction]]:
    nothing = ("", "", 0, Fraction(0))
    if not usage.body.is_answered:
        yield ("zero:unanswered", *nothing)
        return
    if usage.body.b_class is NumberClass.SHORT:
        yield ("zero:internal", *nothing)
        return
    held = [
        name for start, end, name in owners.get(usage.subject, ()) if start <= usage.start and (end is None or usage.start < end)
    ]
    if not held:
        yield ("suspense:no_owner", *nothing)
        return
    deck = decks[usage.start.astimezone(zone).date() >= decks[1].valid_from]
    row = prefixes_of(deck).row(usage.body.b_number)
    if row is None:
        yield ("suspense:no_rate", *nothing)
        return
    rates = rates_of(row, CallPricing(deck="deck"))  # type: ignore[arg-type]
    price = priced(usage.body.billed_seconds, {"": rates}, (Segment(0, usage.body.billed_seconds, ""),))
    amount = settled(price, free_s=0, fee_when_covered=False, rates=rates, places=4, mode=RoundingMode.HALF_UP)
    yield "rated", held[0], row.prefix, price.billed_s, amount


def test_a_call_over_the_clock_change_begins_before_it(sample: Sample, read: Read) -> None:
    items = read(ASTERISK, sample("synthetic_asterisk_Master.csv"), zone="America/New_York", source="new_york", settings=SETTINGS)
    (call,) = [item for item in items if isinstance(item, Usage) and item.external_id == "pbx1-dst-1"]
    assert call.start.isoformat() == "2026-11-01T05:50:00+00:00"
    assert call.body.billed_seconds == 1196
    assert 0 <= call.span.seconds - 1196 <= 60
