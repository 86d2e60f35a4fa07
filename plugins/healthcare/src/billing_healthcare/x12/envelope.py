"""The envelope of an interchange: groups and transaction sets, with control numbers and counts that must agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from billing_framework import Finding, InputRefused
from billing_healthcare.x12.segment import Segment


@attrs.frozen(kw_only=True)
class Transaction:
    """One transaction set with the envelope around it.

    Attributes:
        interchange: its ISA segment.
        group: its GS segment.
        header: its ST segment.
        segments: what stands between ST and SE.
    """

    interchange: Segment
    group: Segment
    header: Segment
    segments: tuple[Segment, ...] = attrs.field(repr=False)

    @property
    def kind(self) -> str:
        """Number of the transaction set, for example ``835``."""
        return self.header.at(1)

    @property
    def version(self) -> str:
        """Guide that the group names, for example ``005010X221A1``."""
        return self.group.at(8)


def transactions(segments: Iterable[Segment], *, file: str) -> Iterator[Transaction | Finding]:
    """Yield each transaction set, and a finding for each control number or count that is wrong.

    Args:
        segments: the segments of a file in order.
        file: its name, for messages.

    Raises:
        InputRefused: ``HEALTH02`` where segments stand outside of their envelope, so that nothing can be trusted.
    """
    walk = _Walk(file=file)
    for segment in segments:
        yield from walk.step(segment)
    if walk.interchange is not None:
        raise _misplaced(file, "the file ends before IEA", 0)


def _misplaced(file: str, what: str, number: int) -> InputRefused:
    place = f"{file}:{number}" if number else file
    return InputRefused("HEALTH02", what, place=place, remedy="Ask the sender for the complete file")


@attrs.define
class _Walk:
    """Where in the envelope the reading is."""

    file: str
    interchange: Segment | None = None
    group: Segment | None = None
    header: Segment | None = None
    groups: int = 0
    sets: int = 0
    body: list[Segment] = attrs.field(factory=list)

    def step(self, segment: Segment) -> Iterator[Transaction | Finding]:
        """Take one segment."""
        opens = {"ISA": self.interchange is None, "GS": self.group is None, "ST": self.header is None}
        if segment.name in opens and not opens[segment.name]:
            raise _misplaced(self.file, f"{segment.name} follows before the one before it was closed", segment.number)
        if segment.name == "ISA":
            self.interchange, self.groups = segment, 0
        elif self.interchange is None:
            raise _misplaced(self.file, f"{segment.name} stands outside of an interchange", segment.number)
        elif segment.name == "GS":
            self.group, self.sets, self.groups = segment, 0, self.groups + 1
        elif segment.name == "IEA":
            yield from self._closed(segment, self.groups, self.interchange.at(13), "IEA", open_inside=self.group is not None)
            self.interchange = None
        elif self.group is None:
            if segment.name != "TA1":
                raise _misplaced(self.file, f"{segment.name} stands outside of a group", segment.number)
        else:
            yield from self._inside(segment, self.interchange, self.group)

    def _inside(self, segment: Segment, interchange: Segment, group: Segment) -> Iterator[Transaction | Finding]:
        if segment.name == "ST":
            self.header, self.body, self.sets = segment, [], self.sets + 1
        elif segment.name == "GE":
            yield from self._closed(segment, self.sets, group.at(6), "GE", open_inside=self.header is not None)
            self.group = None
        elif self.header is None:
            raise _misplaced(self.file, f"{segment.name} stands outside of a transaction set", segment.number)
        elif segment.name == "SE":
            yield from self._closed(segment, len(self.body) + 2, self.header.at(2), "SE", open_inside=False)
            yield Transaction(interchange=interchange, group=group, header=self.header, segments=tuple(self.body))
            self.header = None
        else:
            self.body.append(segment)

    def _closed(self, end: Segment, count: int, control: str, name: str, *, open_inside: bool) -> Iterator[Finding]:
        if open_inside:
            raise _misplaced(self.file, f"{name} closes before what it holds was closed", end.number)
        if end.at(1) != str(count) and end.at(1).lstrip("0") != str(count):
            yield self._wrong(f"{name}01 counts {end.at(1) or 'nothing'}, there are {count}", end, f"{name}01")
        if end.at(2) != control:
            yield self._wrong(f"{name}02 is {end.at(2) or 'empty'}, the control number is {control}", end, f"{name}02")

    def _wrong(self, what: str, segment: Segment, field: str) -> Finding:
        remedy = "Ask the sender for the file again; a part of it may be lost"
        return Finding(code="HEALTH02", what=what, remedy=remedy, file=self.file, line=segment.number, field=field)
