"""Client money in trust by the acceptance vectors: cleared, matter by matter, for issued invoices only, counted three ways."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from billing_framework import Money
from billing_framework.run.prove.held_statement import StatementRequest, reconcile_bank_statement
from billing_framework.values.errors import LedgerRefused, NotFound, Refused

DATA = Path(__file__).parents[1] / "data" / "vectors" / "legal.json"
VECTORS: dict[str, dict[str, Any]] = {vector["id"]: vector for vector in json.loads(DATA.read_text())["vectors"]}


def usd(text: str) -> Money:
    return Money.of(text, "USD")


@pytest.fixture
def invoices(firm: Any) -> list[str]:
    """Two invoices of a client by the hour, as the vector has them."""
    plan = (firm.deployment.folder / "plans" / "flat.toml").read_text()
    firm.load_plan("plain.toml", plan[: plan.index("# The hours behind it")].replace('code = "flat"', 'code = "plain"'))
    firm.open_matter("M-0004", "A-150", "plain", "0004")
    amounts = VECTORS["L38"]["inputs"]["invoices"]
    for month, price in zip((6, 7), amounts, strict=True):
        file = firm.deployment.folder / f"time-{month}.csv"
        file.write_text(f"id,matter,date,timekeeper,hours,rate\nT-{month},0004,2026-{month:02}-10,TO,1,{price}\n")
        firm.take_in(str(file), "legal_time_csv")
        firm.post(firm.draft(month))
    numbers = firm.numbers()
    return [numbers["A-150", f"2026-{month:02}-01"] for month in (6, 7)]


def test_trust_pays_invoices_down_to_nothing_and_not_below(firm: Any, invoices: list[str]) -> None:
    one, wanted = VECTORS["L38"]["inputs"], VECTORS["L38"]["expected"]
    firm.take("A-150", "0004", one["deposit"])
    moved = [firm.transfer("A-150", "0004", number) for number in invoices]
    assert [-one.movement.money for one in moved] == [usd(text) for text in wanted["transfers"]]
    assert [one.balance.balance for one in moved] == [usd(text) for text in wanted["trust_after"]]
    assert firm.open("A-150") == usd(wanted["ar_open"])
    with pytest.raises(Refused, match="AR26"):
        firm.transfer("A-150", "0004", invoices[1], "0.01")


def test_the_money_of_another_client_may_not_be_used(firm: Any, invoices: list[str]) -> None:
    one = VECTORS["L40"]["inputs"]
    firm.take("A-150", "0004", one["ledgers"]["A"])
    firm.take("A-100", "0001", one["ledgers"]["B"])
    with pytest.raises(Refused, match="AR26"):
        firm.transfer("A-150", "0004", invoices[0], one["disburse"]["amount"])
    with pytest.raises(NotFound, match="AR43"):
        firm.transfer("A-100", "0001", invoices[0])
    with pytest.raises((Refused, LedgerRefused), match="AR26"):
        firm.transfer("A-150", "0001", invoices[0])


def test_money_that_has_not_cleared_waits(firm: Any, invoices: list[str]) -> None:
    firm.take("A-150", "0004", "5000.00", clears_on=date(2026, 8, 12))
    with pytest.raises(Refused, match="AR26 nothing may be used yet"):
        firm.transfer("A-150", "0004", invoices[0])
    firm.clock.move_to(firm.clock.instant.replace(day=12))
    assert firm.transfer("A-150", "0004", invoices[0]).movement.money == -usd("1800.00")


def test_money_leaves_for_issued_invoices_only(firm: Any) -> None:
    firm.take("A-300", "0003", "5000.00")
    firm.take_in("time_2026-06.csv", "legal_time_csv")
    firm.draft(6)
    with pytest.raises(NotFound, match="AR43"):
        firm.transfer("A-300", "0003", "2026-000003")


def test_three_counts_of_the_same_money(firm: Any) -> None:
    one, wanted = VECTORS["L41"]["inputs"], VECTORS["L41"]["expected"]
    for number, amount in enumerate(one["ledgers"].values()):
        firm.take("A-300", f"{number}", amount)
    request = StatementRequest(
        book="HALE",
        on=date(2026, 8, 10),
        balance=usd(one["bank"]),
        in_transit=(usd(one["in_transit"]),),
        outstanding=(usd(one["outstanding"]),),
    )
    made = reconcile_bank_statement(firm.deployment, request)
    assert (made.statement.adjusted, made.ledgers) == (usd(wanted["adjusted_bank"]), usd(wanted["ledger_total"]))
    assert (made.journal, made.agrees) == (usd(one["journal"]), wanted["ok"])
