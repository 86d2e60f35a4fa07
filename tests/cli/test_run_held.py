"""The commands for held accounts: what they print, and with which exit code they end."""

from __future__ import annotations

from tests.cli.in_office import told
from tests.cli.test_run_and_invoice import JULY, data, office
from tests.scenarios.office import Office

__all__ = ["office"]


def test_many_held_accounts_are_released_or_drafted_again_by_one_command(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07")
    assert "name an account, or choose" in told(office, "run", "release", JULY, "--reason", "x", code=2)
    assert "not both" in told(office, "run", "release", JULY, "C2", "--all", "--reason", "x", code=2)
    assert "1 accounts drafted again, 0 are held no longer" in told(office, "run", "retry", code=1)
    assert data(office, "run", "retry", "--check", "rating")["retried"] == 0
    assert "nothing to do: no account" in told(office, "run", "release", JULY, "--check", "zero_usage", "--reason", "x")
    assert "needs a reason" in told(office, "run", "release", JULY, "--all", code=2)
    told(office, "run", "hold", JULY, "C2", "--reason", "disputes it")
    one = told(office, "run", "release", JULY, "--check", "largest_total", "--reason", "big order", code=1)
    assert "0 accounts released, 1 stay held" in one
    assert "held: C2: officer" in one
    assert "1 accounts released, 0 stay held" in told(office, "run", "release", JULY, "--all", "--reason", "big order")
    assert "2 documents approved" in told(office, "run", "approve")


def test_names_that_there_are_none_of_are_refused_with_what_there_is(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-08-01")
    for verb in (("release", JULY, "--reason", "x"), ("retry", "")):
        shown = told(office, "run", *verb, "--check", "largest", code=2)
        assert "RUN62 there is no check 'largest' that could hold an account. Did you mean 'largest_total'?" in shown
        known = told(office, "run", *verb, "--check", "high_low", code=2).partition("Known are ")[2]
        assert {"largest_total", "own_history", "rating", "zero_usage"} <= set(known.strip().split(", "))  # not only what holds
        assert "RUN62 there is no code 'REWIEV01'" in told(office, "run", *verb, "--code", "REWIEV01", code=2)
    assert "RUN62 there is no plan 'machines'. Did you mean 'machine'?" in told(
        office, "run", "approve", "--plan", "machines", code=2
    )
    assert "RUN58" in told(office, "run", "approve", "--group", "north", code=2)
    for verb_of_cycles in ("catch-up", "due"):
        shown = told(office, "run", verb_of_cycles, "--cycle", "monthly:15", code=2)
        assert "RUN62 no account of the book is billed on the cycle monthly:15. Its accounts are billed on monthly:1" in shown


def test_a_release_says_that_it_withdraws_an_approval(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-08-01")
    withdrawn = "the approval of the whole run is withdrawn: approve it again"
    for chosen in ("C2", "--all"):
        told(office, "run", "hold", JULY, "C2", "--reason", "disputes it")
        told(office, "run", "approve")
        assert withdrawn not in told(office, "run", "release", JULY, "--check", "zero_usage", "--reason", "settled")
        assert withdrawn in told(office, "run", "release", JULY, chosen, "--reason", "settled")
        assert "RUN03" in told(office, "run", "post", code=3)
        told(office, "run", "hold", JULY, "C2", "--reason", "disputes it again")
        assert withdrawn not in told(office, "run", "release", JULY, chosen, "--reason", "settled")
    told(office, "run", "hold", JULY, "C2", "--reason", "disputes it")
    told(office, "run", "approve")
    assert "withdraws the approval" in told(office, "run", "retry", JULY, code=3)
    assert data(office, "run", "release", JULY, "--all", "--reason", "settled")["withdrew_approval"]
