"""What the guards of the ledger cost: the same rows written with and without them, on SQLite and PostgreSQL.

Both sides have the same tables, indexes and CHECKs; "without" has no trigger and, on SQLite, no foreign keys. The rounds
alternate, so that a slow moment of the machine falls on both. Run it from the repository: ``python benchmarks/ledger.py``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import attrs
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[1]))

from billing_framework.ledger.batch import Batch, SealedBatch, seal, sealed_entry
from billing_framework.ledger.book import AccountingPeriod, Book
from billing_framework.ledger.chart import AccountType, Chart, Floor, GlAccount
from billing_framework.ledger.entry import Entry, Posting
from billing_framework.ledger.entry_columns import ColumnBatch, EntryColumns, seal_columns, sealed_columns
from billing_framework.storage.engine import Database, open_database
from billing_framework.storage.ledger.batch_rows import insert_entries, insert_postings, seal_and_link
from billing_framework.storage.ledger.books import ensure_book, open_period, save_chart
from billing_framework.storage.ledger.post import MANY, post_batch
from billing_framework.storage.migrate import upgrade
from billing_framework.values.money import Money
from billing_framework.values.period import DateSpan
from tests.postgres_server import start_server

BOOK = "bench"
NOW = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
YEAR = DateSpan(dt.date(2026, 1, 1), dt.date(2027, 1, 1))
CHART = Chart.of(
    BOOK,
    GlAccount(code="1200", name="Receivables", type=AccountType.ASSET, control_of="receivable"),
    GlAccount(code="2200", name="Tax payable", type=AccountType.LIABILITY),
    GlAccount(code="2300", name="Prepaid balances", type=AccountType.LIABILITY, floor=Floor.NO_DEBIT),
    GlAccount(code="4000", name="Revenue", type=AccountType.INCOME),
    GlAccount(code="4010", name="Standing charges", type=AccountType.INCOME),
)


@attrs.frozen(kw_only=True)
class Cost:
    """What one action took: seconds by the clock, and seconds of processor time in this process and the database's."""

    clock: float
    processor: float


@attrs.frozen(kw_only=True)
class Side:
    """One database of the comparison and the costs of its rounds."""

    name: str
    database: Database
    writes: list[Cost] = attrs.field(factory=list)
    posts: list[Cost] = attrs.field(factory=list)


def invoices(numbers: range, *, guarded_lines: bool) -> tuple[Entry, ...]:
    """Return one entry of four lines per number, as an invoice posts it."""
    first = "2300" if guarded_lines else "1200"
    sign = -1 if guarded_lines else 1
    return tuple(
        Entry(
            key=f"run/2026-01/invoice/{number:08d}",
            effective_on=dt.date(2026, number % 12 + 1, 28),
            kind="invoice",
            source="run/2026-01",
            postings=(
                Posting(
                    gl_account=first,
                    money=Money(sign * 12_950, "USD"),
                    account_key=f"A{number:07d}",
                    document_key=f"INV-{number}",
                ),
                Posting(gl_account="4000", money=Money(sign * -10_000, "USD")),
                Posting(gl_account="4010", money=Money(sign * -2_000, "USD")),
                Posting(gl_account="2200", money=Money(sign * -950, "USD")),
            ),
        )
        for number in numbers
    )


def prepare(url: str, *, guards: bool) -> Database:
    """Return a database with a book, its chart and an open year, with or without the guards."""
    database = open_database(url)
    upgrade(database)
    with database.begin() as connection:
        ensure_book(connection, Book(key=BOOK, name="Benchmark", currency="USD"))
        save_chart(connection, CHART)
        open_period(connection, BOOK, YEAR)
    if not guards:
        drop_guards(database)
    return database


def drop_guards(database: Database) -> None:
    """Drop every trigger, and on SQLite switch foreign keys off for all connections."""
    if database.dialect == "sqlite":
        sa.event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=OFF"))
        database.engine.dispose()
        query = "SELECT name, '' AS owner FROM sqlite_master WHERE type = 'trigger'"
    else:
        owned = "NOT tgisinternal AND tgparentid = 0"  # those of partitions go with their parents'
        query = f"SELECT tgname AS name, ' ON ' || tgrelid::regclass AS owner FROM pg_trigger WHERE {owned}"
    with database.begin() as connection:
        for name, owner in connection.execute(sa.text(query)).all():
            connection.execute(sa.text(f'DROP TRIGGER "{name}"{owner}'))


