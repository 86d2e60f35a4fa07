"""Shares must make a whole: on every date, and for every charge code that somebody shares in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import groupby

from billing_framework.accounts.share import Share
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.number import exact_text

OTHER_CODES = ""
"""Stands for every charge code that no share names."""


def share_fault(bearing: Sequence[Share]) -> str:
    """Return why shares that bear one charge do not make a whole, or an empty text; no shares at all leave it whole.

    Args:
        bearing: the shares of one agreement that hold on one date for one charge code.
    """
    if not bearing:
        return ""
    percents = [share.percent for share in bearing if share.percent is not None]
    remainders = len(bearing) - len(percents)
    total = sum(percents, Fraction(0))
    if len({share.payer for share in bearing}) < len(bearing):
        return "a payer shares twice"
    if any(percent < 0 for percent in percents) or total > 100:
        return f"the percentages are negative or sum to {exact_text(total)}"
    if remainders > 1:
        return f"{remainders} payers would bear the remainder"
    if remainders == 0 and total != 100:
        return f"the percentages sum to {exact_text(total)} and nobody bears the remainder"
    return ""


def share_findings(shares: Iterable[Share]) -> list[tuple[Share, Finding]]:
    """Return what is wrong with shares as they would stand, each fault with the share that begins last of those in it.

    Between two dates on which a share begins or ends nothing changes, so it is enough to look at these dates.
    """
    found = []
    ordered = sorted(shares, key=lambda share: share.agreement)
    for agreement, some in groupby(ordered, key=lambda share: share.agreement):
        listed = list(some)
        days = {day for share in listed for day in (share.starts_on, share.ends_on) if day is not None}
        codes = {code for share in listed for code in share.codes} | {OTHER_CODES}
        told = set()
        for day in sorted(days):
            for code in sorted(codes):
                bearing = [share for share in listed if share.holds_on(day) and share.bears(code)]
                what = share_fault(bearing)
                if what and what not in told:
                    told.add(what)
                    last = max(bearing, key=lambda share: (share.starts_on, share.payer))
                    found.append((last, _finding(agreement, f"from {day.isoformat()} on {what}{_of(code)}", last)))
    return found


def _of(code: str) -> str:
    return f", for {code}" if code else ""


def _finding(agreement: str, what: str, share: Share) -> Finding:
    return Finding(
        code="ACCOUNT31",
        severity=Severity.BLOCKING,
        what=what,
        remedy="Let the percentages sum to at most 100 and name one payer without a percentage for the remainder",
        field="percent",
        value="" if share.percent is None else exact_text(share.percent),
        subject=agreement,
    )
