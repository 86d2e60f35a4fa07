"""What a rater returns of a billing group: measures for components to price, and charges that it priced itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from billing_framework.rating.charge import Charge, Step
from billing_framework.rating.state import CarriedState
from billing_framework.values.finding import Finding
from billing_framework.values.period import DateSpan
from billing_framework.values.quantity import Quantity


@attrs.frozen(kw_only=True)
class Measure:
    """A quantity that components price.

    Attributes:
        agreement: code of the agreement.
        name: name that a component's ``measure`` refers to, for example ``energy`` or ``energy.peak``.
        quantity: the exact quantity with its unit.
        dates: the tile of the billed period that it was measured for, one of `AgreementUsage.tiles`.
        source: what tells apart several measures of one name and tile (a channel, a meter); empty for one.
        records: keys of the records that it rests on.
        estimated: True where a record was estimated.
        steps: how it was obtained.
        details: facts for the bill: reads, dates, multiplier, in order.
        series: optional finer structure that a plugin's own charge model understands; opaque to the core.
        state_read: names of carried state that it depends on (the read with which the last bill closed); charges take them over.
    """

    agreement: str
    name: str
    quantity: Quantity
    dates: DateSpan
    source: str = ""
    records: tuple[int, ...] = ()
    estimated: bool = False
    steps: tuple[Step, ...] = ()
    details: Mapping[str, str] = attrs.field(factory=dict)
    series: Any = attrs.field(default=None, eq=False, repr=False)
    state_read: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Rating:
    """What a rater returns. Every record of its kinds is named by a measure, a charge, `unpriced` or `deferred`: none is lost.

    Attributes:
        measures: quantities for components to price.
        charges: charges that the rater priced itself.
        state: new carried state.
        unpriced: record key to the reason why it carries no price (zero-priced, other channel); shown in the control totals.
        deferred: key of a carried record to the reason why it is left for a later bill (no price yet, not released); such a
            record counts as not billed and is given again with the next bill.
        findings: problems; a finding whose severity stops holds the account, and nothing of it is billed.
    """

    measures: tuple[Measure, ...] = ()
    charges: tuple[Charge, ...] = ()
    state: tuple[CarriedState, ...] = ()
    unpriced: Mapping[int, str] = attrs.field(factory=dict)
    deferred: Mapping[int, str] = attrs.field(factory=dict)
    findings: tuple[Finding, ...] = ()
