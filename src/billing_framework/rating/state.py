"""Carried state: what one bill leaves for the next (tier accumulators, ratchet peaks, banks), versioned so as to be rewound."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import attrs

from billing_framework.values.period import DateSpan


@attrs.frozen(kw_only=True)
class CarriedState:
    """The value of one state after one service period.

    Attributes:
        scope: what it belongs to, normally the code of an agreement.
        name: name of the state, for example ``year_to_date.energy``.
        period: the service period after which it holds; a later period reads the latest earlier one.
        values: named exact numbers; one that is named ``on``, or ends in ``_on``, is the ordinal of a date and shown as it.
        written_by: key of the document that wrote it; empty while it is only proposed. Core fills it in.
    """

    scope: str
    name: str
    period: DateSpan
    values: Mapping[str, Fraction]
    written_by: str = ""
