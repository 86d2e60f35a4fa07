"""Everything about a kind follows from its class; a class that cannot be stored is refused when the deployment opens."""

import enum
from typing import Any

import attrs
import pytest

from billing_framework.usage.describe import column_schema, describe_kind
from billing_framework.usage.kind_fields import Sort, body_fields
from billing_framework.usage.record import UsageKind
from billing_framework.values.errors import ContractBroken
from tests.usage.stays import STAY, Size


def test_fields_are_read_from_the_class() -> None:
    fields = {field.name: field for field in body_fields(STAY)}
    assert [field.sort for field in fields.values()] == [
        Sort.WHOLE,
        Sort.TEXT,
        Sort.FLAG,
        Sort.EXACT,
        Sort.DAY,
        Sort.INSTANT,
        Sort.CHOICE,
        Sort.WHOLES,
    ]
    assert fields["minutes"].meaning == "how long it stood, in whole minutes."
    assert fields["fee"].optional
    assert not fields["minutes"].optional
    assert fields["size"].choices is Size


def test_the_reference_text_says_all_of_it() -> None:
    text = describe_kind(STAY)
    assert "A parked car, from entry to exit" in text
    assert "minutes: whole number; how long it stood, in whole minutes." in text
    assert "fee: exact number or nothing; what the machine asked for." in text
    assert "size: one of small, large, by default 'small'" in text


def test_the_columns_are_named_with_their_types() -> None:
    found = {column.name: column.dtype for column in column_schema(STAY)}
    assert found["start_at"] == found["minutes"] == found["day"] == "int64"
    assert found["fee"] == "scaled"
    assert found["weights"] == "packed"


class Number(enum.Enum):
    ONE = 1


def frozen(**annotations: Any) -> type:
    return attrs.frozen(kw_only=True)(type("Body", (), {"__annotations__": annotations}))


@attrs.define
class Changing:
    count: int


@attrs.frozen(kw_only=True)
class Fresh:
    counts: tuple[int, ...] = attrs.field(factory=tuple)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (dict, "stay"),
        (Changing, "stay"),
        (Fresh, "stay"),
        (frozen(amount=float), "stay"),
        (frozen(amount=list[int]), "stay"),
        (frozen(amount=int | str), "stay"),
        (frozen(amount=Number), "stay"),
        (frozen(key=int), "stay"),
        (frozen(start=int), "stay"),
        (frozen(count=int), "Stay"),
        (frozen(count=int), "a stay"),
        (frozen(count=int), "s" * 41),
    ],
)
def test_a_class_that_cannot_be_stored_is_refused(body: type, name: str) -> None:
    with pytest.raises(ContractBroken) as caught:
        body_fields(UsageKind(name=name, title="", body=body))
    assert caught.value.code == "PLUGIN11"
    assert caught.value.remedy


@pytest.mark.parametrize(
    "wrong",
    [
        {"carried": True, "divisible": True},
        {"carried": True, "reach_days": 1},
        {"carried": True, "reach_after_days": 1},
        {"editable": ("amont",)},
        {"editable": ("values",)},
    ],
)
def test_a_kind_that_contradicts_itself_is_refused(wrong: dict[str, Any]) -> None:
    @attrs.frozen(kw_only=True)
    class Body:
        amount: int
        values: tuple[int, ...] = ()

    with pytest.raises(ContractBroken, match="PLUGIN11"):
        body_fields(UsageKind(name="thing", title="A thing", body=Body, **wrong))
    assert "billed once" in describe_kind(UsageKind(name="thing", title="A thing", body=Body, carried=True, editable=("amount",)))
