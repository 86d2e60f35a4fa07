"""The digest of a record's content: equal where the content is, different where anything of it differs."""

from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.usage.content import content_digest, slot_key, usage_key
from billing_framework.usage.kind_fields import body_fields
from billing_framework.usage.record import AnyUsage, UsageKind
from billing_framework.values.period import Span
from tests.usage.stays import NOON, RULES, Size, stay


def digest(usage: AnyUsage) -> bytes:
    return content_digest(usage, RULES["stay"].fields)


def test_id_source_and_line_are_no_content() -> None:
    assert digest(stay()) == digest(stay("T2", source="other", line=9))
    assert len(digest(stay())) == 16


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "CARD-2"},
        {"minutes": 31},
        {"plate": "X"},
        {"paid": True},
        {"fee": Fraction(1, 3)},
        {"fee": Fraction(0)},
        {"day": date(2026, 7, 1)},
        {"left": NOON},
        {"size": Size.LARGE},
        {"weights": (1, 2)},
        {"weights": (12,)},
        {"slot": "s"},
        {"version": 1},
        {"span": Span(NOON, NOON + timedelta(minutes=1))},
    ],
    ids=str,
)
def test_each_field_counts(fields: dict[str, Any]) -> None:
    assert digest(stay(**fields)) != digest(stay())


def test_one_instant_has_one_digest_whatever_its_offset() -> None:
    east = timezone(timedelta(hours=2))
    assert digest(stay(left=NOON)) == digest(stay(left=NOON.astimezone(east)))


def test_a_kind_may_gain_fields_without_changing_stored_digests() -> None:
    @attrs.frozen(kw_only=True)
    class Older:
        minutes: int

    older = UsageKind(name="stay", title="", body=Older)
    record = attrs.evolve(stay(), body=Older(minutes=30))
    assert content_digest(record, body_fields(older)) == digest(stay())


@given(st.text(), st.text(), st.text(), st.text())
def test_neighbouring_texts_never_run_together(plate: str, slot: str, other_plate: str, other_slot: str) -> None:
    same = (plate, slot) == (other_plate, other_slot)
    try:
        one, other = digest(stay(plate=plate, slot=slot)), digest(stay(plate=other_plate, slot=other_slot))
    except UnicodeEncodeError:  # such a text never gets so far: it is suspended before
        return
    assert (one == other) == same


def test_keys_are_stable_for_ever() -> None:
    # These numbers are in the databases of users; a change of the hash would make every duplicate look new.
    assert usage_key("gate", "T1") == 6280041840797019041
    assert usage_key("gate", "T1", 1) != usage_key("gate", "T1")
    assert digest(stay()).hex() == "12f42bc59e583037305f0f5c688ab73e"


def test_a_slot_belongs_to_its_subject_and_kind() -> None:
    assert slot_key(stay(), carried=False) == 0
    mine = slot_key(stay(slot="s"), carried=False)
    assert mine == slot_key(stay("T9", slot="s", source="x"), carried=False)
    assert mine != slot_key(stay(slot="s", subject="CARD-2"), carried=False)


def test_a_slot_of_a_carried_kind_belongs_to_its_source() -> None:
    assert slot_key(stay(), carried=True) == 0
    mine = slot_key(stay(slot="s"), carried=True)
    assert mine == slot_key(stay("T9", slot="s", subject="CARD-2"), carried=True)
    assert mine != slot_key(stay(slot="s", source="x"), carried=True)
    same_texts = stay(slot="s", source="x", subject="x")
    assert slot_key(same_texts, carried=True) != slot_key(same_texts, carried=False)


def test_the_time_zone_of_the_machine_is_not_asked() -> None:
    assert digest(stay(span=Span.at(datetime(2026, 7, 1, 12, tzinfo=UTC)))) == digest(stay())
