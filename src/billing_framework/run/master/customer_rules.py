"""What new or changed customer data must fit: the rows that it refers to, the tree of accounts, the dates of agreements."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.accounts.csv_file import Row
from billing_framework.accounts.hierarchy import Branch, branches_of, hierarchy_findings
from billing_framework.accounts.overlap import life_findings, overlap_findings
from billing_framework.storage.master import account_tables as tables
from billing_framework.storage.master.account_rows import (
    load_accounts,
    load_assignments,
    load_branches,
    rows_of,
)
from billing_framework.storage.master.master_kind import AGREEMENTS
from billing_framework.storage.master.master_tables import book_version, plan_version
from billing_framework.storage.master.near_codes import near_codes
from billing_framework.storage.master.range_rows import meeting_assignments
from billing_framework.storage.master.share_rows import SHARES
from billing_framework.storage.turn import take_turn
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.spelling import did_you_mean

_MOST_NAMES_COMPARED = 2_000
_MOST_CODES_LOOKED_FOR = 100


@attrs.frozen
class Place:
    """Where a finding's data came from."""

    file: str = ""
    line: int = 0

    def put(self, finding: Finding) -> Finding:
        """Return the finding with this place."""
        return attrs.evolve(finding, file=self.file, line=self.line)


@attrs.define
class MissingCodes:
    """Tells of what new data refer to and what is not there: of each code with the nearest one, of a file's first hundred codes.

    Attributes:
        connection: a connection.
    """

    connection: Connection
    _told: dict[tuple[str, str], str] = attrs.field(factory=dict, init=False)

    def finding(self, column: sa.Column[Any], noun: str, code: str, subject: str) -> Finding:
        """Return that a code of a column is not there, which the field `noun` of `subject` names."""
        remedy = self._told.get((noun, code)) or self._remedy(column, noun, code)
        return _finding("ACCOUNT09", f"there is no such {noun}", remedy, noun, code, subject=subject)

    def _remedy(self, column: sa.Column[Any], noun: str, code: str) -> str:
        remedy = f"Create the {noun} first, or correct the code"
        if len(self._told) < _MOST_CODES_LOOKED_FOR:
            near = near_codes(self.connection, column, code)
            remedy = f"{remedy}. {did_you_mean(code, near) if near else f'There is no {noun} yet'}"
            self._told[noun, code] = remedy
        return remedy


def account_findings(
    connection: Connection, rows: Sequence[Row[Account]], old: Mapping[str, Account], file: str, *, calendars: Collection[str]
) -> list[Finding]:
    """Return what is wrong with new or changed accounts beside the ones that are stored.

    Args:
        connection: a connection.
        rows: the accounts as they would be.
        old: the stored ones among them, by code.
        file: name of the file that they come from, for messages.
        calendars: names of the deployment's own billing calendars.
    """
    parties = _known(connection, tables.party.c.code, {row.value.party for row in rows})
    books = set(connection.scalars(sa.select(book_version.c.book).distinct()))
    missing = MissingCodes(connection)
    findings = []
    for row in rows:
        place = Place(file, row.line)
        if row.value.party not in parties:
            findings.append(place.put(missing.finding(tables.party.c.code, "party", row.value.party, row.value.code)))
        if row.value.book not in books:
            findings.append(place.put(missing.finding(book_version.c.book, "book", row.value.book, row.value.code)))
        if row.value.code not in old or old[row.value.code].cycle != row.value.cycle:
            findings += [place.put(finding) for finding in _calendar_findings(row.value, calendars)]
    places = branches_of(old.values())
    if any(places.get(row.value.code) != Branch.of(row.value) for row in rows):
        findings += _tree_findings(connection, rows, file)
    moved = {row.value.code for row in rows if row.value.code in old and _moved(old[row.value.code], row.value)}
    used = {stored.value.account for stored in rows_of(connection, AGREEMENTS, "account", moved)}
    used |= {stored.value.payer for stored in rows_of(connection, SHARES, "payer", moved)}
    for row in rows:
        if row.value.code in used:
            findings.append(Place(file, row.line).put(_fixed_account(row.value)))
    return findings


def _calendar_findings(account: Account, calendars: Collection[str]) -> Iterator[Finding]:
    kind, _, name = account.cycle.partition(":")
    if kind == "custom" and name not in calendars:
        yield Finding(
            code="VALUE19",
            severity=Severity.BLOCKING,
            what=f"the deployment has no billing calendar {name!r}",
            remedy=f"{did_you_mean(name, calendars)}. Calendars are the tables [calendars.NAME] of billing.toml",
            field="cycle",
            value=account.cycle,
            subject=account.code,
        )


def _moved(was: Account, account: Account) -> bool:
    return (was.book, was.currency) != (account.book, account.currency)


def _tree_findings(connection: Connection, rows: Sequence[Row[Account]], file: str) -> list[Finding]:
    values = [row.value for row in rows]
    lines = {row.value.code: row.line for row in rows}
    changed = set(lines)
    # A changed account can also break the branches below it.
    named = changed | {one.parent for one in values if one.parent}
    tree = load_branches(connection, named, below=changed) | branches_of(values)
    below = {code for code, branch in tree.items() if branch.parent in changed}
    found = hierarchy_findings(sorted(changed | below), tree)
    return [Place(file, lines.get(code, 0)).put(finding) for code, finding in found.items()]


def _fixed_account(account: Account) -> Finding:
    return Finding(
        code="ACCOUNT12",
        severity=Severity.BLOCKING,
        what="the book and currency of an account with agreements, or shares in them, never change",
        remedy="Open another account and let the agreements end here and begin there",
        field="book",
        value=f"{account.book} {account.currency}",
        subject=account.code,
    )


