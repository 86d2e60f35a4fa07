"""Chooses the part of a run that is approved: whole groups of accounts that are billed together, never a piece of one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.invoicing.figures import DocumentFigures
from billing_framework.storage.billing.account_briefs import AccountBrief
from billing_framework.storage.billing.run_rows import Run, RunAccount, run_accounts_of
from billing_framework.storage.billing.tables import document
from billing_framework.storage.master.account_rows import accounts_of_groups, load_agreements
from billing_framework.storage.master.account_tables import account as account_table
from billing_framework.storage.master.billing_group_rows import load_billing_groups
from billing_framework.storage.master.near_codes import near_codes
from billing_framework.storage.master.plan_rows import plan_rows
from billing_framework.values.errors import NotFound, UnitMismatch
from billing_framework.values.money import Money
from billing_framework.values.spelling import did_you_mean


@attrs.frozen(kw_only=True)
class ApprovalFilter:
    """Which drafts of a run are approved; a filter that is left empty leaves none out.

    Attributes:
        accounts: codes of accounts; each brings all that are billed together with it.
        up_to: largest total with tax of a document; those in another currency do not fit. As text without a currency it is in
            that of the drafts.
        plans: codes of price plans; an account fits where all its agreements are on these.
        groups: run groups; an account fits where it is in one of them.
    """

    accounts: tuple[str, ...] = ()
    up_to: Money | str | None = None
    plans: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def said(self) -> dict[str, object]:
        """Return the filter for the audit trail, without what is left empty."""
        facts = {
            "accounts": list(self.accounts),
            "up to": str(self.up_to or ""),
            "plans": list(self.plans),
            "groups": list(self.groups),
        }
        return {name: value for name, value in facts.items() if value}


WHOLE = ApprovalFilter()
APPROVED = ("approved", "posting", "posted")
"""States of a run or an account whose approval was given."""


def is_done(connection: Connection, run: Run, wanted: ApprovalFilter, *, all_approved: bool) -> bool:
    """Return whether all that is to be approved of a run is approved already; what the filter names is checked before.

    Args:
        connection: a connection.
        run: the run.
        wanted: what is to be approved.
        all_approved: whether no account of the run is left to approve.

    Raises:
        NotFound: as `chosen` does.
        ValueRefused: as `chosen` does, of the documents of the run.
    """
    rows = run_accounts_of(connection, run, wanted.accounts)
    named = {rows[account].state if account in rows else "" for account in wanted.accounts}
    if not all_approved and (not named or not named.issubset(APPROVED)):
        return False
    _refuse_not_drafted(connection, run, wanted.accounts, rows)
    _refuse_unknown_plans(connection, wanted)
    accounts_of_groups(connection, run.book, wanted.groups)
    if wanted.up_to is not None:
        currencies = sa.select(document.c.currency).distinct().where(document.c.run_id == run.id)
        _most(wanted.up_to, sorted(connection.scalars(currencies)))
    return True


def chosen(
    connection: Connection,
    run: Run,
    rows: Sequence[AccountBrief],
    documents: Mapping[int, DocumentFigures],
    wanted: ApprovalFilter,
) -> list[AccountBrief]:
    """Return the drafted accounts that fit, whole groups of them; of those that are named, approved ones are passed over.

    Args:
        connection: a connection.
        run: the run.
        rows: the drafted accounts of the run.
        documents: their documents by key.
        wanted: what fits.

    Raises:
        NotFound: ``RUN04`` where an account is neither drafted nor approved in the run, ``RUN58`` where there is no such group,
            ``RUN62`` where there is no such plan.
        ValueRefused: ``VALUE06`` or ``VALUE07`` where no draft is in the currency of the largest total, or none is said and there
            are several.
    """
    if wanted == WHOLE:
        return list(rows)
    known = {row.account for row in rows}
    others = set(wanted.accounts) - known
    _refuse_not_drafted(connection, run, others, run_accounts_of(connection, run, others))
    groups = load_billing_groups(connection, run.book)
    heads = {row.account: groups.head(row.account) for row in rows}
    plans = _plans(connection, rows, wanted)
    out = {heads[account] for account in known if not _fits_plan(account, wanted, plans)}
    if wanted.groups:
        grouped = set(accounts_of_groups(connection, run.book, wanted.groups))
        out |= {heads[account] for account in known - grouped}
    most = _most(wanted.up_to, sorted({document.currency for document in documents.values()}))
    out |= {heads[row.account] for row in rows if not _fits_amount(documents.get(row.document or 0), most)}
    named = {heads[account] for account in known.intersection(wanted.accounts)} if wanted.accounts else set(heads.values())
    return [row for row in rows if heads[row.account] in named - out]


def _refuse_not_drafted(connection: Connection, run: Run, accounts: Collection[str], rows: Mapping[str, RunAccount]) -> None:
    """Refuse accounts that are neither drafted nor approved in a run, of which these are the rows."""
    for account in sorted(accounts):
        found = rows.get(account)
        if found is None:
            near = run_accounts_of(connection, run, near_codes(connection, account_table.c.code, account))
            remedy = (did_you_mean(account, near) if near else "") or "Look at its accounts: billing run show"
            raise NotFound("RUN04", f"account {account!r} is not in the run {run.code}", remedy=remedy)
        if found.state not in ("drafted", *APPROVED):
            what = f"account {account!r} is {found.state} in the run {run.code}, not drafted"
            raise NotFound("RUN04", what, remedy=_way_on(run, account) if found.state == "held" else "")


def _way_on(run: Run, account: str) -> str:
    """Return what an officer can do for an account that a run holds."""
    if run.state in ("posting", "posted"):
        return "The next run over the period bills it: billing run start"
    return f"See why, and let it pass: billing run release {run.code} {account}"


def _plans(connection: Connection, rows: Sequence[AccountBrief], wanted: ApprovalFilter) -> dict[str, set[str]]:
    if not wanted.plans:
        return {}
    _refuse_unknown_plans(connection, wanted)
    agreements = load_agreements(connection, [row.account for row in rows])
    return {account: {one.plan for one in listed} for account, listed in agreements.items()}


def _refuse_unknown_plans(connection: Connection, wanted: ApprovalFilter) -> None:
    known = {one.code for one in plan_rows(connection)} if wanted.plans else set()
    if unknown := sorted(set(wanted.plans) - known):
        raise NotFound("RUN62", f"there is no plan {unknown[0]!r}", remedy=did_you_mean(unknown[0], known))


def _fits_plan(account: str, wanted: ApprovalFilter, plans: Mapping[str, set[str]]) -> bool:
    return not wanted.plans or plans.get(account, set()) <= set(wanted.plans)


def _most(stated: Money | str | None, currencies: Sequence[str]) -> Money | None:
    """Return the largest total in a currency that drafts are in."""
    if stated is None or not currencies:
        return None
    names = ", ".join(currencies)
    if isinstance(stated, Money):
        if stated.currency not in currencies:
            raise UnitMismatch("VALUE07", f"no draft is in {stated.currency}", remedy=f"State the largest total in {names}")
        return stated
    if len(currencies) > 1:
        raise UnitMismatch("VALUE07", f"the drafts are in {names}", remedy=f"State the currency, too: {stated}{currencies[0]}")
    return Money.of(stated, currencies[0])


def _fits_amount(document: DocumentFigures | None, most: Money | None) -> bool:
    if most is None or document is None:
        return True
    return document.currency == most.currency and document.gross <= most.minor
