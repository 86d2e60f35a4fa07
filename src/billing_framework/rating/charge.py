"""A charge: one priced thing, exact, with everything needed to explain and to replay it."""

from __future__ import annotations

import enum
import functools
from collections.abc import Mapping
from datetime import date
from fractions import Fraction

import attrs

from billing_framework.values.money import Amount
from billing_framework.values.period import DateSpan
from billing_framework.values.price import UnitPrice
from billing_framework.values.quantity import Quantity


class Origin(enum.Enum):
    """Where a charge or line comes from.

    ``RATED``: from usage or the calendar by a plan component; ``DERIVED``: from other charges (tax, minimum, percentage,
    discount); ``EDITED``: changed by an officer in review; ``MANUAL``: entered by an officer; ``ANSWER``: from an imported
    answer.
    """

    RATED = "rated"
    DERIVED = "derived"
    EDITED = "edited"
    MANUAL = "manual"
    ANSWER = "answer"


@attrs.frozen(kw_only=True)
class Step:
    """One step of how a number came to be, for the explanation.

    Attributes:
        label: what is computed, in the trade's words: ``share of tier 1``.
        formula: the computation with its numbers: ``300 kWh x 15/30``.
        result: the exact result with its unit.
    """

    label: str
    formula: str
    result: str


@attrs.frozen(kw_only=True)
class ChargeItem:
    """One delivered thing inside a charge, as the document lists it: the charge is one line, its items stand below the document.

    Attributes:
        record: key of the usage record.
        on: local date.
        time: local time of day as it is printed, or empty.
        text: what it was, in the account's language.
        quantity: what was priced, where there is a quantity.
        amount: its exact price; the items of a charge sum to the charge.
        details: label and value of further facts, in order; each label becomes a column.
    """

    record: int
    on: date
    time: str = ""
    text: str
    quantity: Quantity | None = None
    amount: Amount
    details: tuple[tuple[str, str], ...] = ()


@attrs.frozen(kw_only=True)
class ChargeShare:
    """What part of a charge a payer bears, and what the whole is.

    Attributes:
        payer: code of the account that pays the part.
        percent: its percentage; what the others leave, for the payer of the remainder.
        whole: payable amount of the whole charge; the parts of all payers sum to it.
        quantity: quantity of the whole, where there is a quantity.
        unit_price: price of one unit, where there is one.
    """

    payer: str
    percent: Fraction
    whole: Amount
    quantity: Quantity | None = None
    unit_price: UnitPrice | None = None


@attrs.frozen(kw_only=True)
class Charge:
    """One priced thing.

    Attributes:
        agreement: code of the agreement, or empty for a charge on the account.
        component: code of the plan component that priced it (``manual`` for an officer's charge).
        code: charge code; the book maps it to a revenue account.
        description: what is printed, already in the account's language.
        service: dates that it is for.
        source: what tells apart the charges of one component and period: tier, channel, tile.
        quantity: what is priced, where there is a quantity.
        unit_price: price of one unit, where there is one.
        amount: exact amount; negative for a credit.
        tax_category: tax category that the book's tax rates know, for example ``standard``.
        origin: where it comes from.
        plan: code and version of the price plan, ``code@version``; empty for manual charges.
        records: keys of the usage records that it rests on (`BillingGroup` gives them).
        state_read: names of the carried state that it depends on.
        steps: how the number came to be.
        details: facts that the bill shows beside the line, in order: reads, dates, multiplier.
        estimated: True where it rests on an estimate; the bill marks it.
        items: what it consists of, where the trade lists each delivery; empty where the line says it all.
        share: what part of the whole this is, where several payers share it; None for a whole charge.
    """

    agreement: str
    component: str
    code: str
    description: str
    service: DateSpan
    source: str = ""
    quantity: Quantity | None = None
    unit_price: UnitPrice | None = None
    amount: Amount
    tax_category: str
    origin: Origin = Origin.RATED
    plan: str = ""
    records: tuple[int, ...] = ()
    state_read: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    details: Mapping[str, str] = attrs.field(factory=dict)
    estimated: bool = False
    items: tuple[ChargeItem, ...] = ()
    share: ChargeShare | None = None

    @functools.cached_property
    def natural_key(self) -> str:
        """What this charge is, whoever computes it: agreement, component, dates, source. Two charges never share it."""
        return "|".join((self.agreement, self.component, str(self.service), self.source))
