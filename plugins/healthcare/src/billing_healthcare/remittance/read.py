"""The reader of remittance files (835, 005010X221A1): segments to remittances, strict in amounts, lenient in what it ignores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from typing import BinaryIO

import attrs

from billing_framework import Finding, InputRefused
from billing_healthcare.remittance.remittance import Adjustment, ClaimAnswer, LineAnswer, ProviderAdjustment, Remittance
from billing_healthcare.x12.envelope import Transaction, transactions
from billing_healthcare.x12.number import read_amount, read_day
from billing_healthcare.x12.segment import Segment, loops, read_segments

_GROUPS = ("CO", "PR", "OA", "PI")
_CLAIM_SEGMENTS = frozenset({"CLP", "CAS", "NM1", "MIA", "MOA", "REF", "DTM", "PER", "AMT", "QTY", "SVC", "LQ"})


def read_remittances(stream: BinaryIO, *, file: str) -> Iterator[Remittance]:
    """Yield the remittances of a file, one for each payment.

    Args:
        stream: bytes of the file.
        file: its name, for messages.

    Raises:
        InputRefused: ``HEALTH01`` to ``HEALTH05``: no X12, a broken envelope, another transaction set, a missing segment, an
            amount that is none. Nothing of such a file may be posted.
    """
    for item in transactions(read_segments(stream, file=file), file=file):
        if isinstance(item, Finding):
            raise InputRefused(item.code, item.what, place=f"{item.file}:{item.line}", remedy=item.remedy)
        if item.kind != "835" or not item.version.startswith("005010X221"):
            what = f"the file holds a transaction set {item.kind} of guide {item.version or 'unknown'}, not a remittance (835)"
            remedy = "Give the payer's remittance; acknowledgements are no answers about money"
            raise InputRefused("HEALTH03", what, place=f"{file}:{item.header.number}", remedy=remedy)
        yield _Reading(file=file).remittance(item)


@attrs.define(kw_only=True)
class _Reading:
    """One transaction set being read."""

    file: str

    def remittance(self, given: Transaction) -> Remittance:
        segments = given.segments
        payment, trace = self._first(segments, "BPR", given.header), self._first(segments, "TRN", given.header)
        end = next((place for place, segment in enumerate(segments) if segment.name == "PLB"), len(segments))
        payer = next((segment for segment in segments if segment.name == "N1" and segment.at(1) == "PR"), None)
        sign = -1 if payment.at(3) == "D" else 1
        return Remittance(
            payer=self._needed(trace, 3),
            payer_name=payer.at(2) if payer else "",
            trace=self._needed(trace, 2),
            total=sign * self._amount(payment, 2),
            method=payment.at(4),
            paid_on=self._day(payment, 16),
            claims=tuple(self._claim(claim) for claim in loops(segments[:end], "CLP")),
            adjustments=tuple(one for segment in segments[end:] for one in self._beside(segment)),
            number=payment.number,
        )

    def _claim(self, segments: Sequence[Segment]) -> ClaimAnswer:
        head = segments[0]
        known = [segment for segment in segments if segment.name in _CLAIM_SEGMENTS]
        lines = loops(known, "SVC")
        own = known[: len(known) - sum(len(line) for line in lines)]
        return ClaimAnswer(
            reference=self._needed(head, 1),
            status=self._needed(head, 2),
            charge=self._amount(head, 3),
            paid=self._amount(head, 4),
            patient=self._amount(head, 5, default=Fraction(0)),
            control=head.at(7),
            adjustments=self._adjustments(own),
            lines=tuple(self._line(line) for line in lines),
            remarks=tuple(code for segment in own for code in _claim_remarks(segment)),
            is_forwarded=any(segment.name == "NM1" and segment.at(1) == "TT" for segment in own),
            number=head.number,
        )

    def _line(self, segments: Sequence[Segment]) -> LineAnswer:
        head = segments[0]
        dates = [segment for segment in segments if segment.name == "DTM" and segment.at(1) in {"472", "150"}]
        allowed = next((segment for segment in segments if segment.name == "AMT" and segment.at(1) == "B6"), None)
        return LineAnswer(
            code=head.part(1, 2),
            modifiers=tuple(part for part in head.parts(1)[2:6] if part),
            submitted=head.part(6, 2),
            charge=self._amount(head, 2),
            paid=self._amount(head, 3),
            units=self._amount(head, 5, default=Fraction(1)),
            control=next((one.at(2) for one in segments if one.name == "REF" and one.at(1) == "6R"), ""),
            served_on=self._day(dates[0], 2) if dates else None,
            allowed=self._amount(allowed, 2) if allowed else None,
            adjustments=self._adjustments(segments),
            remarks=tuple(one.at(2) for one in segments if one.name == "LQ" and one.at(1) == "HE"),
            number=head.number,
        )

    def _adjustments(self, segments: Sequence[Segment]) -> tuple[Adjustment, ...]:
        found: list[Adjustment] = []
        for segment in segments:
            if segment.name != "CAS":
                continue
            if segment.at(1) not in _GROUPS:
                raise self._wrong("HEALTH04", f"CAS01 is {segment.at(1)!r}, none of {', '.join(_GROUPS)}", segment)
            for place in range(2, 20, 3):
                if not segment.at(place):
                    if segment.at(place + 1):
                        raise self._wrong("HEALTH04", f"CAS{place:02d} gives no reason for an amount", segment)
                    continue
                quantity = self._amount(segment, place + 2) if segment.at(place + 2) else None
                amount = self._amount(segment, place + 1)
                found.append(Adjustment(group=segment.at(1), reason=segment.at(place), amount=amount, quantity=quantity))
        return tuple(found)

    def _beside(self, segment: Segment) -> Iterator[ProviderAdjustment]:
        if segment.name != "PLB":
            raise self._wrong("HEALTH04", f"{segment.name} stands after the adjustments of the provider", segment)
        for place in range(3, 14, 2):
            if segment.at(place) or segment.at(place + 1):
                amount = self._amount(segment, place + 1)
                code, reference = segment.part(place, 1), segment.part(place, 2)
                yield ProviderAdjustment(code=code, reference=reference, amount=amount, number=segment.number)

    def _first(self, segments: Sequence[Segment], name: str, after: Segment) -> Segment:
        found = next((segment for segment in segments if segment.name == name), None)
        if found is None:
            raise self._wrong("HEALTH04", f"the remittance has no segment {name}", after)
        return found

    def _needed(self, segment: Segment, place: int) -> str:
        if not segment.at(place):
            raise self._wrong("HEALTH04", f"{segment.name}{place:02d} is empty", segment)
        return segment.at(place)

    def _amount(self, segment: Segment, place: int, *, default: Fraction | None = None) -> Fraction:
        text = segment.at(place)
        if not text and default is not None:
            return default
        found = read_amount(text)
        if found is None:
            raise self._wrong("HEALTH05", f"{segment.name}{place:02d} is {text!r}, no amount", segment)
        return found

    def _day(self, segment: Segment, place: int) -> date:
        text = segment.at(place)
        found = read_day(text)
        if found is None:
            raise self._wrong("HEALTH05", f"{segment.name}{place:02d} is {text!r}, no date ccyymmdd", segment)
        return found

    def _wrong(self, code: str, what: str, segment: Segment) -> InputRefused:
        return InputRefused(code, what, place=f"{self.file}:{segment.number}", remedy="Ask the payer for a corrected file")


def _claim_remarks(segment: Segment) -> Iterator[str]:
    places = {"MOA": range(3, 8), "MIA": (5, 20, 21, 22, 23)}.get(segment.name, ())
    yield from (segment.at(place) for place in places if segment.at(place))
