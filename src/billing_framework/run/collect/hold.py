"""Officers place and end holds: a dispute, a promise, a deferral, money that has not cleared; one concept for all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import attrs
from sqlalchemy.engine import Connection

from billing_framework.receivables.hold import Block, Hold, release
from billing_framework.run.collect.act import act_date
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.customer_change import find
from billing_framework.run.reason import needs_reason
from billing_framework.storage.audit import AuditEvent, record_many
from billing_framework.storage.billing.documents import find_document
from billing_framework.storage.master.master_kind import ACCOUNTS
from billing_framework.storage.receivable.holds import StoredHold, end_hold, find_hold, hold_id, holds_on, insert_hold
from billing_framework.storage.receivable.rows import load_items
from billing_framework.values.errors import Conflict, NotFound, Refused
from billing_framework.values.money import Money
from billing_framework.values.period import ONE_DAY


@attrs.frozen(kw_only=True)
class HoldRequest:
    """What is to be shielded; exactly one of account and document.

    Attributes:
        account: code of an account.
        document: number of a document.
        line: number of one of its lines, 0 for the whole document.
        blocks: what it forbids.
        code: ``dispute``, ``promise``, ``deferral``, ``plan``, ``hardship``, ``agency`` or the deployment's own word.
        amount: held part; None for all that is open.
        since: first day; today in the book's zone where None.
        until: the day after the last, None until it is released.
        reason: why, in words.
        evidence: facts behind it.
    """

    account: str = ""
    document: str = ""
    line: int = 0
    blocks: tuple[Block, ...]
    code: str
    amount: Money | None = None
    since: date | None = None
    until: date | None = None
    reason: str
    evidence: Mapping[str, str] = attrs.field(factory=dict)


def place_hold(deployment: Deployment, request: HoldRequest) -> StoredHold:
    """Place a hold; the same again changes nothing.

    Raises:
        InputRefused: ``ACCOUNT16`` without a reason.
        NotFound: ``ACCOUNT09`` or ``AR43``: there is no such account, document or line.
        Refused: ``AR17`` where scope, blocks, amount or dates do not fit.
        Conflict: ``AR49`` where a hold of this scope, code and day has other content or has ended.
    """
    needs_reason(request.reason, "a hold")
    with deployment.database.begin() as connection:
        account, currency = _scope_of(connection, request)
        book = find(connection, ACCOUNTS, account).value.book
        since = act_date(deployment, connection, book, request.since)
        _check(request, account, currency, since)
        stored = stored_hold(deployment, request, since)
        add_hold(deployment, connection, stored)
    return stored


def stored_hold(deployment: Deployment, request: HoldRequest, since: date) -> StoredHold:
    """Return the hold as it is stored."""
    scope = "account" if request.account else "line" if request.line else "document"
    key = request.account or (f"{request.document}/{request.line}" if request.line else request.document)
    return StoredHold(
        id=hold_id(scope, key, request.code, since, request.blocks),
        scope=scope,
        scope_key=key,
        blocks=request.blocks,
        reason=request.code,
        text=request.reason,
        amount=request.amount,
        starts_on=since,
        until=request.until,
        placed_by=deployment.actor,
        placed_at=deployment.clock.now(),
        evidence=request.evidence,
    )


def add_hold(deployment: Deployment, connection: Connection, stored: StoredHold) -> None:
    """Write a hold with its audit row, unless it stands already."""
    earlier = find_hold(connection, stored.id)
    if earlier is not None:
        if attrs.evolve(earlier, placed_by=stored.placed_by, placed_at=stored.placed_at) != stored:
            raise Conflict(
                "AR49",
                f"a hold {stored.reason} on {stored.scope_key} from {stored.starts_on} is there with other content, or has ended",
                remedy="Release it first, or let the new one begin on another day",
            )
        return
    insert_hold(connection, stored)
    event = AuditEvent(
        action="hold place", object_kind="hold", object_key=str(stored.id), after=hold_facts(stored), reason=stored.text
    )
    record_many(connection, deployment.clock.now(), deployment.actor, [event])


def release_hold(deployment: Deployment, key: int, *, outcome: str, on: date | None = None, reason: str) -> StoredHold:
    """End a hold and say how it ended; it counts no more from then on, and stays in the list of ended ones.

    Args:
        deployment: the open deployment.
        key: id of the hold.
        outcome: ``upheld``, ``rejected``, ``kept``, ``broken``, ``recalled`` or the deployment's own word.
        on: first day on which it does not shield; today in UTC where None.
        reason: why, for the audit.

    Raises:
        InputRefused: ``ACCOUNT16`` without a reason.
        NotFound: ``AR49``: there is no such hold.
        Refused: ``AR18`` where it has ended before.
    """
    needs_reason(reason, "releasing a hold")
    with deployment.database.begin() as connection:
        before = find_hold(connection, key)
        if before is None:
            raise NotFound("AR49", f"there is no hold {key}", remedy="billing hold list shows the holds that stand")
        now = deployment.clock.now()
        # A hold shields at least its first day; one that is released on that very day ends with it.
        day = max(on or now.date(), before.starts_on + ONE_DAY)
        ended = release(_pure(before), on=day, outcome=outcome)
        if not end_hold(connection, key, until=ended.until, outcome=outcome, actor=deployment.actor, now=now):
            raise Refused("AR18", f"the hold {key} has ended meanwhile", remedy="Look at it: billing hold list --ended")
        after = attrs.evolve(before, until=ended.until, outcome=outcome)
        event = AuditEvent(
            action="hold release",
            object_kind="hold",
            object_key=str(key),
            before=hold_facts(before),
            after=hold_facts(after),
            reason=reason,
        )
        record_many(connection, now, deployment.actor, [event])
    return after


def list_holds(deployment: Deployment, *, scope_key: str = "", ended: bool = False) -> list[StoredHold]:
    """Return the holds that stand, all or those that shield one thing; with `ended` those too that have ended.

    Args:
        deployment: the open deployment.
        scope_key: code of an account, whose documents and lines count, number of a document, whose lines count, or of a line.
        ended: True for those too that have ended.

    Raises:
        NotFound: ``ACCOUNT09``: there is neither an account nor a document of this name.
    """
    with deployment.database.read() as connection:
        if not scope_key:
            return holds_on(connection, None, ended=ended)
        items = load_items(connection, accounts=[scope_key], references=[scope_key])
        numbers = {item.reference for item in items}
        lines = {f"{item.reference}/{line.number}" for item in items for line in item.lines}
        found = holds_on(connection, {scope_key, *numbers, *lines} - {""}, ended=ended)
        if not found and not items:
            _refuse_unknown(connection, scope_key)
        return found


def _refuse_unknown(connection: Connection, scope_key: str) -> None:
    try:
        find_document(connection, scope_key.partition("/")[0])
    except NotFound:
        find(connection, ACCOUNTS, scope_key)


def hold_facts(stored: StoredHold) -> dict[str, Any]:
    """Return a hold as plain facts for the audit and for machines."""
    return {
        "id": stored.id,
        "scope": stored.scope,
        "on": stored.scope_key,
        "blocks": [block.value for block in stored.blocks],
        "code": stored.reason,
        "reason": stored.text,
        "amount": None if stored.amount is None else str(stored.amount),
        "since": stored.starts_on.isoformat(),
        "until": None if stored.until is None else stored.until.isoformat(),
        "outcome": stored.outcome,
    }


def _scope_of(connection: Connection, request: HoldRequest) -> tuple[str, str]:
    """Return account and currency of what is to be held."""
    if bool(request.account) == bool(request.document):
        raise Refused("AR17", "a hold is on an account or on a document", remedy="Name one of the two")
    if request.account:
        return request.account, find(connection, ACCOUNTS, request.account).value.currency
    items = [item for item in load_items(connection, references=[request.document]) if item.is_debit]
    lines = {line.number for item in items for line in item.lines}
    if not items or (request.line and request.line not in lines):
        what = f"line {request.line} of {request.document}" if items else f"open document {request.document!r}"
        raise NotFound("AR43", f"there is no {what}", remedy="billing payment open ACCOUNT lists the documents")
    return items[-1].account, items[-1].original.currency


def _check(request: HoldRequest, account: str, currency: str, since: date) -> None:
    Hold(
        key="new",
        account=account,
        item=request.document,
        line=request.line,
        blocks=request.blocks,
        reason=request.code,
        amount=request.amount,
        since=since,
        until=request.until,
    )
    if request.amount is not None and request.amount.currency != currency:
        raise Refused("AR17", f"{request.amount} cannot be held of {currency}", remedy="Hold an amount of the item's currency")


def _pure(stored: StoredHold) -> Hold:
    return Hold(
        key=str(stored.id),
        account=stored.scope_key,
        blocks=stored.blocks or (Block.DUNNING,),
        reason=stored.reason,
        amount=stored.amount,
        since=stored.starts_on,
        until=stored.until,
        outcome=stored.outcome,
    )
