"""The plainest exporter, which every deployment has: lines of documents as comma-separated values; with the check of a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from fractions import Fraction

from billing_framework.exchange.exporter import CheckRequest, ExportDocument, Exported, Exporter, ExportRequest
from billing_framework.values.errors import BillingError
from billing_framework.values.finding import Finding
from billing_framework.values.number import exact, exact_text

COLUMNS = (
    "document", "kind", "account", "issued", "line", "agreement", "code", "description", "first", "last", "quantity", "unit",
    "net", "tax", "gross", "document_gross", "currency",
)  # fmt: skip
_AMOUNTS = ("net", "tax", "gross", "document_gross")


def document_lines() -> Exporter:
    """Return the exporter ``document_lines``: one row a line, exact amounts, the gross total of the document on each row."""
    return Exporter(
        format="document_lines",
        title="Lines of documents as comma-separated values, one row a line",
        suffix=".csv",
        write=_write,
        check=_check,
    )


def _write(documents: Sequence[ExportDocument], _: ExportRequest) -> Exported:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for one in documents:
        rows.writerows(_rows(one))
    return Exported(data=text.getvalue().encode())


def _rows(one: ExportDocument) -> Iterator[list[str]]:
    content = one.document.content
    for line in content.lines:
        quantity = line.quantity
        yield [
            one.number,
            content.kind.value,
            content.account,
            content.issue_on.isoformat(),
            str(line.number),
            line.agreement,
            line.charge_code,
            line.description,
            line.service.start.isoformat(),
            line.service.last.isoformat(),
            exact_text(quantity.value) if quantity is not None else "",
            quantity.unit if quantity is not None else "",
            *(str(money).partition(" ")[0] for money in (line.net, line.tax, line.gross, content.totals.gross)),
            content.currency,
        ]


def _check(data: bytes, request: CheckRequest) -> tuple[Finding, ...]:
    return tuple(_findings(data, request.file))


def _findings(data: bytes, file: str) -> Iterator[Finding]:
    """Yield what is wrong: columns, amounts that are no numbers, lines that do not sum to their document."""
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        yield _wrong(file, 0, f"the file is not comma-separated values in UTF-8: {error}")
        return
    if not rows or tuple(rows[0]) != COLUMNS:
        yield _wrong(file, 1, f"the first row is not {','.join(COLUMNS)}")
        return
    sums: dict[str, tuple[Fraction, Fraction, int]] = {}
    for number, cells in enumerate(rows[1:], start=2):
        if len(cells) != len(COLUMNS):
            yield _wrong(file, number, f"the row has {len(cells)} cells, not {len(COLUMNS)}")
            continue
        row = dict(zip(COLUMNS, cells, strict=True))
        try:
            net, tax, gross, whole = (exact(row[name]) for name in _AMOUNTS)
        except BillingError as error:
            yield _wrong(file, number, error.what, row["document"])
            continue
        if net + tax != gross:
            yield _wrong(file, number, f"{row['net']} and tax of {row['tax']} are not {row['gross']}", row["document"])
        before, told, _ = sums.get(row["document"], (Fraction(0), whole, number))
        if told != whole:
            yield _wrong(file, number, "the rows of the document name two totals", row["document"])
        sums[row["document"]] = (before + gross, told, number)
    for document, (gross, told, number) in sums.items():
        if gross != told:
            yield _wrong(file, number, f"its lines sum to {exact_text(gross)}, not {exact_text(told)}", document)


def _wrong(file: str, line: int, what: str, subject: str = "") -> Finding:
    return Finding(
        code="EXPORT06", what=what, remedy="Export the documents again, and compare", file=file, line=line, subject=subject
    )
