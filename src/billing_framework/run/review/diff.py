"""Compares two runs over the same dates, account by account and charge by charge: what a new price or plugin would change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.invoicing.draft import DraftDocument, DraftLine
from billing_framework.run.deployment import Deployment
from billing_framework.run.work.work import collector_paused
from billing_framework.storage.billing.documents import load_documents
from billing_framework.storage.billing.run_rows import Run, find_run
from billing_framework.storage.billing.tables import document, run_account
from billing_framework.values.errors import Refused
from billing_framework.values.money import Money
from billing_framework.values.quantity import Quantity

_BILLED = ("drafted", "approved", "posted")
_AT_A_TIME = 500


@attrs.frozen(kw_only=True)
class BilledLine:
    """One charge as a run bills it.

    Attributes:
        charge: natural key of the charge.
        description: text of the line.
        code: its charge code.
        quantity: quantity, None where it has none.
        unit_price: price of one unit as exact text, empty where it has none.
        net: amount without tax.
        tax: tax on it.
    """

    charge: str
    description: str
    code: str
    quantity: Quantity | None
    unit_price: str
    net: Money
    tax: Money


@attrs.frozen(kw_only=True)
class LineDifference:
    """A charge that the runs bill differently; None where one of them does not bill it."""

    before: BilledLine | None
    after: BilledLine | None

    @property
    def shown(self) -> BilledLine:
        """The newer line, or the older where the charge fell away."""
        line = self.after or self.before
        if line is None:
            raise AssertionError  # a difference has at least one side
        return line

    @property
    def is_of_tax(self) -> bool:
        """True where the line is billed alike and only its tax differs, as it shares a tax with lines that changed."""
        return self.before is not None and self.after is not None and attrs.evolve(self.before, tax=self.after.tax) == self.after

    @property
    def net(self) -> Money:
        """What the second run bills more, without tax; negative where it bills less."""
        zero = Money(0, self.shown.net.currency)
        return (self.after.net if self.after else zero) - (self.before.net if self.before else zero)


@attrs.frozen(kw_only=True)
class AccountDifference:
    """An account that the runs bill differently.

    Attributes:
        account: its code.
        before: what the first run bills it with tax, None where it bills nothing.
        after: what the second run bills it with tax, None where it bills nothing.
        state_before: ``billed``, ``held``, ``skipped``, ``pending``, or empty where the account is not in the first run.
        state_after: the same in the second run.
        lines: the charges that differ.
    """

    account: str
    before: Money | None
    after: Money | None
    state_before: str
    state_after: str
    lines: tuple[LineDifference, ...] = ()

    @property
    def is_of_one(self) -> bool:
        """True where only one of the runs bills it."""
        return (self.before is None) != (self.after is None)

    @property
    def is_of_none(self) -> bool:
        """True where neither of the runs bills it: it is held or left out, or another account's bill has its charges."""
        return self.before is None and self.after is None


@attrs.frozen(kw_only=True)
class TotalDifference:
    """What both runs come to in one currency, with tax, and over how many accounts."""

    before: Money
    after: Money
    accounts_before: int
    accounts_after: int

    @property
    def change(self) -> Money:
        """What the second run comes to more."""
        return self.after - self.before


@attrs.frozen(kw_only=True)
class Part:
    """Accounts that the runs have in one currency, with what each of the runs comes to for them, with tax.

    Attributes:
        who: ``both`` for accounts that both runs bill, ``first`` or ``second`` for those that only this one bills.
        accounts: how many they are.
        before: what the first run bills them.
        after: what the second run bills them.
    """

    who: str
    accounts: int
    before: Money
    after: Money

    @property
    def change(self) -> Money:
        """What the second run bills them more."""
        return self.after - self.before


