"""Settings of deliveries: the ways on which issued documents leave, as ``billing.toml`` lists them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from billing_framework.values.errors import ValueRefused

WAYS = ("page", "export", "mail")
_KINDS = ("invoice", "credit_note", "debit_note")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LONGEST_WAIT_MINUTES = 24 * 60


def _name(_settings: object, _field: object, value: str) -> None:
    if not _NAME.fullmatch(value):
        raise ValueRefused("CONFIG04", f"{value!r} is no plain name", remedy="Use small letters, digits and underscores")


def _way(_settings: object, _field: object, value: str) -> None:
    if value not in WAYS:
        raise ValueRefused("CONFIG04", f"{value!r} is no way of delivery", remedy=f"Write one of {', '.join(WAYS)}")


def _kinds(_settings: object, _field: object, values: tuple[str, ...]) -> None:
    for value in values:
        if value not in _KINDS:
            raise ValueRefused("CONFIG04", f"{value!r} is no kind of document", remedy=f"Write some of {', '.join(_KINDS)}")


def _positive(_settings: object, field: attrs.Attribute[Any], value: int) -> None:
    if value < 1:
        raise ValueRefused("CONFIG04", f"{field.name} must be 1 or more, not {value}", remedy="Correct the number")


@attrs.frozen(kw_only=True)
class DeliverySettings:
    """Table ``[[deliveries]]``: one way on which issued documents leave, tried until it is done.

    Attributes:
        name: unique name of the way; states are kept under it, so it does not change.
        way: ``page`` writes the printable page, ``export`` a file by an exporter, ``mail`` an e-mail as a file in a Maildir.
        folder: folder that is there and takes the files; a relative path starts at the folder of ``billing.toml``.
        kinds: kinds of documents that go this way; empty for all.
        books: codes of the books whose documents go this way; empty for all.
        format: name of the exporter, for ``export``.
        options: options of the exporter.
        sender: address of the sender, for ``mail``.
        subject: subject of the e-mail; ``{number}`` and ``{seller}`` are filled in.
        text: text of the e-mail, with the same words.
        most_tries: so often it is tried by itself; after that it waits for ``billing outbox retry``.
        retry_minutes: minutes after the first failure; the wait doubles with every further one, up to a day.
    """

    name: str = attrs.field(validator=_name)
    way: str = attrs.field(validator=_way)
    folder: str
    kinds: tuple[str, ...] = attrs.field(default=(), validator=_kinds)
    books: tuple[str, ...] = ()
    format: str = ""
    options: Mapping[str, str] = attrs.field(factory=dict)
    sender: str = ""
    subject: str = "{seller}: {number}"
    text: str = "{number} is attached.\n\n{seller}\n"
    most_tries: int = attrs.field(default=8, validator=_positive)
    retry_minutes: int = attrs.field(default=5, validator=_positive)

    def __attrs_post_init__(self) -> None:
        if not self.folder:
            raise ValueRefused("CONFIG04", f"the delivery {self.name} has no folder", remedy='Write folder = "..."')
        for way, field in (("export", "format"), ("mail", "sender")):
            if (self.way == way) != bool(getattr(self, field)):
                what = f"the delivery {self.name} is a {self.way}, so it needs {'' if self.way == way else 'no '}{field}"
                raise ValueRefused("CONFIG04", what, remedy=f"{field} belongs to way = {way!r}")

    def takes(self, kind: str, book: str) -> bool:
        """Return whether a document of this kind and book goes this way."""
        return (not self.kinds or kind in self.kinds) and (not self.books or book in self.books)

    def wait_minutes(self, tries: int) -> int:
        """Return how many minutes pass after so many failures before the next try."""
        return min(self.retry_minutes << min(tries - 1, 20), _LONGEST_WAIT_MINUTES)
