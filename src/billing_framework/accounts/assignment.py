"""A dated assignment: which agreement an identifier of the field (meter, number, matter) belonged to, and when."""

from __future__ import annotations

from datetime import date

import attrs


@attrs.frozen(kw_only=True)
class Assignment:
    """An identifier belongs to an agreement from one date to another, in the zone of the account.

    Attributes:
        subject: the identifier exactly as usage records carry it, or a range of them: ``4930123400..4930123499``.
        agreement: code of the agreement.
        starts_on: first date.
        ends_on: the date after the last, or None while it lasts. Assignments of one subject never overlap.
        details: facts about the subject for that time, as text: multiplier, dials, meter size.
        within: the range that this one identifier was found in, where it is not assigned by itself; such an assignment is never
            stored, the core makes it for each identifier of the range that delivered.
    """

    subject: str
    agreement: str
    starts_on: date
    ends_on: date | None = None
    details: dict[str, str] = attrs.field(factory=dict)
    within: str = ""
