"""Sorting records: accepted, duplicate, suspended, rejected; each record in exactly one of them."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.accounts.assignment import Assignment
from billing_framework.usage.content import usage_key
from billing_framework.usage.guide import make_guide
from billing_framework.usage.intake import Delivered, Known, Sorted, Stored, identify, settle_keys, sort_in
from billing_framework.usage.reader import BadRecord
from billing_framework.usage.reconcile import ControlTotals
from billing_framework.usage.record import AnyUsage
from billing_framework.values.errors import ContractBroken
from billing_framework.values.finding import Finding
from tests.usage.stays import RULES, stay

GUIDE = make_guide([(Assignment(subject="CARD-1", agreement="A", starts_on=date(2026, 1, 1)), ZoneInfo("UTC"))])
KNOWN = Known(guide=GUIDE)


def sorted_in(*items: AnyUsage | BadRecord, known: Known = KNOWN) -> Sorted:
    return sort_in(identify(items, RULES, "gate", "file.csv"), known, "file.csv")


def bad(raw: str, what: str = "unreadable") -> BadRecord:
    return BadRecord(line=1, raw=raw, findings=(Finding(code="USAGE25", what=what),))


def counts(done: Sorted) -> tuple[int, int, int, int]:
    totals = done.totals
    return (totals.accepted, totals.duplicate, totals.suspended, totals.rejected)


def as_stored(record: Delivered, place: str = "batch 7") -> Stored:
    usage = record.usage
    assert usage is not None
    return Stored(
        key=record.key,
        source=usage.source,
        external_id=usage.external_id,
        digest=record.digest,
        place=place,
        slot=record.slot,
        version=usage.version,
    )


def knowing(*usages: AnyUsage) -> Known:
    stored = [as_stored(record) for record in identify(usages, RULES, "gate", "")]
    slots: dict[int, list[Stored]] = {}
    for item in stored:
        if item.slot:
            slots.setdefault(item.slot, []).append(item)
    return Known(records={item.key: item for item in stored}, slots=slots, guide=GUIDE)


def test_new_records_are_accepted_in_the_order_of_the_file() -> None:
    done = sorted_in(stay("T2"), stay("T1", minutes=5))
    assert [record.usage.external_id for record in done.accepted if record.usage] == ["T2", "T1"]
    assert counts(done) == (2, 0, 0, 0)
    assert done.totals.by_kind == {"stay": 2}


@pytest.mark.parametrize("again", ["in the file", "stored"])
def test_the_same_again_is_a_duplicate(again: str) -> None:
    done = sorted_in(stay(), stay(line=2)) if again == "in the file" else sorted_in(stay(), known=knowing(stay()))
    assert counts(done) == ((1, 1, 0, 0) if again == "in the file" else (0, 1, 0, 0))


@pytest.mark.parametrize("place", ["this file", "batch 7"])
def test_the_same_id_with_other_content_is_a_conflict_that_names_both_places(place: str) -> None:
    other = stay(minutes=31, line=2)
    done = sorted_in(stay(), other) if place == "this file" else sorted_in(other, known=knowing(stay()))
    assert [record.usage for record in done.rejected] == [other]
    (finding,) = done.rejected[0].findings
    assert (finding.code, finding.file, finding.line, finding.value) == ("USAGE02", "file.csv", 2, "T1")
    assert place in finding.what


def test_a_correction_replaces_under_a_new_id_with_the_same_slot_and_a_higher_version_as_the_remedy_says() -> None:
    first = stay("T1", slot="s", version=1)
    others = {
        "same id, higher version": stay("T1", minutes=31, slot="s", version=2),
        "new id alone": stay("T2", minutes=31),
        "new id, slot of its own": stay("T2", minutes=31, slot="s2", version=2),
        "new id, same slot and version": stay("T2", minutes=31, slot="s", version=1),
        "new id, same slot, higher version": stay("T2", minutes=31, slot="s", version=2),
    }
    done = {what: sorted_in(first, other) for what, other in others.items()}

    assert {what: (len(one.accepted), one.totals.superseding) for what, one in done.items()} == {
        "same id, higher version": (1, 0),
        "new id alone": (2, 0),
        "new id, slot of its own": (2, 0),
        "new id, same slot and version": (1, 0),
        "new id, same slot, higher version": (2, 1),
    }
    refused = [one.rejected[0].findings[0] for one in done.values() if one.rejected]
    assert [finding.code for finding in refused] == ["USAGE02", "USAGE04"]
    assert all("under a new id, with the same slot and a higher version" in finding.remedy for finding in refused)


def test_the_first_in_the_file_wins_and_a_repeated_conflict_is_a_duplicate() -> None:
    done = sorted_in(stay(), stay(minutes=31, line=2), stay(minutes=31, line=3), stay(line=4))
    assert counts(done) == (1, 2, 0, 1)


def test_one_id_of_two_sources_is_two_records() -> None:
    assert counts(sorted_in(stay(), stay(source="other", minutes=31))) == (2, 0, 0, 0)


def test_a_newer_version_of_a_slot_replaces_and_an_older_one_is_kept_too() -> None:
    done = sorted_in(stay("T2", slot="s", version=2), stay("T1", slot="s", version=1), stay("T3", slot="s", version=3))
    assert counts(done) == (3, 0, 0, 0)
    assert done.totals.superseding == 1


def test_one_version_of_a_slot_with_other_content_is_a_conflict() -> None:
    known = knowing(stay("T1", slot="s", version=1))
    done = sorted_in(stay("T2", slot="s", version=1, minutes=9), known=known)
    (finding,) = done.rejected[0].findings
    assert finding.code == "USAGE04"
    assert "T1" in finding.what
    assert "batch 7" in finding.what


def test_one_version_of_a_slot_with_the_same_content_is_a_duplicate_even_under_another_id() -> None:
    done = sorted_in(stay("T2", slot="s", version=1), known=knowing(stay("T1", slot="s", version=1)))
    assert counts(done) == (0, 1, 0, 0)


def test_an_identifier_without_assignment_waits() -> None:
    done = sorted_in(stay(subject="CARD-9"))
    (finding,) = done.suspended[0].findings
    assert (finding.code, finding.value) == ("USAGE03", "CARD-9")
    assert "recycle" in finding.remedy


def test_what_waits_already_is_a_duplicate_and_other_content_of_its_id_is_new() -> None:
    waiting = identify([stay(subject="CARD-9")], RULES, "gate", "")[0]
    known = attrs.evolve(KNOWN, waiting={(waiting.key, waiting.digest)})
    assert counts(sorted_in(stay(subject="CARD-9"), stay(), known=known)) == (1, 1, 0, 0)


def test_an_unreadable_record_waits_with_its_findings_once() -> None:
    done = sorted_in(bad("x;y"), bad("x;y"), bad("x;z"), bad("", "gap on Monday"), bad("", "gap on Tuesday"))
    assert counts(done) == (0, 1, 4, 0)
    assert done.suspended[0].findings[0].code == "USAGE25"


def test_a_record_that_is_not_what_its_kind_requires_waits() -> None:
    done = sorted_in(stay(minutes=2**63), stay(minutes=2**63, line=2))
    assert counts(done) == (0, 1, 1, 0)
    assert done.suspended[0].findings[0].code == "USAGE01"


def colliding(source: str, external_id: str, salt: int) -> int:
    return usage_key("", "", salt) if external_id.startswith("T") else usage_key(source, external_id, salt)


def settled(usages: Sequence[AnyUsage], stored: dict[int, Stored]) -> list[int]:
    keyed = [attrs.evolve(item, key=colliding("gate", "T", 0)) for item in identify(usages, RULES, "gate", "")]
    found, _ = settle_keys(keyed, lambda keys: {key: stored[key] for key in keys if key in stored}, colliding)
    return [record.key for record in found]


def test_two_ids_with_one_hash_are_kept_apart() -> None:
    first, second = colliding("", "T", 0), colliding("", "T", 1)
    assert settled([stay("T1"), stay("T2"), stay("T1")], {}) == [first, second, first]


def test_a_collision_with_a_stored_record_is_found_again() -> None:
    keys = [colliding("", "T", salt) for salt in range(3)]
    stored = {
        keys[salt]: Stored(key=keys[salt], source="gate", external_id=f"T{salt + 1}", digest=b"", place="batch 1")
        for salt in (0, 1)
    }
    assert settled([stay("T2"), stay("T3"), stay("T1")], stored) == [keys[1], keys[2], keys[0]]


RECORDS = st.builds(
    stay,
    st.sampled_from(["T1", "T2", "T3"]),
    subject=st.sampled_from(["CARD-1", "CARD-9"]),
    minutes=st.sampled_from([1, 2, 2**70]),
    slot=st.sampled_from(["", "s"]),
    version=st.integers(0, 2),
)


@given(st.lists(RECORDS | st.builds(bad, st.sampled_from(["a", "b"])), max_size=12), st.integers(0, 12))
def test_every_record_is_counted_once_and_a_second_delivery_changes_nothing(items: list[Any], cut: int) -> None:
    whole = sorted_in(*items)
    assert whole.totals.records == len(items) == sum(counts(whole))
    again = sorted_in(*items, known=after(whole))
    assert counts(again) == (0, len(items), 0, 0)
    first = sorted_in(*items[:cut])
    second = sorted_in(*items[cut:], known=after(first))
    assert (first.totals + second.totals).accepted == whole.totals.accepted
    assert (first.totals + second.totals).rejected == whole.totals.rejected


def test_what_its_slot_has_said_is_a_duplicate_even_under_an_id_that_said_something_else() -> None:
    items = (stay("T3", slot="s", version=2), stay("T2", slot="s", version=2), stay("T2"))
    whole = sorted_in(*items)
    assert counts(whole) == (2, 1, 0, 0)
    assert counts(sorted_in(*items, known=after(whole))) == (0, 3, 0, 0)


def after(done: Sorted) -> Known:
    known = knowing(*(record.usage for record in done.accepted if record.usage))
    return attrs.evolve(known, waiting={(record.key, record.digest) for record in (*done.suspended, *done.rejected)})


def test_totals_that_do_not_balance_stop_the_intake() -> None:
    with pytest.raises(ContractBroken, match="3 records came, 2 are accounted for") as caught:
        ControlTotals(records=3, accepted=1, duplicate=1, by_kind={"stay": 1}).proven()
    assert caught.value.code == "USAGE07"
