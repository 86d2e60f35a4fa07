"""Control totals of intake: every record of a file is accounted for, exactly once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from billing_framework.values.errors import ContractBroken


@attrs.frozen(kw_only=True)
class ControlTotals:
    """How many records came, and what became of them: in = accepted + duplicate + suspended + rejected.

    Attributes:
        records: records in the file, readable or not.
        accepted: stored, to be billed.
        duplicate: identical to a record that is stored or waits already; counted, not stored again.
        suspended: kept with their findings until an officer decides.
        rejected: same id, or same slot and version, with other content; kept with the finding, never billed.
        superseding: accepted records that replace an earlier version.
        by_kind: accepted records by usage kind.
        start: first instant of the accepted records, None without any.
        end: last instant of the accepted records, None without any.
    """

    records: int = 0
    accepted: int = 0
    duplicate: int = 0
    suspended: int = 0
    rejected: int = 0
    superseding: int = 0
    by_kind: Mapping[str, int] = attrs.field(factory=dict)
    start: datetime | None = None
    end: datetime | None = None

    def __add__(self, other: ControlTotals) -> ControlTotals:
        kinds = sorted(self.by_kind.keys() | other.by_kind.keys())
        starts = [start for start in (self.start, other.start) if start is not None]
        ends = [end for end in (self.end, other.end) if end is not None]
        return ControlTotals(
            records=self.records + other.records,
            accepted=self.accepted + other.accepted,
            duplicate=self.duplicate + other.duplicate,
            suspended=self.suspended + other.suspended,
            rejected=self.rejected + other.rejected,
            superseding=self.superseding + other.superseding,
            by_kind={kind: self.by_kind.get(kind, 0) + other.by_kind.get(kind, 0) for kind in kinds},
            start=min(starts, default=None),
            end=max(ends, default=None),
        )

    def proven(self) -> ControlTotals:
        """Return these totals after checking that no record is lost or counted twice.

        Raises:
            ContractBroken: ``USAGE07`` where they do not balance, which is a fault of the program.
        """
        outcomes = self.accepted + self.duplicate + self.suspended + self.rejected
        if self.records != outcomes or self.accepted != sum(self.by_kind.values()):
            what = f"{self.records} records came, {outcomes} are accounted for, {sum(self.by_kind.values())} by kind"
            raise ContractBroken("USAGE07", what, remedy="Nothing was stored; report it as a fault of the program")
        return self
