"""Who issues and who receives a document: the book and the party as invoicing prints them and as entries post to them."""

from __future__ import annotations

from billing_framework.accounts.account import Account
from billing_framework.accounts.book import BookProfile
from billing_framework.accounts.party import Party
from billing_framework.invoicing.document import BankAccount, Buyer, Seller
from billing_framework.invoicing.mapping import ChartMapping


def seller_of(profile: BookProfile) -> Seller:
    """Return the legal entity of a book as documents show it."""
    seller, bank = profile.seller, profile.bank
    return Seller(
        name=seller.name,
        address=seller.address,
        tax_ids=tuple(("", number) for number in seller.tax_ids),
        registration=seller.registration,
        contact=(("", seller.contact),) if seller.contact else (),
        bank=BankAccount(name=bank.name, iban=bank.iban or bank.account, bic=bank.bic),
    )


def buyer_of(account: Account, party: Party | None) -> Buyer:
    """Return the party of an account as documents show it."""
    if party is None:
        return Buyer(account=account.code, name="")
    return Buyer(account=account.code, name=party.name, address=party.address, tax_id=party.tax_id)


def mapping_of(profile: BookProfile) -> ChartMapping:
    """Return where the entries of a book post to."""
    return ChartMapping(
        book=profile.code,
        charges=profile.charges,
        taxes=profile.taxes,
        adjustments=profile.adjustments,
        roles={account.role: account.code for account in profile.accounts if account.role},
    )
