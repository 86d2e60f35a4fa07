"""Every attack on the ledger that the database itself must refuse, as a table: what is tried, what refuses it, which guards do.

The guards are named so that a test can drop them and see the attack go through: a test that passes without its guard tests
nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.ledger.book import AccountingPeriod, book_id
from billing_framework.ledger.chart import gl_account_id
from billing_framework.ledger.entry import entry_id
from billing_framework.storage.ledger.batch_rows import insert_entries, insert_postings
from tests.ledger_world import (
    BANK,
    DECEMBER,
    DEPOSITS,
    MAIN,
    OTHER,
    QUARTER,
    RECEIVABLE,
    REVENUE,
    Forged,
    line,
    sound,
    write,
    write_header,
    write_link,
    write_rows,
)

SEAL = {"sqlite": ("posting_batch_seal",), "postgresql": ("posting_batch_seal", "batch_note_complete")}


@attrs.frozen(kw_only=True)
class Attack:
    """One attack.

    Attributes:
        name: what is tried.
        run: tries it within an open write transaction.
        code: code of the refusal.
        on: the databases that it can be tried on.
        guards: by database, the triggers, constraints (``table!name``) and settings (``pragma:...``) without which it succeeds.
    """

    name: str
    run: Callable[[Connection], object]
    code: str
    on: tuple[str, ...] = ("sqlite", "postgresql")
    guards: dict[str, tuple[str, ...]] = attrs.field(factory=dict)

    @property
    def slug(self) -> str:
        """The name as a test id."""
        return self.name.replace(" ", "-")


def sql(statement: str, **parameters: object) -> Callable[[Connection], object]:
    """Return an attack of one statement."""
    return lambda connection: connection.execute(sa.text(statement), parameters)


def batch(forged: Forged) -> Callable[[Connection], object]:
    """Return an attack that writes a whole forged batch."""
    return lambda connection: write(connection, forged)


def both(*names: str) -> dict[str, tuple[str, ...]]:
    """Return the same guards for both databases."""
    return {"sqlite": names, "postgresql": names}


def append_only(table: str, sqlite: str) -> dict[str, tuple[str, ...]]:
    """Return the guards against changing and deleting rows of a table."""
    return {"sqlite": (f"{table}_no_{sqlite}",), "postgresql": (f"{table}_append_only",)}


def two(minor: int = 100, **first: str) -> list[tuple[int, int, int, str, str, str, int]]:
    """Return two lines that balance."""
    return [line(1, RECEIVABLE, minor, **first), line(2, REVENUE, -minor)]


SALE = entry_id(MAIN, "sale")
_SALE_BATCH = f"(SELECT batch_id FROM entry WHERE id = {SALE})"
_KEYS = "account_id, sub_key, document_key, currency"
_POSTING = f"batch_id, entry_id, line, month, book_id, gl_account_id, {_KEYS}, amount"
_ENTRY = "batch_id, id, month, book_id, period_id, effective_on, kind, source, idempotency_key, request_digest, reverses_id, memo"
_OF_SALE = f"FROM posting WHERE entry_id = {SALE}"
LATE_LINES = f"SELECT batch_id, entry_id, line + 2, month, book_id, gl_account_id, {_KEYS}, amount {_OF_SALE}"
_LATE = f"INSERT INTO posting ({_POSTING}) {LATE_LINES}"
_LATE_ENTRY = (
    f"INSERT INTO entry ({_ENTRY}) SELECT batch_id, 1, month, book_id, period_id, effective_on, kind, source, 'late',"
    f" request_digest, NULL, memo FROM entry WHERE id = {SALE}"
)
_OTHER_AMOUNT = f"SELECT batch_id, entry_id, line, month, book_id, gl_account_id, {_KEYS}, amount * 3 {_OF_SALE}"
_OTHER_KIND = (
    "SELECT batch_id, id, month, book_id, period_id, effective_on, 'other', source, idempotency_key, request_digest, reverses_id,"
    f" memo FROM entry WHERE id = {SALE}"
)
_UPSERT = f"INSERT INTO entry ({_ENTRY}) SELECT {_ENTRY} FROM entry WHERE id = {SALE} ON CONFLICT (id) DO UPDATE SET kind = 'x'"
_OVERLAP = "INSERT INTO period (id, book_id, starts_on, ends_before, status)"


def late_line_after_header(connection: Connection) -> None:
    """Add a line after the header, in the same transaction."""
    sealed = sound("late").sealed()
    write_rows(connection, sealed)
    write_header(connection, sealed)
    write_link(connection, sealed)
    extra = attrs.evolve(sealed, entries=(attrs.evolve(sealed.entries[0], lines=(line(3, BANK, 7), line(4, BANK, -7))),))
    insert_postings(connection, extra)


def rows_without_header(connection: Connection) -> None:
    """Commit rows that no header seals."""
    write_rows(connection, sound("headless").sealed())


def header_without_link(connection: Connection) -> None:
    """Commit a sealed batch that is not in the chain."""
    sealed = sound("unlinked").sealed()
    write_rows(connection, sealed)
    write_header(connection, sealed)


def line_alone(connection: Connection) -> None:
    """Seal a batch with two lines that belong to no entry of it."""
    sealed = sound("alone").sealed()
    write_rows(connection, sealed)
    ghost = attrs.evolve(sealed.entries[0], id=12_345)
    insert_postings(connection, attrs.evolve(sealed, entries=(ghost,)))
    write_header(connection, attrs.evolve(sealed, entries=(attrs.evolve(ghost, lines=ghost.lines * 2),)))
    write_link(connection, sealed)


def wrong_count(connection: Connection) -> None:
    """Seal a batch whose header counts an entry too many."""
    sealed = sound("miscounted").sealed()
    write_rows(connection, sealed)
    write_header(connection, sealed, entry_count=2)
    write_link(connection, sealed)


def chain(seq: int | None = None, prev_hash: bytes | None = None, *, old: bool = False) -> Callable[[Connection], None]:
    """Return an attack that links a sound batch in the wrong place; `old` follows the first batch, not the newest."""

    def run(connection: Connection) -> None:
        sealed = sound("misplaced").sealed()
        write_rows(connection, sealed)
        write_header(connection, sealed)
        before = prev_hash
        if old:
            query = sa.text("SELECT hash FROM batch_chain WHERE book_id = :book AND seq = 1")
            before = bytes(connection.execute(query, {"book": sealed.book_id}).scalar_one())
        write_link(connection, sealed, seq=seq, prev_hash=before)

    return run


def key_again(connection: Connection) -> None:
    """Use the key of a posted entry for another entry with an id of its own."""
    sealed = sound("again").sealed()
    forged = attrs.evolve(sealed.entries[0], key="sale")
    sealed = attrs.evolve(sealed, entries=(forged,))
    write_rows(connection, sealed)
    write_header(connection, sealed)
    write_link(connection, sealed)


def seal_again(connection: Connection) -> None:
    """Insert a second header for a sealed batch."""
    connection.execute(
        sa.text(
            "INSERT INTO posting_batch (id, book_id, digest, entry_count, posting_count, posted_at, actor, source)"
            " SELECT id, book_id, digest, entry_count, posting_count, posted_at, 'x', 'x' FROM posting_batch"
            f" WHERE id = {_SALE_BATCH}"
        )
    )


def reversed_twice(connection: Connection) -> None:
    """Reverse one entry twice, each time by an exact mirror."""
    mirror = [line(1, RECEIVABLE, -10_000, account="A1"), line(2, REVENUE, 10_000)]
    write(connection, Forged(key="back1", lines=mirror, reverses="sale"))
    write(connection, Forged(key="back2", lines=mirror, reverses="sale"))


def wrong_month(connection: Connection) -> None:
    """Put the lines of an entry into another month, where a report by month would not find them with their entry."""
    sealed = sound("hidden").sealed()
    insert_entries(connection, sealed, {"hidden": ""})
    insert_postings(
        connection, attrs.evolve(sealed, entries=(attrs.evolve(sealed.entries[0], effective_on=dt.date(2026, 2, 15)),))
    )
    write_header(connection, sealed)
    write_link(connection, sealed)


ATTACKS = (
    # Rows that are posted.
    Attack(
        name="change an amount",
        run=sql(f"UPDATE posting SET amount = amount * 2 WHERE entry_id = {SALE}"),
        code="LEDGER08",
        guards=append_only("posting", "update"),
    ),
    Attack(
        name="delete lines",
        run=sql(f"DELETE FROM posting WHERE entry_id = {SALE}"),
        code="LEDGER08",
        guards=append_only("posting", "delete"),
    ),
    Attack(
        name="change the date of an entry",
        run=sql(f"UPDATE entry SET effective_on = '2026-01-16' WHERE id = {SALE}"),
        code="LEDGER08",
        guards=both("entry_no_update"),
    ),
    Attack(
        name="rewrite a memo",
        run=sql(f"UPDATE entry SET memo = 'other' WHERE id = {SALE}"),
        code="LEDGER08",
        guards=both("entry_no_update"),
    ),
    Attack(
        name="delete an entry",
        run=sql(f"DELETE FROM entry WHERE id = {SALE}"),
        code="LEDGER08",
        guards=append_only("entry", "delete"),
    ),
    Attack(
        name="change a header",
        run=sql("UPDATE posting_batch SET posted_at = 1"),
        code="LEDGER08",
        guards=append_only("posting_batch", "update"),
    ),
    Attack(
        name="delete a link",
        run=sql(f"DELETE FROM batch_chain WHERE batch_id = {_SALE_BATCH}"),
        code="LEDGER08",
        guards={"sqlite": ("batch_chain_no_delete", "pragma:foreign_keys"), "postgresql": ("batch_chain_append_only",)},
    ),
    Attack(
        name="re-sequence the chain",
        run=sql("UPDATE batch_chain SET seq = seq + 10"),
        code="LEDGER08",
        guards=append_only("batch_chain", "update"),
    ),
    *(
        Attack(name=f"truncate {table}", run=sql(f'TRUNCATE "{table}" CASCADE'), code="LEDGER08", on=("postgresql",))
        for table in ("posting", "entry", "posting_batch", "batch_chain", "balance", "period", "gl_account", "book", "batch_note")
    ),
    Attack(
        name="replace lines",
        run=sql(f"INSERT OR REPLACE INTO posting {_OTHER_AMOUNT}"),
        code="LEDGER0",
        on=("sqlite",),
        guards={"sqlite": ("posting_sealed", "posting_no_delete")},
    ),
    Attack(
        name="replace an entry",
        run=sql(f"INSERT OR REPLACE INTO entry {_OTHER_KIND}"),
        code="LEDGER0",
        on=("sqlite",),
        guards={"sqlite": ("entry_sealed", "entry_key_used", "entry_no_delete")},
    ),
    Attack(
        name="upsert an entry",
        run=sql(_UPSERT),
        code="LEDGER0",
        guards={"sqlite": ("entry_key_used", "entry_no_update"), "postgresql": ("entry_no_update",)},
    ),
    # Lines and entries that come late or stand alone.
    Attack(
        name="add late lines to a sealed entry",
        run=sql(_LATE),
        code="LEDGER01",
        guards={"sqlite": ("posting_sealed",), "postgresql": ("posting_noted",)},
    ),
    Attack(
        name="add a late entry to a sealed batch",
        run=sql(_LATE_ENTRY),
        code="LEDGER01",
        guards={"sqlite": ("entry_sealed",), "postgresql": ("entry_noted",)},
    ),
    Attack(
        name="add lines after the header in one transaction",
        run=late_line_after_header,
        code="LEDGER01",
        guards={"sqlite": ("posting_sealed",), "postgresql": ("posting_noted", *SEAL["postgresql"])},
    ),
    Attack(
        name="commit rows without a header",
        run=rows_without_header,
        code="",
        guards={"sqlite": ("pragma:foreign_keys",), "postgresql": ("batch_note_complete",)},
    ),
    Attack(
        name="commit a header without a link",
        run=header_without_link,
        code="",
        guards={"sqlite": ("pragma:foreign_keys",), "postgresql": ("batch_note_complete",)},
    ),
    Attack(name="seal lines that stand alone", run=line_alone, code="LEDGER12", guards=SEAL),
    Attack(name="seal with a wrong count", run=wrong_count, code="LEDGER12", guards=SEAL),
    Attack(name="hide lines in another month", run=wrong_month, code="LEDGER12", guards=SEAL),
    Attack(name="seal a batch again", run=seal_again, code="LEDGER02"),
    # Entries that are none.
    Attack(
        name="an entry that does not balance",
        run=batch(Forged(key="x", lines=[line(1, BANK, 100), line(2, REVENUE, -99)])),
        code="LEDGER04",
        guards=SEAL,
    ),
    Attack(
        name="a balance across currencies",
        run=batch(Forged(key="x", lines=[line(1, RECEIVABLE, 100), line(2, REVENUE, -100, currency="EUR")])),
        code="LEDGER04",
        guards=SEAL,
    ),
    Attack(name="one line", run=batch(Forged(key="x", lines=[line(1, BANK, 100)])), code="LEDGER03", guards=SEAL),
    Attack(name="no line", run=batch(Forged(key="x", lines=[])), code="LEDGER03", guards=SEAL),
    Attack(
        name="a line of zero",
        run=batch(Forged(key="x", lines=[*two(), line(3, BANK, 0)])),
        code="LEDGER16",
        guards={"sqlite": ("pragma:ignore_check_constraints",), "postgresql": ("posting!LEDGER16 a line is zero",)},
    ),
    Attack(
        name="an account of another book",
        run=batch(Forged(key="x", lines=[line(1, BANK, 100, book=OTHER), line(2, REVENUE, -100)])),
        code="LEDGER05",
        guards=SEAL,
    ),
    Attack(
        name="an account that does not exist",
        run=batch(Forged(key="x", lines=[line(1, "9999", 100), line(2, REVENUE, -100)])),
        code="LEDGER05",
        guards=SEAL,
    ),
    # Keys and reversals.
    Attack(name="use a key again", run=key_again, code="LEDGER02"),
    Attack(name="reverse an entry twice", run=reversed_twice, code="LEDGER02"),
    Attack(
        name="reverse by other amounts",
        run=batch(Forged(key="x", lines=[line(1, RECEIVABLE, -9_999, account="A1"), line(2, REVENUE, 9_999)], reverses="sale")),
        code="LEDGER13",
        guards=SEAL,
    ),
    Attack(
        name="reverse on another account",
        run=batch(Forged(key="x", lines=[line(1, BANK, -10_000, account="A1"), line(2, REVENUE, 10_000)], reverses="sale")),
        code="LEDGER13",
        guards=SEAL,
    ),
    Attack(
        name="reverse for another customer",
        run=batch(Forged(key="x", lines=[line(1, RECEIVABLE, -10_000, account="A2"), line(2, REVENUE, 10_000)], reverses="sale")),
        code="LEDGER13",
        guards=SEAL,
    ),
    Attack(
        name="reverse with more lines",
        run=batch(
            Forged(
                key="x",
                lines=[line(1, RECEIVABLE, -10_000, account="A1"), line(2, REVENUE, 10_000), line(3, BANK, 5), line(4, BANK, -5)],
                reverses="sale",
            )
        ),
        code="LEDGER13",
        guards=SEAL,
    ),
    Attack(
        name="reverse what does not exist",
        run=batch(Forged(key="x", lines=two(), reverses="ghost")),
        code="LEDGER13",
        guards=SEAL,
    ),
    # The chain.
    Attack(name="leave a gap in the chain", run=chain(seq=9), code="LEDGER07", guards=both("batch_chain_link")),
    Attack(name="fork the chain", run=chain(seq=2, old=True), code="LEDGER02"),
    Attack(name="follow an older batch", run=chain(seq=3, old=True), code="LEDGER0"),
    Attack(
        name="follow a batch that does not exist",
        run=chain(prev_hash=b"x" * 32),
        code="LEDGER07",
        guards=both("batch_chain_link"),
    ),
    Attack(name="begin the chain anew", run=chain(seq=1, prev_hash=bytes(32)), code="LEDGER0"),
    # Periods.
    Attack(
        name="post into a closed period",
        run=batch(Forged(key="x", lines=two(), on=DECEMBER.start, period_id=AccountingPeriod(book=MAIN, span=DECEMBER).id)),
        code="LEDGER06",
        guards=SEAL,
    ),
    Attack(
        name="post outside of the period",
        run=batch(Forged(key="x", lines=two(), on=DECEMBER.start)),
        code="LEDGER06",
        guards=SEAL,
    ),
    Attack(
        name="post on the first day after the period",
        run=batch(Forged(key="x", lines=two(), on=dt.date(2026, 4, 1))),
        code="LEDGER06",
        on=("sqlite",),
        guards=SEAL,
    ),
    Attack(name="post without a period", run=batch(Forged(key="x", lines=two(), period_id=1)), code="LEDGER06", guards=SEAL),
    Attack(
        name="post into a period of another book",
        run=batch(Forged(key="x", lines=two(), period_id=AccountingPeriod(book=OTHER, span=QUARTER).id)),
        code="LEDGER06",
        guards=SEAL,
    ),
    Attack(
        name="open a closed period again",
        run=sql("UPDATE period SET status = 'open', closed_at = NULL WHERE status = 'closed'"),
        code="LEDGER09",
        guards={"sqlite": ("period_closed",), "postgresql": ("period_frozen",)},
    ),
    Attack(
        name="move a period away from its entries",
        run=sql("UPDATE period SET starts_on = '2026-02-01' WHERE starts_on = '2026-01-01' AND ends_before = '2026-04-01'"),
        code="LEDGER14",
        guards=both("period_frozen"),
    ),
    Attack(
        name="delete a used period",
        run=sql("DELETE FROM period WHERE starts_on = '2026-01-01' AND ends_before = '2026-04-01'"),
        code="LEDGER14",
        guards={"sqlite": ("period_no_delete",), "postgresql": ("period_frozen",)},
    ),
    Attack(
        name="open a period over another",
        run=sql(
            f"{_OVERLAP} VALUES (7, :book, '2026-03-31', '2026-05-01', 'open')",
            book=book_id(MAIN),
        ),
        code="LEDGER15",
        guards={"sqlite": ("period_overlap",), "postgresql": ("period!LEDGER15 the period overlaps another of its book",)},
    ),
    # Books, accounts, balances.
    Attack(
        name="change the genesis of a book",
        run=sql("UPDATE book SET genesis = :bytes WHERE key = 'other'", bytes=b"y" * 32),
        code="LEDGER14",
        guards=both("book_frozen"),
    ),
    Attack(name="delete a book", run=sql("DELETE FROM book"), code="LEDGER08"),
    Attack(
        name="lift the floor of a used account",
        run=sql("UPDATE gl_account SET floor = 'none' WHERE id = :id", id=gl_account_id(MAIN, DEPOSITS)),
        code="LEDGER14",
        guards=both("gl_account_frozen"),
    ),
    Attack(
        name="change the type of a used account",
        run=sql("UPDATE gl_account SET type = 'expense' WHERE id = :id", id=gl_account_id(MAIN, REVENUE)),
        code="LEDGER14",
        guards=both("gl_account_frozen"),
    ),
    Attack(
        name="delete a used account",
        run=sql("DELETE FROM gl_account WHERE id = :id", id=gl_account_id(MAIN, REVENUE)),
        code="LEDGER14",
        guards={"sqlite": ("gl_account_no_delete",), "postgresql": ("gl_account_frozen",)},
    ),
    Attack(
        name="overdraw a deposit",
        run=batch(Forged(key="x", lines=[line(1, DEPOSITS, 50_001, account="A1", sub_key="D1"), line(2, BANK, -50_001)])),
        code="LEDGER10",
        guards=SEAL,
    ),
    Attack(
        name="draw from another customer's deposit",
        run=batch(Forged(key="x", lines=[line(1, DEPOSITS, 1, account="A2", sub_key="D1"), line(2, BANK, -1)])),
        code="LEDGER10",
        guards=SEAL,
    ),
    Attack(
        name="draw in another currency",
        run=batch(
            Forged(
                key="x",
                lines=[line(1, DEPOSITS, 1, account="A1", sub_key="D1", currency="EUR"), line(2, BANK, -1, currency="EUR")],
            )
        ),
        code="LEDGER10",
        guards=SEAL,
    ),
    Attack(
        name="insert a balance",
        run=sql("INSERT INTO balance SELECT gl_account_id, 99, sub_key, currency, floor, amount FROM balance"),
        code="LEDGER08",
        on=("sqlite",),
        guards={"sqlite": ("balance_starts_at_zero",)},
    ),
    Attack(name="delete balances", run=sql("DELETE FROM balance"), code="LEDGER08", guards=both("balance_no_delete")),
)
