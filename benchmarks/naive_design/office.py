"""The usual design at work: load the file, bill account by account with mapped objects, commit every 250 accounts."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from pathlib import Path

from sqlalchemy import Engine, create_engine, event, func, select
from sqlalchemy.orm import Session

from benchmarks.naive_design.models import Account, Base, Invoice, InvoiceLine, JournalEntry, Posting, Rate, Series, UsageRecord
from benchmarks.naive_design.pricing import Bucket, CallPricing, hooks_of

BATCH = 250
_RECORDS_AT_ONCE = 5_000
_CENT = Decimal("0.01")
_INCLUDED_SECONDS = 1_800
_INCLUDED_PREFIX = "49"
_FEE = Decimal("9.95")
_TAXES = {"vat": (Decimal("0.19"), "2200"), "levy": (Decimal("0.025"), "2210")}
_SOURCE = "switch"
_ISSUED = date(2026, 10, 5)
_SERIES = "INV-2026-"


def engine_of(url: str) -> Engine:
    """Return an engine with the settings that anybody gives it."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    if url.startswith("sqlite"):

        @event.listens_for(engine, "connect")
        def prepare(connection, _record):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")

    return engine


def found(engine: Engine, *, subjects: Sequence[str], deck: bytes) -> None:
    """Make the tables and save customers and rates."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(
            Account(code=f"A-{place:07d}", name=f"Customer {place}", subject=subject) for place, subject in enumerate(subjects)
        )
        rows = list(csv.DictReader(deck.decode().splitlines()))
        for off_peak, peak in zip(rows[::2], rows[1::2], strict=True):
            session.add(
                Rate(
                    prefix=off_peak["prefix"],
                    destination=off_peak["destination"],
                    off_peak=Decimal(off_peak["rate_per_min"]),
                    peak=Decimal(peak["rate_per_min"]),
                )
            )
        session.add(Series(prefix=_SERIES, next_number=1))
        session.commit()


def take_in(engine: Engine, file: Path) -> int:
    """Save the calls of a file, the first of each identifier, and return how many."""
    with Session(engine) as session, file.open(encoding="ascii", newline="") as lines:
        accounts = {account.subject: account.id for account in session.scalars(select(Account))}
        seen: set[str] = set()
        saved = 0
        rows = csv.DictReader(lines)
        while some := list(itertools.islice(rows, _RECORDS_AT_ONCE)):
            for row in some:
                if row["id"] in seen or row["result"] != "OK":
                    continue
                seen.add(row["id"])
                session.add(_record(row, accounts[row["caller"]]))
                saved += 1
            session.commit()
            session.expunge_all()
    return saved


def _record(row: dict[str, str], account: int) -> UsageRecord:
    return UsageRecord(
        source=_SOURCE,
        external_id=row["id"],
        account_id=account,
        called=row["called"],
        start=datetime.fromisoformat(row["start"]).replace(tzinfo=None),
        duration=int(row["duration"]),
        billed=int(row["billed"]),
    )


def bill(engine: Engine) -> int:
    """Bill all accounts and post their documents; return how many."""
    with Session(engine) as session:
        plugin = CallPricing(list(session.scalars(select(Rate))), _INCLUDED_PREFIX)
        session.expunge_all()
        hooks = hooks_of(plugin)
        numbers = list(session.scalars(select(Account.id).order_by(Account.id)))
        for start in range(0, len(numbers), BATCH):
            for account in session.scalars(select(Account).where(Account.id.in_(numbers[start : start + BATCH]))).all():
                invoice = _invoice(session, account, hooks)
                session.add(invoice)
                session.flush()
                session.add(_entry(invoice))
            session.commit()
            session.expunge_all()
    return len(numbers)


def _invoice(session: Session, account: Account, hooks) -> Invoice:  # type: ignore[no-untyped-def]  # noqa: ANN001
    records = session.scalars(
        select(UsageRecord).where(UsageRecord.account_id == account.id).order_by(UsageRecord.start, UsageRecord.external_id)
    ).all()
    bucket = Bucket(_INCLUDED_SECONDS)
    by_destination: dict[str, list[UsageRecord]] = {}
    for record in records:
        price = hooks.hook.price_record(record=record, bucket=bucket)
        if price is None:
            raise AssertionError(record.called)
        record.price, record.billed_seconds, record.free_seconds = price.amount, price.billed, price.free
        by_destination.setdefault(price.destination, []).append(record)
    lines = list(_lines(by_destination))
    net = sum((line.net for line in lines), Decimal(0))
    tax = sum(_share_taxes(lines, net), Decimal(0))
    series = session.get_one(Series, _SERIES, with_for_update=True)
    number, series.next_number = f"{_SERIES}{series.next_number:06d}", series.next_number + 1
    return Invoice(
        number=number,
        account_id=account.id,
        issued_on=_ISSUED,
        due_on=_ISSUED + timedelta(days=14),
        net=net,
        tax=tax,
        gross=net + tax,
        lines=lines,
    )


def _lines(by_destination: dict[str, list[UsageRecord]]) -> Iterator[InvoiceLine]:
    for number, month in enumerate(("September", "October"), start=1):
        yield InvoiceLine(
            number=number, text=f"Telephone line, {month}", code="standing", quantity=Decimal(1), net=_FEE, tax=Decimal(0)
        )
    for number, destination in enumerate(sorted(by_destination), start=3):
        calls = by_destination[destination]
        amount = sum((call.price for call in calls if call.price is not None), Decimal(0))
        yield InvoiceLine(
            number=number,
            text=f"Calls: {destination}",
            code="usage",
            quantity=Decimal(sum(call.billed_seconds or 0 for call in calls)),
            net=amount.quantize(_CENT, ROUND_HALF_UP),
            tax=Decimal(0),
            calls=calls,
        )


def _share_taxes(lines: Sequence[InvoiceLine], net: Decimal) -> Iterator[Decimal]:
    """Yield each tax of the document, and add its shares to the lines by largest remainder."""
    for rate, _account in _TAXES.values():
        tax = (net * rate).quantize(_CENT, ROUND_HALF_UP)
        exact = [line.net * rate for line in lines]
        shares = [one.quantize(_CENT, ROUND_DOWN) for one in exact]
        left = int((tax - sum(shares, Decimal(0))) / _CENT)
        order = sorted(range(len(lines)), key=lambda place: (shares[place] - exact[place], place))
        for place in order[:left]:
            shares[place] += _CENT
        for line, share in zip(lines, shares, strict=True):
            line.tax += share
        yield tax


def _entry(invoice: Invoice) -> JournalEntry:
    postings = [Posting(gl_account="1200", amount=invoice.gross)]
    for code, account in (("standing", "4010"), ("usage", "4000")):
        total = sum((line.net for line in invoice.lines if line.code == code), Decimal(0))
        if total:
            postings.append(Posting(gl_account=account, amount=-total))
    for rate, account in _TAXES.values():
        postings.append(Posting(gl_account=account, amount=-(invoice.net * rate).quantize(_CENT, ROUND_HALF_UP)))
    if sum((posting.amount for posting in postings), Decimal(0)):
        raise AssertionError(invoice.number)
    return JournalEntry(invoice_id=invoice.id, posted_on=_ISSUED, postings=postings)


def totals(engine: Engine) -> dict[str, int]:
    """Return the sums by which it is compared with the product, in cents."""
    with Session(engine) as session:
        row = session.execute(select(func.sum(Invoice.net), func.sum(Invoice.tax), func.sum(Invoice.gross))).one()
        lines = session.scalar(select(func.count()).select_from(InvoiceLine))
    net, tax, gross = (round(Decimal(str(value)) * 100) for value in row)
    return {"lines": lines or 0, "net": net, "tax": tax, "gross": gross}
