"""Reads a book from its TOML file, and says with place and remedy what keeps it from being one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import attrs

from billing_framework.accounts.book import (
    HELD_ROLES,
    REQUIRED_ROLES,
    ROLES,
    SERIES_KINDS,
    SUB_LEDGERS,
    Bank,
    BookAccount,
    BookProfile,
    Seller,
    Series,
)
from billing_framework.accounts.fields import Reader, code, country, currency, text_line, zone
from billing_framework.ledger.chart import Floor
from billing_framework.values.errors import ValueRefused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.spelling import did_you_mean
from billing_framework.values.typed_toml import Codes, KeyPath, dotted, line_of, read_toml, structure

_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_LONGEST_PREFIX = 40
CODES = Codes(unreadable="BOOK01", unknown_key="BOOK02", missing_key="BOOK02", bad_value="BOOK03")


@attrs.frozen(kw_only=True)
class _BookTable:
    """The table ``[book]`` and all below it, as the file has it."""

    code: str
    name: str
    currency: str
    zone: str
    seller: Seller
    bank: Bank = attrs.field(factory=Bank)
    series: tuple[Series, ...]
    account: tuple[BookAccount, ...]
    charges: Mapping[str, str]
    taxes: Mapping[str, str] = attrs.field(factory=dict)
    adjustments: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class _BookFile:
    """The whole file."""

    book: _BookTable


def read_book(content: bytes, file: str) -> tuple[BookProfile | None, list[Finding]]:
    """Return the book in a TOML file, or None, and everything that is wrong with it.

    Args:
        content: bytes of the file.
        file: its name, for messages.
    """
    text, tables, findings = read_toml(content, file, CODES)
    if findings:
        return None, findings
    parsed, findings = structure(_BookFile, tables, file=file, text=text, codes=CODES)
    if parsed is None:
        return None, findings
    fields = attrs.asdict(parsed.book, recurse=False)
    book = BookProfile(accounts=fields.pop("account"), **fields)
    findings = [
        Finding(
            code=number,
            severity=Severity.BLOCKING,
            what=what,
            remedy=remedy,
            file=file,
            line=line_of(text, path),
            field=dotted(path),
            value=value,
        )
        for number, what, remedy, path, value in _problems(book)
    ]
    return (None if findings else book), findings


Problem = tuple[str, str, str, KeyPath, str]


def _problems(book: BookProfile) -> Iterator[Problem]:
    readers: list[tuple[str, Reader]] = [("code", code), ("name", _name), ("currency", currency), ("zone", zone)]
    for name, read in readers:
        yield from _read(read, getattr(book, name), ("book", name))
    yield from _printed_problems(book)
    yield from _series_problems(book)
    yield from _chart_problems(book)
    for table, mapping in (("charges", book.charges), ("taxes", book.taxes), ("adjustments", book.adjustments)):
        yield from _mapping_problems(table, mapping, book)


def _read(read: Reader, value: str, path: KeyPath) -> Iterator[Problem]:
    try:
        read(value)
    except ValueRefused as refused:
        yield ("BOOK03", refused.what, refused.remedy, path, value)


def _printed_problems(book: BookProfile) -> Iterator[Problem]:
    """Yield what could not be printed on a document."""
    seller, bank, address = book.seller, book.bank, book.seller.address
    yield from _read(_name, seller.name, ("book", "seller", "name"))
    lines: list[tuple[KeyPath, str]] = [(("seller", name), getattr(seller, name)) for name in ("registration", "contact")]
    lines += [(("seller", "tax_ids", place), text) for place, text in enumerate(seller.tax_ids)]
    lines += [(("seller", "address", "lines", place), text) for place, text in enumerate(address.lines)]
    lines += [(("seller", "address", name), getattr(address, name)) for name in ("city", "postcode", "region")]
    lines += [(("bank", name), getattr(bank, name)) for name in ("name", "account")]
    for path, text in lines:
        yield from _read(text_line, text, ("book", *path))
    if address.country:
        yield from _read(country, address.country, ("book", "seller", "address", "country"))
    if bank.bic and not _BIC.fullmatch(bank.bic):
        yield ("BOOK03", "this is no BIC", "Write its 8 or 11 capital letters and digits", ("book", "bank", "bic"), bank.bic)


def _name(text: str) -> str:
    if text:
        return text_line(text)
    raise ValueRefused("BOOK03", "the name is empty", remedy="Write the name that documents print")


def _series_problems(book: BookProfile) -> Iterator[Problem]:
    for kind in SERIES_KINDS[:2]:
        if book.series_of(kind) is None:
            remedy = f'Add [[book.series]] with kind = "{kind}"'
            yield ("BOOK04", "a book numbers at least invoices and credit notes", remedy, ("book", "series"), kind)
    for position, series in enumerate(book.series):
        if series.kind not in SERIES_KINDS:
            remedy = did_you_mean(series.kind, SERIES_KINDS)
            yield ("BOOK04", "no such kind of document", remedy, ("book", "series", position, "kind"), series.kind)
    for position in _repeated(series.kind for series in book.series):
        kind = book.series[position].kind
        yield ("BOOK04", "the kind of document has two series", "Keep one of them", ("book", "series", position, "kind"), kind)
    for position in _repeated(series.prefix for series in book.series):
        prefix = book.series[position].prefix
        yield (
            "BOOK04",
            "two series would give the same numbers",
            "Change one prefix",
            ("book", "series", position, "prefix"),
            prefix,
        )
    for position, series in enumerate(book.series):
        if series.reset.value == "year" and "{year}" not in series.prefix:
            remedy = 'Put {year} into the prefix, or write reset = "never"'
            what = "numbers would repeat every year"
            yield ("BOOK04", what, remedy, ("book", "series", position, "prefix"), series.prefix)
        if (
            not 1 <= series.width <= 12
            or not 1 <= series.year_month <= 12
            or set(series.prefix.replace("{year}", "")) & set("{}")
            or len(series.prefix) > _LONGEST_PREFIX
            or not series.prefix.isprintable()
        ):
            remedy = (
                f"Use a width and a year_month from 1 to 12, {_LONGEST_PREFIX} printed characters, and no braces but {{year}}"
            )
            yield ("BOOK04", "no number can be made of it", remedy, ("book", "series", position, "prefix"), series.prefix)


def _chart_problems(book: BookProfile) -> Iterator[Problem]:
    for position in _repeated(account.code for account in book.accounts):
        account = book.accounts[position]
        yield (
            "BOOK05",
            "two accounts have the same code",
            "Change one of them",
            ("book", "account", position, "code"),
            account.code,
        )
    for position, account in enumerate(book.accounts):
        yield from _read(code, account.code, ("book", "account", position, "code"))
        yield from _read(_name, account.name, ("book", "account", position, "name"))
        if account.control_of not in ("", *SUB_LEDGERS):
            remedy = did_you_mean(account.control_of, SUB_LEDGERS)
            path = ("book", "account", position, "control_of")
            yield ("BOOK05", "the core keeps no such sub-ledger", remedy, path, account.control_of)
        if account.role and account.role not in ROLES:
            remedy = did_you_mean(account.role, ROLES)
            yield ("BOOK05", "the core posts to no such role", remedy, ("book", "account", position, "role"), account.role)
    for position, account in enumerate(book.accounts):
        if account.role in HELD_ROLES and account.floor is not Floor.NO_DEBIT:
            what, remedy = "money held for others is not guarded", 'Write floor = "no_debit"'
            yield ("BOOK05", what, remedy, ("book", "account", position, "role"), account.role)
    held = Counter(account.role for account in book.accounts if account.role)
    for role in REQUIRED_ROLES:
        if held[role] == 0:
            yield ("BOOK05", f"no account has the role {role}", f'Give one account role = "{role}"', ("book", "account"), role)
    for role, count in held.items():
        if count > 1:
            yield ("BOOK05", f"{count} accounts have the role {role}", "Give it to one of them", ("book", "account"), role)


def _mapping_problems(table: str, mapping: Mapping[str, str], book: BookProfile) -> Iterator[Problem]:
    known = [account.code for account in book.accounts]
    for name, target in mapping.items():
        if not name or name != "".join(name.split()):
            yield ("BOOK05", "a code is empty or holds blanks", "Write the code of the plan", ("book", table, name), name)
        if target not in known:
            yield ("BOOK05", "the chart has no such account", did_you_mean(target, known), ("book", table, name), target)
        if "*" in name and name != "*" and not (name.endswith(".*") and "*" not in name[:-2]):
            remedy = "Write service.* for all codes that begin with service, or * for all"
            yield ("BOOK05", "the code's star stands where it means nothing", remedy, ("book", table, name), name)


def _repeated(names: Iterable[str]) -> list[int]:
    seen: set[str] = set()
    again = []
    for position, name in enumerate(names):
        if name in seen:
            again.append(position)
        seen.add(name)
    return again


def unmapped_findings(book: BookProfile, charge_codes: Mapping[str, str], tax_codes: Mapping[str, str]) -> list[Finding]:
    """Return a blocking finding for each charge or tax code that the book could not post.

    Args:
        book: the book.
        charge_codes: charge code to where it comes from, for example ``plan residential@2026-07``.
        tax_codes: tax code to where it comes from.
    """
    missing = [("charges", name, origin) for name, origin in sorted(charge_codes.items()) if not book.revenue_account(name)]
    missing += [("taxes", name, origin) for name, origin in sorted(tax_codes.items()) if not book.tax_account(name)]
    return [
        Finding(
            code="BOOK06",
            severity=Severity.BLOCKING,
            what=f"the code {name} of {origin} is mapped to no account of book {book.code}",
            remedy=f'Add "{name}" = "ACCOUNT" to [book.{table}] and load the book again',
            field=f"book.{table}",
            value=name,
            subject=book.code,
        )
        for table, name, origin in missing
    ]
