"""Shares entered by several officers at once: whoever comes last finds what the others have left, and the whole stays a whole."""

import threading
from datetime import date
from fractions import Fraction

from billing_framework.accounts.share import Share
from billing_framework.accounts.share_check import share_findings
from billing_framework.run.master.customers import save
from billing_framework.storage.engine import Database
from billing_framework.storage.master.share_rows import SHARES, load_shares
from tests.scenarios.office import Office

PAYERS = ("C2", "C3", "C4", "C5")


def share(payer: str, percent: int | None = None) -> Share:
    exact = None if percent is None else Fraction(percent)
    return Share(agreement="A-C1", payer=payer, percent=exact, starts_on=date(2026, 1, 1))


def test_officers_who_enter_shares_at_once_never_share_more_than_all(database: Database) -> None:
    office = Office.of(database)
    for number, payer in enumerate(("C1", *PAYERS)):
        office.customer(payer, f"machine-{number}")
    assert save(office.deployment, SHARES, [share("C1")]).written
    barrier = threading.Barrier(len(PAYERS))
    written: list[bool] = []

    def enter(payer: str) -> None:
        barrier.wait()
        written.append(save(office.deployment, SHARES, [share(payer, 30)]).written)

    threads = [threading.Thread(target=enter, args=(payer,)) for payer in PAYERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        left = load_shares(connection, ["A-C1"])["A-C1"]
    assert sorted(written) == [False, True, True, True]
    assert len(left) == 4
    assert share_findings(left) == []
