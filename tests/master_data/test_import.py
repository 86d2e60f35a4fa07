"""Files of customer data: whole or not at all, again without effect, every line's fault named; on both databases."""

from __future__ import annotations

import attrs
import pytest
from sqlalchemy import func, select

from billing_framework.accounts.account import Account
from billing_framework.accounts.hierarchy import MOST_LEVELS
from billing_framework.accounts.party import Party
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.customer_change import change
from billing_framework.run.master.customers import ImportReport, create, import_file, save
from billing_framework.storage.audit import audit_event, events
from billing_framework.storage.master.account_rows import all_rows, load_accounts, load_branches
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES, MasterKind

FILES: dict[str, tuple[MasterKind[object], str]] = {
    "parties.csv": (PARTIES, "code,name,city\nP-1,Ada Ohm,Dallas\nP-2,Ben Watt,Austin\n"),  # type: ignore[dict-item]
    "accounts.csv": (ACCOUNTS, "code,party,book,currency,parent,payer\nA-2,P-2,US,USD,A-1,parent\nA-1,P-1,US,USD,,\n"),  # type: ignore[dict-item]
    "agreements.csv": (
        AGREEMENTS,
        "code,account,plan,starts_on,term.kw\nG-1,A-1,basic,2026-01-01,5\nG-2,A-2,basic,2026-01-01,\n",
    ),  # type: ignore[dict-item]
    "assignments.csv": (
        ASSIGNMENTS,  # type: ignore[dict-item]
        "subject,agreement,starts_on,ends_on,detail.multiplier\nM-1,G-1,2026-01-01,2026-03-01,1\nM-1,G-2,2026-03-01,,40\n",
    ),
}


def take(deployment: Deployment, file: str, text: str = "", *, update: bool = False, check_only: bool = False) -> ImportReport:
    kind, content = FILES[file]
    return import_file(deployment, kind, (text or content).encode(), file=file, update=update, check_only=check_only)


def take_all(deployment: Deployment) -> list[ImportReport]:
    return [take(deployment, file) for file in FILES]


def test_all_four_files_are_taken_and_taken_again_without_effect(deployment: Deployment) -> None:
    first, again = take_all(deployment), take_all(deployment)

    assert [(one.created, one.unchanged, one.written, one.findings) for one in first] == [(2, 0, True, ())] * 4
    assert [(one.created, one.changed, one.unchanged, one.findings) for one in again] == [(0, 0, 2, ())] * 4
    with deployment.database.read() as connection:
        rows = connection.scalar(select(func.count()).select_from(audit_event).where(audit_event.c.action.like("% import")))
        assert rows == 8
        assert load_branches(connection, ["A-2"])["A-2"].payer == "parent"
        stored = [one.value for one in all_rows(connection, ASSIGNMENTS)]
    assert [(one.agreement, one.details) for one in stored] == [("G-1", {"multiplier": "1"}), ("G-2", {"multiplier": "40"})]


def test_a_check_writes_nothing_and_says_what_would_happen(deployment: Deployment) -> None:
    report = take(deployment, "parties.csv", check_only=True)

    assert (report.created, report.written) == (2, False)
    with deployment.database.read() as connection:
        assert list(all_rows(connection, PARTIES)) == []


def test_one_bad_line_keeps_the_whole_file_out(deployment: Deployment) -> None:
    take(deployment, "parties.csv")
    text = "code,party,book,currency\nA-1,P-1,US,USD\nA-2,P-9,UK,USD\nA-3,P-1,US,EUR2\n"

    report = take(deployment, "accounts.csv", text)

    assert not report.written
    assert sorted((one.line, one.code, one.field, one.value) for one in report.findings) == [
        (3, "ACCOUNT09", "book", "UK"),
        (3, "ACCOUNT09", "party", "P-9"),
        (4, "VALUE05", "currency", "EUR2"),
    ]
    assert all(one.remedy for one in report.findings)
    with deployment.database.read() as connection:
        assert load_accounts(connection, ["A-1"]) == {}


