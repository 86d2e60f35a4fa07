"""Usage as columns: the records of one kind of many agreements, which columnar raters price without an object per record.

Everything is an int64 array: keys, instants in microseconds, local dates and times, the fields of the body as scaled integers or
as codes into a list of texts. What many agreements share (dates, plan versions, rate tables, zone) stands once, as a *term*.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from billing_framework.rating.group import AgreementUsage, BillingGroup, KeyedUsage
from billing_framework.values.columns import Integers

_EPOCH_DAY = date(1970, 1, 1).toordinal()

NEVER = -(2**62)
"""A day before all others."""


@attrs.frozen(kw_only=True, eq=False)
class FieldColumn:
    """One field of the body, a number per record.

    Attributes:
        numbers: whole numbers, flags as 0 and 1, days since 1970, microseconds since 1970, unscaled exact numbers, places in
            `texts`, or the packed numbers of all records one after the other.
        scale: decimals of exact numbers.
        texts: UTF-8 texts that `numbers` names the places of, for texts and choices.
        starts: first packed number of each record, and the end of the last, for packed numbers.
        missing: where the field is None; None where it never is.
    """

    numbers: Integers
    scale: int = 0
    texts: npt.NDArray[np.bytes_] | None = None
    starts: Integers | None = None
    missing: npt.NDArray[np.bool_] | None = None

    def text(self, row: int) -> str:
        """Return the text of one record."""
        if self.texts is None:
            raise AssertionError(row)  # asked for the text of a number
        return bytes(self.texts[int(self.numbers[row])]).decode()

    def at(self, places: Integers) -> FieldColumn:
        """Return the column of the records at some places, in that order."""
        missing = None if self.missing is None else self.missing[places]
        if self.starts is None:
            return attrs.evolve(self, numbers=self.numbers[places], missing=missing)
        lengths = np.diff(self.starts)[places]
        starts = np.concatenate(([0], np.cumsum(lengths)))
        inner = np.arange(starts[-1]) + np.repeat(self.starts[places] - starts[:-1], lengths)
        return attrs.evolve(self, numbers=self.numbers[inner], starts=starts, missing=missing)

    def code(self, text: str) -> int:
        """Return the place of a text among `texts`, -1 where no record has it."""
        known: list[bytes] = [] if self.texts is None else self.texts.tolist()
        return known.index(text.encode()) if text.encode() in known else -1


@attrs.frozen(kw_only=True, eq=False)
class UsageColumns:
    """The records of one kind of a shard of billing groups, ordered by agreement, subject, start and key.

    Attributes:
        kind: name of the kind.
        groups: the billing groups.
        usages: their agreements, one group after the other; their `records` may be empty.
        group_of: place in `groups` of each agreement.
        firsts: first record of each agreement, and the end of the last.
        terms: for each agreement the place of an agreement with the same account zone, currency and calendars, periods, plan
            versions and rate tables: of the first such one.
        state_until: for each agreement the latest end (days since 1970) of a period after which carried state was written,
            `NEVER` where there is none.
        keys: key of each record.
        own: whether the record was guided to the agreement that sees it.
        subject: identifier of the field.
        start: first instant in microseconds since 1970 in UTC.
        end: last instant.
        day: local date on which it starts, in the zone of the account, as days since 1970.
        second: local second of that day.
        fields: fields of the body by name, those that the rater asked for.
        mixed: places of the groups that have records of other kinds of the same rater, too.
        settings: structured settings of the rater's plugin.
        record: gives a record as an object, by its place; slow, for the reference and for explanations.
    """

    kind: str
    groups: tuple[BillingGroup, ...]
    usages: tuple[AgreementUsage, ...]
    group_of: Integers
    firsts: Integers
    terms: Integers
    state_until: Integers
    keys: Integers
    own: npt.NDArray[np.bool_]
    subject: FieldColumn
    start: Integers
    end: Integers
    day: Integers
    second: Integers
    fields: dict[str, FieldColumn]
    mixed: frozenset[int] = frozenset()
    settings: Any = None
    record: Callable[[int], KeyedUsage]

    def __len__(self) -> int:
        return len(self.keys)

    def agreement_of_rows(self) -> Integers:
        """Return the place of the agreement of each record."""
        return np.repeat(np.arange(len(self.usages)), np.diff(self.firsts))

    def in_period(self) -> npt.NDArray[np.bool_]:
        """Return whether each record starts in the period of its agreement."""
        places, terms = np.unique(self.terms, return_inverse=True)
        periods = [self.usages[place].period for place in places.tolist()]
        edges = np.array([(one.start.toordinal(), one.end.toordinal()) for one in periods], dtype=np.int64).reshape(-1, 2)
        bounds = (edges - _EPOCH_DAY)[terms][self.agreement_of_rows()]
        found: npt.NDArray[np.bool_] = (bounds[:, 0] <= self.day) & (self.day < bounds[:, 1])
        return found

    def group(self, agreement: int) -> BillingGroup:
        """Return the billing group of an agreement by its place."""
        return self.groups[int(self.group_of[agreement])]
