"""The tree of accounts: no loops, one book and one currency along a branch, and who pays in the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs

from billing_framework.accounts.account import Account
from billing_framework.values.errors import Refused
from billing_framework.values.finding import Finding, Severity

MOST_LEVELS = 32
"""How deep a tree may be; deeper ones are mistakes of a file rather than organisations."""


@attrs.frozen(kw_only=True)
class Branch:
    """What the tree needs to know of an account, so that a large deployment need not load the rest.

    Attributes:
        parent: code of the account above, or empty.
        payer: ``self`` or ``parent``.
        book: code of its book.
        currency: its currency.
    """

    parent: str
    payer: str
    book: str
    currency: str

    @property
    def passes_on(self) -> bool:
        """Whether the account above pays."""
        return self.payer == "parent" and bool(self.parent)

    @classmethod
    def of(cls, account: Account) -> Branch:
        """Return the branch of an account."""
        return cls(parent=account.parent, payer=account.payer, book=account.book, currency=account.currency)


def branches_of(accounts: Iterable[Account]) -> dict[str, Branch]:
    """Return the branches of `accounts` by code."""
    return {account.code: Branch.of(account) for account in accounts}


def ancestors(code: str, tree: Mapping[str, Branch]) -> Iterator[str]:
    """Yield the codes above `code`, nearest first; stops after `MOST_LEVELS` or where a parent is not in the tree."""
    seen = {code}
    branch = tree.get(code)
    while branch is not None and branch.parent and branch.parent not in seen and len(seen) <= MOST_LEVELS:
        seen.add(branch.parent)
        yield branch.parent
        branch = tree.get(branch.parent)


def payer_of(code: str, passed_on: Mapping[str, str]) -> str:
    """Return the account that pays for `code`: itself, or the first one above it that does not pass the bill on.

    Args:
        code: code of the account.
        passed_on: each account that passes its bill on, to the account above it.

    Raises:
        Refused: ``ACCOUNT04`` where the accounts above form a loop, or are too many.
    """
    payer = code
    for _ in range(MOST_LEVELS + 1):
        if payer not in passed_on:
            return payer
        payer = passed_on[payer]
    raise Refused(
        "ACCOUNT04", f"nobody can be found who pays for account {code!r}", remedy="Correct the parents of the accounts above it"
    )


def hierarchy_findings(codes: Iterable[str], tree: Mapping[str, Branch]) -> dict[str, Finding]:
    """Return what is wrong with the place of each of `codes` in the tree, by code; sound ones are left out.

    Args:
        codes: accounts that are new or changed.
        tree: all accounts that they or their ancestors may be, as they would stand afterwards.
    """
    found = {}
    for code in codes:
        finding = _place_finding(code, tree)
        if finding is not None:
            found[code] = finding
    return found


def _place_finding(code: str, tree: Mapping[str, Branch]) -> Finding | None:
    branch = tree[code]
    if not branch.parent:
        return None
    if branch.parent not in tree:
        return _finding(
            "ACCOUNT09", code, "the account above it does not exist", branch.parent, "Create the parent first, or name another"
        )
    above = list(ancestors(code, tree))
    last = tree.get(above[-1])  # one that is not there is told where it is named
    if last is not None and last.parent:
        return _finding(
            "ACCOUNT04", code, "the accounts above it form a loop or a tree too deep", branch.parent, "Name another parent"
        )
    parent = tree[branch.parent]
    if (parent.book, parent.currency) != (branch.book, branch.currency):
        return _finding(
            "ACCOUNT04",
            code,
            f"the account above has book {parent.book} and currency {parent.currency}, not {branch.book} and {branch.currency}",
            branch.parent,
            "A branch of accounts has one book and one currency",
        )
    return None


def _finding(number: str, code: str, what: str, parent: str, remedy: str) -> Finding:
    return Finding(code=number, severity=Severity.BLOCKING, what=what, remedy=remedy, field="parent", value=parent, subject=code)
