"""SQLite finds what is asked by the index that leads to the fewest rows, though it knows nothing of how many rows there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection

from billing_framework.ledger.book import Book
from billing_framework.ledger.chart import AccountType, Chart, Floor, GlAccount
from billing_framework.storage.audit import events
from billing_framework.storage.billing.late_rows import later_batches
from billing_framework.storage.billing.numbers import is_numbered
from billing_framework.storage.delivery_rows import deliveries, delivery_counts, unpublished
from billing_framework.storage.engine import Database, open_database
from billing_framework.storage.ledger.books import ensure_book, save_chart
from billing_framework.storage.migrate import upgrade
from billing_framework.storage.receivable.answers import answered_money, list_answers, waiting_items
from billing_framework.storage.receivable.payments import list_payments
from billing_framework.storage.receivable.reconciliations import balances_on
from billing_framework.storage.usage.batches import instant_of_decision, instant_of_intake
from billing_framework.storage.usage.suspense import delivered_in

NOW = datetime(2026, 8, 1, 9, tzinfo=UTC)
DUE = ("waiting", "failed")

LOOKS: dict[str, tuple[Callable[[Connection], Any], tuple[str, ...]]] = {
    "events that nobody was told of": (
        lambda it: unpublished(it, after=7, limit=50),
        ("SEARCH outbox USING INDEX outbox_unpublished (topic=? AND id>?)",),
    ),
    "deliveries that are due, in the order in which they became so": (
        lambda it: deliveries(it, states=DUE, steps=["archive", "mail"], due=NOW, limit=50),
        ("SEARCH outbox_delivery USING INDEX outbox_delivery_by_try (next_try_at<?)",),
    ),
    "deliveries of a document": (
        lambda it: deliveries(it, states=["failed"], steps=["archive"], documents=["INV-1"]),
        ("SEARCH outbox_delivery USING INDEX outbox_delivery_by_document (document=?)",),
    ),
    "deliveries that failed on one way": (
        lambda it: deliveries(it, states=["failed"], steps=["archive"]),
        ("SEARCH outbox_delivery USING INDEX outbox_delivery_by_state (step=? AND state=?)",),
    ),
    "numbers of deliveries": (delivery_counts, ("SCAN outbox_delivery USING COVERING INDEX outbox_delivery_by_state",)),
    "records that came by way of suspense": (
        lambda it: delivered_in(it, [1, 2]),
        ("SEARCH usage_suspense USING INDEX sqlite_autoindex_usage_suspense_1 (record_key=?)",),
    ),
    "the trail of one transaction": (
        lambda it: list(events(it, since=NOW, until=NOW, limit=None)),
        ("SEARCH audit_event USING INDEX audit_event_by_time (at>? AND at<?)",),
    ),
    "denials to work on": (
        lambda it: waiting_items(it, denied=True),
        ("SEARCH answer_item USING INDEX answer_item_by_state (state=? AND denial=?)",),
    ),
    "money of answers": (
        lambda it: answered_money(it, "MAIN", ["T-1"]),
        ("SEARCH answer USING INDEX answer_by_trace (trace=?)",),
    ),
    "answers of a trace number": (
        lambda it: list_answers(it, book="MAIN", trace="T-1"),
        ("SEARCH answer USING INDEX answer_by_trace (trace=?)",),
    ),
    "payments in suspense": (
        lambda it: list_payments(it, book="MAIN", suspense=True),
        ("SEARCH payment USING INDEX payment_by_account (account_id=?)",),
    ),
    "the newest decision": (
        lambda it: instant_of_intake(it, NOW),
        ("SEARCH run USING COVERING INDEX run_by_approval", "SEARCH document USING INDEX document_of_no_run"),
    ),
    "the newest intake": (
        lambda it: instant_of_decision(it, NOW),
        ("SEARCH usage_batch USING COVERING INDEX usage_batch_by_time",),
    ),
    "later batches": (
        lambda it: later_batches(it, NOW),
        ("SEARCH usage_batch USING INDEX usage_batch_by_time (taken_at>?)",),
    ),
    "postings of a guarded account": (
        lambda it: balances_on(it, "TRUST", "2700", "EUR", NOW.date()),
        (
            "SEARCH posting USING INDEX posting_by_account (account_id=? AND gl_account_id=?)",
            "SEARCH balance USING PRIMARY KEY (gl_account_id=?)",
        ),
    ),
    "whether a document is numbered": (
        lambda it: is_numbered(it, 7),
        ("SEARCH number_issued USING COVERING INDEX sqlite_autoindex_number_issued_3 (document_id=?)",),
    ),
}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Yield a database with a book and no more: SQLite plans the same for a full one, as nobody has it count."""
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('plans')}/empty.db")
    upgrade(database)
    held = GlAccount(code="2700", name="Trust", type=AccountType.LIABILITY, floor=Floor.NO_DEBIT)
    with database.begin() as connection:
        ensure_book(connection, Book(key="TRUST", name="Trust", currency="EUR"))
        save_chart(connection, Chart("TRUST", {held.code: held}))
    yield database
    database.close()


@contextmanager
def statements(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """Collect the questions of the block with what they bind."""
    found: list[tuple[str, Any]] = []

    def note(_connection: Connection, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            found.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(connection, "before_cursor_execute", note)


@pytest.mark.parametrize("asked", LOOKS)
def test_it_is_looked_up_by_its_index(empty: Database, asked: str) -> None:
    look, wanted = LOOKS[asked]
    with empty.begin() as connection:
        with statements(connection) as found:
            look(connection)
        plans = [
            row[3]
            for statement, parameters in found
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    assert not set(wanted) - set(plans), plans
    assert not [step for step in plans if step.startswith("SCAN") and "json_each" not in step and step not in wanted]
