"""The cashier's commands: what they print, what they exit with, and that the same again changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest

from billing_framework.storage.engine import Database, sqlite_path
from tests.cli.deployment import billing, told
from tests.run.cashier import Cashier


@attrs.frozen
class Desk:
    """The command line over the database in which a cashier has prepared an account that owes 100."""

    cashier: Cashier

    def run(self, line: str, *more: str, exit_code: int = 0) -> str:
        return told(billing(*line.split(), *more), exit_code)

    def json(self, line: str, *more: str) -> object:
        return json.loads(self.run(line, *more, "--json"))


@pytest.fixture
def desk(sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    settings = f'[deployment]\nname = "desk"\ndatabase = "sqlite:///{sqlite_path(sqlite_database)}"\ncurrency = "EUR"\n'
    (tmp_path / "billing.toml").write_text(settings, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BILLING_CONFIG", raising=False)
    cashier = Cashier.of(sqlite_database)
    cashier.account("A-1")
    cashier.account("A-2")
    cashier.invoice("I-1", "100.00")
    return Desk(cashier)


def test_record_show_open_and_reverse(desk: Desk) -> None:
    record = "payment record A-1 60.00 EUR --on 2026-08-20 --ref B-1 --for I-1=40.00EUR --strategy by_document"
    assert "20.00 EUR stays on account" in desk.run(record)
    assert "already, unchanged" in desk.run(record)
    shown = desk.run("payment open A-1 --on 2026-08-20")
    assert "60.00 EUR" in shown
    assert "balance of A-1 on 2026-08-20: 40.00 EUR" in shown
    shown = desk.run("payment show B-1")
    assert "I-1" in shown
    assert "document/I-1" not in shown
    assert "partly applied" in desk.run("payment list --account A-1")
    assert "open again: I-1" in desk.run("payment reverse B-1 --code R01 --fee 5.00EUR --reason bounced --on 2026-08-20")
    assert "105.00 EUR" in desk.run("payment open A-1 --on 2026-08-20")
    assert "returned R01" in desk.run("payment list --account A-1")


def test_refusals_exit_with_their_code_and_say_what_to_do(desk: Desk) -> None:
    desk.run("payment record A-1 60.00 EUR --on 2026-08-20 --ref B-1")
    assert "AR40" in desk.run("payment record A-1 61.00 EUR --on 2026-08-20 --ref B-1", exit_code=3)
    assert "ACCOUNT16" in desk.run("payment reverse B-1 --code R01", exit_code=2)
    assert "LEDGER06" in desk.run("payment record A-1 1.00 EUR --on 2027-08-20 --ref B-2", exit_code=3)
    assert "ACCOUNT09" in desk.run("payment record A-11 1.00 EUR --on 2026-08-20 --ref B-2", exit_code=2)
    assert "VALUE06" in desk.run("payment record A-1 1.005 EUR --on 2026-08-20 --ref B-2", exit_code=2)
    assert "no amount" in desk.run("payment refund A-1 --amount much --ref O-1 --reason x --on 2026-08-20", exit_code=2)
    assert "--book" in desk.run("payment record - 1.00 EUR --on 2026-08-20 --ref B-2", exit_code=2)
    assert "ITEM" in desk.run("payment write-off --reason x", exit_code=2)


def test_import_assign_allocate_refund_transfer_and_write_off(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "bank.csv"
    file.write_text("reference,amount,currency,received_on,account\nB-1,130.00,EUR,2026-08-20,A-9\n", encoding="utf-8")
    shown = desk.run(f"payment import {file} --book MAIN --expect-total 130.00EUR", exit_code=1)
    assert "1 (130.00 EUR) in = 0 recorded, 0 duplicate, 1 (130.00 EUR) suspense" in shown
    assert "1 (130.00 EUR) duplicate" in desk.run(f"payment import {file} --book MAIN")
    assert "B-1" in desk.run("payment list --suspense")
    assert "30.00 EUR stays on account" in desk.run("payment assign B-1 A-1 --on 2026-08-20")
    assert "130.00 EUR of B-1 stays" in desk.run("payment unallocate B-1 --on 2026-08-20 --reason", "wrong bill")
    assert "1 allocations, 30.00 EUR stays on account" in desk.run("payment allocate A-1 --on 2026-08-20")
    assert "20.00 EUR paid back of B-1" in desk.run(
        "payment refund A-1 --amount 20.00EUR --ref O-1 --reason asked --on 2026-08-20"
    )
    assert "-10.00 EUR of B-1 moved to A-2" in desk.run("payment transfer B-1 --to A-2 --reason moved --on 2026-08-20")
    desk.cashier.invoice("I-2", "0.40")
    assert "0.40 EUR of I-2" in desk.run("payment write-off --account A-1 --below 1.00EUR --reason small --on 2026-08-20")
    assert desk.cashier.open("A-1") == {}
    desk.cashier.proven()


def test_the_trail_of_a_payment_tells_of_its_file(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "bank.csv"
    file.write_text("reference,amount,currency,received_on,account\nB-7,60.00,EUR,2026-08-20,A-1\n", encoding="utf-8")
    desk.run(f"payment import {file} --book MAIN")
    assert "payment import" in desk.run("audit show payment B-7")
    assert "payment import" not in desk.run("audit show payment B-8")


def test_opening_items(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "old.csv"
    file.write_text("account,reference,amount,currency,dated_on\nA-2,OLD-1,9.00,EUR,2025-01-01\n", encoding="utf-8")
    assert "checked only" in desk.run(f"payment opening {file} --on 2026-07-01 --check")
    assert "1 opened (9.00 EUR), 0 taken over before" in desk.run(f"payment opening {file} --on 2026-07-01")
    assert "0 opened (nothing), 1 taken over before" in desk.run(f"payment opening {file} --on 2026-07-01")


def test_deposits(desk: Desk) -> None:
    take = "deposit take A-1 200.00 EUR --on 2026-08-20 --ref D-1"
    assert "200.00 EUR taken; 200.00 EUR held, 200.00 EUR may be used" in desk.run(take)
    assert "done already" in desk.run(take)
    assert "100.00 EUR may be used" in desk.run("deposit apply A-1 I-1 --on 2026-08-20")
    assert "AR26" in desk.run("deposit refund A-1 100.01 EUR --ref O-1 --reason x --on 2026-08-20", exit_code=3)
    assert "0.00 EUR held" in desk.run("deposit refund A-1 100.00 EUR --ref O-1 --on 2026-08-20 --reason", "moved out")
    assert "deposit" in desk.run("deposit list A-1 --on 2026-08-20")
    assert "proven" in desk.run("deposit verify")
    desk.cashier.slip("4000", "2400", "1.00")
    assert "book MAIN" in desk.run("ledger verify")
    desk.cashier.slip("1200", "4000", "1.00", account="A-2")
    assert "AR48" in desk.run("ledger verify", exit_code=1)


def test_a_receipt_that_the_bank_returned_leaves_the_balance(desk: Desk) -> None:
    desk.run("deposit take A-1 200.00 EUR --on 2026-08-20 --ref D-1 --clears-on 2026-08-27")
    back = "deposit return A-1 D-1 --on 2026-08-21 --reason bounced --code"
    assert "A-1 deposit: -200.00 EUR returned; 0.00 EUR held, 0.00 EUR may be used" in desk.run(f"{back} R01")
    assert "done already" in desk.run(f"{back} R01")
    assert "AR22" in desk.run(f"{back} R02", exit_code=3)
    assert "AR43" in desk.run("deposit return A-1 D-2 --code R01 --reason bounced", exit_code=2)


def test_a_bank_statement_is_reconciled(desk: Desk) -> None:
    desk.run("deposit take A-1 200.00 EUR --on 2026-08-20 --ref D-1 --purpose trust --subject S1")
    statement = "deposit reconcile MAIN --on 2026-08-20 --bank 150.00EUR"
    assert "AR28" in desk.run(statement, exit_code=1)
    told = desk.run(f"{statement} --in-transit 80.00EUR --outstanding 10.00EUR --outstanding 20.00EUR")
    assert "= bank" in told
    assert "the three agree, and nobody is below zero" in told
    data = desk.json(f"{statement} --in-transit 50.00EUR")
    assert isinstance(data, dict)
    assert (data["journal"], data["statement"]["in_transit"], data["findings"]) == ("200.00 EUR", "50.00 EUR", [])
    listed = desk.json("deposit reconciliations MAIN")
    assert isinstance(listed, list)
    assert [(one["number"], bool(one["findings"])) for one in listed] == [(1, True), (2, False), (3, False)]
    assert "agrees" in desk.run("deposit reconciliations")
    assert "AR57" in desk.run("deposit reconcile MAIN --on 2126-08-20 --bank 150.00EUR", exit_code=3)
    assert "BOOK08" in desk.run("deposit reconcile NONE --on 2026-08-20 --bank 150.00EUR", exit_code=2)
    assert "no amount" in desk.run("deposit reconcile MAIN --on 2026-08-20 --bank much", exit_code=2)


def test_holds(desk: Desk) -> None:
    place = "hold place --document I-1 --block dunning --block allocation --code dispute --amount 30.00EUR --reason disputed"
    placed = desk.json(place, "--since", "2026-08-20")
    assert isinstance(placed, dict)
    assert "30.00 EUR" in desk.run("hold list I-1")
    assert "30.00 EUR" in desk.run("hold list A-1")
    assert "(none)" in desk.run("hold list A-2")
    assert "70.00 EUR" in desk.run("payment open A-1 --on 2026-08-20")
    release = f"hold release {placed['id']} --outcome rejected --on 2026-08-21 --reason right"
    assert "ended: rejected" in desk.run(release)
    assert "AR18" in desk.run(release, exit_code=3)
    assert "(none)" in desk.run("hold list")
    assert "rejected" in desk.run("hold list --ended")


def test_an_account_with_open_items_is_closed_only_knowingly(desk: Desk) -> None:
    close = ("status=closed", "--reason", "moved")
    assert "1 items are open, 100.00 EUR together" in desk.run("account change A-1", *close, exit_code=3)
    assert "closed" in desk.run("account change A-2", *close)
    assert "closed" in desk.run("account change A-1", *close, "--leave-open")


def test_a_payment_tells_where_its_money_went(desk: Desk) -> None:
    desk.run("payment record A-2 60.00 EUR --on 2026-08-20 --ref B-2")
    assert "on account" in desk.run("payment list --account A-2")
    desk.run("payment transfer B-2 --to A-1 --amount 40.00EUR --on 2026-08-20", "--reason", "meant for the other")
    desk.run("payment refund A-2 --ref OUT-1 --on 2026-08-20", "--reason", "asked for the rest")
    shown = desk.run("payment show B-2")
    assert "transfer to account A-1" in shown
    assert "refund OUT-1" in shown
    assert "status     applied" in shown


def test_json_is_exact(desk: Desk) -> None:
    data = desk.json("payment record A-1 60.00 EUR --on 2026-08-20 --ref B-1")
    assert isinstance(data, dict)
    assert data["payment"]["money"] == "60.00 EUR"
    assert data["allocations"][0]["amount"] == "60.00 EUR"
    listed = desk.json("payment open A-1 --on 2026-08-20")
    assert isinstance(listed, dict)
    assert listed["balance"] == ["40.00 EUR"]
