"""Which acts make the drafts of a run be looked at again before they are approved, and which do not."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path

import attrs

import billing_framework.run.draft as drafting
from billing_framework.plugin.delivery_settings import DeliverySettings
from billing_framework.run.collect.payment import PaymentRequest, record_payment
from billing_framework.run.correct.credit import credit_document
from billing_framework.run.deliver.outbox import deliver
from billing_framework.run.master.customer_change import change
from billing_framework.run.master.periods import close_book_period, month, open_periods
from billing_framework.storage.audit import audit_event
from billing_framework.storage.billing.standing import standing
from billing_framework.storage.engine import Database
from billing_framework.storage.master.master_kind import PARTIES
from billing_framework.values.money import Money
from tests.scenarios.office import Office

WAY = DeliverySettings(name="archive", way="page", folder="archive")


def mark(office: Office) -> str:
    with office.deployment.database.read() as connection:
        return standing(connection, office.clock.now())


def acts(office: Office) -> set[str]:
    with office.deployment.database.read() as connection:
        return set(connection.scalars(audit_event.select().with_only_columns(audit_event.c.action)))


def test_what_is_paid_delivered_or_read_leaves_drafts_as_they_are(database: Database, tmp_path: Path) -> None:
    office = Office.of(database, deliveries=(WAY,))
    office.deployment = attrs.evolve(office.deployment, folder=tmp_path)
    (tmp_path / "archive").mkdir()
    office.customer("C1", "drill")
    office.bill("2026-06")
    office.start("2026-07")
    before = mark(office)

    assert deliver(office.deployment).done == 1
    open_periods(office.deployment, "MAIN", (month("2027-01"),))
    close_book_period(office.deployment, "MAIN", date(2026, 1, 1), reason="reported")
    paid = PaymentRequest(account="C1", money=Money.of("5", "USD"), received_on=date(2026, 8, 1), external_ref="1")
    record_payment(office.deployment, paid)
    assert {"period open", "period close", "payment record"} <= acts(office)
    assert mark(office) == before

    change(office.deployment, PARTIES, "P-C1", {"email": "one@example.org"}, reason="told")
    changed = mark(office)
    assert changed != before
    credit_document(office.deployment, "INV-2026-000001", reason="not ours")
    assert mark(office) != changed


def test_drafts_are_made_without_a_look_at_what_was_paid() -> None:
    for file in Path(drafting.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                floors = (node.module or "").split(".")[1:3]
                assert not {"receivables", "receivable", "collect", "deliver", "dunning"} & {*floors}, (file.name, node.module)
