"""What an answer settles: the items and allocations of one answered document, and the exact opposites that take them back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import attrs

from billing_framework.receivables.allocation import settle, undo_allocation
from billing_framework.receivables.answer import AnswerItem, Treatment
from billing_framework.receivables.open_item import Allocation, ItemKind, OpenItem, Standing
from billing_framework.receivables.transfer import transfer
from billing_framework.values.finding import Finding
from billing_framework.values.money import Money

_MOVED_ON = ("return", "refund", "transfer", "write_off", "reversal")


@attrs.frozen(kw_only=True)
class Made:
    """An open item that an answer made.

    Attributes:
        role: ``paid``, ``reduced``, ``left`` (what has moved away), ``moved`` (where it has moved to), ``credited`` (money of a
            suspended item that an officer gave to an account).
        code: adjustment code of what is reduced, else empty.
        item: the item.
    """

    role: str
    code: str = ""
    item: OpenItem


@attrs.frozen(kw_only=True)
class Settlement:
    """What one answered document adds.

    Attributes:
        made: new items, in a fixed order.
        allocations: code of each account to its new allocations, undoing ones first.
        denied: what stays open to be worked on.
    """

    made: tuple[Made, ...] = ()
    allocations: Mapping[str, tuple[Allocation, ...]] = attrs.field(factory=dict)
    denied: Money


@attrs.frozen(kw_only=True)
class Target:
    """Where one answered document stands.

    Attributes:
        debit: its open item on the account that answers, as far as no hold keeps it from being settled.
        billed: what the document came to; the answer must be about that sum.
        next_account: code of the account that owes what moves, empty where nobody is known.
        next_due_on: date by which that account is to pay.
        trace: number of the payment, by which people know it.
    """

    debit: Standing
    billed: Money
    next_account: str = ""
    next_due_on: date
    trace: str


def fit_findings(item: AnswerItem, target: Target) -> tuple[Finding, ...]:
    """Return why an answer that adds up does not fit what is open; none where it does."""
    opened, moves = target.debit.open, item.total(Treatment.NEXT_PARTY)
    if item.paid.currency != opened.currency:
        return (_misfit("ANSWER05", item, f"it is in {item.paid.currency}, the document in {opened.currency}"),)
    found = []
    if item.billed > target.billed or (item.billed != target.billed and not item.is_part):
        found.append(_misfit("ANSWER05", item, f"it is about {item.billed}, the document came to {target.billed}"))
    raised, lowered = _reductions(item)
    settled = item.paid + Money.total(lowered.values(), opened.currency) + moves
    available = opened + Money.total(raised.values(), opened.currency)
    if settled > available or moves > opened:
        found.append(_misfit("ANSWER06", item, f"it settles {settled}, of which {available} is open and not held"))
    if moves and not target.next_account:
        found.append(_misfit("ANSWER07", item, f"nobody is known who owes the {moves} that move"))
    elif moves and target.next_account == target.debit.item.account:
        found.append(_misfit("ANSWER07", item, f"the {moves} that move would stay on account {target.next_account}"))
    return tuple(found)


def _misfit(code: str, item: AnswerItem, what: str) -> Finding:
    remedies = {
        "ANSWER05": "Find the document that is meant, and give it with billing answer retry --document",
        "ANSWER06": "See what has settled it: billing payment open ACCOUNT; then try again, or give the money to the account",
        "ANSWER07": "Give the account: billing answer retry --next-account",
    }
    return Finding(code=code, what=what, remedy=remedies[code], line=item.place, subject=item.document)


def _reductions(item: AnswerItem) -> tuple[dict[str, Money], dict[str, Money]]:
    """Return by code what adjustments add to what is owed, and what they take from it."""
    sums: dict[str, Money] = {}
    for one in item.treated(Treatment.REDUCE):
        sums[one.code] = sums.get(one.code, Money.zero(one.money.currency)) + one.money
    raised = {code: -money for code, money in sorted(sums.items()) if money.minor < 0}
    return raised, {code: money for code, money in sorted(sums.items()) if money.minor > 0}


def settle_item(item: AnswerItem, target: Target, *, action: str, on: date) -> Settlement:
    """Return what an answer that adds up and fits makes: a credit for what is paid and reduced, and the part that moves.

    Args:
        item: the answer; `item_findings` and `fit_findings` have found nothing.
        target: where the document stands.
        action: natural key of the act; the same act gives the same keys.
        on: date on which it counts.
    """
    debit, opened = target.debit.item, target.debit.open
    moves = item.total(Treatment.NEXT_PARTY)
    raised, lowered = _reductions(item)
    made = []
    if item.paid:
        paid = _item(debit, f"{action}/paid", target.trace, -item.paid, on)
        made.append(Made(role="paid", item=paid))
    for code, money in (*raised.items(), *((code, -money) for code, money in lowered.items())):
        reduced = attrs.evolve(_item(debit, f"{action}/reduced/{code}", item.document, money, on), kind=ItemKind.ADJUSTMENT)
        made.append(Made(role="reduced", code=code, item=reduced))
    owing = [one.item for one in made if not one.item.is_debit]
    owed = [(one.item, one.item.original) for one in made if one.item.is_debit]
    links = list(_paired(owing, [*owed, (debit, opened - moves)], action=action, on=on))
    if moves:
        moving = transfer(target.debit, to_account=target.next_account, action=action, on=on, amount=moves)
        left, moved = moving.items
        made.append(Made(role="left", item=left))
        made.append(Made(role="moved", item=attrs.evolve(moved, dated_on=on, due_on=target.next_due_on)))
        links += moving.allocations
    return Settlement(made=tuple(made), allocations={debit.account: tuple(links)}, denied=item.total(Treatment.DENY))


def _item(debit: OpenItem, key: str, reference: str, money: Money, on: date) -> OpenItem:
    kind = ItemKind.ANSWER
    return OpenItem(key=key, kind=kind, account=debit.account, reference=reference, original=money, dated_on=on, due_on=on)


def _paired(owing: Sequence[OpenItem], owed: Sequence[tuple[OpenItem, Money]], *, action: str, on: date) -> Iterator[Allocation]:
    """Link credits with debits in their order, each as far as it goes."""
    left = [money for _, money in owed]
    number = 0
    for credit in owing:
        rest = -credit.original
        for place, (debit, _) in enumerate(owed):
            part = min(rest, left[place])
            if part.minor > 0:
                number += 1
                yield settle(debit, credit, part, key=f"{action}/link/{number}", on=on, strategy="answer")
                rest, left[place] = rest - part, left[place] - part


def reversal_findings(
    item: AnswerItem, original: AnswerItem, made: Sequence[Made], links: Sequence[Allocation]
) -> tuple[Finding, ...]:
    """Return why a reversal cannot take an earlier answer back: it is no mirror of it, or a part of it has moved on since.

    Args:
        item: the reversal.
        original: the answer that it takes back.
        made: what that answer had made.
        links: all allocations that touch those items.
    """
    found = []
    if not mirrors(item, original):
        what, remedy = "it takes back another amount than was answered", "Ask for a reversal of the whole answer"
        found.append(Finding(code="ANSWER08", what=what, remedy=remedy, line=item.place, subject=item.document))
    own = {one.item.key for one in made}
    if any(link.strategy in _MOVED_ON and not _moved_by_itself(link, own) for link in _alive(links)):
        what = "a part of what it had made was moved, given up or paid out since"
        remedy = "Undo that first, then try again: billing answer retry"
        found.append(Finding(code="ANSWER09", what=what, remedy=remedy, line=item.place, subject=item.document))
    return tuple(found)


def mirrors(item: AnswerItem, original: AnswerItem) -> bool:
    """True where every amount of `item` is the opposite of the same amount of `original`, reason by reason."""
    taken = {reason: -money for reason, money in _by_reason(item).items()}
    return (item.billed, item.paid) == (-original.billed, -original.paid) and taken == _by_reason(original)


def _by_reason(item: AnswerItem) -> dict[tuple[str, str], Money]:
    sums: dict[tuple[str, str], Money] = {}
    for one in item.every_adjustment():
        key = (one.group, one.reason)
        sums[key] = sums.get(key, Money.zero(one.money.currency)) + one.money
    return {key: money for key, money in sums.items() if money}


def _alive(links: Sequence[Allocation]) -> list[Allocation]:
    undone = {link.undoes for link in links if link.undoes}
    return [link for link in links if not link.undoes and link.key not in undone]


def _moved_by_itself(link: Allocation, own: set[str]) -> bool:
    """True for the link by which the answer moved a part away: its credit end is the answer's own, the document is not."""
    return link.strategy == "transfer" and link.credit in own and link.debit not in own


