"""A document as a letter by e-mail: a short text and the printable page beside it, the same bytes whenever it is made."""

from __future__ import annotations

import hashlib
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import attrs

from billing_framework.exchange.invoice_html import invoice_html
from billing_framework.invoicing.document import Document


@attrs.frozen(kw_only=True)
class Letter:
    """What a letter says around the document.

    Attributes:
        sender: address of the sender, ``Name <address>``.
        to: address of the recipient.
        subject: line of the subject; ``{number}`` stands for the number of the document, ``{seller}`` for the seller.
        text: text of the letter, with the same words.
        at: instant that it bears: when the document was issued.
    """

    sender: str
    to: str = attrs.field(repr=False)
    subject: str = "{seller}: {number}"
    text: str = "{number} is attached.\n\n{seller}\n"
    at: datetime


def mail_of(document: Document, letter: Letter) -> bytes:
    """Return the message as it is handed to a mail server, lines ended by CR LF.

    Boundary and id follow from the content, so that a second try writes the same message and a mail server can tell that it is.

    Args:
        document: the issued document.
        letter: sender, recipient and words.

    Raises:
        ValueError: an address or a subject holds a line break.
    """
    words = {"{number}": document.number, "{seller}": document.seller.name}
    page = invoice_html(document).encode()
    mark = hashlib.sha256(b"\0".join([document.number.encode(), letter.to.encode(), page])).hexdigest()[:32]
    message = EmailMessage(policy=SMTP)
    message["From"] = letter.sender
    message["To"] = letter.to
    message["Subject"] = _filled(letter.subject, words)
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{mark}@{_host(letter.sender)}>"
    message.set_content(_filled(letter.text, words), cte="quoted-printable")
    name = f"{_plain(document.number)}.html"
    message.add_attachment(page, maintype="text", subtype="html", filename=name, cte="base64", params={"charset": "utf-8"})
    message.set_boundary(f"={mark}=")
    return message.as_bytes()


def _filled(text: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        text = text.replace(name, value)
    return text


def _host(sender: str) -> str:
    return sender.rpartition("@")[2].strip("<> ") or "localhost"


def _plain(number: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in number)
