"""The command that approves a run or a part of it: what it prints, and with which exit code it ends."""

from __future__ import annotations

from tests.cli.in_office import told
from tests.cli.test_run_and_invoice import JULY, data, office
from tests.scenarios.office import Office

__all__ = ["office"]


def test_a_part_of_a_run_is_approved_by_filter(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07")
    told(office, "run", "release", JULY, "C2", "--reason", "big order")
    shown = told(office, "run", "approve", "--up-to", "100.00USD", "--reason", "small ones")
    assert "1 documents approved, 0 held accounts left out" in shown
    assert "1 accounts stay drafted and can be approved later" in shown
    assert "1 documents posted" in told(office, "run", "post")
    assert data(office, "run", "show")["run"]["state"] == "drafted"
    assert "RUN62" in told(office, "run", "approve", "--plan", "other", code=2)
    assert "RUN04" in told(office, "run", "approve", "--account", "C1", code=2)
    assert "no amount" in told(office, "run", "approve", "--up-to", "lots", code=2)
    assert "1 documents approved" in told(office, "run", "approve", "--account", "C2", "--plan", "machine")
    assert "1 documents posted" in told(office, "run", "post")
    assert "nothing to do" in told(office, "run", "approve")
    deeds = data(office, "run", "report")["deeds"]
    assert [one["facts"].get("remaining") for one in deeds] == [None, None, "1", "1", None, None]
    assert [(one["action"], one["accounts"], one["reason"]) for one in deeds][1] == ("run release", ["C2"], "big order")
    assert "run release C2" in told(office, "run", "report")
