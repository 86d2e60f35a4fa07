"""Makes the entries of this example again, byte for byte: an invented firm, exact numbers, no chance."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parent / "data"

TIME = ("id", "matter", "date", "timekeeper", "worked_seconds", "hours", "task", "activity", "status", "narrative")
JUNE = (
    ("T-0601", "0001", "2026-06-02", "RH", "4980", "1.4", "L120", "A104", "billable", "Review complaint; outline defences"),
    ("T-0602", "0001", "2026-06-02", "PL", "2220", "", "L140", "A110", "billable", "Set up document index"),
    ("T-0603", "0001", "2026-06-04", "TO", "11160", "3.1", "L250", "A103", "billable", "Draft motion to transfer venue"),
    ("T-0604", "0001", "2026-06-09", "TO", "720", "0.2", "L230", "A109", "billable", "Attend scheduling conference"),
    ("T-0605", "0001", "2026-06-16", "RH", "5400", "1.5", "L250", "A103", "billable", "Revise motion to transfer venue"),
    ("T-0606", "0001", "2026-06-17", "TO", "9000", "2.5", "L110", "A112", "billable", "Travel to Paterson"),
    ("T-0607", "0001", "2026-06-18", "PL", "1800", "0.5", "L110", "A105", "billable", "Meeting in the firm about file"),
    ("T-0608", "0001", "2026-06-24", "RH", "1260", "0.4", "L160", "A107", "billable", "Call with opposing counsel"),
    ("T-0609", "0001", "2026-06-25", "PL", "900", "0.25", "L140", "A110", "non_billable", "Reorganise own notes"),
    ("T-0621", "0002", "2026-06-03", "RH", "21600", "6", "C200", "A102", "billable", "Research limitation of liability"),
    ("T-0622", "0002", "2026-06-10", "TO", "2820", "", "C300", "A104", "billable", "Comment on framework, part one"),
    ("T-0623", "0002", "2026-06-10", "TO", "1140", "", "C300", "A106", "billable", "Call with client on part one"),
    ("T-0624", "0002", "2026-06-22", "TO", "14400", "4", "C300", "A103", "billable", "Draft framework agreement, part two"),
    ("T-0631", "0003", "2026-06-08", "TO", "7200", "2", "C300", "A104", "billable", "Review of lease and riders"),
    ("T-0632", "0003", "2026-06-12", "TO", "5040", "1.4", "C400", "A107", "billable", "Negotiate riders with landlord's counsel"),
)  # fmt: skip
COSTS = ("id", "matter", "date", "code", "cost", "quantity", "amount", "vendor", "receipt", "narrative")
JUNE_COSTS = (
    ("E-0601", "0001", "2026-06-05", "E112", "hard", "1", "402.00", "Clerk of the Court", "R-5521", "Filing fee"),
    ("E-0602", "0001", "2026-06-05", "E101", "soft", "412", "", "", "", "Copies of motion papers"),
    ("E-0603", "0001", "2026-06-17", "E109", "soft", "38", "", "", "", "Drive to Paterson"),
    ("E-0604", "0002", "2026-06-03", "E106", "soft", "7", "", "", "", "Database searches"),
    ("E-0605", "0003", "2026-06-12", "E107", "hard", "1", "24.95", "Swift Couriers", "SC-118", "Courier to landlord's counsel"),
)  # fmt: skip
JULY = (
    # This one was written down late: it is of June, and goes to the bill of July.
    {"type": "time", "id": "T-0699", "matter": "0001", "date": "2026-06-30", "timekeeper": "TO", "hours": "0.6", "task": "L120",
     "activity": "A102", "narrative": "Research venue cases"},
    {"type": "time", "id": "T-0701", "matter": "0001", "date": "2026-07-02", "timekeeper": "RH", "hours": "0.8", "task": "L250",
     "activity": "A109", "narrative": "Argue motion to transfer venue"},
    {"type": "expense", "id": "E-0701", "matter": "0001", "date": "2026-07-02", "code": "E109", "cost": "soft", "quantity": "22",
     "narrative": "Drive to court"},
    {"type": "time", "id": "T-0721", "matter": "0002", "date": "2026-07-06", "timekeeper": "TO", "hours": "5.5", "task": "C300",
     "activity": "A103", "narrative": "Draft framework agreement, part three"},
    {"type": "expense", "id": "E-0721", "matter": "0002", "date": "2026-07-06", "code": "E106", "cost": "soft", "quantity": "3",
     "narrative": "Database searches"},
)  # fmt: skip


def write_csv(name: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write one file of entries."""
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    write_csv("time_2026-06.csv", TIME, JUNE)
    write_csv("expenses_2026-06.csv", COSTS, JUNE_COSTS)
    lines = [json.dumps(entry, ensure_ascii=False) for entry in JULY]
    (FOLDER / "entries_2026-07.json").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
