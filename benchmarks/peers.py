"""The product beside what a Python developer would pick: 10,000 invoices of four lines with a tax, posted double-entry.

Each peer runs its public API in an environment of its own, which is made here by pip and kept in ``build/bench``. Ours is told
four times: the ledger alone (entries of six postings, as the peers' have), by `post_columns` as a run calls it and by
`post_batch` with a value for each posting; `post_run` of approved documents; and the whole run from prices to posted documents.
``python -m benchmarks.peers``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

import attrs
import numpy as np
import polars as pl

from benchmarks.cycle import run_product
from benchmarks.measuring import RESULTS, apart, keep, median
from benchmarks.stores import DIALECTS, Dialect, Stores, open_stores
from benchmarks.workloads.flat import four_lines
from benchmarks.workloads.offices import found, settle
from billing_framework.ledger.batch import Batch
from billing_framework.ledger.book import Book
from billing_framework.ledger.chart import AccountType, Chart, GlAccount
from billing_framework.ledger.entry import Entry, Posting
from billing_framework.ledger.entry_columns import HEADS, EntryColumns
from billing_framework.run.work.work import collector_paused
from billing_framework.storage.engine import open_database
from billing_framework.storage.ledger.books import ensure_book, open_period, save_chart
from billing_framework.storage.ledger.post import post_batch, post_columns
from billing_framework.storage.migrate import upgrade
from billing_framework.values.money import Money
from billing_framework.values.period import DateSpan

ON = dt.date(2026, 10, 5)
NOW = dt.datetime(2026, 10, 5, 6, tzinfo=dt.UTC)
LINES = (10_000, 2_000, 750, 200)
TAX = 950
BOOK = "PEERS"


@attrs.frozen(kw_only=True)
class Peer:
    """A package that is compared.

    Attributes:
        name: its name.
        program: file in ``peer_programs``.
        database: the database that it runs on.
        needs: what pip installs.
        against: what of ours has the same outcome.
        goal: how many times faster ours has to be.
    """

    name: str
    program: str
    database: Dialect
    needs: tuple[str, ...]
    against: str
    goal: int


PEERS = (
    Peer(
        name="django-hordak bulk_create",
        program="hordak_bulk.py",
        database="postgresql",
        needs=("django-hordak==2.0.0", "psycopg[binary]==3.3.9"),
        against="ledger",
        goal=10,
    ),
    Peer(
        name="django-silver issue",
        program="silver_issue.py",
        database="sqlite",
        needs=("django-silver==0.11.1", "typing_extensions"),
        against="run",
        goal=100,
    ),
    Peer(
        name="django-ledger commit_txs",
        program="ledger_commit.py",
        database="sqlite",
        needs=("django-ledger==0.8.5",),
        against="ledger",
        goal=100,
    ),
)


def environment(peer: Peer) -> Path:
    """Return the interpreter of a peer's environment, made where it is not there."""
    folder = RESULTS / "environments" / "_".join(need.partition("[")[0].replace("==", "-") for need in peer.needs[:1])
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *peer.needs], check=True, stderr=subprocess.DEVNULL)
        (folder / "ready").touch()
    return python