@attrs.frozen(kw_only=True)
class RunDifference:
    """Two runs compared.

    Attributes:
        first: the run that is compared with.
        second: the run that is compared.
        accounts: accounts that they bill differently, or treat differently where neither bills them, in order of code.
        same: number of accounts that they bill alike, to the last figure and text; by another version of their plan, maybe.
        neither: number of accounts without a bill of their own in either run.
        other_texts: accounts with the same figures whose documents differ in dates or texts.
        totals: currency to what the runs come to.
        parts: the same, apart for accounts that both bill and for those that only one of the runs bills.
        versions: name of what computed, to its version in the first and in the second run, where these differ.
    """

    first: Run
    second: Run
    accounts: tuple[AccountDifference, ...]
    same: int
    neither: int
    other_texts: tuple[str, ...]
    totals: Mapping[str, TotalDifference]
    parts: Mapping[str, tuple[Part, ...]]
    versions: Mapping[str, tuple[str, str]]

    @property
    def is_equal(self) -> bool:
        """True where no account is billed differently."""
        return not self.accounts


@attrs.frozen(kw_only=True)
class _Bill:
    """An account in one run: its state, and its document where it has one of its own."""

    state: str
    document: int = 0
    digest: bytes = b""
    gross: Money | None = None


def diff_runs(deployment: Deployment, first: str, second: str) -> RunDifference:
    """Compare two runs over the same dates; only the lines of documents that differ are read.

    Args:
        deployment: the deployment.
        first: code of the run that is compared with, for example the one that was posted.
        second: code of the other, for example a rehearsal with a new price plan.

    Raises:
        NotFound: there is no such run.
        Refused: ``RUN50`` where the runs bill other dates or another book.
    """
    with collector_paused(), deployment.database.read() as connection:
        one = find_run(connection, first)
        other = find_run(connection, second, other_than=one.code)
        if (one.book, one.period) != (other.book, other.period):
            raise Refused(
                "RUN50",
                f"{one.code} bills {one.period} of {one.book}, and {other.code} bills {other.period} of {other.book}",
                remedy="Rehearse the same period: billing run start --rehearsal",
            )
        before, after = _bills(connection, one), _bills(connection, other)
        every = sorted(before.keys() | after.keys())
        pairs = {account: (before.get(account, _ABSENT), after.get(account, _ABSENT)) for account in every}
        unlike = {account: pair for account, pair in pairs.items() if _key(pair[0]) != _key(pair[1])}
        found = list(_differences(connection, unlike))
    differing = {one.account for one in found}
    changed = tuple(one for one in found if one.lines or one.before != one.after or one.state_before != one.state_after)
    names = {one.account for one in changed}
    return RunDifference(
        first=one,
        second=other,
        accounts=changed,
        same=sum(_is_billed(pair) for account, pair in pairs.items() if account not in differing),
        neither=sum(not _is_billed(pair) for pair in pairs.values()),
        other_texts=tuple(one.account for one in found if one.account not in names),
        totals=_totals(before.values(), after.values()),
        parts=_parts(pairs.values()),
        versions={
            name: (one.versions.get(name, ""), other.versions.get(name, ""))
            for name in sorted(one.versions.keys() | other.versions.keys())
            if one.versions.get(name) != other.versions.get(name)
        },
    )


_ABSENT = _Bill(state="")


def _is_billed(pair: tuple[_Bill, _Bill]) -> bool:
    """Return whether an account has a bill of its own in either run."""
    return any(bill.gross is not None for bill in pair)


def _key(bill: _Bill) -> tuple[str, bytes]:
    return bill.state, bill.digest


def _bills(connection: Connection, run: Run) -> dict[str, _Bill]:
    accounts, columns = run_account.c, document.c
    own = sa.and_(columns.id == accounts.document_id, columns.account_id == accounts.account_id, columns.status != "void")
    query = (
        sa.select(accounts.account, accounts.state, columns.id, columns.digest, columns.gross, columns.currency)
        .select_from(run_account.outerjoin(document, own))
        .where(accounts.run_id == run.id)
    )
    found = {}
    rows: Iterable[Any] = connection.execute(query).all()
    for account, state, document_id, digest, gross, currency in rows:
        if state not in _BILLED:
            found[account] = _Bill(state=state)
        elif document_id is None:
            found[account] = _Bill(state="billed")  # its charges are on the document of another account
        else:
            found[account] = _Bill(state="billed", document=document_id, digest=digest, gross=Money(gross, currency))
    return found


