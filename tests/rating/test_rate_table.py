"""Rate tables as values: which version holds, which tables a plan names, typed rows of files, and what changed."""

from __future__ import annotations

import enum
import time
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework import RateTable, RateTableKind, RateTableName, rate_table_field
from billing_framework.rating.in_force import in_force
from billing_framework.rating.price_plan import Component, PlanVersion
from billing_framework.rating.rate_table import table_on
from billing_framework.rating.rate_table_file import RateTableHeader, pinned_digest, read_rate_table
from billing_framework.rating.rate_table_names import choose_tables, in_conflict, tables_named
from billing_framework.values.period import DateSpan

JAN, APR, JUL, OCT = (date(2026, month, 1) for month in (1, 4, 7, 10))
YEAR = DateSpan(JAN, date(2027, 1, 1))


class Side(enum.Enum):
    LEFT = "left"
    RIGHT = "right"


@attrs.frozen(kw_only=True)
class Row:
    code: str
    price: Fraction | None
    side: Side = Side.LEFT
    count: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    since: date | None = None
    open: bool = False


KIND = RateTableKind(name="x.rows", title="Rows", row=Row, key=("code", "side"), prices=("price",))
HEADER = RateTableHeader(code="t", version="1", kind="x.rows", valid_from=JAN)


def table(version: str, valid_from: date, valid_to: date | None = None, supersedes: str = "", code: str = "t") -> RateTable:
    return RateTable(code=code, version=version, kind="x.rows", valid_from=valid_from, valid_to=valid_to, supersedes=supersedes)


def test_an_open_end_lasts_until_the_next_version_begins() -> None:
    tables = [table("1", JAN), table("2", APR), table("x", JAN, code="other")]
    assert [getattr(table_on(tables, "t", day), "version", None) for day in (date(2025, 12, 31), JAN, APR, OCT)] == [
        None,
        "1",
        "2",
        "2",
    ]


def test_two_versions_for_a_day_are_none() -> None:
    tables = [table("1", JAN, OCT), table("2", APR, JUL)]
    assert table_on(tables, "t", APR) is None
    assert in_conflict(tables, YEAR) == [(DateSpan(APR, JUL), ["1", "2"])]
    assert table_on([*tables[:1], attrs.evolve(tables[1], supersedes="1")], "t", APR) is not None


def test_a_table_is_equal_only_to_itself_and_can_be_a_key() -> None:
    assert table("1", JAN) != table("1", JAN)
    assert len({table("1", JAN): 1, table("1", JAN): 2}) == 2


DAYS = [date(2026, month, 1) for month in range(1, 13)]


@given(st.data())
def test_what_is_chosen_for_some_dates_answers_as_all_versions_do(data: st.DataObject) -> None:
    known: list[RateTable] = []
    for number in range(data.draw(st.integers(1, 6))):
        first = data.draw(st.sampled_from(DAYS))
        last = data.draw(st.sampled_from([None, *(day for day in DAYS if day > first)]))
        known.append(table(str(number), first, last, data.draw(st.sampled_from(["", *(one.version for one in known)]))))
    start = data.draw(st.integers(0, 10))
    dates = DateSpan(DAYS[start], DAYS[data.draw(st.integers(start + 1, 11))])
    chosen, _ = choose_tables([(dates, plan(Named(main=RateTableName("t"))))], known)
    for day in dates.dates():
        assert [one.version for one in in_force(chosen, day)] == [one.version for one in in_force(known, day)]


@attrs.frozen(kw_only=True)
class Inner:
    table: RateTableName
    note: str = "t"


@attrs.frozen(kw_only=True)
class Named:
    main: RateTableName = rate_table_field("x.rows")
    second: RateTableName | None = None
    more: tuple[RateTableName, ...] = ()
    inner: tuple[Inner, ...] = ()
    by_name: Mapping[str, RateTableName] = attrs.field(factory=dict)
    text: str = "not a table"


@attrs.frozen(kw_only=True)
class Plain:
    text: str = "x"


def plan(*params: object) -> PlanVersion:
    components = tuple(
        Component(code=f"c{number}", titles={"en": "C"}, model="m", params=one, charge_code="c", tax_category="s")
        for number, one in enumerate(params)
    )
    return PlanVersion(code="p", version="1", valid_from=JAN, currency="EUR", components=components)


