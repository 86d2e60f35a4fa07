"""Writes issued documents as a LEDES 1998B file, and checks what it wrote as the receiver would."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import attrs

from billing_framework import ExportDocument, Exported, Exporter, ExportRequest, Finding, Severity
from billing_legal_timekeeping.ledes.check import check_1998b, findings_for
from billing_legal_timekeeping.ledes.item import Item, items_of
from billing_legal_timekeeping.ledes.layout import (
    ADJUSTMENTS,
    END,
    FEE,
    FIELDS,
    NAMES,
    SEPARATOR,
    VERSION,
    Sort,
    write_date,
    write_number,
)
from billing_legal_timekeeping.ledes.plain_text import plain_text
from billing_legal_timekeeping.ledes.profile import ReceiverProfile, chosen_profile

_ONE_DAY = timedelta(days=1)
_SHOWN = 40
"""Characters of a text that a finding shows."""
_RULES = {field.name: field for field in FIELDS}


def write_1998b(documents: Sequence[ExportDocument], request: ExportRequest) -> Exported:
    """Return the file of some documents; nothing is written where its own check finds a fault that a receiver would not take.

    Args:
        documents: issued documents in order of their numbers.
        request: options: ``profile`` the receiver, ``law_firm_id`` what the firm is called by (its first tax registration
            otherwise), ``description`` the text of the invoices.

    Raises:
        InputRefused: ``LEDES26`` where there is no such profile.
    """
    profile = chosen_profile(request.options, request.settings)
    lines = [f"{VERSION}{END}", f"{SEPARATOR.join(NAMES)}{END}"]
    findings: list[Finding] = []
    for document in documents:
        for item in items_of(document):
            values = _values(document, item, request, profile)
            written = {name: _text(name, text, profile) for name, text in values.items()}
            findings += _changed(document, item, values, written, line=len(lines) + 1)
            lines.append(f"{SEPARATOR.join(written[name] for name in NAMES)}{END}")
    data = ("\n".join(lines) + "\n").encode(profile.charset.value)
    wrong = findings_for(data, "", profile)
    is_refused = any(finding.stops for finding in wrong)
    return Exported(data=b"" if is_refused else data, findings=(*findings, *wrong))


def _values(document: ExportDocument, item: Item, request: ExportRequest, profile: ReceiverProfile) -> dict[str, str]:
    content = document.document.content
    agreement = document.agreements.get((item.line or document.lines[-1]).line.agreement)
    terms = agreement.terms if agreement else {}
    first, last = _period(document)
    person, amounts = item.person, item.amounts
    is_priced = item.sort not in ADJUSTMENTS
    return {
        "INVOICE_DATE": write_date(content.issue_on),
        "INVOICE_NUMBER": document.number,
        "CLIENT_ID": _client(document),
        "LAW_FIRM_MATTER_ID": item.matter,
        "INVOICE_TOTAL": write_number(content.totals.gross.major),
        "BILLING_START_DATE": write_date(first),
        "BILLING_END_DATE": write_date(last),
        "INVOICE_DESCRIPTION": request.options.get("description", "") or content.reason or "Professional services",
        "LINE_ITEM_NUMBER": str(item.number),
        "EXP/FEE/INV_ADJ_TYPE": item.sort,
        "LINE_ITEM_NUMBER_OF_UNITS": write_number(amounts.units) if amounts.units is not None else "",
        "LINE_ITEM_ADJUSTMENT_AMOUNT": write_number(amounts.adjustment),
        "LINE_ITEM_TOTAL": write_number(amounts.total),
        "LINE_ITEM_DATE": write_date(_day(item, last)),
        "LINE_ITEM_TASK_CODE": item.task,
        "LINE_ITEM_EXPENSE_CODE": item.expense,
        "LINE_ITEM_ACTIVITY_CODE": item.activity if item.task else "",
        "TIMEKEEPER_ID": person.code,
        "LINE_ITEM_DESCRIPTION": item.description,
        "LAW_FIRM_ID": request.options.get("law_firm_id", "") or _firm(document),
        "LINE_ITEM_UNIT_COST": write_number(amounts.cost) if is_priced and amounts.cost is not None else "",
        "TIMEKEEPER_NAME": person.name,
        "TIMEKEEPER_CLASSIFICATION": profile.classes.get(person.classification, person.classification),
        "CLIENT_MATTER_ID": terms.get("client_matter", ""),
    }


def _client(document: ExportDocument) -> str:
    """Return the firm's code of the client: the term ``client`` of its agreements where they agree, else the account."""
    own = [agreement for agreement in document.agreements.values() if agreement.account == document.account.code]
    named = {agreement.terms.get("client", "") for agreement in own} - {""}
    return named.pop() if len(named) == 1 else document.account.code


