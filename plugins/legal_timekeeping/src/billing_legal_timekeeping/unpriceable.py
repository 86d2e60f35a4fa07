"""Why an entry cannot be priced: never zero, never the nearest row, but a finding with a remedy."""

from __future__ import annotations

from billing_framework import Finding, ValueRefused


class Unpriceable(ValueRefused):
    """An entry cannot be priced; the code says why."""

    def finding(self, subject: str) -> Finding:
        """Return it as a finding about an entry.

        Args:
            subject: the entry's external id.
        """
        return Finding(code=self.code, what=self.what, remedy=self.remedy, subject=subject)
