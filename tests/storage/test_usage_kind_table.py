"""The table of a usage kind follows from its class, and a table that does not is told column by column."""

from fractions import Fraction

import attrs

from billing_framework.storage.engine import Database
from billing_framework.storage.usage.kind_table import create_kind_tables, kind_table, kind_table_findings
from billing_framework.usage.record import UsageKind
from tests.usage.stays import STAY


@attrs.frozen(kw_only=True)
class Changed:
    minutes: Fraction
    plate: str | None = None
    colour: str = ""


def test_a_table_is_created_once_and_fits_its_class(database: Database) -> None:
    derived = kind_table(STAY)
    with database.begin() as connection:
        assert kind_table_findings(connection, [derived])[0].what == "the table is missing"
        assert create_kind_tables(connection, [derived]) == ["usage_stay"]
        assert create_kind_tables(connection, [derived]) == []
        assert kind_table_findings(connection, [derived]) == []


def test_a_changed_class_is_told_column_by_column(database: Database) -> None:
    changed = kind_table(UsageKind(name="stay", title="", body=Changed))
    with database.begin() as connection:
        create_kind_tables(connection, [kind_table(STAY)])
        findings = kind_table_findings(connection, [changed])
    assert {finding.code for finding in findings} == {"STORAGE17"}
    assert all(finding.stops and finding.remedy and finding.subject == "usage_stay" for finding in findings)
    told = {finding.what.split(":")[0]: finding.what for finding in findings}
    assert "no such column" in told["column colour"]
    assert "NOT NULL, the table has" in told["column minutes"]
    assert told["column plate"] == "column plate: the class needs TEXT, the table has TEXT NOT NULL"
    assert "the class needs no such column" in told["column weights"]
    unneeded = {"paid", "fee", "day", "left", "size", "weights"}
    assert set(told) == {f"column {name}" for name in {"minutes", "plate", "colour", *unneeded}}
