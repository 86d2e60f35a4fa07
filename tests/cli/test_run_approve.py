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
    done = f"nothing to do: what is named of run MAIN.{JULY} is approved already"
    assert done in told(office, "run", "approve", "--account", "C1")
    assert "RUN62" in told(office, "run", "approve", "--account", "C1", "--plan", "other", code=2)
    assert "no amount" in told(office, "run", "approve", "--up-to", "lots", code=2)
    assert "1 documents approved" in told(office, "run", "approve", "--account", "C2", "--plan", "machine")
    assert "1 documents posted" in told(office, "run", "post")
    assert "nothing to do" in told(office, "run", "approve")
    deeds = data(office, "run", "report")["deeds"]
    assert [one["facts"].get("remaining") for one in deeds] == [None, None, "1", "1", None, None]
    assert [(one["action"], one["accounts"], one["reason"]) for one in deeds][1] == ("run release", ["C2"], "big order")
    assert "run release C2" in told(office, "run", "report")


def test_what_a_filter_names_is_checked_where_nothing_is_left_to_approve_too(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07")
    told(office, "run", "approve")
    for state in ("approved", "posted"):
        assert "RUN04 account 'C9' is not in the run" in told(office, "run", "approve", "--account", "C9", code=2)
        held = told(office, "run", "approve", "--account", "C1", "--account", "C2", code=2)
        assert f"RUN04 account 'C2' is held in the run MAIN.{JULY}, not drafted" in held
        assert ("billing run release" if state == "approved" else "billing run start") in held
        assert "RUN62 there is no plan 'machines'" in told(office, "run", "approve", "--plan", "machines", code=2)
        assert "RUN58" in told(office, "run", "approve", "--group", "north", code=2)
        assert "VALUE07 no draft is in EUR" in told(office, "run", "approve", "--up-to", "5.00EUR", code=2)
        for named in (("--account", "C1"), ("--plan", "machine"), ("--up-to", "5.00")):
            assert f"nothing to do: run MAIN.{JULY} is {state}" in told(office, "run", "approve", *named)
        told(office, "run", "post")