def test_the_tables_of_a_plan_are_found_by_the_types_of_its_parameters() -> None:
    name = RateTableName
    params = Named(
        main=name("a"), second=name("b"), more=(name("c"), name("d")), inner=(Inner(table=name("e")),), by_name={"k": name("f")}
    )
    found = tables_named(plan(Plain(), params))
    assert [(one.code, one.kind, one.component, one.field) for one in found] == [
        ("a", "x.rows", "c1", "main"),
        ("b", "", "c1", "second"),
        ("c", "", "c1", "more"),
        ("d", "", "c1", "more"),
        ("e", "", "c1", "inner.table"),
        ("f", "", "c1", "by_name.k"),
    ]


def test_a_table_of_another_kind_is_a_finding() -> None:
    other = attrs.evolve(table("1", JAN), kind="x.other")
    _, findings = choose_tables([(YEAR, plan(Named(main=RateTableName("t"))))], [other])
    assert [(one.code, one.field) for one in findings] == [("TABLE07", "c0.main")]


def test_only_versions_that_the_dates_need_are_chosen() -> None:
    known = [table("1", JAN), table("2", APR), table("3", JUL), table("4", OCT)]
    chosen, findings = choose_tables(
        [(DateSpan(date(2026, 6, 30), date(2026, 8, 1)), plan(Named(main=RateTableName("t"))))], known
    )
    assert ([one.version for one in chosen], findings) == (["2", "3"], ())


def test_rows_are_typed_and_empty_cells_are_their_defaults() -> None:
    content = "\ufeffside,code,price,since,open\r\nright,a,1.50,2026-07-01,yes\r\n,b,,,\r\n".encode()
    read = read_rate_table(content, file="f.csv", header=HEADER, kind=KIND)
    assert read.findings == ()
    assert read.table is not None
    assert read.table.rows == (
        Row(code="a", price=Fraction(3, 2), side=Side.RIGHT, since=JUL, open=True),
        Row(code="b", price=None),
    )
    assert read.table.name == "t@1"


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("a,1,up,1,,", "side", "up"),
        ("a,1,,0,,", "count", "0"),
        ("a,1,,1.5,,", "count", "1.5"),
        ("a,1_0,,,,", "price", "1_0"),
        ('a,"1,5",,,,', "price", "1,5"),
        ("a,1,,,01.07.2026,", "since", "01.07.2026"),
        ("a,1,,,,maybe", "open", "maybe"),
        (",1,,,,", "code", ""),
        ("a\x00,1,,,,", "code", "a\\0"),
        ("a\x1b[31m,1,,,,", "code", "a\x1b[31m"),
    ],
)
def test_a_wrong_cell_is_told_with_line_and_column(line: str, field: str, value: str) -> None:
    content = f"code,price,side,count,since,open\nz,1,,,,\n{line}\n".encode()
    [finding] = read_rate_table(content, file="f.csv", header=HEADER, kind=KIND).findings
    assert (finding.code, finding.file, finding.line, finding.field, finding.value) == ("TABLE02", "f.csv", 3, field, value)
    assert finding.remedy


def test_so_many_mistakes_are_not_all_told() -> None:
    content = b"code,price\n" + b"a,x\n" * 5_000
    findings = read_rate_table(content, file="f.csv", header=HEADER, kind=KIND).findings
    assert len(findings) == 201
    assert "no further" in findings[-1].what


def test_the_digest_is_of_all_that_decides_prices() -> None:
    base = pinned_digest(HEADER, "00")
    changes: dict[str, Any] = {
        "code": "u",
        "version": "2",
        "kind": "y",
        "valid_from": APR,
        "valid_to": JUL,
        "currency": "EUR",
        "supersedes": "0",
    }
    digests = {pinned_digest(attrs.evolve(HEADER, **{name: value}), "00") for name, value in changes.items()}
    assert len({base, pinned_digest(HEADER, "01"), *digests}) == len(changes) + 2
    assert pinned_digest(attrs.evolve(HEADER, reason="because"), "00") == base


def test_forty_thousand_rows_are_read_in_seconds() -> None:
    content = "code,price\n" + "".join(f"{number},0.{number % 977:03}\n" for number in range(40_000))
    before = time.process_time()
    read = read_rate_table(content.encode(), file="f.csv", header=HEADER, kind=KIND)
    assert time.process_time() - before < 5
    assert read.table is not None
    assert len(read.table.rows) == 40_000
