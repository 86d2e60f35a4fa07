"""The commands that show runs in figures: what they print, and with which exit code they end."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from tests.cli.in_office import told
from tests.cli.test_run_and_invoice import data, office
from tests.scenarios.office import PLAN, Office

__all__ = ["office"]


def test_a_run_is_reported_for_people_and_machines(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07")
    shown = told(office, "run", "report")
    assert "records in = 2 priced = 2" in shown
    assert "1 by largest_total (REVIEW01): C2: the total 143.00 USD" in shown
    assert "run start" in shown
    assert re.search(r"^draft +1 +2 +\d+\.\d s +\d+\.\d s$", shown, re.MULTILINE)
    told_to_machines = data(office, "run", "report")
    assert told_to_machines["accounts"] == {"drafted": 1, "held": 1}
    assert 0 <= float(told_to_machines["times"][0]["worked"]) < 600
    rows = list(csv.DictReader(told(office, "run", "report", "--csv").splitlines()))
    assert ("charge", "hours", "USD", "1", "8.00", "0.80") in [
        (row["section"], row["name"], row["currency"], row["count"], row["net"], row["tax"]) for row in rows
    ]


def test_two_runs_are_compared_for_people_and_machines(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07")
    told(office, "run", "start", "--period", "2026-07", "--rehearsal")
    shown = told(office, "run", "diff", "monthly-1.1", "monthly-1.r1")
    assert "1 accounts are billed alike, 0 differently; 1 have no bill of their own in either" in shown
    told(office, "run", "edit", "monthly-1.1", "C1", "--line", "2", "--amount", "5", "--reason", "agreed")
    shown = told(office, "run", "diff", "monthly-1.1", "monthly-1.r1", code=1)
    assert "C1: 38.50 USD -> 41.80 USD" in shown
    assert "  Machine hours, tier 1: " in shown
    assert "... and 1 more" in told(office, "run", "diff", "monthly-1.1", "monthly-1.r1", "--most", "0", code=1)
    assert data(office, "run", "diff", "monthly-1.1", "monthly-1.r1", code=1)["neither"] == 1
    rows = list(csv.DictReader(told(office, "run", "diff", "monthly-1.1", "monthly-1.r1", "--csv", code=1).splitlines()))
    assert [(row["account"], row["net_before"], row["net_after"]) for row in rows] == [("C1", "5.00", "8.00")]
    assert "RUN01" in told(office, "run", "diff", "monthly-1.1", "monthly-1.r7", code=2)


def test_a_plan_is_tried_out_from_its_file(office: Office, tmp_path: Path) -> None:
    told(office, "run", "start", "--period", "2026-07")
    plan = tmp_path / "dearer.toml"
    text = PLAN.format(accumulate="year", correction="hold").replace("30.00", "31.00").replace('"2026"', '"2027"')
    plan.write_text(text, encoding="utf-8")
    told(office, "run", "start", "--period", "2026-07", "--rehearsal", "--plan", str(plan))
    shown = told(office, "run", "diff", "monthly-1.1", "monthly-1.r1", code=1)
    assert "Stand: 1 month at 30 USD/month = 30.00 USD -> 1 month at 31 USD/month = 31.00 USD" in shown
    assert "RUN52" in told(office, "run", "start", "--period", "2026-08", "--plan", str(plan), code=2)
    assert "INPUT02" in told(office, "run", "start", "--period", "2026-07", "--rehearsal", "--plan", "nowhere.toml", code=2)
    told(office, "run", "purge", "monthly-1.r1")
