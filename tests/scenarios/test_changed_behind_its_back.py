"""What `billing ledger verify` names, once the guards were off and rows were changed or removed behind its back."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from billing_framework.run.collect.payment import PaymentRequest, record_payment
from billing_framework.run.correct.credit import credit_document
from billing_framework.run.prove.trial_balance import prove
from billing_framework.storage.billing.documents import load_inputs
from billing_framework.storage.billing.draft_rows import text_digest
from billing_framework.storage.engine import Database
from billing_framework.values.errors import StorageError
from billing_framework.values.money import Money
from tests.behind import behind
from tests.grown import grown_once
from tests.scenarios.office import Office

ONE = "000001"
INVOICE = "(SELECT id FROM document WHERE number = 'INV-2026-000001')"
ITEM = "AR48"


@grown_once
def worked(database: Database) -> Office:
    """Return an office with two bills, a payment and a credit note."""
    office = Office.of(database)
    for code, machine in (("C1", "drill"), ("C2", "lathe")):
        office.customer(code, machine)
    office.jobs("j1,drill,2026-07-03T08:00:00+00:00,4")
    office.bill("2026-07")
    request = PaymentRequest(account="C1", money=Money.of("20", "USD"), received_on=office.clock.now().date(), external_ref="R1")
    record_payment(office.deployment, request)
    credit_document(office.deployment, "INV-2026-000002", reason="goodwill", nets={1: "1.00"})
    return office


CHANGES = {
    "an amount in the ledger": ("UPDATE posting SET amount = amount + 1 WHERE line = 1", "LEDGER20", "document/"),
    "the date of an entry": ("UPDATE entry SET effective_on = '2026-08-02' WHERE kind = 'invoice'", "LEDGER20", "document/"),
    "a line of a document": (f"UPDATE document_line SET net = net + 1 WHERE document_id = {INVOICE}", "INVOICE22", ONE),
    "the words of a line": (
        f"UPDATE document_line SET content = replace(content, 'Stand', 'Strand') WHERE document_id = {INVOICE}",
        "INVOICE22",
        ONE,
    ),
    "a line that is gone": (f"DELETE FROM document_line WHERE line = 2 AND document_id = {INVOICE}", "INVOICE22", ONE),
    "a tax": (f"UPDATE document_tax SET tax = tax + 1 WHERE document_id = {INVOICE}", "INVOICE22", ONE),
    "the total of a document": (
        f"UPDATE document SET net = net + 1, gross = gross + 1 WHERE id = {INVOICE}",
        "INVOICE22",
        ONE,
    ),
    "whose document it is": (f"UPDATE document SET account = 'C2' WHERE id = {INVOICE}", "INVOICE22", ONE),
    "when it is due": (f"UPDATE document SET due_on = '2027-01-01' WHERE id = {INVOICE}", "INVOICE22", ONE),
    "evidence that is none": (f"UPDATE document_line SET evidence = '[7]' WHERE document_id = {INVOICE}", "INVOICE22", ONE),
    "evidence of another shape": (
        f"UPDATE document_line SET evidence = '{{\"records\": 7}}' WHERE document_id = {INVOICE}",
        "INVOICE22",
        ONE,
    ),
    "evidence that is no JSON": (f"UPDATE document_line SET evidence = 'x' WHERE document_id = {INVOICE}", "INVOICE22", ONE),
    "the currency of an item": (f"UPDATE open_item SET currency = 'XX' WHERE document_id = {INVOICE}", ITEM, ""),
    "the id of its account": (f"UPDATE document SET account_id = account_id + 1 WHERE id = {INVOICE}", "INVOICE22", ONE),
    "its month": (f"UPDATE document SET month = 202607 WHERE id = {INVOICE}", "INVOICE22", ONE),
    "the run that issued it": (f"UPDATE document SET run_id = run_id + 1 WHERE id = {INVOICE}", "INVOICE22", ONE),
    "its revision": (f"UPDATE document SET revision = 2 WHERE id = {INVOICE}", "INVOICE22", ONE),
    "the reason of an invoice": (f"UPDATE document SET reason = 'because' WHERE id = {INVOICE}", "INVOICE22", ONE),
    "the reason of a credit note": ("UPDATE document SET reason = 'because' WHERE corrects_id IS NOT NULL", "INVOICE22", "CN-"),
    "the account of a line": (
        f"UPDATE document_line SET account_id = 1 WHERE line = 2 AND document_id = {INVOICE}",
        "INVOICE22",
        ONE,
    ),
    "the month of a tax": (f"UPDATE document_tax SET month = 1 WHERE document_id = {INVOICE}", "INVOICE22", ONE),
    "a quantity": (f"UPDATE document_line SET quantity = '9' WHERE line = 2 AND document_id = {INVOICE}", "INVOICE22", ONE),
    "text that is none": (f"UPDATE document SET state = '[7]' WHERE id = {INVOICE}", "INVOICE22", ONE),
    "a document that is gone": (f"DELETE FROM document WHERE id = {INVOICE}", "INVOICE22", ONE),
    "its input": (f"UPDATE document_input SET manifest = '{{}}' WHERE document_id = {INVOICE}", "INVOICE22", ONE),
    "its input that is gone": (f"DELETE FROM document_input WHERE document_id = {INVOICE}", "INVOICE22", ONE),
    "the number it bears": ("UPDATE document SET number = 'INV-7' WHERE number = 'INV-2026-000001'", "INVOICE22", "INV-7"),
    "a number that was issued": (
        "UPDATE number_issued SET counter = 9 WHERE number = 'INV-2026-000002'",
        "INVOICE13",
        "INV-2026-",
    ),
    "a number that is gone": ("DELETE FROM number_issued WHERE number = 'INV-2026-000001'", "INVOICE22", ONE),
    "the next number": ("UPDATE number_series SET next_number = 9 WHERE series = 'INV-2026-'", "INVOICE13", "INV-2026-"),
    "a charge that was billed": (f"DELETE FROM charge_key WHERE document_id = {INVOICE}", "INVOICE22", ONE),
    "how often a charge was billed": (f"UPDATE charge_key SET revision = 3 WHERE document_id = {INVOICE}", "INVOICE22", ONE),
    "the dates that were billed": ("UPDATE billed_period SET period_end = '2026-07-31'", "INVOICE22", ONE),
    "the first date that was billed": ("UPDATE billed_period SET period_start = '2026-07-02'", "INVOICE22", ONE),
    "dates billed that are gone": ("DELETE FROM billed_period", "INVOICE22", ONE),
    "carried state": ("UPDATE carried_state SET \"values\" = replace(\"values\", '4', '3')", "INVOICE22", ONE),
    "an open item": (f"UPDATE open_item SET original = original + 1 WHERE document_id = {INVOICE}", ITEM, "C1"),
    "when an item is due": (f"UPDATE open_item SET due_on = '2027-01-01' WHERE document_id = {INVOICE}", "INVOICE22", ONE),
    "an item that is gone": (f"DELETE FROM open_item WHERE document_id = {INVOICE}", ITEM, "C1"),
    "the account id of an item": (f"UPDATE open_item SET account_id = account_id + 1 WHERE document_id = {INVOICE}", ITEM, "C1"),
    "the id of an item": (f"UPDATE open_item SET id = 7 WHERE document_id = {INVOICE}", ITEM, "C1"),
    "the document of an item": (f"UPDATE open_item SET document_id = NULL WHERE document_id = {INVOICE}", ITEM, "C1"),
    "the payment of an item": ("UPDATE open_item SET payment_id = 7 WHERE kind = 'payment'", ITEM, "C1"),
    "a document made one of a rehearsal": (f"UPDATE document SET final = {{false}} WHERE id = {INVOICE}", "INVOICE22", ONE),
    "how often it was drafted": (f"UPDATE document SET version = version + 1 WHERE id = {INVOICE}", "INVOICE22", ONE),
    "the account of its run": ("UPDATE run_account SET document_id = NULL WHERE account = 'C1'", "INVOICE22", ONE),
    "when it was posted": (f"UPDATE document SET posted_at = posted_at + 1 WHERE id = {INVOICE}", "INVOICE22", ONE),
    "when it was posted, taken away": (f"UPDATE document SET posted_at = NULL WHERE id = {INVOICE}", "INVOICE22", ONE),
    "what it bills anew": (
        f"UPDATE document SET revision = 2, replaces_id = {INVOICE} WHERE number = 'INV-2026-000002'",
        "INVOICE22",
        "000002",
    ),
    "whose input it was made from": (
        f"UPDATE document_input SET account_id = account_id + 1 WHERE document_id = {INVOICE}",
        "INVOICE22",
        ONE,
    ),
    "the month of its input": (f"UPDATE document_input SET month = month - 1 WHERE document_id = {INVOICE}", "INVOICE22", ONE),
    "what made a batch": ("UPDATE posting_batch SET source = 'run/another/INV-2026-000001'", "INVOICE22", ONE),
    "which document a batch begins with": (
        "UPDATE posting_batch SET source = replace(source, 'INV-2026-000001', 'INV-2026-000009')",
        "INVOICE22",
        ONE,
    ),
    "a payment": ("UPDATE payment SET amount = amount + 1", ITEM, "C1"),
    "a payment that is gone": ("DELETE FROM payment", ITEM, "C1"),
    "an allocation beyond its item": ("UPDATE allocation SET amount = amount + 900000", ITEM, "C"),
}


ON_BOTH = (
    "an amount in the ledger",
    "a line of a document",
    "a number that is gone",
    "how often a charge was billed",
    "the dates that were billed",
    "a payment",
    "the account id of an item",
    "a document made one of a rehearsal",
    "when it was posted",
    "what made a batch",
)


def test_an_untouched_office_is_proven(database: Database) -> None:
    assert prove(worked(database).deployment, "MAIN").findings == ()


@pytest.mark.parametrize("what", CHANGES)
def test_the_changed_row_is_named(sqlite_database: Database, what: str) -> None:
    named(sqlite_database, what)


@pytest.mark.parametrize("what", ON_BOTH)
def test_the_changed_row_is_named_on_postgresql_too(postgres_database: Database, what: str) -> None:
    named(postgres_database, what)


def named(database: Database, what: str) -> None:
    """Change a row behind the back of a worked office and see it named."""
    office = worked(database)
    statement, code, subject = CHANGES[what]
    behind(database, statement.replace("{false}", "0" if database.dialect == "sqlite" else "false"))
    found = prove(office.deployment, "MAIN").findings
    assert any(one.code == code and subject in one.subject for one in found), found


def test_an_input_that_was_changed_with_its_digest_is_not_that_which_the_run_has_drafted_from(database: Database) -> None:
    office = worked(database)
    with database.read() as connection:
        key = connection.scalars(sa.text(INVOICE.strip("()"))).one()
        ((text, _),) = load_inputs(connection, [key])[key].values()
    changed = text.replace('"drill"', '"mills"')
    assert changed != text
    behind(database, f"UPDATE document_input SET manifest = '{changed}' WHERE document_id = {key}")
    behind(database, "UPDATE document_input SET digest = :digest WHERE document_id = :key", digest=text_digest(changed), key=key)
    (found,) = prove(office.deployment, "MAIN").findings
    assert (found.code, found.subject) == ("INVOICE22", "INV-2026-000001")
    assert "not that which its run has drafted it from" in found.what


def test_what_cannot_be_read_hides_nothing_else(database: Database) -> None:
    office = worked(database)
    behind(database, f"UPDATE document_line SET evidence = '[7]' WHERE document_id = {INVOICE}")
    behind(database, "UPDATE posting SET amount = amount + 1 WHERE line = 1")
    behind(database, "UPDATE document_tax SET tax = tax + 1")
    found = {(one.code, one.subject) for one in prove(office.deployment, "MAIN").findings}
    assert {("INVOICE22", "INV-2026-000001"), ("INVOICE22", "INV-2026-000002")} <= found
    assert any(code == "LEDGER20" for code, _ in found)


def test_rows_that_are_looked_at_one_by_one_are_told_of_in_the_same_order(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = worked(database)
    behind(database, "UPDATE allocation SET amount = amount + 900000")
    behind(database, "UPDATE open_item SET account_id = account_id + 1")
    behind(database, "UPDATE payment SET amount = amount + 1")
    behind(database, "UPDATE document_tax SET tax = tax + 1")
    behind(database, "UPDATE document SET number = 'INV-7' WHERE number = 'INV-2026-000001'")
    behind(database, "DELETE FROM number_issued WHERE number = 'INV-2026-000002'")
    found = prove(office.deployment, "MAIN").findings
    assert len({(one.code, one.subject) for one in found}) > 4
    monkeypatch.setattr("billing_framework.storage.many._ROWS_AT_A_TIME", 1)
    assert prove(office.deployment, "MAIN").findings == found


TEXTS = {"plan_version": "price plan machine@2026", "tax_file": "tax rates taxes", "book_version": "book MAIN"}


@pytest.mark.parametrize("table", TEXTS)
def test_nothing_is_billed_by_a_text_that_was_changed_since_it_was_loaded(sqlite_database: Database, table: str) -> None:
    office = worked(sqlite_database)
    behind(sqlite_database, f"UPDATE {table} SET source = source || '# 1'")
    with pytest.raises(StorageError, match="STORAGE20") as refused:
        office.start("2026-08")
    assert TEXTS[table] in refused.value.what


def test_a_record_that_was_added_a_second_time_is_not_billed(database: Database) -> None:
    office = worked(database)
    office.jobs("j2,drill,2026-08-03T08:00:00+00:00,4")
    behind(database, "INSERT INTO usage_job SELECT * FROM usage_job WHERE external_id = 'j2'")
    with pytest.raises(StorageError, match="STORAGE24.*'j2'.*stored twice"):
        office.start("2026-08")
