"""An issued document: the draft's content, unchanged, with its number and the parties as they were on that day."""

from __future__ import annotations

import enum
from datetime import date

import attrs

from billing_framework.accounts.party import Address
from billing_framework.invoicing.digest import document_digest
from billing_framework.invoicing.draft import DocumentKind, DraftDocument
from billing_framework.invoicing.numbering import Numbered
from billing_framework.invoicing.payment_reference import rf_reference
from billing_framework.values.errors import Refused


class DocumentStatus(enum.Enum):
    """Where a document stands; ``ISSUED`` and ``VOID`` are for ever. Whether it is paid follows from allocations alone."""

    DRAFT = "draft"
    ISSUED = "issued"
    VOID = "void"


@attrs.frozen(kw_only=True)
class BankAccount:
    """Where documents ask to be paid; `iban` may hold any account number of the country."""

    name: str = ""
    iban: str = ""
    bic: str = ""


@attrs.frozen(kw_only=True)
class Seller:
    """The legal entity of a book as its documents show it.

    Attributes:
        name: registered name.
        address: postal address.
        tax_ids: label and number of each tax registration, in printing order: ``("VAT", "DE123456789")``.
        registration: commercial register entry, or empty.
        contact: label and value of each way to reach it, in printing order: ``("Telephone", "+49 30 1234")``.
        bank: account to pay to.
    """

    name: str
    address: Address = attrs.field(factory=Address)
    tax_ids: tuple[tuple[str, str], ...] = ()
    registration: str = ""
    contact: tuple[tuple[str, str], ...] = ()
    bank: BankAccount = attrs.field(factory=BankAccount)


@attrs.frozen(kw_only=True)
class Buyer:
    """Who is billed, as the document shows it. Personal data: kept beside the document and outside its digest."""

    account: str
    name: str = attrs.field(repr=False)
    address: Address = attrs.field(factory=Address, repr=False)
    tax_id: str = attrs.field(default="", repr=False)


@attrs.frozen(kw_only=True)
class Document:
    """A document under its legal number.

    Attributes:
        number: legal number.
        counter_name: counter of its series.
        counter: position in the series.
        status: issued or void.
        content: what it says, exactly as drafted, reviewed and approved.
        digest: sha256 of the content as hex; see `digest.document_digest`.
        seller: the book's legal entity on that day.
        buyer: the account's party on that day.
        payment_reference: RF creditor reference, empty where nothing is to be paid.
        corrects_number: number of the document that it corrects, or empty.
        corrects_on: date of that document.
        void_reason: why the number was spent without a document.
    """

    number: str
    counter_name: str
    counter: int
    status: DocumentStatus = DocumentStatus.ISSUED
    content: DraftDocument
    digest: str
    seller: Seller
    buyer: Buyer
    payment_reference: str = ""
    corrects_number: str = ""
    corrects_on: date | None = None
    void_reason: str = ""

    @property
    def key(self) -> int:
        """Key of the document."""
        return self.content.key


def issue_document(
    draft: DraftDocument, numbered: Numbered, *, seller: Seller, buyer: Buyer, original: Document | None = None
) -> Document:
    """Return the document that `draft` becomes under its number.

    Args:
        draft: an approved draft.
        numbered: its number from the posting manifest.
        seller: snapshot of the book's legal entity.
        buyer: snapshot of the account's party.
        original: the document that a credit or debit note corrects.

    Raises:
        Refused: ``INVOICE14`` where a finding still holds the draft, the number is another document's, or a correction does not
            name its original.
    """
    wrong = ""
    if draft.held:
        wrong = f"the draft of account {draft.account} is held: {next(item for item in draft.findings if item.stops)}"
    elif numbered.document != draft.key:
        wrong = f"the number {numbered.number} belongs to the document {numbered.document}, not to {draft.key}"
    elif draft.corrects != (original.key if original else 0):
        wrong = f"the draft corrects the document {draft.corrects}, which is not the one given"
    if wrong:
        raise Refused("INVOICE14", wrong, remedy="Approve the run again, then post")
    return Document(
        number=numbered.number,
        counter_name=numbered.counter_name,
        counter=numbered.counter,
        content=draft,
        digest=document_digest(draft),
        seller=seller,
        buyer=buyer,
        payment_reference="" if draft.kind is DocumentKind.CREDIT_NOTE else rf_reference(numbered.number),
        corrects_number=original.number if original else "",
        corrects_on=original.content.issue_on if original else None,
    )


def void_document(draft: DraftDocument, numbered: Numbered, *, seller: Seller, buyer: Buyer, reason: str) -> Document:
    """Return the void document that keeps the series gapless where an approved draft could not be posted.

    Its content stays as evidence; it makes no entry and no open item.
    """
    return Document(
        number=numbered.number,
        counter_name=numbered.counter_name,
        counter=numbered.counter,
        status=DocumentStatus.VOID,
        content=draft,
        digest=document_digest(draft),
        seller=seller,
        buyer=buyer,
        void_reason=reason,
    )
