"""Writing an interchange: segments whose values hold no delimiter, and an envelope whose counts are right by construction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction

import attrs

from billing_framework import Finding, exact_text
from billing_healthcare.x12.segment import Delimiters

Element = str | tuple[str, ...]
"""An element: text, or the parts of a composite."""


def unwritable(value: str, delimiters: Delimiters) -> str:
    """Return the first character of a value that no element of a file can hold; empty where there is none.

    Args:
        value: the value.
        delimiters: the characters that cut the file.
    """
    return next((one for one in value if one in delimiters.characters or not " " <= one <= "~"), "")


@attrs.define
class SegmentWriter:
    """Collects the segments of one transaction set; a value that would cut a segment is refused, never changed.

    Attributes:
        delimiters: the characters of the interchange.
        lines: the segments so far, without terminators.
        findings: values that cannot be written.
        subject: what the following segments speak about, for findings.
    """

    delimiters: Delimiters = attrs.field(factory=Delimiters)
    lines: list[str] = attrs.field(factory=list, repr=False)
    findings: list[Finding] = attrs.field(factory=list)
    subject: str = ""

    def add(self, name: str, *elements: Element) -> None:
        """Add a segment; empty elements and parts at its end are left out."""
        texts = [self._composite(name, place, element) for place, element in enumerate(elements, start=1)]
        while texts and not texts[-1]:
            texts.pop()
        self.lines.append(self.delimiters.element.join([name, *texts]))

    def _composite(self, name: str, place: int, element: Element) -> str:
        parts = [element] if isinstance(element, str) else list(element)
        for part in parts:
            self._check(f"{name}{place:02d}", part)
        while parts and not parts[-1]:
            parts.pop()
        return self.delimiters.component.join(parts)

    def _check(self, field: str, value: str) -> None:
        # The value may be a patient's name, so the finding names the place and the character only.
        bad = unwritable(value, self.delimiters)
        if bad:
            kind = "a delimiter of the file" if bad in self.delimiters.characters else "no printable ASCII character"
            self.findings.append(
                Finding(
                    code="HEALTH09",
                    what=f"{field} holds {bad!r}, which is {kind}",
                    remedy="Correct the value at its source, or choose other delimiters",
                    field=field,
                    subject=self.subject,
                )
            )


@attrs.frozen(kw_only=True)
class Envelope:
    """What the envelope of a file says.

    Attributes:
        sender: ISA06 and GS02, up to 15 characters.
        receiver: ISA08 and GS03.
        sender_qualifier: ISA05.
        receiver_qualifier: ISA07.
        control: number of the interchange and group, 1 to 999,999,999.
        group: GS01, ``HC`` for claims.
        version: GS08.
        usage: ``P`` production or ``T`` test.
        created_at: instant that the file bears.
        in_header: True where ST03 repeats the guide; a remittance (835) has no ST03.
    """

    sender: str
    receiver: str
    sender_qualifier: str = "ZZ"
    receiver_qualifier: str = "ZZ"
    control: int
    group: str
    version: str
    usage: str = "P"
    created_at: datetime
    in_header: bool = True


def interchange(envelope: Envelope, sets: Sequence[tuple[str, Sequence[str]]], delimiters: Delimiters) -> bytes:
    """Return the bytes of an interchange.

    Args:
        envelope: what its envelope says.
        sets: number of the transaction set (``837``) with its segments without ST and SE, in order.
        delimiters: the characters that cut it.
    """
    of = delimiters
    day, time = envelope.created_at.strftime("%Y%m%d"), envelope.created_at.strftime("%H%M")
    parties = (envelope.sender_qualifier, f"{envelope.sender:<15}", envelope.receiver_qualifier, f"{envelope.receiver:<15}")
    tail = (of.repetition, "00501", f"{envelope.control:09d}", "0", envelope.usage, of.component)
    lines = [of.element.join(("ISA", "00", " " * 10, "00", " " * 10, *parties, day[2:], time, *tail))]
    group = ("GS", envelope.group, envelope.sender, envelope.receiver, day, time, str(envelope.control), "X", envelope.version)
    lines.append(of.element.join(group))
    for number, (kind, segments) in enumerate(sets, start=1):
        control = f"{number:04d}"
        lines.append(of.element.join(("ST", kind, control, *((envelope.version,) if envelope.in_header else ()))))
        lines.extend(segments)
        lines.append(of.element.join(("SE", str(len(segments) + 2), control)))
    lines.append(of.element.join(("GE", str(len(sets)), str(envelope.control))))
    lines.append(of.element.join(("IEA", "1", f"{envelope.control:09d}")))
    end = of.terminator if of.terminator == "\n" else of.terminator + "\n"
    return "".join(line + end for line in lines).encode("ascii", errors="replace")


def amount(value: Fraction) -> str:
    """Return an amount as X12 writes it: no more decimals than it has."""
    return exact_text(value)


def day(value: date) -> str:
    """Return a date as ccyymmdd."""
    return value.strftime("%Y%m%d")
