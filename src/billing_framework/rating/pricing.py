"""The contract of a charge model: what it is given, and what it returns.

A charge model turns measures, the calendar or earlier charges into charges. It is pure like a rater: same input, same output.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import attrs

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.rating.charge import Charge
from billing_framework.rating.group import AgreementUsage, Tile
from billing_framework.rating.price_plan import Component
from billing_framework.rating.rating import Measure
from billing_framework.rating.state import CarriedState
from billing_framework.values.finding import Finding
from billing_framework.values.period import DateSpan


@attrs.frozen(kw_only=True)
class Pricing:
    """What a charge model is given: one component on one tile of one agreement.

    Attributes:
        account: the account.
        usage: the agreement with its periods, state and what was billed before.
        tile: dates and plan version.
        component: the component; `component.params` is an instance of the model's params class.
        measures: the measures of this tile that the component names, in order; empty for calendar and derived models.
        charges: charges of this agreement and tile priced so far, in plan order (for derived models).
        holidays: holiday calendars by name.
    """

    account: Account
    usage: AgreementUsage
    tile: Tile
    component: Component
    measures: tuple[Measure, ...] = ()
    charges: tuple[Charge, ...] = ()
    holidays: Mapping[str, frozenset[date]] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Priced:
    """What a charge model returns."""

    charges: tuple[Charge, ...] = ()
    state: tuple[CarriedState, ...] = ()
    findings: tuple[Finding, ...] = ()


@attrs.frozen(kw_only=True)
class ChargeModel:
    """A way of pricing that plan components may name.

    Attributes:
        name: unique name; a plugin's models carry its prefix: ``utility_metering.tiered_tou``.
        title: one line for people.
        params: attrs class of the parameters; the plan file's keys are structured into it and misspelt ones refused.
        price: the reference implementation.
        once: True where the model looks at the whole agreement period at once and is called for the last tile only
            (its `Pricing.measures` and `charges` then hold those of all tiles).
        check: what is wrong with a component's parameters beyond their types, as findings without a place, for the check of a
            plan before it is loaded; None where the types say it all.
        breaks: dates inside a span at which a period must be cut, because the component counts anew (a year's tiers) or charges
            otherwise (a season) from there; None where it never does. Plan versions are tiled at these dates.
        alike: True where a price follows from nothing but the component, the account's language and currency, and the agreement's
            dates, plan versions and terms and what it has been billed through: agreements that share these are priced once.
    """

    name: str
    title: str
    params: type
    price: Callable[[Pricing], Priced]
    once: bool = False
    check: Callable[[Component], tuple[Finding, ...]] | None = None
    breaks: Callable[[Component, Agreement, DateSpan], tuple[date, ...]] | None = None
    alike: bool = False
