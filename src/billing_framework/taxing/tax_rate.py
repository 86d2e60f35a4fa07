"""A tax rate: what is taxed where, from when to when, by how much, and how it is rounded."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import date
from fractions import Fraction

import attrs

from billing_framework.values.money import HALF_UP, Rounding


class TaxKind(enum.Enum):
    """What kind of tax treatment it is, after EN 16931 (UNTDID 5305); all but ``STANDARD`` have no tax."""

    STANDARD = "standard"
    ZERO = "zero"
    EXEMPT = "exempt"
    REVERSE_CHARGE = "reverse_charge"
    INTRA_COMMUNITY = "intra_community"
    EXPORT = "export"
    OUTSIDE = "outside"

    @property
    def letter(self) -> str:
        """The category code of EN 16931: S, Z, E, AE, K, G or O."""
        return _LETTERS[self]


_LETTERS = {
    TaxKind.STANDARD: "S",
    TaxKind.ZERO: "Z",
    TaxKind.EXEMPT: "E",
    TaxKind.REVERSE_CHARGE: "AE",
    TaxKind.INTRA_COMMUNITY: "K",
    TaxKind.EXPORT: "G",
    TaxKind.OUTSIDE: "O",
}


class TaxPlace(enum.Enum):
    """Where a tax is rounded: once for its ``GROUP`` and shared to the lines (EN 16931), or on each ``LINE``."""

    GROUP = "group"
    LINE = "line"


@attrs.frozen(kw_only=True)
class TaxRate:
    """One tax of one place and category, on its dates.

    Attributes:
        code: code of the tax; the book maps it to an account. All dated rates of one tax share it.
        titles: locale to what is printed, without the rate; ``en`` must be there.
        jurisdiction: place whose tax it is, ``US-CA``; it holds in places below it too (``US`` holds in ``US-CA``) unless they
            have a rate of the same code. Empty holds everywhere.
        category: tax category of the charges that it taxes, as price plans name it.
        rate: the rate as a ratio: 19/100.
        kind: treatment.
        inclusive: True where the prices of these charges include the tax.
        compound_on: codes of taxes that are part of its base (tax on tax).
        gross_up: True where the rate is of the amount including the tax, r/(1-r): 2.5 % shows as 2.5641 %.
        charge_codes: charge codes that it taxes; empty for all of the category.
        excluding: charge codes that it does not tax.
        valid_from: first tax point.
        valid_to: the date after the last, or None.
        rounding: mode and grid.
        place: where it is rounded.
        exemption: reason that is printed where nothing is charged, for example ``VATEX-EU-AE``.
    """

    code: str
    titles: Mapping[str, str]
    jurisdiction: str = ""
    category: str
    rate: Fraction
    kind: TaxKind = TaxKind.STANDARD
    inclusive: bool = False
    compound_on: tuple[str, ...] = ()
    gross_up: bool = False
    charge_codes: tuple[str, ...] = ()
    excluding: tuple[str, ...] = ()
    valid_from: date
    valid_to: date | None = None
    rounding: Rounding = HALF_UP
    place: TaxPlace = TaxPlace.GROUP
    exemption: str = ""

    @property
    def factor(self) -> Fraction:
        """What the base is multiplied by."""
        return self.rate / (1 - self.rate) if self.gross_up else self.rate

    def title(self, locale: str) -> str:
        """Return the title in the language of `locale`, else in English."""
        language = locale.replace("-", "_").split("_", maxsplit=1)[0]
        return self.titles.get(locale) or self.titles.get(language) or self.titles["en"]

    def holds_in(self, jurisdiction: str) -> bool:
        """True where the rate is of this place or of one above it."""
        return not self.jurisdiction or f"{jurisdiction}-".startswith(f"{self.jurisdiction}-")

    def holds_on(self, day: date) -> bool:
        """True where `day` is a tax point of the rate."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def taxes(self, category: str, charge_code: str) -> bool:
        """True where charges of this category and code are taxed by it."""
        included = not self.charge_codes or charge_code in self.charge_codes
        return category == self.category and included and charge_code not in self.excluding
