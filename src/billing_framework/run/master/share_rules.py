"""What new or changed shares must fit: the accounts that pay, and the other shares of the agreement on every date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.csv_file import Row
from billing_framework.accounts.share import Share
from billing_framework.accounts.share_check import share_findings
from billing_framework.run.master.customer_rules import MissingCodes, Place
from billing_framework.storage.master import account_tables as tables
from billing_framework.storage.master.account_rows import load_accounts, rows_of
from billing_framework.storage.master.master_kind import AGREEMENTS
from billing_framework.storage.master.share_rows import SHARES, load_shares
from billing_framework.storage.turn import take_turn
from billing_framework.values.finding import Finding, Severity


def share_reference_findings(
    connection: Connection, rows: Sequence[Row[Share]], old: Mapping[tuple[Any, ...], Share], file: str
) -> list[Finding]:
    """Return what is wrong with new or changed shares beside what is stored.

    Officers who change the shares of one agreement act one after the other, each on what the other left.

    Args:
        connection: a connection.
        rows: the shares as they would be.
        old: the stored ones that they replace, by identity.
        file: name of the file that they come from, for messages.
    """
    wanted = sorted({row.value.agreement for row in rows})
    for agreement in wanted:
        take_turn(connection, "shares", agreement)
    agreements = {stored.value.code: stored.value for stored in rows_of(connection, AGREEMENTS, "code", wanted)}
    served = {one.account for one in agreements.values()}
    accounts = load_accounts(connection, served | {row.value.payer for row in rows})
    missing = MissingCodes(connection)
    findings = []
    for row in rows:
        place = Place(file, row.line)
        findings += [place.put(one) for one in _unfit(missing, row.value, agreements, accounts)]
    lines = {SHARES.identity(row.value): row.line for row in rows}
    kept = [
        share
        for listed in load_shares(connection, wanted).values()
        for share in listed
        if SHARES.identity(share) not in old and SHARES.identity(share) not in lines
    ]
    for share, finding in share_findings([*kept, *(row.value for row in rows)]):
        findings.append(Place(file, lines.get(SHARES.identity(share), 0)).put(finding))
    return findings


def _unfit(
    missing: MissingCodes, share: Share, agreements: Mapping[str, Agreement], accounts: Mapping[str, Account]
) -> list[Finding]:
    agreement = agreements.get(share.agreement)
    if agreement is None:
        return [missing.finding(tables.agreement.c.code, "agreement", share.agreement, share.payer)]
    payer = accounts.get(share.payer)
    if payer is None:
        return [missing.finding(tables.account.c.code, "account", share.payer, share.agreement)]
    served = accounts[agreement.account]
    what = ""
    if (payer.book, payer.currency) != (served.book, served.currency):
        what = f"the account has book {payer.book} and currency {payer.currency}, not {served.book} and {served.currency}"
    elif payer.status != "active":
        what = "the account is closed"
    if not what:
        return []
    return [
        Finding(
            code="ACCOUNT32",
            severity=Severity.BLOCKING,
            what=what,
            remedy=f"Name an active account of book {served.book} in {served.currency}",
            field="payer",
            value=share.payer,
            subject=share.agreement,
        )
    ]
