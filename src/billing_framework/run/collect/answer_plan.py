"""Plans what answers do, item by item in the order of the file, each on what the ones before it have left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.account import Account
from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.ledger.entry import Entry
from billing_framework.receivables.answer import AnswerItem, AnswerStatus, Treatment
from billing_framework.receivables.answer_balance import item_findings
from billing_framework.receivables.answer_entries import answer_entries, reversal_entries
from billing_framework.receivables.answer_settlement import (
    Made,
    Settlement,
    Target,
    fit_findings,
    mirrors,
    reversal_findings,
    reverse,
    settle_item,
)
from billing_framework.receivables.open_item import Allocation, ItemKind, OpenItem, Standing, standings
from billing_framework.run.collect.act import Position, book_mapping
from billing_framework.run.collect.answer_material import AnswerMaterial, Earlier, Task
from billing_framework.run.draft.issuer import mapping_of
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.receivable.answers import StoredAnswer, StoredItem
from billing_framework.values.finding import Finding

_ISSUED = (ItemKind.DOCUMENT, ItemKind.OPENING)


@attrs.frozen(kw_only=True)
class Booked:
    """What becomes of one item.

    Attributes:
        task: the item.
        findings: why it waits; none where it is booked.
        settlement: what it makes; None where it waits or decides nothing.
        entries: its ledger entries.
        reverses: the item that it takes back, or None.
    """

    task: Task
    findings: tuple[Finding, ...] = ()
    settlement: Settlement | None = None
    entries: tuple[Entry, ...] = ()
    reverses: StoredItem | None = None

    @property
    def made(self) -> tuple[Made, ...]:
        """The open items that it makes."""
        return self.settlement.made if self.settlement is not None else ()


@attrs.define
class AnswerDesk:
    """Books items one after the other; nothing is written.

    Attributes:
        connection: a connection of the act.
        book: code of the book that is answered.
        material: what the items stand on.
        on: date on which they count.
        items: number of a document to its items, brought up to date item by item.
        links: key of an item to the allocations that touch it.
        standing: number of a document to the answers that stand, those of this act included.
    """

    connection: Connection
    book: str
    material: AnswerMaterial
    on: date
    items: dict[str, list[OpenItem]] = attrs.field(factory=dict, init=False)
    links: dict[str, list[Allocation]] = attrs.field(factory=dict, init=False)
    standing: dict[str, tuple[Earlier, ...]] = attrs.field(init=False)
    mapping: ChartMapping = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._add(self.material.items, self.material.allocations)
        self.standing = dict(self.material.earlier)
        self.mapping = book_mapping(self.connection, self.book)

    def _add(self, items: Iterable[OpenItem], links: Iterable[Allocation]) -> None:
        for item in items:
            self.items.setdefault(item.reference, []).append(item)
        for link in links:
            self.links.setdefault(link.debit, []).append(link)
            self.links.setdefault(link.credit, []).append(link)

    def take(self, task: Task, answer: StoredAnswer) -> Booked:
        """Return what becomes of one item, and remember it for the next.

        Args:
            task: the item.
            answer: the answer that it came in, as it is stored.
        """
        if findings := item_findings(task.item):
            return Booked(task=task, findings=findings)
        if task.item.status is AnswerStatus.INFORMATION:
            return Booked(task=task)
        booked = self._reversed(task) if task.item.status is AnswerStatus.REVERSED else self._answered(task)
        if booked.settlement is not None:
            self._remember(booked, answer)
        return booked

    def _answered(self, task: Task) -> Booked:
        item = task.item
        target, findings = self._target(task)
        if target is not None:
            # Of a document that an officer names, the file could not tell how many requests it makes.
            said = attrs.evolve(item, is_part=item.is_part or bool(task.given.get("document")))
            findings = [*fit_findings(said, target), *self._unmapped(item)]
        if target is None or findings:
            return Booked(task=task, findings=tuple(findings))
        settlement = settle_item(item, target, action=task.action, on=self.on)
        return Booked(task=task, settlement=settlement, entries=answer_entries(settlement.made, self.mapping))

    def _target(self, task: Task) -> tuple[Target | None, list[Finding]]:
        document = task.document
        every = [one for one in self.items.get(document, []) if one.is_debit]
        original = next((one for one in every if one.kind in _ISSUED), None)
        code = _account(task, standings(every, self._touching(every)))
        account = self.material.accounts.get(code)
        if original is None or account is None or account.book != self.book:
            what = f"the document is of book {account.book}" if account is not None else f"{document!r} names no one document"
            return None, [_finding("ANSWER05", task.item, what, "Give the number: billing answer retry --document NUMBER")]
        own = [one for one in every if one.account == code]
        position = Position(account=account, items=tuple(own), allocations=self._touching(own), holds=self.material.holds)
        found = position.payable(self.on, account.currency)
        if not found:
            why = "it is held" if position.open(debit=True) else "nothing is open of it"
            remedy = "Release the hold, or undo what has settled it; then billing answer retry"
            return None, [_finding("ANSWER06", task.item, f"{why} on account {code}", remedy)]
        after = self._next(task, account)
        target = Target(
            debit=min(found, key=lambda one: one.item.kind not in _ISSUED),
            billed=original.original,
            next_account=after.code if after is not None else "",
            next_due_on=self.on + timedelta(days=after.due_days if after is not None else 0),
            trace=task.answer.trace,
        )
        return target, []

    def _touching(self, items: Iterable[OpenItem]) -> tuple[Allocation, ...]:
        """Return all allocations that touch these items, each once."""
        return tuple({link.key: link for item in items for link in self.links.get(item.key, ())}.values())

    def _next(self, task: Task, own: Account) -> Account | None:
        """Return the account that owes next where it is one of the same book and currency."""
        other = self.material.accounts.get(self.material.next_accounts.get((task.id, own.code), ""))
        return other if other is not None and (other.book, other.currency) == (own.book, own.currency) else None

    def _unmapped(self, item: AnswerItem) -> Iterable[Finding]:
        for code in sorted({one.code for one in item.treated(Treatment.REDUCE)}):
            if not self.mapping.adjustment_account(code):
                remedy = f'Add "{code}" = "ACCOUNT" to [book.adjustments], load the book, then billing answer retry'
                yield _finding("ANSWER10", item, f"the adjustment code {code!r} has no account", remedy)

    def _reversed(self, task: Task) -> Booked:
        item = task.item
        stands = [one for one in self.standing.get(item.document, ()) if _same_answer(task, one)]
        earlier = next((one for one in reversed(stands) if mirrors(item, _said(one))), stands[-1] if stands else None)
        if earlier is None:
            what = "no answer to this document stands that it could take back"
            return Booked(task=task, findings=(_finding("ANSWER08", item, what, "Retry it when the answer is booked"),))
        made = tuple(Made(role=role, code=code, item=earlier.items[key]) for role, code, key in earlier.stored.made)
        links = self._touching(one.item for one in made)
        if findings := reversal_findings(item, _said(earlier), made, links):
            return Booked(task=task, findings=findings)
        settlement = reverse(made, links, action=task.action, on=self.on, currency=item.paid.currency)
        entries = reversal_entries(made, self._mapping_then(earlier), action=task.action, on=self.on)
        return Booked(task=task, settlement=settlement, entries=entries, reverses=earlier.stored)

    def _mapping_then(self, earlier: Earlier) -> ChartMapping:
        """Return where the book posted when the answer was booked; only the mirror of that takes it back."""
        at = earlier.stored.decided_at or earlier.answer.at
        return self.mapping if at is None else mapping_of(load_book(self.connection, self.book, known_at=at).profile)

    def _remember(self, booked: Booked, answer: StoredAnswer) -> None:
        settlement, task = booked.settlement, booked.task
        assert settlement is not None  # noqa: S101  only what is booked is remembered
        links = [link for some in settlement.allocations.values() for link in some]
        self._add([one.item for one in settlement.made], links)
        number = task.item.document
        if booked.reverses is not None:
            gone = booked.reverses.id
            self.standing[number] = tuple(one for one in self.standing[number] if one.stored.id != gone)
            return
        new = Earlier(stored=stored_item(booked), answer=answer, items={one.item.key: one.item for one in settlement.made})
        self.standing[number] = (*self.standing.get(number, ()), new)


def _account(task: Task, found: Iterable[Standing]) -> str:
    """Return the account that answers: as the file says, else where the document is open, first where it was issued to."""
    if task.item.account:
        return task.item.account
    every = list(found)
    opened = {one.item.account for one in every if one.open}
    issued = {one.item.account for one in every if one.item.kind in _ISSUED}
    both = (opened & issued) or opened or issued
    return both.pop() if len(both) == 1 else ""


def _same_answer(task: Task, earlier: Earlier) -> bool:
    said = _said(earlier)
    return earlier.answer.payer == task.answer.payer and said.reference == task.item.reference


def _said(earlier: Earlier) -> AnswerItem:
    content = earlier.stored.content
    assert isinstance(content, AnswerItem)  # noqa: S101  only items about documents stand in the list
    return content


def stored_item(booked: Booked) -> StoredItem:
    """Return an item as it is stored with what became of it."""
    task, settlement = booked.task, booked.settlement
    zero = task.item.paid - task.item.paid
    denied = settlement.denied if settlement is not None and booked.reverses is None else zero
    return StoredItem(
        id=task.id,
        answer=0,
        position=task.position,
        key=task.item.key,
        content=task.item,
        state="suspended" if booked.findings else "posted",
        denial="open" if denied else "",
        denied=denied,
        findings=booked.findings,
        given=task.given,
        made=tuple((one.role, one.code, one.item.key) for one in booked.made),
        reverses=booked.reverses.id if booked.reverses is not None else None,
    )


def allocations_by_account(booked: Sequence[Booked]) -> Mapping[str, tuple[Allocation, ...]]:
    """Return all new allocations by account, in the order in which they were planned."""
    found: dict[str, list[Allocation]] = {}
    for one in booked:
        for account, links in (one.settlement.allocations if one.settlement is not None else {}).items():
            found.setdefault(account, []).extend(links)
    return {account: tuple(links) for account, links in found.items()}


def _finding(code: str, item: AnswerItem, what: str, remedy: str) -> Finding:
    return Finding(code=code, what=what, remedy=remedy, line=item.place, subject=item.document)
