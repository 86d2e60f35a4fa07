"""Exporters: what turns issued documents into a file for somebody else, and checks such files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import attrs

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.accounts.party import Party
from billing_framework.invoicing.document import Document
from billing_framework.invoicing.draft import DraftLine
from billing_framework.rating.charge import Step
from billing_framework.receivables.answer import AnswerItem
from billing_framework.usage.record import AnyUsage
from billing_framework.values.finding import Finding


@attrs.frozen(kw_only=True)
class ExportLine:
    """One line of a document with what it rests on.

    Attributes:
        line: the line as it was issued.
        records: keys of the usage records that it rests on, in order; they name entries of `ExportDocument.records`.
        steps: how its amount came to be.
    """

    line: DraftLine
    records: tuple[int, ...] = ()
    steps: tuple[Step, ...] = ()


@attrs.frozen(kw_only=True)
class GivenAnswer:
    """What a third party has answered to a document, as far as it was booked and nothing has taken it back.

    Attributes:
        payer: identifier of who answered.
        trace: number of its payment.
        paid_on: date of the payment.
        item: what it said about the document.
    """

    payer: str
    trace: str
    paid_on: date
    item: AnswerItem


@attrs.frozen(kw_only=True)
class ExportDocument:
    """An issued document with all that a file about it may say; read from what the document was made from, not from today.

    Attributes:
        document: number, status, content, digest, seller and buyer as they were on the day of issue.
        account: the account that is billed, as it was when the document was drafted.
        party: the party of that account as it is now, for what the document itself does not print.
        lines: every line with its records and steps, in order.
        agreements: agreements of the document by code, as they were.
        records: usage records of its agreements by key, with the body that was billed (officers' edits applied): those that
            lines rest on, and the others that were given to its rating.
        originals: records whose body was edited before billing, by key, as they came; a record that is not in it was not edited.
        record_agreements: key of each record to the code of the agreement that it was billed under.
        assignments: the assignment by which each record was guided, by record key.
        answers: what third parties have answered to it, in the order in which it was booked; only of those that stand.
    """

    document: Document
    account: Account
    party: Party = attrs.field(repr=False)
    lines: tuple[ExportLine, ...]
    agreements: Mapping[str, Agreement] = attrs.field(factory=dict)
    records: Mapping[int, AnyUsage] = attrs.field(factory=dict, repr=False)
    originals: Mapping[int, AnyUsage] = attrs.field(factory=dict, repr=False)
    record_agreements: Mapping[int, str] = attrs.field(factory=dict)
    assignments: Mapping[int, Assignment] = attrs.field(factory=dict)
    answers: tuple[GivenAnswer, ...] = ()

    @property
    def number(self) -> str:
        """Legal number of the document."""
        return self.document.number


@attrs.frozen(kw_only=True)
class ExportRequest:
    """What an exporter is told; with the documents it decides every byte of the file.

    Attributes:
        created_at: instant that the file bears; the deployment's clock, in UTC.
        settings: the plugin's own settings, None where it has none.
        options: the exporter's options, as given on the command line (``--option name=value``).
    """

    created_at: datetime
    settings: Any = None
    options: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class CheckRequest:
    """What the check of a file is told.

    Attributes:
        file: name of the file, for messages.
        settings: the plugin's own settings, None where it has none.
        options: the exporter's options, as given on the command line.
    """

    file: str
    settings: Any = None
    options: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Exported:
    """What an exporter makes of documents.

    Attributes:
        data: the bytes of the file; empty where a finding stops it.
        findings: what had to be changed to fit the format, or why a document cannot be written; one that stops means that
            nothing is written.
    """

    data: bytes = attrs.field(default=b"", repr=False)
    findings: tuple[Finding, ...] = ()


@attrs.frozen(kw_only=True)
class Exporter:
    """A file format in which issued documents leave.

    Attributes:
        format: name for ``--format``, for example ``invoice_lines``.
        title: one line for people.
        suffix: end of the file's name, with the full stop: ``.txt``.
        write: takes the documents in order of their numbers and the request; the same arguments make the same bytes.
        check: reads a file of the format, whoever wrote it, and returns everything that is wrong; None where there is no check.
        options: name to one-line help of the options that it understands.
    """

    format: str
    title: str
    suffix: str
    write: Callable[[Sequence[ExportDocument], ExportRequest], Exported]
    check: Callable[[bytes, CheckRequest], tuple[Finding, ...]] | None = None
    options: Mapping[str, str] = attrs.field(factory=dict)
