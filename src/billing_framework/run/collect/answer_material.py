"""What answered documents stand on: their open items, what was answered before, and who owes next; loaded in bulk."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.account import Account
from billing_framework.exchange.answer_reader import AnsweredDocument, AnswerReader
from billing_framework.exchange.exporter import ExportDocument
from billing_framework.receivables.answer import Answer, AnswerItem, AnswerStatus, Treatment
from billing_framework.receivables.hold import Hold
from billing_framework.receivables.open_item import Allocation, OpenItem
from billing_framework.run.deployment import Deployment
from billing_framework.run.prove.export_documents import export_documents
from billing_framework.storage.billing.documents import load_documents
from billing_framework.storage.billing.numbers import documents_numbered
from billing_framework.storage.master.account_rows import load_accounts, lock_accounts
from billing_framework.storage.receivable.answers import StoredAnswer, StoredItem, load_answers, standing_items
from billing_framework.storage.receivable.holds import holds_of
from billing_framework.storage.receivable.rows import load_allocations, load_items
from billing_framework.values.foreign_code import failures_of

NEXT_PARTY = "next_party"
"""Term of an agreement that names the account which owes what a third party leaves to others."""


@attrs.frozen(kw_only=True)
class Task:
    """One item of an answer that is to be booked.

    Attributes:
        id: its id.
        position: place in the answer.
        answer: the answer.
        item: what was said.
        given: what officers added: ``document``, ``next_account``.
    """

    id: int
    position: int
    answer: Answer
    item: AnswerItem
    given: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def document(self) -> str:
        """Number of the document that is meant."""
        return self.given.get("document") or self.item.document

    @property
    def action(self) -> str:
        """Natural key of what it does."""
        return f"answer/{self.answer.trace[:60]}/{self.position}/{self.id}"


@attrs.frozen(kw_only=True)
class Earlier:
    """An answer that stands and can be taken back.

    Attributes:
        stored: its item.
        answer: the answer that it came in.
        items: key to the open items that it made.
    """

    stored: StoredItem
    answer: StoredAnswer
    items: Mapping[str, OpenItem]


@attrs.frozen(kw_only=True)
class AnswerMaterial:
    """Everything that booking answers reads; the accounts are locked.

    Attributes:
        accounts: the accounts by code.
        items: the items of the documents that are meant, wherever they stand, and those that earlier answers made.
        allocations: all allocations that touch them.
        holds: the holds that stand on the accounts and items.
        next_accounts: id of a task, and code of an account that may be the one that answers, to the account that owes what moves.
        earlier: number of a document, as it was answered, to the answers that stand, oldest first.
    """

    accounts: Mapping[str, Account]
    items: tuple[OpenItem, ...]
    allocations: tuple[Allocation, ...]
    holds: tuple[Hold, ...]
    next_accounts: Mapping[tuple[int, str], str]
    earlier: Mapping[str, tuple[Earlier, ...]]


def answer_material(
    deployment: Deployment, connection: Connection, tasks: Sequence[Task], reader: tuple[AnswerReader, Any] | None, *, lock: bool
) -> AnswerMaterial:
    """Load what tasks stand on, and keep the accounts from every other act until the transaction ends.

    Args:
        deployment: the open deployment.
        connection: a connection with the action's write transaction, or a reading one where nothing is locked.
        tasks: the items to be booked.
        reader: the reader of the file and its plugin's settings; None where the plugin is gone.
        lock: False to only look.
    """
    numbers = sorted({task.document for task in tasks})
    owners: dict[str, set[str]] = {}
    for item in load_items(connection, references=numbers):
        if item.is_debit:
            owners.setdefault(item.reference, set()).add(item.account)
    candidates = {task.id: {task.item.account} if task.item.account else owners.get(task.document, set()) for task in tasks}
    next_accounts = _next_accounts(deployment, connection, tasks, candidates, reader)
    reversed_numbers = {task.item.document for task in tasks if task.item.status is AnswerStatus.REVERSED}
    made = {key for one in standing_items(connection, reversed_numbers) for _, _, key in one.made}
    touched = {item.account for item in load_items(connection, keys=sorted(made))}
    codes = {*touched, *next_accounts.values(), *(code for some in candidates.values() for code in some)} - {""}
    if lock:
        lock_accounts(connection, codes)
    # What was read before the accounts were locked may have changed while we waited for them.
    earlier = _earlier(connection, reversed_numbers)
    keys = sorted({key for some in earlier.values() for one in some for key in one.items})
    accounts = load_accounts(connection, codes)
    items = [one for one in load_items(connection, references=numbers, keys=keys) if one.account in accounts]
    return AnswerMaterial(
        accounts=accounts,
        items=tuple(items),
        allocations=tuple(load_allocations(connection, items)),
        holds=holds_of(connection, accounts, items),
        next_accounts=next_accounts,
        earlier=earlier,
    )


def _earlier(connection: Connection, numbers: Collection[str]) -> dict[str, tuple[Earlier, ...]]:
    stored = standing_items(connection, numbers)
    answers = load_answers(connection, {one.answer for one in stored})
    items = {item.key: item for item in load_items(connection, keys=sorted({key for one in stored for _, _, key in one.made}))}
    found: dict[str, tuple[Earlier, ...]] = {}
    for one in stored:
        made = {key: items[key] for _, _, key in one.made}
        number = one.content.document if isinstance(one.content, AnswerItem) else ""
        found[number] = (*found.get(number, ()), Earlier(stored=one, answer=answers[one.answer], items=made))
    return found


def _next_accounts(
    deployment: Deployment,
    connection: Connection,
    tasks: Sequence[Task],
    candidates: Mapping[int, Collection[str]],
    reader: tuple[AnswerReader, Any] | None,
) -> dict[tuple[int, str], str]:
    """Return who owes what moves: as an officer or the file says, else the plugin, else the term of the agreement."""
    moving = [task for task in tasks if task.item.status is not AnswerStatus.REVERSED and task.item.total(Treatment.NEXT_PARTY)]
    named = {task.id: task.given.get("next_account") or task.item.next_account for task in moving}
    documents = _documents(deployment, connection, {task.document for task in moving if not named[task.id]})
    found = {}
    for task in moving:
        document = documents.get(task.document)
        for account in sorted(candidates[task.id]):
            told = named[task.id]
            if not told and document is not None:
                told = _asked(reader, task, document, account) or _term(document)
            found[task.id, account] = told
    return found


def _documents(deployment: Deployment, connection: Connection, numbers: Collection[str]) -> dict[str, ExportDocument]:
    """Return documents with what they were made from; one that cannot be read as it was issued is left out."""
    stored = list(load_documents(connection, documents_numbered(connection, numbers)).values())
    made = export_documents(connection, deployment.host, stored)
    if not made.findings:
        return {one.number: one for one in made.documents}
    single = [one for each in stored for one in export_documents(connection, deployment.host, [each]).documents]
    return {one.number: one for one in single}


def _asked(reader: tuple[AnswerReader, Any] | None, task: Task, document: ExportDocument, account: str) -> str:
    if reader is None or reader[0].next_party is None:
        return ""
    question = AnsweredDocument(answer=task.answer, item=task.item, document=document, account=account, settings=reader[1])
    with failures_of(f"next_party of the reader of answers {reader[0].format!r}", place=task.document):
        return reader[0].next_party(question)


def _term(document: ExportDocument) -> str:
    terms = {one.terms.get(NEXT_PARTY, "") for one in document.agreements.values()} - {""}
    return terms.pop() if len(terms) == 1 else ""
