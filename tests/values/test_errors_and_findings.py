import pickle

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.values import errors
from billing_framework.values.code_name import is_storable
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.spelling import did_you_mean, first_of, nearest


def test_an_error_says_where_what_and_what_to_do() -> None:
    error = errors.InputRefused("USAGE09", "the header is missing", place="reads.csv:1", remedy="Ask for the file again")
    assert str(error) == "reads.csv:1: USAGE09 the header is missing. Ask for the file again"
    assert str(errors.NotFound("ACCOUNT01", "there is no account 'A'")) == "ACCOUNT01 there is no account 'A'"


def test_an_error_crosses_processes_whole() -> None:
    error = errors.Conflict("LEDGER02", "the key was used", place="entry 7", remedy="Use another key")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # what a process pool does
    assert (type(again), again.code, again.what, again.place, again.remedy) == (
        errors.Conflict,
        "LEDGER02",
        "the key was used",
        "entry 7",
        "Use another key",
    )


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.ValueRefused, 2),
        (errors.NotFound, 2),
        (errors.Conflict, 3),
        (errors.LedgerRefused, 3),
        (errors.StorageError, 4),
        (errors.ContractBroken, 70),
    ],
)
def test_every_kind_has_its_exit_code(kind: type[errors.BillingError], code: int) -> None:
    assert kind("X01", "x").exit_code == code


def test_a_finding_reads_from_the_place_to_the_remedy() -> None:
    finding = Finding(
        code="USAGE02",
        what="unknown unit",
        remedy="Enable the plugin",
        file="a.csv",
        line=3,
        field="uom",
        value="kwx",
        subject="M1",
    )
    assert str(finding) == "a.csv:3: M1: uom: USAGE02 unknown unit ('kwx'). Enable the plugin"
    assert str(Finding(code="RUN01", what="no usage")) == "RUN01 no usage"
    assert finding.stops
    assert not Finding(code="RUN02", severity=Severity.INFORMATION, what="all read").stops


def test_a_long_value_is_cut() -> None:
    assert len(Finding(code="USAGE02", what="x", value="9" * 201).value) == 200
    assert Finding(code="USAGE02", what="x", value="9" * 200).value == "9" * 200
    endless = Finding(code="USAGE02", what="x" * 10**6, remedy="y" * 10**6)
    assert (len(endless.what), len(endless.remedy)) == (2_000, 2_000)


def test_the_nearest_name_ignores_case() -> None:
    assert nearest("KWHH", ["kWh", "kVA"]) == "kWh"
    assert nearest("zzz", ["kWh"]) == ""
    assert did_you_mean("kwhh", ["kWh"]) == "Did you mean 'kWh'?"
    assert did_you_mean("zzz", ["b", "a", "c"], shown=2) == "Known are a, b, and 1 more"
    assert did_you_mean("zzz", []) == "None are defined"


def test_a_message_never_grows_with_what_it_refuses() -> None:
    error = errors.InputRefused("USAGE11", "x" * 1_000_000, place="y" * 1_000_000, remedy="z")
    assert len(str(error)) < 5_000
    assert str(error).endswith("…. z")


@given(st.text(st.characters(exclude_categories=[])))
def test_a_finding_says_only_what_a_database_stores(text: str) -> None:
    found = Finding(code="USAGE01", what=text, remedy=text, file=text, field=text, value=text, subject=text)
    told = (found.what, found.remedy, found.file, found.field, found.subject, found.value)
    assert all(is_storable(one) for one in told)
    assert (found.what == text) == is_storable(text)
    assert attrs.evolve(found) == found


def test_of_many_names_the_first_are_told() -> None:
    assert [first_of(["A", "B", "C"], most) for most in (2, 3, 4)] == ["A, B and 1 more", "A, B, C", "A, B, C"]
    assert first_of([], 2) == ""