def _differences(connection: Connection, pairs: Mapping[str, tuple[_Bill, _Bill]]) -> Iterator[AccountDifference]:
    """Yield the accounts whose documents differ; the documents of some hundred accounts are in memory at a time."""
    accounts = list(pairs)
    for start in range(0, len(accounts), _AT_A_TIME):
        some = accounts[start : start + _AT_A_TIME]
        stored = load_documents(connection, [bill.document for account in some for bill in pairs[account] if bill.document])
        lines = {key: {line.charge_key: _line(line) for line in one.content.lines} for key, one in stored.items()}
        said = {key: _said(one.content) for key, one in stored.items()}
        for account in some:
            before, after = pairs[account]
            if before.state != after.state or said.get(before.document) != said.get(after.document):
                yield _difference(account, before, after, lines)


def _said(content: DraftDocument) -> DraftDocument:
    """Return what a document says to the customer, to whom the version of the price plan is not told."""
    return attrs.evolve(content, key=0, lines=tuple(attrs.evolve(line, plan="") for line in content.lines))


def _line(line: DraftLine) -> BilledLine:
    return BilledLine(
        charge=line.charge_key,
        description=line.description,
        code=line.charge_code,
        quantity=line.quantity,
        unit_price="" if line.unit_price is None else str(line.unit_price),
        net=line.net,
        tax=line.tax,
    )


def _difference(account: str, before: _Bill, after: _Bill, lines: Mapping[int, Mapping[str, BilledLine]]) -> AccountDifference:
    return AccountDifference(
        account=account,
        before=before.gross,
        after=after.gross,
        state_before=before.state,
        state_after=after.state,
        lines=tuple(_line_differences(lines.get(before.document, {}), lines.get(after.document, {}))),
    )


def _line_differences(before: Mapping[str, BilledLine], after: Mapping[str, BilledLine]) -> Iterator[LineDifference]:
    for charge in (*after, *(charge for charge in before if charge not in after)):
        if before.get(charge) != after.get(charge):
            yield LineDifference(before=before.get(charge), after=after.get(charge))


def _totals(before: Iterable[_Bill], after: Iterable[_Bill]) -> dict[str, TotalDifference]:
    one, other = ([bill.gross for bill in bills if bill.gross is not None] for bills in (before, after))
    return {
        currency: TotalDifference(
            before=Money.total([gross for gross in one if gross.currency == currency], currency),
            after=Money.total([gross for gross in other if gross.currency == currency], currency),
            accounts_before=sum(gross.currency == currency for gross in one),
            accounts_after=sum(gross.currency == currency for gross in other),
        )
        for currency in sorted({gross.currency for gross in (*one, *other)})
    }


def _parts(pairs: Iterable[tuple[_Bill, _Bill]]) -> dict[str, tuple[Part, ...]]:
    """Return what the runs come to for accounts that both bill, and for those that only one of them bills, by currency.

    An account that the runs bill in different currencies is one that only the first and only the second bills.
    """
    found: dict[tuple[str, str], list[tuple[Money, Money]]] = {}
    for before, after in pairs:
        for currency in {gross.currency for gross in (before.gross, after.gross) if gross is not None}:
            one, other = _in_currency(before, currency), _in_currency(after, currency)
            who = "second" if one is None else "first" if other is None else "both"
            zero = Money(0, currency)
            found.setdefault((currency, who), []).append((zero if one is None else one, zero if other is None else other))
    parts: dict[str, tuple[Part, ...]] = {}
    for (currency, who), grosses in sorted(found.items()):  # which puts both before the first, and that before the second
        part = Part(
            who=who,
            accounts=len(grosses),
            before=Money.total([one for one, _ in grosses], currency),
            after=Money.total([other for _, other in grosses], currency),
        )
        parts[currency] = (*parts.get(currency, ()), part)
    return parts


def _in_currency(bill: _Bill, currency: str) -> Money | None:
    return bill.gross if bill.gross is not None and bill.gross.currency == currency else None
