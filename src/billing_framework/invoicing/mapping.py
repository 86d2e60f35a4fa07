"""The mapping from what is billed to where it is booked; an unmapped code fails when plans are checked, not at posting."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping

import attrs

from billing_framework.values.errors import ConfigurationError
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.spelling import did_you_mean

ROLES = (
    "receivable",
    "bank",
    "suspense",
    "deposits",
    "trust",
    "trust_bank",
    "write_off",
    "recovery",
    "rounding",
    "opening",
)
"""The jobs that core entries need an account for; a book needs those whose events it has."""


@attrs.frozen(kw_only=True)
class ChartMapping:
    """Where one book posts.

    Attributes:
        book: key of the book.
        charges: charge code, or a pattern such as ``service.*``, to the code of an income (or deferred revenue) account.
        taxes: tax code or pattern to the code of a tax payable account.
        roles: one of `ROLES` to the code of its account.
        adjustments: adjustment code of third parties' answers, or a pattern, to the code of an account.
    """

    book: str
    charges: Mapping[str, str]
    taxes: Mapping[str, str]
    roles: Mapping[str, str]
    adjustments: Mapping[str, str] = attrs.field(factory=dict)
    _known: dict[tuple[str, str], str] = attrs.field(factory=dict, init=False, eq=False, repr=False)
    """What was looked up before: a run asks for the same few codes with every line."""

    @property
    def accounts(self) -> set[str]:
        """Codes of all accounts that it names."""
        return {code for known in (self.charges, self.taxes, self.roles, self.adjustments) for code in known.values()}

    def charge_account(self, charge_code: str) -> str:
        """Return the account of a charge code: the code itself, else the longest pattern that fits.

        Raises:
            ConfigurationError: ``INVOICE18`` where nothing fits.
        """
        return self._found("charge code", charge_code, self.charges)

    def tax_account(self, tax_code: str) -> str:
        """Return the account of a tax code, found like a charge code."""
        return self._found("tax code", tax_code, self.taxes)

    def adjustment_account(self, code: str) -> str:
        """Return the account of an adjustment code, empty where it has none: what it is about then waits in suspense."""
        return _match(code, self.adjustments) or "" if code else ""

    def role(self, name: str) -> str:
        """Return the account of a role."""
        return self._found("role", name, self.roles)

    def unmapped(
        self, *, charge_codes: Iterable[str] = (), tax_codes: Iterable[str] = (), roles: Iterable[str] = ()
    ) -> list[Finding]:
        """Return a finding for every code that has no account, in order of kind and code."""
        wanted = (("charge code", charge_codes, self.charges), ("tax code", tax_codes, self.taxes), ("role", roles, self.roles))
        return [
            Finding(
                code="INVOICE18",
                severity=Severity.BLOCKING,
                what=f"the {kind} has no account in book {self.book}",
                remedy="Map it in the book's file, or use a mapped code",
                field=kind,
                value=code,
                subject=self.book,
            )
            for kind, codes, known in wanted
            for code in sorted(set(codes))
            if _match(code, known) is None
        ]

    def _found(self, kind: str, code: str, known: Mapping[str, str]) -> str:
        account = self._known.get((kind, code))
        if account is not None:
            return account
        account = _match(code, known)
        if account is None:
            raise ConfigurationError(
                "INVOICE18", f"the {kind} {code!r} has no account in book {self.book}", remedy=did_you_mean(code, known)
            )
        self._known[kind, code] = account
        return account


def _match(code: str, known: Mapping[str, str]) -> str | None:
    if code in known:
        return known[code]
    fitting = [pattern for pattern in known if fnmatch.fnmatchcase(code, pattern)]
    return known[max(fitting, key=lambda pattern: (len(pattern), pattern))] if fitting else None
