"""Billing groups: accounts whose charges meet on one document, or are parts of one charge, are billed together or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from billing_framework.accounts.hierarchy import Branch, payer_of


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
    """Who is billed together with whom.

    Attributes:
        tree: place of every account of the book.
        sharers: code of each account whose charges others share in, to the codes of these.
        heads: code of an account that pays itself and has shares to do with, to the first code of its group.
    """

    tree: Mapping[str, Branch]
    sharers: Mapping[str, tuple[str, ...]]
    heads: Mapping[str, str]

    def head(self, account: str) -> str:
        """Return the code by which the group of an account is called."""
        payer = payer_of(account, self.tree)
        return self.heads.get(payer, payer)

    def members(self, accounts: Iterable[str]) -> list[str]:
        """Return all accounts that are billed together with some, these too, in order."""
        heads = {self.head(account) for account in accounts}
        return [code for code in sorted(self.tree) if self.head(code) in heads]

    def bearers(self, account: str) -> frozenset[str]:
        """Return the accounts whose documents may bear charges of an account: who pays for it, and who shares."""
        sharing = self.sharers.get(account, ())
        return frozenset(payer_of(one, self.tree) for one in (account, *sharing))


def billing_groups(tree: Mapping[str, Branch], sharing: Iterable[tuple[str, str]]) -> BillingGroups:
    """Return who is billed together.

    Args:
        tree: place of every account of the book.
        sharing: each account whose charges another one shares in, with that other.
    """
    sharers: dict[str, list[str]] = {}
    for served, payer in sharing:
        sharers.setdefault(served, []).append(payer)
    pairs = ((payer_of(served, tree), payer_of(payer, tree)) for served, payers in sharers.items() for payer in payers)
    return BillingGroups(tree=tree, sharers={served: tuple(payers) for served, payers in sharers.items()}, heads=linked(pairs))
