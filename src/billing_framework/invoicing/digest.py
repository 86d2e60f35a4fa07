"""The texts of a document's content, and their digest: what "the rehearsal is identical to the final run" means, in one place.

A document is stored as these texts, so that whoever holds the rows can prove the digest without reading them as values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import attrs

from billing_framework.invoicing.draft import DraftDocument
from billing_framework.values.plain_form import text_of_plain, to_terse, to_text

_NO_CONTENT = ("key", "lines")
"""Left out of the head: an id, and what stands in texts of its own."""


@attrs.frozen
class DocumentTexts:
    """What a document says, as canonical JSON texts.

    Numbers, its own key, clock times and the names and addresses of people are in none of them: two runs over the same input
    agree, on any database, and erasing personal data later changes no digest.

    Attributes:
        head: the document without its lines and taxes.
        lines: its lines in printing order.
        taxes: its taxes in printing order.
    """

    head: str
    lines: tuple[str, ...] = ()
    taxes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The sha256 of all that the document says, as hex."""
        return content_digest(self.head, self.lines, self.taxes)


def document_texts(document: DraftDocument) -> DocumentTexts:
    """Return what a document says as texts."""
    notes = tuple(attrs.evolve(note, document=0) for note in document.notes)
    head = to_terse(attrs.evolve(document, lines=(), taxes=(), findings=(), notes=notes))
    for name in _NO_CONTENT:
        del head[name]
    return DocumentTexts(text_of_plain(head), tuple(map(to_text, document.lines)), tuple(map(to_text, document.taxes)))


def document_digest(document: DraftDocument) -> str:
    """Return the sha256 of all that a document says, as hex; see `DocumentTexts`."""
    return document_texts(document).digest


def content_digest(head: str, lines: Iterable[str], taxes: Iterable[str]) -> str:
    """Return the digest of a document, as hex, from its texts; none of them holds a line break, so that no two read alike."""
    return hashlib.sha256("\n".join((head, *lines, "", *taxes)).encode()).hexdigest()