def test_a_missing_code_is_told_with_the_nearest_one_as_long_as_few_are_missing(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(deployment, "parties.csv")
    lines = [f"A-{number},{party},US,USD" for number, party in enumerate(("p-1", "Q-2", "Q-2", "elsewhere", "P-22", "Q-2"))]
    monkeypatch.setattr("billing_framework.run.master.customer_rules._MOST_CODES_LOOKED_FOR", 3)

    report = take(deployment, "accounts.csv", "\n".join(["code,party,book,currency", *lines]))

    first = "Create the party first, or correct the code"
    told = [one.remedy.removeprefix(first) for one in report.findings if one.field == "party"]
    near = ". Did you mean 'P-2'?"
    assert told == [". Did you mean 'P-1'?", near, near, ". Known are P-1, P-2", "", near]


@pytest.mark.parametrize("text", ["code,party,book,currency,locale,zone\nA-1,P-1,US,,,\n", "code,party,book\nA-1,P-1,US\n"])
def test_what_a_file_of_accounts_leaves_out_is_the_deployments(deployment: Deployment, text: str) -> None:
    sydney = attrs.evolve(deployment.settings.deployment, currency="AUD", locale="en_AU", zone="Australia/Sydney")
    town = attrs.evolve(deployment, settings=attrs.evolve(deployment.settings, deployment=sydney))
    take(town, "parties.csv")

    report = take(town, "accounts.csv", text)

    assert (report.created, report.findings) == (1, ())
    account = stored_account(town)
    assert (account.currency, account.locale, account.zone) == ("AUD", "en_AU", "Australia/Sydney")
    assert take(town, "accounts.csv", text).unchanged == 1
    values = {"code": "A-1", "party": "P-1", "book": "US", "zone": ""}
    assert create(town, ACCOUNTS, values) == (account, False)  # the same is there already


def test_an_empty_cell_means_the_default_also_where_the_file_may_update(deployment: Deployment) -> None:
    sydney = attrs.evolve(deployment.settings.deployment, locale="en_AU", zone="Australia/Sydney")
    town = attrs.evolve(deployment, settings=attrs.evolve(deployment.settings, deployment=sydney))
    take(town, "parties.csv")
    take(town, "accounts.csv", "code,party,book,locale,zone,due_days\nA-1,P-1,US,de_CH,Europe/Zurich,30\n")

    report = take(town, "accounts.csv", "code,party,book,locale,zone,due_days\nA-1,P-1,US,de_CH,,\n", update=True)
    account = stored_account(town)
    _, changed = change(town, ACCOUNTS, "A-1", {"locale": ""}, reason="moved")

    assert (report.changed, report.findings) == (1, ())
    assert (account.locale, account.zone, account.due_days) == ("de_CH", "Australia/Sydney", 14)
    assert changed.locale == "en_AU"


def stored_account(deployment: Deployment) -> Account:
    with deployment.database.read() as connection:
        return load_accounts(connection, ["A-1"])["A-1"]


def test_other_content_is_a_finding_unless_it_may_update(deployment: Deployment) -> None:
    take(deployment, "parties.csv")
    text = "code,name,city\nP-1,Ada Ohm,Houston\nP-2,Ben Watt,Austin\n"

    refused = take(deployment, "parties.csv", text)
    updated = take(deployment, "parties.csv", text, update=True)

    assert [(one.code, one.line, one.field) for one in refused.findings] == [("ACCOUNT10", 2, "city")]
    assert (updated.changed, updated.unchanged, updated.written) == (1, 1, True)
    with deployment.database.read() as connection:
        [event] = [one for one in events(connection, object_kind="party", object_key="P-1") if one.before is not None]
        stored = [one for one in all_rows(connection, PARTIES) if one.value.code == "P-1"]
    assert event.before is not None
    assert event.after is not None
    assert (event.before["city"], event.after["city"]) == ("Dallas", "Houston")
    assert (event.actor, event.reason, event.at) == ("anna", "import of parties.csv", deployment.clock.now())
    assert stored[0].revision == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("A-1,P-1,US,USD,A-2,\nA-2,P-1,US,USD,A-1,\n", "ACCOUNT04"),
        ("A-1,P-1,US,USD,A-9,\n", "ACCOUNT09"),
        ("A-1,P-1,US,USD,,\nA-2,P-1,US,EUR,A-1,\n", "ACCOUNT04"),
    ],
)
def test_accounts_that_form_no_tree_stay_out(deployment: Deployment, text: str, code: str) -> None:
    take(deployment, "parties.csv")

    report = take(deployment, "accounts.csv", f"code,party,book,currency,parent,payer\n{text}")

    assert not report.written
    assert {one.code for one in report.findings} == {code}


