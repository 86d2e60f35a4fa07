"""What billing one account came to."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from billing_framework.invoicing.digest import DocumentTexts
from billing_framework.invoicing.draft import DraftDocument
from billing_framework.rating.charge import Charge
from billing_framework.rating.state import CarriedState
from billing_framework.storage.billing.billed_records import DeliveredRecords
from billing_framework.storage.billing.draft_rows import LineEvidence, StateRead
from billing_framework.values.finding import Finding


@attrs.frozen(kw_only=True)
class BillResult:
    """What billing one account came to.

    Attributes:
        account: code of the account.
        payer: code of the account that pays for it, where nobody shares its charges.
        bearers: codes of the accounts whose documents bear its charges.
        document: key of its own document.
        draft: its draft; None where it has nothing to bill, another account pays, or a finding stopped it.
        texts: what the draft says, as it is stored; None without one.
        charges: the charges of the draft in the order of its lines.
        originals: charges as they were rated, where an edit changed them.
        evidence: what each line rests on.
        state: carried state that the draft writes.
        state_read: carried state that it depends on.
        members: accounts whose charges are on the draft, in order.
        keeps: those of them whose carried state it hands on, and whose records it says to be billed.
        records: the carried records of these that it bills or leaves for later.
        findings: problems; where one stops, the account is held.
        control: fate of the account's own records to their number; ``records`` is their sum.
    """

    account: str
    payer: str
    bearers: tuple[str, ...] = ()
    document: int
    draft: DraftDocument | None = None
    texts: DocumentTexts | None = None
    charges: tuple[Charge, ...] = ()
    originals: tuple[Charge, ...] = ()
    evidence: tuple[LineEvidence, ...] = ()
    state: tuple[CarriedState, ...] = ()
    state_read: tuple[StateRead, ...] = ()
    members: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    records: tuple[DeliveredRecords, ...] = ()
    findings: tuple[Finding, ...] = ()
    control: Mapping[str, int] = attrs.field(factory=dict)

    @property
    def digest(self) -> str:
        """Digest of the draft's content as hex, empty without one."""
        return "" if self.texts is None else self.texts.digest
