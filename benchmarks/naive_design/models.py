"""The tables of the usual design: one mapped class per thing, `Numeric` for money, relationships for what belongs together."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import DateTime, ForeignKey, Index, Numeric, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column, relationship

_MONEY = Numeric(14, 2)
_PRICE = Numeric(18, 6)


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """Base of all mapped classes."""


class Account(Base):
    """A customer with one telephone number."""

    __tablename__ = "account"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(40), unique=True)


class Rate(Base):
    """The prices of a prefix."""

    __tablename__ = "rate"
    prefix: Mapped[str] = mapped_column(String(15), primary_key=True)
    destination: Mapped[str] = mapped_column(String(80))
    off_peak: Mapped[Decimal] = mapped_column(_PRICE)
    peak: Mapped[Decimal] = mapped_column(_PRICE)


class UsageRecord(Base):
    """One call, and its price once it is billed."""

    __tablename__ = "usage_record"
    __table_args__ = (UniqueConstraint("source", "external_id"), Index("usage_by_account", "account_id", "start"))
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    source: Mapped[str] = mapped_column(String(40))
    external_id: Mapped[str] = mapped_column(String(40))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    called: Mapped[str] = mapped_column(String(20))
    start: Mapped[datetime] = mapped_column(DateTime)
    duration: Mapped[int]
    billed: Mapped[int]
    price: Mapped[Decimal | None] = mapped_column(_PRICE, default=None)
    billed_seconds: Mapped[int | None] = mapped_column(default=None)
    free_seconds: Mapped[int | None] = mapped_column(default=None)
    line_id: Mapped[int | None] = mapped_column(ForeignKey("invoice_line.id"), default=None)


class Invoice(Base):
    """One document."""

    __tablename__ = "invoice"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    issued_on: Mapped[date]
    due_on: Mapped[date]
    net: Mapped[Decimal] = mapped_column(_MONEY)
    tax: Mapped[Decimal] = mapped_column(_MONEY)
    gross: Mapped[Decimal] = mapped_column(_MONEY)
    lines: Mapped[list[InvoiceLine]] = relationship(back_populates="invoice", default_factory=list)


class InvoiceLine(Base):
    """One line of a document."""

    __tablename__ = "invoice_line"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"), index=True, init=False)
    number: Mapped[int]
    text: Mapped[str] = mapped_column(String(200))
    code: Mapped[str] = mapped_column(String(40))
    quantity: Mapped[Decimal] = mapped_column(_PRICE)
    net: Mapped[Decimal] = mapped_column(_MONEY)
    tax: Mapped[Decimal] = mapped_column(_MONEY)
    invoice: Mapped[Invoice] = relationship(back_populates="lines", init=False)
    calls: Mapped[list[UsageRecord]] = relationship(default_factory=list)


class JournalEntry(Base):
    """The double entry of a document."""

    __tablename__ = "journal_entry"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"), index=True)
    posted_on: Mapped[date]
    postings: Mapped[list[Posting]] = relationship(default_factory=list)


class Posting(Base):
    """One side of an entry: positive on the left, negative on the right."""

    __tablename__ = "posting"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    entry_id: Mapped[int] = mapped_column(ForeignKey("journal_entry.id"), index=True, init=False)
    gl_account: Mapped[str] = mapped_column(String(20), index=True)
    amount: Mapped[Decimal] = mapped_column(_MONEY)


class Series(Base):
    """The next number of a series of documents."""

    __tablename__ = "series"
    prefix: Mapped[str] = mapped_column(String(20), primary_key=True)
    next_number: Mapped[int]
