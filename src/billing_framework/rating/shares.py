"""Shares: who pays for a charge. Sums are conserved exactly: amounts are still exact, and one payer takes the rest."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import attrs

from billing_framework.rating.charge import Charge, Step
from billing_framework.rating.wording import titled
from billing_framework.values.errors import ValueRefused
from billing_framework.values.money import Amount
from billing_framework.values.number import exact_text


@attrs.frozen(kw_only=True)
class PayerShare:
    """What one account bears of another's charges.

    Attributes:
        payer: code of the account that pays.
        percent: its percentage; None for the one payer who bears the remainder.
        components: codes of the components that it shares in; empty for all.
    """

    payer: str
    percent: Fraction | None = None
    components: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class SharedCharge:
    """A charge as it stands on the document of a payer.

    Attributes:
        consumer: code of the account that was served.
        payer: code of the account that pays.
        charge: the charge, or the payer's part of it.
    """

    consumer: str
    payer: str
    charge: Charge


def share_charges(
    charges: Sequence[Charge], consumer: str, shares: Sequence[PayerShare], *, locale: str = "en"
) -> tuple[SharedCharge, ...]:
    """Return the charges of an account, divided among those who pay for it; the parts of a charge sum to it exactly.

    Args:
        charges: exact charges of one account.
        consumer: code of the account that was served.
        shares: who bears what; one entry without a percentage takes the remainder. A parent that pays everything is one such
            entry.
        locale: language of the words that are added to descriptions.

    Raises:
        ValueRefused: ``RATE10`` where percentages are negative or above the whole, or a remainder has no payer or several.
    """
    shared = []
    for charge in charges:
        bearing = [share for share in shares if not share.components or charge.component in share.components]
        _check(bearing, charge.component)
        for payer, part in _parts(charge.amount, bearing):
            shared.append(SharedCharge(consumer=consumer, payer=payer, charge=_part(charge, payer, part, locale)))
    return tuple(shared)


def _parts(whole: Amount, shares: Sequence[PayerShare]) -> list[tuple[str, Amount]]:
    parts = [(share.payer, whole * (share.percent / 100)) for share in shares if share.percent is not None]
    rest = whole
    for _, part in parts:
        rest = rest - part
    parts.extend((share.payer, rest) for share in shares if share.percent is None)
    # A charge of nothing still goes to one payer, so that it is seen and its records are accounted for.
    return [(payer, part) for payer, part in parts if part.value] or parts[-1:]


def _check(shares: Sequence[PayerShare], component: str) -> None:
    percents = [share.percent for share in shares if share.percent is not None]
    remainders = len(shares) - len(percents)
    what = ""
    if any(percent < 0 for percent in percents) or sum(percents) > 100:
        what = f"the shares of component {component!r} are negative or exceed 100 %"
    elif remainders > 1 or (remainders == 0 and sum(percents) != 100):
        what = f"{remainders or 'no'} payers bear the remainder of component {component!r}"
    elif len({share.payer for share in shares}) < len(shares):
        what = f"a payer shares twice in component {component!r}"
    if what:
        raise ValueRefused("RATE10", what, remedy="Let the shares sum to at most 100 % and name one payer for the remainder")


def _part(charge: Charge, payer: str, amount: Amount, locale: str) -> Charge:
    if amount == charge.amount:
        return charge
    percent = exact_text(amount.value / charge.amount.value * 100)
    step = Step(label=f"share of {payer}", formula=f"{charge.amount} × {percent} %", result=str(amount))
    return attrs.evolve(
        charge,
        source=".".join(name for name in (charge.source, f"share.{payer}") if name),
        description=titled(charge.description, locale, "share", percent=percent),
        quantity=None,
        unit_price=None,
        items=(),  # they list the whole
        amount=amount,
        steps=(*charge.steps, step),
    )
