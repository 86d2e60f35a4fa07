"""Computes what a month of many accounts needs, from the kept figures of one cycle; writes the tables of the page on scaling.

``python -m benchmarks.cycle --workload telecom --database postgresql`` measures; ``python -m benchmarks.scaling`` computes from
what it has kept: work per account, times the accounts. Nothing is assumed about growth but that the work per account stays the
same, which ``python -m benchmarks.growth`` tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from benchmarks.measuring import RESULTS, kept, median

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "scaling.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
SOURCE = "cycle_telecom_postgresql_1"
STEPS = ("intake", "rate", "approve", "post")
ACCOUNTS = (10_000_000, 100_000_000, 1_000_000_000)
HOURS = 20 * 8
"""Hours of a month in which billing works: 20 nights of 8 hours."""
INDEX_ENTRY_BYTES = 29
"""An entry of an index by one 8-byte key that is filled in random order: 20 bytes on pages that are 70 % full."""
PARTITIONED = ("usage_call", "document_input", "posting")


@attrs.frozen(kw_only=True)
class Measured:
    """What one cycle has cost.

    Attributes:
        accounts: how many were billed.
        client: step to processor seconds of the program.
        server: step to processor seconds of the database server.
        rows: table to the rows that the cycle has written.
        records: records that were taken in.
        about: when and at what size it was measured.
    """

    accounts: int
    client: dict[str, float]
    server: dict[str, float]
    rows: dict[str, int]
    records: int
    about: str


def measured(one: dict[str, Any]) -> Measured:
    """Return the medians of the kept rounds."""
    rounds = one["product"]
    steps = [step for step in STEPS if step in rounds[0]["costs"]]
    return Measured(
        accounts=int(rounds[0]["facts"]["documents"]),
        client={step: median([item["costs"][step]["client"] for item in rounds]) for step in steps},
        server={step: median([item["costs"][step]["server"] for item in rounds]) for step in steps},
        rows={name: int(count) for name, count in one["floor"][0]["facts"]["rows"].items()},
        records=int(one["size"]),
        about=f"{one['size']:,} {one['unit']}, rounds: {len(rounds)}, {one['taken_at'][:10]}, load of the machine {one['load']}",
    )


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table of the page; all columns but the first are figures."""
    marks = ["---", *["--:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in [header, marks, *rows])


def work_section(one: Measured) -> str:
    """Return what each step costs per account."""
    rows = [
        (step, f"{1e6 * one.client[step] / one.accounts:,.0f}", f"{1e6 * one.server[step] / one.accounts:,.0f}")
        for step in one.client
    ]
    rows.append(("together", f"{1e6 * _client(one):,.0f}", f"{1e6 * _server(one):,.0f}"))
    records, rows_written = one.records / one.accounts, sum(one.rows.values()) / one.accounts
    told = (
        f"Measured by `python -m benchmarks.cycle --workload telecom --database postgresql` ({one.about}):"
        f" {records:,.0f} records and {rows_written:,.0f} rows in all tables per account."
    )
    header = ("step", "program, µs of processor per account", "server, µs of processor per account")
    return f"{told}\n\n{table(header, rows)}"


def month_section(one: Measured) -> str:
    """Return what a month of many accounts needs."""
    rows = []
    for accounts in ACCOUNTS:
        client, server = (each(one) * accounts / 3600 for each in (_client, _server))
        rows.append(
            (
                f"{accounts // 1_000_000:,} million",
                f"{_millions(one.records / one.accounts * accounts)}",
                f"{_millions(sum(one.rows.values()) / one.accounts * accounts)}",
                f"{client:,.0f}",
                f"{server:,.0f}",
                f"{-(-client // HOURS):,.0f}",
                f"{-(-server // HOURS):,.0f}",
            )
        )
    header = (
        "accounts", "records, millions", "rows, millions", "program, hours", "server, hours", "processors for programs",
        "processors for servers",
    )  # fmt: skip
    told = f"A month of many accounts, worked off in {HOURS} hours (20 nights of 8 hours); hours are of one processor:"
    return f"{told}\n\n{table(header, rows)}"


def keys_section(one: Measured) -> str:
    """Return how large the index of all keys becomes, and how the partitions grow."""
    rows = []
    for accounts in ACCOUNTS:
        keys = one.rows["usage_key"] / one.accounts * accounts
        sizes = [keys * 12 * years * INDEX_ENTRY_BYTES / 1e9 for years in (1, 7)]
        parts = [_millions(one.rows[name] / one.accounts * accounts) for name in PARTITIONED]
        rows.append((f"{accounts // 1_000_000:,} million", *(f"{size:,.0f}" for size in sizes), *parts))
    names = (f"`{name}`, million rows a month" for name in PARTITIONED)
    header = ("accounts", "index of keys after 1 year, GB", "after 7 years, GB", *names)
    told = f"The index of all record keys ({INDEX_ENTRY_BYTES} bytes an entry), and what a monthly partition holds:"
    return f"{told}\n\n{table(header, rows)}"


def _client(one: Measured) -> float:
    return sum(one.client.values()) / one.accounts


def _server(one: Measured) -> float:
    return sum(one.server.values()) / one.accounts


def _millions(count: float) -> str:
    return f"{count / 1e6:,.0f}"


def figures(one: Measured) -> str:
    """Return all tables."""
    return "\n\n".join(section(one) for section in (work_section, month_section, keys_section))


def main() -> None:
    """Put the figures into the page, between its marks."""
    found = kept(SOURCE)
    if found is None:
        raise SystemExit(f"{RESULTS / SOURCE}.json is not there: run python -m benchmarks.cycle --workload telecom first")
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n\n{figures(measured(found))}\n\n{END}{tail}", encoding="utf-8")
    print(f"figures of {RESULTS / SOURCE}.json are in {PAGE}")


if __name__ == "__main__":
    main()
