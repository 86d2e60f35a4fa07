"""Legal numbers: gapless per series, given only to approved documents, in one block and in one order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Protocol, TypeVar

import attrs

from billing_framework.invoicing.draft import DocumentKind
from billing_framework.values.errors import ConfigurationError
from billing_framework.values.finding import Finding, Severity

_YEAR = "{year}"
_RESETS = ("never", "year")


@attrs.frozen(kw_only=True)
class NumberSeries:
    """How the documents of one kind are numbered in one book.

    Attributes:
        book: code of the book.
        kind: the documents that it numbers.
        prefix: text before the counter; ``{year}`` stands for the fiscal year of the document's date.
        width: digits of the counter, filled with zeros; a longer counter is written in full.
        reset: ``never``, or ``year`` where the counter starts again at 1 in each fiscal year.
        year_month: month in which the fiscal year begins; a year that begins later than January bears the number of the
            calendar year in which it ends.
    """

    book: str
    kind: DocumentKind
    prefix: str
    width: int = 6
    reset: str = "never"
    year_month: int = 1

    def __attrs_post_init__(self) -> None:
        wrong = ""
        if self.reset not in _RESETS:
            wrong = f"reset must be one of {', '.join(_RESETS)}, not {self.reset!r}"
        elif self.reset == "year" and _YEAR not in self.prefix:
            wrong = f"a series that starts again each year needs {_YEAR} in its prefix {self.prefix!r}, or numbers would repeat"
        elif not 1 <= self.width <= 18 or not 1 <= self.year_month <= 12:
            wrong = f"width must be from 1 to 18 and year_month from 1 to 12, not {self.width} and {self.year_month}"
        if wrong:
            place = f"series {self.kind.value} of book {self.book}"
            raise ConfigurationError("INVOICE11", wrong, place=place, remedy="Correct the series in the book's file")

    def fiscal_year(self, day: date) -> int:
        """Return the fiscal year of a date."""
        return day.year + (1 if self.year_month > 1 and day.month >= self.year_month else 0)

    def counter_name(self, day: date) -> str:
        """Return the name of the counter that numbers a document of that date: the prefix, per year only where it resets."""
        return self._prefix(day) if self.reset == "year" else self.prefix

    def format_number(self, counter: int, day: date) -> str:
        """Return the number as it is printed."""
        return f"{self._prefix(day)}{counter:0{self.width}}"

    def _prefix(self, day: date) -> str:
        return self.prefix.replace(_YEAR, str(self.fiscal_year(day)))


class ToNumber(Protocol):
    """What the number of a document follows from: a draft, or its figures."""

    @property
    def key(self) -> int:
        """Key of the document."""

    @property
    def kind(self) -> DocumentKind:
        """What it is."""

    @property
    def book(self) -> str:
        """Code of the book."""

    @property
    def account(self) -> str:
        """Code of the account."""

    @property
    def issue_on(self) -> date:
        """Date that it bears."""


Numerable = TypeVar("Numerable", bound=ToNumber)


@attrs.frozen(kw_only=True)
class Numbered:
    """The number that a document will bear.

    Attributes:
        document: key of the document.
        counter_name: name of the counter; unique with `counter` in the book.
        counter: position in the series.
        number: the number as it is printed.
    """

    document: int
    counter_name: str
    counter: int
    number: str


@attrs.frozen(kw_only=True)
class NumberBlock:
    """The numbers of one posting manifest.

    Attributes:
        numbers: one for each document, in posting order.
        after: name of each counter that was used, to its next value.
    """

    numbers: tuple[Numbered, ...]
    after: Mapping[str, int]


def in_posting_order(documents: Iterable[Numerable]) -> list[Numerable]:
    """Return documents by date and then account, which is the order of their numbers however they were computed."""
    return sorted(documents, key=lambda document: (document.issue_on, document.account, document.key))


def plan_numbers(documents: Sequence[ToNumber], series: Sequence[NumberSeries], next_counters: Mapping[str, int]) -> NumberBlock:
    """Return the numbers of `documents`, in their order and without a gap.

    Args:
        documents: approved documents of one book, in posting order.
        series: the series of the book; each kind of document has one.
        next_counters: next value of each counter that was used before, by name; others start at 1.

    Raises:
        ConfigurationError: ``INVOICE12`` where a kind of document has no series.
    """
    by_kind = {item.kind: item for item in series}
    after = dict(next_counters)
    used: set[str] = set()
    numbers = []
    for document in documents:
        chosen = by_kind.get(document.kind)
        if chosen is None:
            raise ConfigurationError(
                "INVOICE12",
                f"the book {document.book} has no number series for the kind {document.kind.value}",
                remedy="Add the series to the book's file",
            )
        name = chosen.counter_name(document.issue_on)
        counter = after.get(name, 1)
        after[name] = counter + 1
        used.add(name)
        number = chosen.format_number(counter, document.issue_on)
        numbers.append(Numbered(document=document.key, counter_name=name, counter=counter, number=number))
    return NumberBlock(numbers=tuple(numbers), after={name: after[name] for name in sorted(used)})


def number_gaps(counters: Mapping[str, Sequence[int]], next_counters: Mapping[str, int]) -> list[Finding]:
    """Return a finding for every number that is missing, doubled or beyond its counter.

    Args:
        counters: name of each counter to the positions that were given out, in any order.
        next_counters: name of each counter to its next value.
    """
    findings = []
    for name in sorted(counters.keys() | next_counters.keys()):
        given = sorted(counters.get(name, ()))
        due = list(range(1, next_counters.get(name, 1)))
        if given != due:
            odd = sorted(set(given) ^ set(due)) or [
                place for place, number in enumerate(given) if place and given[place - 1] == number
            ]
            findings.append(
                Finding(
                    code="INVOICE13",
                    severity=Severity.BLOCKING,
                    what=f"the series {name} should hold the numbers 1 to {len(due)} once each, but not so with {odd[:10]}",
                    remedy="Find out which documents were removed or added behind the program's back",
                    subject=name,
                )
            )
    return findings
