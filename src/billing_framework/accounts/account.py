"""An account: who is billed, in which currency, language and zone, on which cycle and terms."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Account:
    """The unit of billing: one currency, one cycle, one receivable.

    Attributes:
        code: the account number that officers and files use; unique in the deployment.
        party: code of the party that the account belongs to.
        book: code of the book (legal entity) that bills it.
        currency: ISO 4217 code of all its documents.
        locale: language and formats of its documents, for example ``en_US`` or ``de_DE``.
        zone: IANA time zone in which its billing dates count.
        cycle: billing calendar in text form, for example ``monthly:1``; see `values.calendar.parse_cycle`.
        due_days: days from issue to due date.
        parent: code of the account above it, or empty.
        payer: ``self``, or ``parent`` where the account above pays (its charges are shared to that account).
        tax_status: ``taxable``, ``exempt`` or ``reverse_charge``.
        tax_jurisdiction: code of the place whose taxes apply, for example ``US-CA`` or ``DE``.
        exemption: certificate or reason where `tax_status` is not ``taxable``.
        allocation: named strategy for payments without instruction.
        status: ``active`` or ``closed``.
        run_group: group by which runs are cut, for example a read route or a segment; empty for none.
    """

    code: str
    party: str
    book: str
    currency: str
    locale: str = "en_US"
    zone: str = "UTC"
    cycle: str = "monthly:1"
    due_days: int = 14
    parent: str = ""
    payer: str = "self"
    tax_status: str = "taxable"
    tax_jurisdiction: str = ""
    exemption: str = ""
    allocation: str = "oldest_first"
    status: str = "active"
    run_group: str = ""
