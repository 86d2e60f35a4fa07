"""Accounts that differ in nothing but their names, as subscriptions without usage do, and their texts with places for names.

One of them is billed under stand-in names, and the others put theirs in the places of these.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from operator import attrgetter

import attrs

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.rating.agreement_pricing import STAND_IN
from billing_framework.rating.pricing import ChargeModel
from billing_framework.run.draft.bill_input import AgreementInput, BillInput, Material
from billing_framework.values.plain_form import json_string

FEWEST = 4
"""Like accounts from which on it pays to bill two of them with more care."""


@attrs.frozen
class Names:
    """What tells an account from others that are billed alike.

    Attributes:
        account: code of the account.
        party: code of its party.
        agreement: code of its agreement.
        document: key of its document.
    """

    account: str
    party: str
    agreement: str
    document: int


STAND_INS = Names(f"{STAND_IN}account", f"{STAND_IN}party", f"{STAND_IN}agreement", 8_999_999_999_999_999_989)
"""Names that nobody has."""

_SLOTS = re.compile(f"({'|'.join(str(name) for name in attrs.astuple(STAND_INS))})")
_PLACE = {str(name): place for place, name in enumerate(attrs.astuple(STAND_INS))}
_account = attrgetter(*(field.name for field in attrs.fields(Account) if field.name not in ("code", "party")))
_agreement = attrgetter("plan", "starts_on", "ends_on", "succeeds")
_shared = attrgetter("tax_rates", "holidays", "versions")
_terms = attrgetter("tiles", "next_tiles")
_NOTHING = attrgetter("bearers", "charges", "edits", "findings", "late")
_NO_USAGE = attrgetter("earlier_tiles", "tables", "assignments", "earlier_assignments", "neighbours", "usage", "state", "shares")


def names_of(given: BillInput) -> Names:
    """Return the names in the manifest of an account with one agreement."""
    return Names(given.account.code, given.account.party, given.agreements[0].agreement.code, given.document)


def likeness(given: BillInput) -> Hashable | None:
    """Return what manifests have in common that differ in names only; None for one that is billed by itself.

    It is by itself unless it bills one agreement, of which nothing but its terms is known, and stands for itself.

    Args:
        given: the manifest. What a batch shares must be the same objects in all manifests of the batch.
    """
    if len(given.agreements) != 1 or given.payer != given.account.code or any(_NOTHING(given)):
        return None
    one = given.agreements[0]
    if any(_NO_USAGE(one)):
        return None
    return (
        _account(given.account),
        _agreement(one.agreement),
        tuple(one.agreement.terms.items()),
        tuple(one.billed_through.items()),
        (one.period, one.full_period, one.next_period, given.period, given.issue_on, given.known_at),
        (given.seller_has_tax_id, given.buyer_has_tax_id),
        tuple(map(id, _terms(one))),
        tuple(map(id, _shared(given))),
    )


def is_nameless(one: AgreementInput, material: Material, models: Mapping[str, ChargeModel]) -> bool:
    """Return whether all components of an agreement's plans are priced by models that price like agreements alike."""
    plans = {tile.plan.name: tile.plan for tile in (*material.tiles(one.tiles), *material.tiles(one.next_tiles))}
    parts = [part for plan in plans.values() for part in plan.components]
    return all(part.model in models and models[part.model].alike and not part.measure for part in parts)


def under(given: BillInput, names: Names) -> BillInput:
    """Return a manifest under other names."""
    one = given.agreements[0]
    agreement: Agreement = attrs.evolve(one.agreement, code=names.agreement, account=names.account)
    return attrs.evolve(
        given,
        document=names.document,
        account=attrs.evolve(given.account, code=names.account, party=names.party),
        payer=names.account,
        agreements=(attrs.evolve(one, agreement=agreement),),
    )


def says_stand_in(text: str) -> bool:
    """Return whether a text has a stand-in in it, so that no template of it tells this from the place of a name."""
    return _SLOTS.search(text) is not None


@attrs.frozen
class Template:
    """A text with places for names; made from a text under the stand-ins.

    Attributes:
        parts: what stands before, between and after the names.
        places: which name stands in each place.
    """

    parts: tuple[str, ...]
    places: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Template:
        """Return the template of a text."""
        found = _SLOTS.split(text)
        return cls(tuple(found[::2]), tuple(_PLACE[name] for name in found[1::2]))

    def filled(self, names: Sequence[str]) -> str:
        """Return the text under some names, given as `in_text` gives them."""
        if not self.places:
            return self.parts[0]
        first, *rest = self.parts
        return first + "".join([names[place] + part for place, part in zip(self.places, rest, strict=True)])


def in_text(names: Names) -> tuple[str, str, str, str]:
    """Return names as they stand inside of the texts of canonical JSON."""
    account, party, agreement = (json_string(name)[1:-1] for name in (names.account, names.party, names.agreement))
    return account, party, agreement, str(names.document)