def _firm(document: ExportDocument) -> str:
    """Return the first tax registration of the firm, without a label before it: ``EIN 99-0000001`` is ``99-0000001``."""
    return next((number.split()[-1] for _, number in document.document.seller.tax_ids if number.split()), "")


def _period(document: ExportDocument) -> tuple[date, date]:
    """Return the first and last date of the bill: its period, and what it reaches back or ahead to."""
    content = document.document.content
    days = [line.service.start for line in content.lines]
    return min([content.period.start, *days]), max([content.period.last, *days])


def _day(item: Item, last: date) -> date:
    if item.line is None:
        return last
    service = item.line.line.service
    return service.start if item.sort not in ADJUSTMENTS else min(service.end - _ONE_DAY, last)


def _text(name: str, text: str, profile: ReceiverProfile) -> str:
    rule = _RULES[name]
    if rule.sort is not Sort.TEXT:
        return text
    if name == "INVOICE_NUMBER":
        text = "".join(letter for letter in text if letter.isalnum())
    size = rule.size
    if name == "LINE_ITEM_DESCRIPTION" and profile.description_size:
        size = min(size, profile.description_size)
    return plain_text(text, profile.charset, size)


def _changed(
    document: ExportDocument, item: Item, values: dict[str, str], written: dict[str, str], *, line: int
) -> list[Finding]:
    """Return what could not be written as the document has it."""
    base = Finding(code="LEDES24", severity=Severity.INFORMATION, what="", line=line, subject=document.number)
    findings = [
        attrs.evolve(base, what=_otherwise(" ".join(values[name].split()), written[name]), field=name)
        for name, is_once in ((field.name, field.of_invoice) for field in FIELDS)
        if " ".join(values[name].split()) != written[name] and (item.number == 1 or not is_once)
    ]
    if not item.amounts.is_exact:
        what = "units or unit cost have more decimals than the format; they are rounded, and the adjustment makes up for it"
        findings.append(attrs.evolve(base, what=what, field="LINE_ITEM_NUMBER_OF_UNITS"))
    if item.sort == FEE and item.activity and not item.task:
        what = "the activity code is left out, because the entry has no task code"
        findings.append(attrs.evolve(base, what=what, field="LINE_ITEM_ACTIVITY_CODE", value=item.activity))
    return findings


def _otherwise(text: str, written: str) -> str:
    """Return what became of a text: both texts from shortly before the place where they part."""
    if text.startswith(written):
        return f"the format or the receiver takes {len(written)} characters: {_shown(text, 0)} ends with {written[-_SHOWN:]!r}"
    parted = next((place for place, letters in enumerate(zip(text, written, strict=False)) if len(set(letters)) > 1), len(text))
    start = max(parted - _SHOWN // 2, 0)
    return f"the format or the receiver cannot take {_shown(text, start)}: it is written {_shown(written, start)}"


def _shown(text: str, start: int) -> str:
    shown = text[start : start + _SHOWN]
    return f"{'…' if start else ''}{shown!r}{'…' if start + _SHOWN < len(text) else ''}"


LEDES_1998B = Exporter(
    format="ledes_1998b",
    title="LEDES 1998B e-bill for legal departments",
    suffix=".txt",
    write=write_1998b,
    check=check_1998b,
    options={
        "profile": "the receiver: default, brightflag, collaborati, ecounsel, lawtrac, legal_tracker, or one of the settings",
        "law_firm_id": "what the receiver knows the firm by; its first tax registration by default",
        "description": "text of the invoices",
    },
)
