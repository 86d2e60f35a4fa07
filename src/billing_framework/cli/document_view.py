"""How a document is shown on a terminal: its head, lines, taxes and totals, with the figures as they are stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from billing_framework.cli.output import fields, table
from billing_framework.invoicing.draft import DraftDocument, DraftLine
from billing_framework.invoicing.edit import Edit
from billing_framework.invoicing.rebill import Comparison
from billing_framework.invoicing.record_edit import RECORD_FIELDS
from billing_framework.run.prove.invoices import ShownDocument, StandingEdit
from billing_framework.values.number import exact_text
from billing_framework.values.spelling import first_of

_MOST_IDS = 10


def document_text(shown: ShownDocument, *, with_items: bool = False) -> Iterator[str]:
    """Yield the text of a document, with what its lines consist of where that is asked for."""
    document, content = shown.document, shown.document.content
    yield fields(_head(shown))
    yield ""
    yield table(
        ("line", "description", "service", "quantity", "price", "net", "tax"),
        [_line(line) for line in content.lines],
        right=("line", "quantity", "price", "net", "tax"),
    )
    yield ""
    yield table(
        ("tax", "rate", "on", "amount"),
        [(tax.title, f"{exact_text(tax.rate * 100)} %", tax.taxable, tax.tax) for tax in content.taxes],
        right=("rate", "on", "amount"),
    )
    yield ""
    yield fields(_totals(content))
    if document.payment_reference:
        yield fields([("pay with reference", document.payment_reference)])
    for note in content.notes:
        yield f"Note: {note.text}"
    listed = [line for line in content.lines if line.items]
    if listed and not with_items:
        yield f"{sum(len(line.items) for line in listed)} items make up lines {_numbers(listed)}; --items lists them"
    for why, ids in shown.waiting.items():
        yield f"Left for a later bill, {why}: {first_of(ids, _MOST_IDS)}"
    if shown.edits:
        yield ""
        numbers = {line.charge_key: line.number for line in content.lines}
        rows = [_edit(one, numbers) for one in shown.edits]
        yield table(("edit of", "no.", "what", "of", "before", "after", "by", "reason"), rows, right=("no.",))
    for line in listed if with_items else ():
        yield ""
        yield f"Line {line.number}: {line.description}"
        yield _items(line)


def _edit(one: StandingEdit, numbers: Mapping[str, int]) -> tuple[object, ...]:
    edit = one.edit
    what = " of ".join(part for part in (edit.name, _edited(edit, numbers)) if part)
    field = f"write-down {edit.cut}" if edit.cut else edit.field.value
    return one.account, one.position, field, what, edit.before, edit.after, edit.actor, edit.reason


def _edited(edit: Edit, numbers: Mapping[str, int]) -> str:
    """Return what an edit is of, as people know it: the record's id at its source, the line as it is numbered now."""
    if edit.target in numbers:
        return f"line {numbers[edit.target]}"
    if edit.field in RECORD_FIELDS or not edit.about:
        return edit.about or edit.target
    return f"was {edit.about}"


def _numbers(lines: Sequence[DraftLine]) -> str:
    return ", ".join(str(line.number) for line in lines)


def _items(line: DraftLine) -> str:
    labels = list(dict.fromkeys(label for item in line.items for label, _ in item.details))
    rows = []
    for item in line.items:
        facts = dict(item.details)
        rows.append((item.on, item.time, item.text, *(facts.get(label, "") for label in labels), item.quantity, item.amount))
    headers = ("date", "time", "description", *labels, "quantity", "amount")
    return table(headers, rows, right=("quantity", "amount"))


def _head(shown: ShownDocument) -> Iterator[tuple[str, object]]:
    document, content = shown.document, shown.document.content
    yield "document", f"{document.number or 'draft'} ({content.kind.value}, {document.status.value})"
    yield "seller", document.seller.name
    yield "buyer", f"{document.buyer.name}, account {content.account}"
    yield "period", str(content.period)
    yield "date", content.issue_on
    yield "due", content.due_on
    if document.corrects_number:
        yield "corrects", f"{document.corrects_number} of {document.corrects_on}: {content.reason}"
    if document.void_reason:
        yield "void", document.void_reason
    if shown.credits:
        yield "credited by", ", ".join(shown.credits)
    if shown.replaced_by:
        yield "billed anew as", shown.replaced_by
    if shown.open is not None:
        yield "open", shown.open


def _line(line: DraftLine) -> tuple[object, ...]:
    mark = " (estimated)" if line.estimated else ""
    return (line.number, line.description + mark, str(line.service), line.quantity, line.unit_price, line.net, line.tax)


def _totals(content: DraftDocument) -> Iterator[tuple[str, object]]:
    totals = content.totals
    yield "net", totals.net
    yield "tax", totals.tax
    yield "total", totals.gross
    if totals.prepaid:
        yield "paid before", totals.prepaid
    if totals.rounding:
        yield "rounding", totals.rounding
    if totals.payable != totals.gross:
        yield "to pay", totals.payable


def comparison_text(comparison: Comparison) -> str:
    """Return what a new computation of a document changes, line by line."""
    rows = [
        (line.description, line.before_quantity, line.after_quantity, line.before, line.after, line.difference)
        for line in comparison.lines
    ]
    headers = ("line", "quantity before", "quantity now", "net before", "net now", "difference")
    total = ("total with tax", None, None, None, None, comparison.gross)
    return table(headers, [*rows, total], right=headers[1:])
