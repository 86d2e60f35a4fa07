"""Postal addresses as they are printed: the order of town and postal code follows the country."""

from __future__ import annotations

from billing_framework.accounts.party import Address
from billing_framework.values.formats import locale_of

_TOWN_FIRST = frozenset({"US", "CA", "AU"})
_CODE_BELOW = frozenset({"GB", "IE"})
_LETTER_PAPER = frozenset({"US", "CA", "MX", "CL", "CO", "VE", "PH", "GT", "CR", "PA", "DO", "SV", "NI", "PR"})
"""Territories whose offices print on Letter; the source is the CLDR's measurement data, as babel does not carry it."""


def address_lines(address: Address, *, home_country: str, locale: str) -> tuple[str, ...]:
    """Return the lines of an address, without the name.

    Args:
        address: what is known of it.
        home_country: country of the sender; a letter inside it does not name the country.
        locale: language in which another country is named.
    """
    if address.country in _TOWN_FIRST:
        region = " ".join(part for part in (address.region, address.postcode) if part)
        town = ", ".join(part for part in (address.city, region) if part)
        below = ""
    elif address.country in _CODE_BELOW:
        town, below = address.city, address.postcode
    else:
        town = " ".join(part for part in (address.postcode, address.city) if part)
        below = address.region
    abroad = ""
    if address.country and address.country != home_country:
        abroad = locale_of(locale).territories.get(address.country, address.country)
    return tuple(line for line in (*address.lines, town, below, abroad) if line)


def paper_of(locale: str) -> str:
    """Return the paper of a locale for CSS: ``letter`` in the countries that use it, else ``A4``."""
    return "letter" if (locale_of(locale).territory or "") in _LETTER_PAPER else "A4"
