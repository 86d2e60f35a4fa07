"""Which files jobs are read from."""

from __future__ import annotations

from billing_framework import Layout, delimited_reader

from billing_new_trade.kinds import JOB

JOBS_CSV = delimited_reader(
    "new_trade_csv",
    "Jobs as CSV: job,customer,done,hours,grade",
    Layout(
        kind=JOB,
        columns={"external_id": "job", "subject": "customer", "start": "done", "hours": "hours", "grade": "grade"},
    ),
)
