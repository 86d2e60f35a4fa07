from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from billing_framework.accounts.share import Share
from billing_framework.accounts.share_check import share_findings


def share(payer: str, percent: int | None = None, codes: str = "", starts: int = 1, ends: int | None = None) -> Share:
    return Share(
        agreement="G-1",
        payer=payer,
        percent=None if percent is None else Fraction(percent),
        codes=tuple(codes.split()),
        starts_on=date(2026, starts, 1),
        ends_on=date(2026, ends, 1) if ends else None,
    )


@pytest.mark.parametrize(
    "shares",
    [
        [],
        [share("a")],
        [share("a", 100)],
        [share("a", 60), share("b")],
        [share("a", 60), share("b", 40)],
        [share("a", 60), share("b", 40, ends=3), share("c", 40, starts=3)],
        [share("a", 60, "fees"), share("b", codes="fees"), share("b", 100, "costs")],
        [share("a", 60, "fees"), share("b")],
        [share("a", ends=3), share("b", starts=3)],
    ],
)
def test_shares_that_make_a_whole_on_every_date(shares: list[Share]) -> None:
    assert share_findings(shares) == []


@pytest.mark.parametrize(
    ("shares", "wrong", "says"),
    [
        ([share("a", 60)], "a", "from 2026-01-01 on the percentages sum to 60"),
        ([share("a", 60), share("b", 50)], "b", "sum to 110"),
        ([share("a"), share("b", starts=2)], "b", "from 2026-02-01 on 2 payers would bear the remainder"),
        ([share("a", 10), share("a", 20, "fees"), share("b")], "b", "a payer shares twice, for fees"),
        ([share("a", 60), share("b", 40, ends=3)], "a", "from 2026-03-01 on the percentages sum to 60"),
    ],
)
def test_shares_that_do_not(shares: list[Share], wrong: str, says: str) -> None:
    found = share_findings(shares)
    assert [one.payer for one, _ in found] == [wrong]
    assert says in found[0][1].what
    assert found[0][1].stops


def test_every_agreement_is_looked_at_by_itself() -> None:
    other = Share(agreement="G-2", payer="a", percent=Fraction(30), starts_on=date(2026, 1, 1))
    assert [one.agreement for one, _ in share_findings([share("a"), other])] == ["G-2"]