def test_an_import_cannot_break_the_branch_below_an_account(deployment: Deployment) -> None:
    take(deployment, "parties.csv")
    take(deployment, "accounts.csv", "code,party,book,currency,parent,payer\nA-1,P-1,US,USD,,\nA-2,P-1,US,USD,A-1,\n")

    report = take(deployment, "accounts.csv", "code,party,book,currency\nA-1,P-1,US,EUR\n", update=True)

    assert [(one.code, one.subject) for one in report.findings] == [("ACCOUNT04", "A-2")]


def test_a_file_that_lengthens_a_branch_is_told_where_it_becomes_too_deep(deployment: Deployment) -> None:
    """Also of accounts whose own place stays as it was; and the line that is told is that of the account."""
    take(deployment, "parties.csv")
    head, levels = "code,party,book,currency,parent,payer,due_days\n", [f"C-{level:02}" for level in range(MOST_LEVELS + 1)]
    branch = "".join(f"{code},P-1,US,USD,{above},,14\n" for code, above in zip(levels, ["", *levels], strict=False))
    assert take(deployment, "accounts.csv", head + branch).written

    longer = head + "TOP,P-1,US,USD,,,14\n" + branch.replace("USD,,,14", "USD,TOP,,14").replace(",14\n", ",30\n")
    report = take(deployment, "accounts.csv", longer, update=True)

    assert not report.written
    assert [(one.code, one.subject, one.line) for one in report.findings] == [("ACCOUNT04", levels[-1], len(levels) + 2)]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("G-1,A-9,basic,2026-01-01,\n", "ACCOUNT09", 2),
        ("G-1,A-1,premium,2026-01-01,\n", "ACCOUNT09", 2),
        ("G-1,A-1,,2026-01-01,\n", "ACCOUNT01", 2),
        ("G-1,A-3,basic,2026-01-01,\n", "ACCOUNT15", 2),
        ("G-1,A-1,basic,2026-01-01,\nG-2,A-1,basic,2026-02-01,G-1\n", "ACCOUNT09", 3),
    ],
)
def test_an_agreement_must_fit_its_account_plan_and_predecessor(deployment: Deployment, text: str, code: str, line: int) -> None:
    take(deployment, "parties.csv")
    take(deployment, "accounts.csv", "code,party,book,currency\nA-1,P-1,US,USD\nA-3,P-1,US,EUR\n")

    report = take(deployment, "agreements.csv", f"code,account,plan,starts_on,succeeds\n{text}")

    assert [(one.code, one.line) for one in report.findings] == [(code, line)]
    assert not report.written


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("M-9,G-9,2026-01-01,\n", "ACCOUNT09"),
        ("M-9,G-1,2025-12-31,\n", "ACCOUNT06"),
        ("M-1,G-2,2026-02-28,2026-03-01\n", "ACCOUNT07"),
        ("M-1,G-2,2027-01-01,\n", "ACCOUNT07"),
        ("M-9,G-1,2026-01-01,\nM-9,G-2,2026-06-01,\n", "ACCOUNT07"),
    ],
)
def test_an_assignment_must_fit_agreements_and_the_others_of_its_subject(deployment: Deployment, text: str, code: str) -> None:
    take_all(deployment)

    report = take(deployment, "assignments.csv", f"subject,agreement,starts_on,ends_on\n{text}")

    assert [one.code for one in report.findings] == [code]
    assert not report.written


def test_values_made_in_python_follow_the_same_rules(deployment: Deployment) -> None:
    good = save(deployment, PARTIES, [Party(code="P-1", name="Ada")], reason="test")
    bad = save(deployment, ACCOUNTS, [Account(code="A 1", party="P-1", book="US", currency="USD", due_days=-3)])

    assert (good.created, good.written) == (1, True)
    assert {(one.code, one.field) for one in bad.findings} == {("ACCOUNT02", "code"), ("ACCOUNT02", "due_days")}
    assert not bad.written
