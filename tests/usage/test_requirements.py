"""What every record must fulfil, and its way to plain data and back."""

from datetime import date, datetime
from fractions import Fraction
from typing import Any

import attrs
import pytest

from billing_framework.usage.plain import plain_usage, usage_from_plain
from billing_framework.usage.record import AnyUsage
from billing_framework.usage.requirements import record_findings
from tests.usage.stays import NOON, RULES, Size, stay

FULL = stay(
    plate="ZH 1",
    paid=True,
    fee=Fraction(1, 3),
    day=date(2026, 7, 1),
    left=NOON,
    size=Size.LARGE,
    weights=(1, -2, 3),
    slot="s",
    version=4,
)


def test_a_good_record_has_no_findings() -> None:
    assert record_findings(FULL, RULES, "f") == []
    assert record_findings(stay(), RULES, "f") == []


WRONG: list[tuple[str, AnyUsage]] = [
    ("kind", stay(kind="sty")),
    ("source", stay(source="")),
    ("external_id", stay(" ")),
    ("external_id", stay("x" * 501)),
    ("external_id", stay(7)),
    ("subject", stay(subject="a\x00b")),
    ("subject", stay(subject="\ud800")),
    ("slot", stay(slot="\x00")),
    ("version", stay(version=2**63)),
    ("body", attrs.evolve(stay(), body={"minutes": 3})),
    ("minutes", stay(minutes=None)),
    ("minutes", stay(minutes=3.0)),
    ("minutes", stay(minutes=True)),
    ("minutes", stay(minutes=2**63)),
    ("plate", stay(plate="x" * 10_001)),
    ("paid", stay(paid=1)),
    ("fee", stay(fee=1.5)),
    ("fee", stay(fee=Fraction(1, 10**41))),
    ("day", stay(day=NOON)),
    ("left", stay(left=datetime(2026, 7, 1))),  # noqa: DTZ001  that it has no zone is what is refused
    ("size", stay(size="small")),
    ("weights", stay(weights=[1])),
    ("weights", stay(weights=(1, 2**63))),
    ("weights", stay(weights=(0,) * 100_001)),
]


@pytest.mark.parametrize(("field", "usage"), WRONG)
def test_each_wrong_field_is_told_with_its_place_and_remedy(field: str, usage: AnyUsage) -> None:
    (finding,) = record_findings(attrs.evolve(usage, line=5), RULES, "file.csv")
    assert (finding.code, finding.field, finding.file, finding.line) == ("USAGE01", field, "file.csv", 5)
    assert finding.remedy
    str(finding).encode()


def test_plain_data_comes_back_equal() -> None:
    for usage in (FULL, stay()):
        assert usage_from_plain(plain_usage(usage, RULES), RULES, usage.line) == (usage, [])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"minutes": "x"}, "minutes"),
        ({"minuts": 3}, "minuts"),
        ({"start": "noon"}, "start"),
        ({"end": "2026-01-01T00:00:00Z"}, "end"),
        ({"kind": "sty"}, "kind"),
        ({"size": "huge"}, "size"),
        ({"version": "1"}, "version"),
    ],
    ids=str,
)
def test_plain_data_that_is_wrong_names_the_field(change: dict[str, Any], field: str) -> None:
    usage, findings = usage_from_plain({**plain_usage(FULL, RULES), **change}, RULES)
    assert usage is None
    assert [finding.field for finding in findings] == [field]
    assert findings[0].remedy