def peer_seconds(peer: Peer, stores: Stores, size: int) -> float:
    """Run a peer on a fresh database and return its seconds.

    Raises:
        AssertionError: it did not write every document.
    """
    where = [str(stores.file("peer"))] if stores.server is None else ["peer", str(stores.server.folder)]
    stores.fresh("peer")
    program = Path(__file__).parent / "peer_programs" / peer.program
    command = [str(environment(peer)), str(program), *where, str(size)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    answer = json.loads(told.splitlines()[-1])
    stores.remove("peer")
    if answer["documents"] != size:
        raise AssertionError(answer)
    return float(answer["seconds"])


def ledger_seconds(url: str, size: int, *, by: Literal["columns", "entries"]) -> float:
    """Post as many entries of six postings in one batch, and return the seconds.

    Args:
        url: URL of an empty database.
        size: how many entries.
        by: whether they are made as columns, as a run makes them, or as one value each, as the peers' are.
    """
    database = open_database(url)
    upgrade(database)
    kinds = {"1200": AccountType.ASSET, "2200": AccountType.LIABILITY}
    accounts = [GlAccount(code=code, name=code, type=kind) for code, kind in kinds.items()]
    accounts += [GlAccount(code=f"400{number}", name="Revenue", type=AccountType.INCOME) for number in range(len(LINES))]
    with database.begin() as connection:
        ensure_book(connection, Book(key=BOOK, name="Benchmark", currency="USD"))
        save_chart(connection, Chart.of(BOOK, *accounts))
        open_period(connection, BOOK, DateSpan(dt.date(2026, 1, 1), dt.date(2027, 1, 1)))
    begun = time.perf_counter()
    with database.begin() as connection, collector_paused():
        if by == "columns":
            post_columns(connection, _columns(size), source="bench", now=NOW, actor="bench")
        else:
            batch = Batch(book=BOOK, source="bench", entries=tuple(map(_entry, range(size))))
            post_batch(connection, batch, now=NOW, actor="bench")
    seconds = time.perf_counter() - begun
    database.close()
    return seconds


_SIDES = [("1200", sum(LINES) + TAX), ("2200", -TAX), *((f"400{place}", -amount) for place, amount in enumerate(LINES))]
"""Account and minor units of the postings of an entry."""


def _columns(size: int) -> EntryColumns:
    keys = [f"INV-{number:06d}" for number in range(size)]
    constant = {"effective_on": ON, "kind": "invoice", "source": "bench", "reverses": None, "memo": ""}
    heads = pl.DataFrame({"key": keys}).with_columns(pl.lit(value, HEADS[name]).alias(name) for name, value in constant.items())
    codes, amounts = zip(*_SIDES, strict=True)
    lines = pl.DataFrame({"entry": np.repeat(np.arange(size), len(codes)), "minor": np.tile(amounts, size)}).with_columns(
        pl.Series("gl_account", [*codes] * size),
        pl.lit("USD").alias("currency"),
        *(pl.lit("").alias(name) for name in ("account_key", "sub_key", "document_key")),
    )
    return EntryColumns(book=BOOK, heads=heads, lines=lines)


def _entry(number: int) -> Entry:
    return Entry(
        key=f"INV-{number:06d}",
        effective_on=ON,
        kind="invoice",
        source="bench",
        postings=tuple(Posting(gl_account=account, money=Money(amount, "USD")) for account, amount in _SIDES),
    )


def our_seconds(stores: Stores, size: int) -> dict[str, float]:
    """Return our seconds for the ledger alone, by columns and by entries, for posting documents, and for the whole run."""
    seconds = {
        "ledger": apart(ledger_seconds, stores.fresh("ledger"), size, by="columns"),
        "entries": apart(ledger_seconds, stores.fresh("ledger"), size, by="entries"),
    }
    one = run_product(four_lines(size), stores, ())
    seconds["post"] = one.costs["post"].clock
    seconds["run"] = one.clock
    return seconds


def compare(dialect: Dialect, *, size: int, rounds: int) -> None:
    """Run the peers of one database and ours in alternating rounds, print and keep the ratios."""
    peers = [peer for peer in PEERS if peer.database == dialect]
    ours: list[dict[str, float]] = []
    theirs: dict[str, list[float]] = {peer.name: [] for peer in peers}
    with open_stores(dialect) as stores:
        workload = four_lines(size)
        stores.fresh("template")
        found(workload, settle(workload, stores.folder / "template", stores.url("template")))
        for _ in range(rounds):
            ours.append(our_seconds(stores, size))
            for peer in peers:
                theirs[peer.name].append(peer_seconds(peer, stores, size))
    print(f"\n{size:,} invoices of four lines on {dialect}, {rounds} rounds")
    for name in ours[0]:
        seconds = median([one[name] for one in ours])
        print(f"  ours, {name:8} {seconds:8.2f} s {size / seconds:9,.0f}/s")
    for peer in peers:
        seconds = median(theirs[peer.name])
        ratios = {name: median([b / a[name] for a, b in zip(ours, theirs[peer.name], strict=True)]) for name in ours[0]}
        told = ", ".join(f"{ratio:.1f} times our {name}" for name, ratio in ratios.items())
        print(f"  {peer.name} {seconds:8.2f} s {size / seconds:9,.0f}/s: {told}; goal {peer.goal} times our {peer.against}")
        keep(
            f"peer_{peer.program.removesuffix('.py')}",
            {
                "peer": peer.name,
                "needs": peer.needs,
                "database": dialect,
                "size": size,
                "ratios": ratios,
                "against": peer.against,
                "goal": peer.goal,
                "seconds": theirs[peer.name],
                "ours": ours,
            },
        )


def main() -> None:
    """Compare on both databases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for dialect in DIALECTS:
        compare(dialect, size=options.size, rounds=options.rounds)


if __name__ == "__main__":
    main()
