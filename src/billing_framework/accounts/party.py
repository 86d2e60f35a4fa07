"""A party: a person or organisation with names and addresses; the only place of such data."""

from __future__ import annotations

import attrs

from billing_framework.values.personal import personal


@attrs.frozen(kw_only=True)
class Address:
    """A postal address.

    Attributes:
        lines: street lines, in the order in which they are printed.
        city: town.
        postcode: postal code.
        region: state or province code, or empty.
        country: ISO 3166 alpha-2 code.
    """

    lines: tuple[str, ...] = personal(())
    city: str = personal("")
    postcode: str = personal("")
    region: str = personal("")
    country: str = ""


@attrs.frozen(kw_only=True)
class Party:
    """Who an account belongs to.

    Attributes:
        code: unique code in the deployment.
        name: name as it is printed on documents.
        address: postal address.
        email: electronic address for delivery, or empty.
        tax_id: value added tax or other tax registration number, or empty.
    """

    code: str
    name: str = personal()
    address: Address = Address()
    email: str = personal("")
    tax_id: str = personal("")
