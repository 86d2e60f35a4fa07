"""Billing groups: accounts whose charges meet on one document, or are parts of one charge, are billed together or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from billing_framework.accounts.hierarchy import payer_of


def linked(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return for each code in `pairs` the first code of those that are linked with it, directly or through others."""
    heads: dict[str, str] = {}

    def head_of(code: str) -> str:
        while heads.setdefault(code, code) != code:
            heads[code] = heads[heads[code]]
            code = heads[code]
        return code

    for one, other in pairs:
        first, second = sorted((head_of(one), head_of(other)))
        heads[second] = first
    return {code: head_of(code) for code in sorted(heads)}


@attrs.frozen(kw_only=True)
class BillingGroups:
    """Who is billed together with whom; what most accounts are, who pay for themselves alone, is not kept.

    Attributes:
        passed_on: code of each account that passes its bill on, to the account above it; to itself where that cannot pay.
        sharers: code of each account whose charges others share in, to the codes of these.
        heads: code of an account that pays itself and has shares to do with, to the first code of its group.
    """

    passed_on: Mapping[str, str]
    sharers: Mapping[str, tuple[str, ...]]
    heads: Mapping[str, str]

    def payer(self, account: str) -> str:
        """Return the account that pays for one: itself, or the first one above it that does not pass the bill on.

        Raises:
            Refused: ``ACCOUNT04`` where the accounts above form a loop.
        """
        return payer_of(account, self.passed_on)

    def head(self, account: str) -> str:
        """Return the code by which the group of an account is called."""
        payer = self.payer(account)
        return self.heads.get(payer, payer)

    def members(self, accounts: Iterable[str]) -> list[str]:
        """Return all accounts that are billed together with some, these too, in order."""
        heads = {self.head(account) for account in accounts}
        below: dict[str, list[str]] = {}
        for code, above in self.passed_on.items():
            below.setdefault(above, []).append(code)
        found = {*accounts, *heads, *(code for code, head in self.heads.items() if head in heads)}
        fresh = found
        while fresh:
            fresh = {one for code in fresh for one in below.get(code, ())} - found
            found |= fresh
        return sorted(found)

    def bearers(self, account: str) -> frozenset[str]:
        """Return the accounts whose documents may bear charges of an account: who pays for it, and who shares."""
        return frozenset(map(self.payer, (account, *self.sharers.get(account, ()))))


def billing_groups(passed_on: Mapping[str, str], sharing: Iterable[tuple[str, str]]) -> BillingGroups:
    """Return who is billed together.

    Args:
        passed_on: each account of the book that passes its bill on, to the account above it.
        sharing: each account whose charges another one shares in, with that other.
    """
    sharers: dict[str, list[str]] = {}
    for served, payer in sharing:
        sharers.setdefault(served, []).append(payer)
    pairs = ((payer_of(served, passed_on), payer_of(payer, passed_on)) for served, payers in sharers.items() for payer in payers)
    shared = {served: tuple(payers) for served, payers in sharers.items()}
    return BillingGroups(passed_on=passed_on, sharers=shared, heads=linked(pairs))
