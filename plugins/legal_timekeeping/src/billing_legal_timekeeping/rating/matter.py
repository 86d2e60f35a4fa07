"""What all rules about one matter's bill are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import attrs

from billing_framework import Account, AgreementUsage, Amount, CarriedState, Component, DateSpan, Finding, Money, PlanVersion
from billing_legal_timekeeping.rating.line import Line


@attrs.frozen(kw_only=True)
class Matter:
    """One agreement and its bill.

    Attributes:
        account: the client's account.
        usage: the agreement with its records, tables and state.
        plan: the plan version at the end of the period; its arrangements count.
    """

    account: Account
    usage: AgreementUsage
    plan: PlanVersion

    @property
    def terms(self) -> Mapping[str, str]:
        """Terms of the agreement."""
        return self.usage.agreement.terms

    @property
    def period(self) -> DateSpan:
        """Dates to bill."""
        return self.usage.period

    def payable(self, value: Fraction) -> Money:
        """Return an exact amount in major units as whole minor units, rounded as the plan says."""
        return payable(value, self.plan)

    def before(self, name: str) -> Mapping[str, Fraction]:
        """Return the values of a carried state as they stood before the period."""
        state = self.usage.state.get(name)
        return {} if state is None else state.values

    def state(self, name: str, values: Mapping[str, Fraction]) -> CarriedState:
        """Return a state to be carried on."""
        return CarriedState(scope=self.usage.agreement.code, name=name, period=self.period, values=values)


def payable(value: Fraction, plan: PlanVersion) -> Money:
    """Return an exact amount in major units as whole minor units, rounded as a plan says."""
    return Amount(value, plan.currency).payable(plan.rounding)


@attrs.frozen(kw_only=True)
class Arranged:
    """What an arrangement made of the lines.

    Attributes:
        lines: all lines, changed and added ones among them.
        state: state to be carried on, None where nothing is.
        unpriced: record key to the reason why its line is no longer shown.
        findings: what stands against the bill.
    """

    lines: tuple[Line, ...]
    state: CarriedState | None = None
    unpriced: Mapping[int, str] = attrs.field(factory=dict)
    findings: tuple[Finding, ...] = ()


Arrangement = Callable[[Component, tuple[Line, ...], Matter], Arranged]
"""A rule over all lines of a matter's bill; it gives back every line, so that none is lost."""
