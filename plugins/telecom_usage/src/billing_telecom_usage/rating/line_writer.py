"""The words, steps and items of the lines of a shard, from columns: what `lines` makes of one call after the other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import NamedTuple, Self

import attrs
import numpy as np

from billing_framework import BillingGroup, Charge, ChargeItem, LineColumns, Step
from billing_telecom_usage.deck.columns import DeckColumns
from billing_telecom_usage.deck.digits import Integers
from billing_telecom_usage.kinds import Direction
from billing_telecom_usage.rating.allowances import states_read
from billing_telecom_usage.rating.item import amount_of, amount_text, lengths_of, local_date, seconds_of, time_of_day
from billing_telecom_usage.rating.lines import LineHead, RowWords, line_charge, line_head, row_step, row_words
from billing_telecom_usage.rating.priced_calls import PricedCalls
from billing_telecom_usage.settings import TelecomSettings
from billing_telecom_usage.wording import shown_number


def charge_writer(priced: PricedCalls, lines: LineColumns) -> Callable[[int], Charge]:
    """Return what makes the charge of a line by its place; the columns are made plain at the first one that is asked for."""
    made: list[_Writer] = []

    def charge(line: int) -> Charge:
        if not made:
            made.append(_Writer.of(priced, lines))
        return made[0].charge(line)

    return charge


class _Call(NamedTuple):
    """A call of a line: as it is listed, and by the places of its slot, its deck and the row of the deck what prices it."""

    key: int
    on: date
    at: str
    number: str
    slot: int
    deck: int
    row: int
    seconds: int
    billed_s: int
    free_s: int
    units: int


@attrs.define(eq=False)
class _Writer:
    """Writes the lines of a shard; what several of them say alike is made once.

    Attributes:
        priced: the calls of the shard.
        size: so many units make one of the currency.
        calls: the calls of the lines, one line after the other.
        firsts: first call of each line, and the end of the last.
        agreements: place of the agreement of each line.
        totals: seconds that are charged, those that are free, and price of each line.
        late: whether the calls of each line start before the period of their bill.
        names: name of the deck of each slot.
        heads: what lines say alike, by slot, destination, late or not, answered or not, and language.
    """

    priced: PricedCalls
    size: int
    calls: list[_Call]
    firsts: list[int]
    agreements: list[int]
    totals: list[tuple[int, int, int]]
    late: list[bool]
    names: list[str]
    heads: dict[tuple[int, str, bool, bool, str], LineHead] = attrs.field(factory=dict)

    @classmethod
    def of(cls, priced: PricedCalls, lines: LineColumns) -> Self:
        """Return what writes the lines of priced calls."""
        begins = lines.firsts[:-1]
        sums = [np.add.reduceat(column[lines.rows], begins) for column in (priced.billed, priced.free, priced.amount)]
        return cls(
            priced=priced,
            size=10**priced.scale,
            calls=_calls(priced, lines.rows),
            firsts=lines.firsts.tolist(),
            agreements=lines.agreement.tolist(),
            totals=list(zip(*(column.tolist() for column in sums), strict=True)),
            late=priced.late(lines.rows[begins]).tolist(),
            names=[priced.slots.tariffs[slot.tariff].deck.name if slot.tariff >= 0 else "" for slot in priced.slots.slots],
        )

    def charge(self, line: int) -> Charge:
        """Return the charge of a line."""
        calls = self.calls[self.firsts[line] : self.firsts[line + 1]]
        columns, place = self.priced.columns, self.agreements[line]
        usage = columns.usages[place]
        head = self._head(calls[0], columns.group(place), is_late=self.late[line])
        billed, free, units = self.totals[line]
        return line_charge(
            head,
            agreement=usage.agreement.code,
            billed_s=billed,
            free_s=free,
            amount=amount_of(units, self.size, head.currency),
            amount_text=amount_text(units, self.size, head.currency),
            service=head.service(calls[0].on, calls[-1].on),
            records=tuple([call.key for call in calls]),
            state_read=states_read(usage, head.component),
            rows=self._steps(calls, head.currency),
            items=self._items(calls, head) if head.component.params.itemised else (),
        )

    def _head(self, call: _Call, group: BillingGroup, *, is_late: bool) -> LineHead:
        """Return what the line that a call begins says like others; slots are of one billing period."""
        destination, locale = self.priced.decks[call.deck].field(call.row, "destination"), group.account.locale
        key = (call.slot, destination, is_late, call.seconds > 0, locale)
        if key not in self.heads:
            slot = self.priced.slots.slots[call.slot]
            self.heads[key] = line_head(
                slot.tile,
                slot.component,
                destination,
                billed=group.period,
                is_late=is_late,
                is_answered=call.seconds > 0,
                locale=locale,
            )
        return self.heads[key]

    def _steps(self, calls: Sequence[_Call], currency: str) -> Iterator[Step]:
        by_row: dict[tuple[str, str, str], list[int]] = {}
        said: list[RowWords] = []
        for call in calls:
            words = self._words(call)
            sums = by_row.get(words.key)
            if sums is None:
                by_row[words.key] = [1, call.billed_s, call.free_s, call.units]
                said.append(words)
            else:
                sums[0] += 1
                sums[1] += call.billed_s
                sums[2] += call.free_s
                sums[3] += call.units
        for words, (count, billed, free, units) in zip(said, by_row.values(), strict=True):
            yield row_step(words, count, billed, free, amount_text(units, self.size, currency))

    def _words(self, call: _Call) -> RowWords:
        return _row_words(self.names[call.slot], self.priced.decks[call.deck], call.row)

    def _items(self, calls: Sequence[_Call], head: LineHead) -> tuple[ChargeItem, ...]:
        size, currency, locale = self.size, head.currency, head.locale
        return tuple(
            [
                ChargeItem(
                    record=call.key,
                    on=call.on,
                    time=call.at,
                    text=call.number,
                    quantity=seconds_of(call.billed_s),
                    amount=amount_of(call.units, size, currency),
                    details=lengths_of(locale, call.seconds, call.billed_s, call.free_s),
                )
                for call in calls
            ]
        )


@functools.lru_cache(maxsize=131_072)
def _row_words(name: str, deck: DeckColumns, row: int) -> RowWords:
    """Return what is said of a row of the deck of a name; kept, because all shards meet the same rows."""
    return row_words(name, functools.partial(deck.field, row))


def _calls(priced: PricedCalls, rows: Integers) -> list[_Call]:
    """Return the calls of some records as they are written, all of them at once."""
    columns = priced.columns
    of_rows = (priced.slots.of_rows, priced.deck, priced.at, priced.seconds, priced.billed, priced.free, priced.amount)
    return list(
        map(
            _Call,
            columns.keys[rows].tolist(),
            map(local_date, columns.day[rows].tolist()),
            map(time_of_day, columns.second[rows].tolist()),
            _numbers(priced, rows),
            *(column[rows].tolist() for column in of_rows),
        )
    )


def _numbers(priced: PricedCalls, rows: Integers) -> list[str]:
    """Return the numbers at the other end of the calls of some records, as they are printed."""
    incoming = np.array([slot.params.direction is Direction.INCOMING for slot in priced.slots.slots], dtype=bool)
    is_incoming = incoming[priced.slots.of_rows[rows]] if len(rows) else incoming
    found = _shown(priced, "b_number", rows)
    if is_incoming.any():
        callers = _shown(priced, "a_number", rows)
        found = [caller if is_in else called for is_in, caller, called in zip(is_incoming.tolist(), callers, found, strict=True)]
    return found


def _shown(priced: PricedCalls, field: str, rows: Integers) -> list[str]:
    """Return a field of numbers of some records as it is printed, each number made once."""
    settings, column = priced.columns.settings, priced.columns.fields[field]
    hidden = settings.hidden_digits if isinstance(settings, TelecomSettings) else 0
    texts = [] if column.texts is None else [shown_number(text.decode(), hidden) for text in column.texts.tolist()]
    return [texts[place] for place in column.numbers[rows].tolist()]
