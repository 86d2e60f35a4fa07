"""Sums of many ratios are long numbers: billed, stored and read back exactly; beyond all sense they hold their account."""

from __future__ import annotations

from fractions import Fraction

from billing_framework.run.prove.explain import explain_line
from billing_framework.run.prove.invoices import show_document
from billing_framework.run.prove.trial_balance import prove
from billing_framework.run.review.report import report_run
from billing_framework.storage.engine import Database
from tests.scenarios.office import Office

PRIMES = [number for number in range(7_000, 7_600) if all(number % divisor for divisor in range(2, 90))][:36]


def jobs(month: str, machine: str, ratios: list[str]) -> list[str]:
    return [f"{machine}-{month}-{n},{machine},2026-{month}-02T08:00:00+00:00,{ratio}" for n, ratio in enumerate(ratios)]


def test_a_sum_of_many_ratios_is_billed_proven_and_followed_by_the_next_month(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill")
    office.customer("C2", "lathe")
    office.jobs(*jobs("07", "drill", [f"1/{prime}" for prime in PRIMES]))
    office.bill("2026-07")
    content = show_document(office.deployment, "INV-2026-000001").stored.content
    hours = sum(Fraction(1, prime) for prime in PRIMES)
    assert len(str(hours)) > 200
    assert content.lines[1].amount.value == 2 * hours
    assert explain_line(office.deployment, "INV-2026-000001/2").proven
    office.pass_days(31)
    office.jobs(*jobs("08", "drill", ["1"]), file="august.csv")
    office.bill("2026-08")
    assert len(office.documents()) == 4
    assert prove(office.deployment, "MAIN").findings == ()


def test_a_number_beyond_all_sense_holds_its_account_alone(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill")
    office.customer("C2", "lathe")
    office.jobs(*jobs("07", "drill", [f"1/{10**39 - 2 * place - 1}" for place in range(60)]))
    office.start("2026-07")
    (held,) = report_run(office.deployment).holds
    assert (held.code, held.some) == ("RATE03", ("C1",))
    assert "too long" in held.example
    office.approve()
    assert office.post().posted == 1
