"""The commands for held accounts: what they print, and with which exit code they end."""

from __future__ import annotations

from tests.cli.in_office import told
from tests.cli.test_run_and_invoice import data, office
from tests.scenarios.office import Office

__all__ = ["office"]


def test_many_held_accounts_are_released_or_drafted_again_by_one_command(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07")
    assert "name an account, or choose" in told(office, "run", "release", "", "--reason", "x", code=2)
    assert "not both" in told(office, "run", "release", "", "C2", "--all", "--reason", "x", code=2)
    assert "1 accounts drafted again, 0 are held no longer" in told(office, "run", "retry", code=1)
    assert data(office, "run", "retry", "--check", "rating")["retried"] == 0
    assert "nothing to do: no account" in told(office, "run", "release", "", "--check", "zero_usage", "--reason", "x")
    assert "needs a reason" in told(office, "run", "release", "", "--all", code=3)
    told(office, "run", "hold", "", "C2", "--reason", "disputes it")
    one = told(office, "run", "release", "", "--check", "largest_total", "--reason", "big order", code=1)
    assert "0 accounts released, 1 stay held" in one
    assert "held: C2: officer" in one
    assert "1 accounts released, 0 stay held" in told(office, "run", "release", "", "--all", "--reason", "big order")
    assert "2 documents approved" in told(office, "run", "approve")