def agreement_findings(
    connection: Connection, rows: Sequence[Row[Agreement]], old: Mapping[str, Agreement], file: str
) -> list[Finding]:
    """Return what is wrong with new or changed agreements beside what is stored; arguments as `account_findings`."""
    accounts = load_accounts(connection, {row.value.account for row in rows})
    currencies, missing = _plan_currencies(connection), MissingCodes(connection)
    findings = []
    for row in rows:
        found = [
            *_account_of(missing, row.value, accounts),
            *_plan_of(row.value, accounts, currencies),
            *_same_account(row.value, old),
        ]
        findings += [Place(file, row.line).put(finding) for finding in found]
    findings += _succession_findings(connection, rows, file)
    lines = {row.value.code: row.line for row in rows}
    after = {row.value.code: row.value for row in rows if row.value.code in old}
    held = [one for some in load_assignments(connection, after).values() for one in some]
    findings += [Place(file, lines[one.agreement]).put(finding) for one, finding in life_findings(held, after)]
    return findings


def _account_of(missing: MissingCodes, agreement: Agreement, accounts: Mapping[str, Account]) -> list[Finding]:
    if agreement.account not in accounts:
        return [missing.finding(tables.account.c.code, "account", agreement.account, agreement.code)]
    return []


def _plan_of(agreement: Agreement, accounts: Mapping[str, Account], currencies: Mapping[str, set[str]]) -> list[Finding]:
    if agreement.plan not in currencies:
        remedy = f"Load it with billing plan load, or use another. {did_you_mean(agreement.plan, currencies)}"
        return [_finding("ACCOUNT09", "there is no such plan", remedy, "plan", agreement.plan, subject=agreement.code)]
    account = accounts.get(agreement.account)
    if account is not None and account.currency not in currencies[agreement.plan]:
        what = f"the plan is in {', '.join(sorted(currencies[agreement.plan]))}, the account in {account.currency}"
        return [
            _finding("ACCOUNT15", what, "Use a plan in the account's currency", "plan", agreement.plan, subject=agreement.code)
        ]
    return []


def _same_account(agreement: Agreement, old: Mapping[str, Agreement]) -> list[Finding]:
    was = old.get(agreement.code)
    if was is None or was.account == agreement.account:
        return []
    what = f"the agreement belongs to account {was.account} and stays there"
    return [_finding("ACCOUNT12", what, "End it and create another", "account", agreement.account, subject=agreement.code)]


def _succession_findings(connection: Connection, rows: Sequence[Row[Agreement]], file: str) -> list[Finding]:
    named = {row.value.succeeds for row in rows if row.value.succeeds}
    earlier = {stored.value.code: stored.value for stored in rows_of(connection, AGREEMENTS, "code", named)}
    earlier |= {row.value.code: row.value for row in rows}
    findings = []
    for row in rows:
        before = earlier.get(row.value.succeeds)
        if not row.value.succeeds or (before is not None and _follows(before, row.value)):
            continue
        what = "the agreement that it continues is not there, of another account, or has not ended when it starts"
        finding = _finding(
            "ACCOUNT09",
            what,
            "End that agreement first, or leave succeeds empty",
            "succeeds",
            row.value.succeeds,
            subject=row.value.code,
        )
        findings.append(Place(file, row.line).put(finding))
    return findings


def _follows(before: Agreement, after: Agreement) -> bool:
    return before.account == after.account and before.ends_on is not None and before.ends_on <= after.starts_on


def _plan_currencies(connection: Connection) -> dict[str, set[str]]:
    currencies: dict[str, set[str]] = {}
    for row in connection.execute(sa.select(plan_version.c.code, plan_version.c.currency).distinct()):
        currencies.setdefault(row.code, set()).add(row.currency)
    return currencies


def assignment_findings(
    connection: Connection, rows: Sequence[Row[Assignment]], old: Mapping[tuple[Any, ...], Assignment], file: str
) -> list[Finding]:
    """Return what is wrong with new or changed assignments beside what is stored.

    Args:
        connection: a connection.
        rows: the assignments as they would be.
        old: the stored ones that they replace, by subject and first date.
        file: name of the file that they come from, for messages.
    """
    wanted = {row.value.agreement for row in rows}
    agreements = {stored.value.code: stored.value for stored in rows_of(connection, AGREEMENTS, "code", wanted)}
    lines = {(row.value.subject, row.value.starts_on): row.line for row in rows}
    missing = MissingCodes(connection)
    findings = [
        Place(file, row.line).put(missing.finding(tables.agreement.c.code, "agreement", row.value.agreement, row.value.subject))
        for row in rows
        if row.value.agreement not in agreements
    ]
    mine = [row.value for row in rows]
    # Ranges and single identifiers meet across rows that no constraint compares, so officers assign one after the other.
    take_turn(connection, "assignment", "")
    held = meeting_assignments(connection, {one.subject for one in mine})
    kept = [one for one in held if (one.subject, one.starts_on) not in old]
    pairs = [*life_findings(mine, agreements), *overlap_findings([*mine, *kept])]
    findings += [Place(file, lines.get((one.subject, one.starts_on), 0)).put(finding) for one, finding in pairs]
    return findings


def _known(connection: Connection, column: sa.Column[Any], wanted: Collection[str]) -> set[str]:
    if len(wanted) > _MOST_NAMES_COMPARED:
        return set(connection.scalars(sa.select(column))) & set(wanted)
    return set(connection.scalars(sa.select(column).where(column.in_(sorted(wanted)))))


def _finding(number: str, what: str, remedy: str, field: str, value: str, *, subject: str) -> Finding:
    return Finding(code=number, severity=Severity.BLOCKING, what=what, remedy=remedy, field=field, value=value, subject=subject)
