"""What a file claims for each channel against what came: the coverage report, and a finding for every gap."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from billing_framework import Coverage, Finding, ReadRequest
from billing_utility_metering.time_cover import TimeCover, span_of

_LISTED_GAPS = 20


@attrs.define
class ChannelTally:
    """One channel of a file; times are whole seconds since 1970.

    Attributes:
        seconds: length of an interval.
        claimed: the time for which the file says that it holds the channel.
        received: the time for which values came.
        first_line: line where the channel was met first.
    """

    seconds: int
    first_line: int
    claimed: TimeCover = attrs.field(factory=TimeCover)
    received: TimeCover = attrs.field(factory=TimeCover)

    def coverage(self, subject: str) -> Coverage:
        """Return expected against received from the first to the last instant that is claimed."""
        start, end = self.claimed.starts[0], self.claimed.ends[-1]
        gaps = list(self.received.gaps(start, end))
        missing = sum(stop - begin for begin, stop in gaps)
        return Coverage(
            subject=subject,
            span=span_of(start, end),
            expected=(end - start) // self.seconds,
            received=(end - start - missing) // self.seconds,
            missing=tuple(span_of(begin, stop) for begin, stop in gaps),
        )


@attrs.define
class Tally:
    """All channels of a file, in the order in which they were met."""

    channels: dict[str, ChannelTally] = attrs.field(factory=dict)

    def channel(self, subject: str, seconds: int, line: int) -> ChannelTally:
        """Return the tally of a channel, a new one where it was not met before."""
        tally = self.channels.setdefault(subject, ChannelTally(seconds=seconds, first_line=line))
        tally.seconds = seconds
        return tally

    def report(self, request: ReadRequest) -> Iterator[Coverage | Finding]:
        """Yield the coverage of every channel, and a finding for each of its first gaps (``UTIL09``)."""
        for subject, tally in self.channels.items():
            if not tally.claimed.starts:
                continue
            coverage = tally.coverage(subject)
            for gap in coverage.missing[:_LISTED_GAPS]:
                yield Finding(
                    code="UTIL09",
                    what=f"{gap.seconds // tally.seconds} of {coverage.expected} values are missing from {gap}",
                    remedy="Ask the sender for the missing values; the point is not billed over a gap",
                    file=request.file,
                    line=tally.first_line,
                    subject=subject,
                )
            yield coverage
