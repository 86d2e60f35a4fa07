"""Makes the file of a delivery and puts it where it belongs, whole or not at all; the same document makes the same bytes."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import attrs

from billing_framework.exchange.invoice_html import invoice_html
from billing_framework.exchange.mail import Letter, mail_of
from billing_framework.plugin.delivery_settings import DeliverySettings
from billing_framework.run.deliver.taken_letters import TakenLetters
from billing_framework.run.deployment import Deployment
from billing_framework.run.personal.reading import party_reads, reading, record_reads
from billing_framework.run.prove.export import export
from billing_framework.run.prove.invoices import ShownDocument, show_document
from billing_framework.storage.master.account_rows import load_accounts, load_parties
from billing_framework.values.errors import Refused

_PURPOSE = "outbox deliver"
_MAIL_FOLDERS = ("tmp", "new", "cur")
_PART = re.compile(r"\..+\.[0-9a-f]{16}\.part", re.ASCII | re.DOTALL)
_NANOSECONDS = 1_000_000_000


@attrs.frozen(kw_only=True)
class Made:
    """A file to be written.

    Attributes:
        name: its name without a folder.
        data: its bytes.
    """

    name: str
    data: bytes = attrs.field(repr=False)


def make(deployment: Deployment, step: DeliverySettings, number: str, issued_at: datetime) -> Made:
    """Return the file that a way makes of an issued document.

    Args:
        deployment: the open deployment; the audit keeps what is read of people.
        step: the way.
        number: number of the document.
        issued_at: instant of the act that issued it, which the file bears.

    Raises:
        Refused: ``DELIVERY02`` where the account's party has no e-mail address, ``DELIVERY03`` where an exporter refuses.
    """
    name = quote(number, safe="")
    if step.way == "export":
        made = export(deployment, step.format, numbers=[number], options=step.options, created_at=issued_at)
        stopping = [finding for finding in made.findings if finding.stops]
        if stopping:
            raise Refused("DELIVERY03", f"the exporter {step.format} refuses: {stopping[0]}", remedy="Mend it, then retry")
        return Made(name=f"{name}{made.suffix}", data=made.data)
    shown = show_document(deployment, number, purpose=_PURPOSE)
    if step.way == "page":
        return Made(name=f"{name}.html", data=invoice_html(shown.document).encode())
    letter = Letter(
        sender=step.sender,
        to=_address(deployment, shown),
        subject=step.subject,
        text=step.text,
        at=issued_at.replace(microsecond=0),
    )
    return Made(name=f"{name}.eml", data=mail_of(shown.document, letter))


def _address(deployment: Deployment, shown: ShownDocument) -> str:
    account = shown.document.content.account
    with reading(deployment) as connection:
        code = load_accounts(connection, [account])[account].party
        party = load_parties(connection, [code])[code]
        record_reads(connection, deployment, _PURPOSE, party_reads([code], ["email"]))
    if not party.email:
        raise Refused(
            "DELIVERY02",
            f"the party {code} of account {account} has no e-mail address",
            remedy=f"Give it one: billing party change {code} email=ADDRESS; then billing outbox retry",
        )
    return party.email


def put(folder: Path, made: Made, *, as_mail: bool = False, taken: TakenLetters | None = None) -> str:
    """Write a file whole or not at all, so that nobody ever reads a part of it, and return its path inside the folder.

    What stands there already with the same bytes stays. A Maildir takes it by the steps that mail programs know: written under
    ``tmp``, moved to ``new``; what a mail program has moved on to ``cur`` is not put there again.

    Args:
        folder: folder that is there.
        made: the file.
        as_mail: True for a Maildir.
        taken: what mail programs are known to have taken, kept from file to file.

    Raises:
        Refused: ``DELIVERY01`` where the folder is not there, ``DELIVERY04`` where another file stands under the name.
        OSError: the file cannot be written.
    """
    if not folder.is_dir():
        raise Refused("DELIVERY01", f"the folder {folder} is not there", remedy="Create or mount it; then billing outbox retry")
    if as_mail:
        for name in _MAIL_FOLDERS:
            (folder / name).mkdir(exist_ok=True)
    place = folder / "new" if as_mail else folder
    target = place / made.name
    if as_mail and (taken or TakenLetters()).has(folder, made.name):
        return f"cur/{made.name}"
    if target.exists():
        if target.read_bytes() != made.data:
            raise Refused(
                "DELIVERY04",
                f"another file stands at {target}",
                remedy="Move it away if it is not the document's; then billing outbox retry",
            )
        return target.relative_to(folder).as_posix()
    # A name of its own: two who deliver the same document at once must not write into one file.
    part = _place_of_parts(folder, as_mail=as_mail) / f".{made.name}.{secrets.token_hex(8)}.part"
    try:
        with part.open("xb") as stream:
            stream.write(made.data)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target.relative_to(folder).as_posix()


def remove_stale_parts(folder: Path, before: datetime, *, as_mail: bool = False) -> int:
    """Remove what `put` was writing when its process was killed, and return how many files that were.

    Nobody reads such a file, and a later try writes one of another name, so they would only pile up.

    Args:
        folder: folder of a way; one that is not there has none.
        before: files that were written to at this instant or later stay, as somebody may still be at work on them.
        as_mail: True for a Maildir.
    """
    place, removed = _place_of_parts(folder, as_mail=as_mail), 0
    for part in place.glob(".*.part") if place.is_dir() else ():
        with suppress(OSError):  # somebody else has removed it, or it cannot be: it is in nobody's way
            if _PART.fullmatch(part.name) and part.stat().st_mtime_ns < int(before.timestamp()) * _NANOSECONDS:
                part.unlink()
                removed += 1
    return removed


def _place_of_parts(folder: Path, *, as_mail: bool) -> Path:
    return folder / "tmp" if as_mail else folder