def processor_seconds(database: Database) -> float:
    """Return the processor time used so far by this process and by the server process of its one pooled connection."""
    own = time.process_time()
    if database.dialect == "sqlite":
        return own
    with database.read() as connection:
        backend = connection.scalar(sa.text("SELECT pg_backend_pid()"))
    user, system = Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[11:13]
    return own + (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def timed(database: Database, action: Callable[[Database], object]) -> Cost:
    """Return what `action` costs on `database`."""
    processor, clock = processor_seconds(database), time.perf_counter()
    action(database)
    clock = time.perf_counter() - clock
    return Cost(clock=clock, processor=processor_seconds(database) - processor)


def ready(entries: tuple[Entry, ...]) -> SealedBatch | ColumnBatch:
    """Return a batch in the form in which `post_batch` writes so many entries."""
    periods = {one.effective_on: AccountingPeriod(book=BOOK, span=YEAR).id for one in entries}
    columns = EntryColumns.of(BOOK, entries) if len(entries) >= MANY else None
    if columns is None:
        return seal(BOOK, [sealed_entry(one, BOOK) for one in entries], periods)
    return seal_columns(sealed_columns(columns), periods)


def write(database: Database, *, sealed: SealedBatch | ColumnBatch) -> None:
    """Write ready rows, header and link, and commit."""
    with database.begin() as connection:
        insert_entries(connection, sealed, {})
        insert_postings(connection, sealed)
        seal_and_link(connection, sealed, source="bench", now=NOW, actor="bench")


def post(database: Database, *, entries: tuple[Entry, ...]) -> None:
    """Post by the whole road: digests, existing keys, periods, rows, seal, link, commit."""
    with database.begin() as connection:
        post_batch(connection, Batch(book=BOOK, source="bench", entries=entries), now=NOW, actor="bench")


def measure(sides: list[Side], *, rounds: int, size: int, guarded_lines: bool) -> None:
    """Write one batch per round and side, in alternating order."""
    for number in range(rounds):
        start = 2 * size * number
        first = invoices(range(start, start + size), guarded_lines=guarded_lines)
        second = invoices(range(start + size, start + 2 * size), guarded_lines=guarded_lines)
        sealed = ready(first)
        for side in sides if number % 2 else sides[::-1]:
            side.writes.append(timed(side.database, partial(write, sealed=sealed)))
            side.posts.append(timed(side.database, partial(post, entries=second)))


def report(title: str, sides: list[Side], size: int) -> None:
    """Print entries per second of both sides and the ratios of their cost."""
    print(f"\n{title}: {len(sides[0].writes)} rounds of {size} entries with 4 lines")
    for label, costs in (("rows only", [side.writes for side in sides]), ("post_batch", [side.posts for side in sides])):
        medians = [statistics.median(cost.clock for cost in of_side) for of_side in costs]
        ratio = statistics.median(with_.clock / without.clock for with_, without in zip(*costs, strict=True))
        processor = [sum(cost.processor for cost in of_side) for of_side in costs]
        print(
            f"  {label:10}  with guards {size / medians[0]:8,.0f} entries/s, without {size / medians[1]:8,.0f};"
            f"  cost ratio: clock {ratio:.2f}, processor {processor[0] / processor[1]:.2f}"
        )


def compare(title: str, urls: tuple[str, str], options: argparse.Namespace, *, size: int, guarded_lines: bool = False) -> None:
    """Run one comparison on two fresh databases."""
    sides = [
        Side(name=name, database=prepare(url, guards=guards))
        for name, url, guards in (("with guards", urls[0], True), ("without guards", urls[1], False))
    ]
    rounds = options.rounds if size > 1 else options.rounds * 20
    measure(sides, rounds=rounds, size=size, guarded_lines=guarded_lines)
    report(title, sides, size)
    for side in sides:
        side.database.close()


def main() -> None:
    """Compare on both databases: bulk, bulk on guarded balances, and single entries."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--size", type=int, default=5_000)
    options = parser.parse_args()
    cases = (
        (options.size, False, "bulk"),
        (options.size, True, "bulk, one guarded line per entry"),
        (1, False, "one entry per commit"),
    )
    folder = Path(tempfile.mkdtemp(prefix="billing-bench-"))
    server = start_server(durable=True)
    try:
        for number, (size, guarded, title) in enumerate(cases):
            sqlite = (f"sqlite:///{folder}/with{number}.db", f"sqlite:///{folder}/without{number}.db")
            compare(f"SQLite, {title}", sqlite, options, size=size, guarded_lines=guarded)
            with server.fresh_database() as with_, server.fresh_database() as without:
                compare(
                    f"PostgreSQL, {title}", (server.url(with_), server.url(without)), options, size=size, guarded_lines=guarded
                )
    finally:
        server.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