def reverse(made: Sequence[Made], links: Sequence[Allocation], *, action: str, on: date, currency: str) -> Settlement:
    """Return what takes an earlier answer back: its allocations undone, each of its items closed by its opposite.

    Args:
        made: what the answer had made.
        links: all allocations that touch those items, undone ones included.
        action: natural key of the act.
        on: date on which it counts.
        currency: currency of the answer.
    """
    accounts = {one.item.key: one.item.account for one in made}
    allocations: dict[str, list[Allocation]] = {}
    for number, link in enumerate(_alive(links), start=1):
        account = accounts.get(link.debit) or accounts[link.credit]
        allocations.setdefault(account, []).append(undo_allocation(link, links, key=f"{action}/undo/{number}", on=on))
    back = []
    for number, one in enumerate(made, start=1):
        money = -one.item.original
        opposite = attrs.evolve(one.item, key=f"{action}/back/{number}", original=money, dated_on=on, due_on=on, lines=())
        debit, credit = (one.item, opposite) if one.item.is_debit else (opposite, one.item)
        closed = settle(debit, credit, debit.original, key=f"{action}/closed/{number}", on=on, strategy="reversal")
        allocations.setdefault(one.item.account, []).append(closed)
        back.append(attrs.evolve(one, item=opposite))
    return Settlement(
        made=tuple(back),
        allocations={account: tuple(some) for account, some in sorted(allocations.items())},
        denied=Money.zero(currency),
    )
