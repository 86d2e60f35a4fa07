"""Credit notes: what was billed is taken back as its exact mirror, in full or line by line, and never more than was billed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

import attrs

from billing_framework.invoicing.document import Document, DocumentStatus
from billing_framework.invoicing.draft import DocumentKind, DraftDocument, DraftLine, TaxLine, Totals
from billing_framework.taxing.credit import Creditable, credited_tax
from billing_framework.taxing.tax import LineTax
from billing_framework.values.errors import NotFound, Refused
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class Remaining:
    """What is left of one line of an issued document after the credit notes so far.

    Attributes:
        line: the line as it was issued.
        net: what is left without tax.
        taxes: what is left of each tax, in the order of the line.
    """

    line: DraftLine
    net: Money
    taxes: tuple[LineTax, ...]

    @property
    def gross(self) -> Money:
        """The most that can still be credited of the line."""
        return self.net + Money.total((part.tax for part in self.taxes), self.net.currency)

    @property
    def is_spent(self) -> bool:
        """True where nothing is left."""
        return not self.net and not any(part.tax for part in self.taxes)


def creditable(original: DraftDocument, earlier: Sequence[DraftDocument]) -> tuple[Remaining, ...]:
    """Return what is left of each line of `original` after the issued credit notes `earlier`."""
    taken: dict[int, list[DraftLine]] = {}
    for note in earlier:
        for line in note.lines:
            taken.setdefault(line.corrects_line, []).append(line)
    return tuple(_left(line, taken.get(line.number, [])) for line in original.lines)


def _left(line: DraftLine, credited: Sequence[DraftLine]) -> Remaining:
    net, taxes = line.net, list(line.taxes)
    for credit in credited:
        net = net + credit.net
        for place, part in enumerate(credit.taxes):
            before = taxes[place]
            taxes[place] = attrs.evolve(before, taxable=before.taxable + part.taxable, tax=before.tax + part.tax)
    return Remaining(line=line, net=net, taxes=tuple(taxes))


def credit_note(
    original: Document,
    earlier: Sequence[DraftDocument] = (),
    *,
    key: int,
    issue_on: date,
    reason: str,
    nets: Mapping[int, Money] | None = None,
) -> DraftDocument:
    """Return the draft of a credit note for all that is left of a document, or for amounts of chosen lines.

    Every amount mirrors the original's sign, so that original and credit notes sum to what remains owed. The tax of a part is
    the part's share of the tax that was stored with the line; the last credit of a line takes the rest.

    Args:
        original: the issued document.
        earlier: the credit notes that were issued for it before.
        key: key of the credit note.
        issue_on: its date.
        reason: printed reason.
        nets: number of a line of the original to the amount without tax that is credited of it, with the sign of the line;
            None credits all that is left.

    Raises:
        Refused: ``INVOICE15`` where the document cannot be credited, ``INVOICE16`` where more than is left would be credited.
        NotFound: ``INVOICE17`` for a line that the document does not have.
    """
    source = original.content
    if original.status is not DocumentStatus.ISSUED or source.kind is DocumentKind.CREDIT_NOTE:
        raise Refused(
            "INVOICE15",
            f"{original.number} is a {source.kind.value} with status {original.status.value} and cannot be credited",
            remedy="Credit an issued invoice or debit note",
        )
    left = creditable(source, earlier)
    parts = [item.net if nets is None else nets.get(item.line.number) for item in left]
    _check_lines(original, left, nets)
    lines = tuple(
        _credit_line(position, item, part, original.number)
        for position, (item, part) in enumerate(
            ((item, part) for item, part in zip(left, parts, strict=True) if part is not None and not item.is_spent), start=1
        )
    )
    if not lines:
        raise Refused("INVOICE16", f"nothing of {original.number} is left to credit", remedy="Look at its credit notes")
    spent = nets is None or all(item.is_spent for item in creditable(source, [*earlier, _only_lines(source, lines)]))
    return _note(source, lines, earlier, key=key, issue_on=issue_on, reason=reason, last=spent)


def _check_lines(original: Document, left: Sequence[Remaining], nets: Mapping[int, Money] | None) -> None:
    if nets is None:
        return
    numbers = [item.line.number for item in left]
    for number in nets:
        if number not in numbers:
            raise NotFound("INVOICE17", f"{original.number} has no line {number}", remedy=f"Its lines are 1 to {len(numbers)}")


def _credit_line(position: int, item: Remaining, part: Money, number: str) -> DraftLine:
    line = item.line
    if abs(part.minor) > abs(item.net.minor) or (part.minor < 0) != (item.net.minor < 0) or (not part and item.net):
        raise Refused(
            "INVOICE16",
            f"{part} cannot be credited of line {line.number} of {number}, of which {item.net} is left",
            remedy="Credit an amount of the same sign that is above zero and not more than is left",
        )
    whole = part == line.net
    return attrs.evolve(
        line,
        number=position,
        quantity=-line.quantity if whole and line.quantity is not None else None,
        unit_price=line.unit_price if whole else None,
        amount=-line.amount if whole else -part.amount,
        net=-part,
        taxes=tuple(_credit_tax(stored, left, part, item) for stored, left in zip(line.taxes, item.taxes, strict=True)),
        details=(),
        records=0,
        items=(),
        corrects_line=line.number,
    )


def _credit_tax(stored: LineTax, left: LineTax, part: Money, item: Remaining) -> LineTax:
    """Return the mirror of one tax's share, by the rule of `taxing.credit`; the base is shared by the same rule."""

    def share(whole: Money, rest: Money) -> Money:
        net = item.line.net
        return -credited_tax(Creditable(net=net, tax=whole, credited_net=net - item.net, credited_tax=whole - rest), part)

    return attrs.evolve(left, taxable=share(stored.taxable, left.taxable), tax=share(stored.tax, left.tax))


def _only_lines(source: DraftDocument, lines: tuple[DraftLine, ...]) -> DraftDocument:
    return attrs.evolve(source, lines=lines)


def _note(
    source: DraftDocument,
    lines: tuple[DraftLine, ...],
    earlier: Sequence[DraftDocument],
    *,
    key: int,
    issue_on: date,
    reason: str,
    last: bool,
) -> DraftDocument:
    currency = source.currency
    taxes = _tax_lines(source, lines)
    net = Money.total((line.net for line in lines), currency)
    tax = Money.total((item.tax for item in taxes), currency)
    before = Money.total((note.totals.rounding for note in earlier), currency)
    rounding = -(source.totals.rounding + before) if last else Money.zero(currency)  # cash rounding goes back with the last line
    gross = net + tax
    totals = Totals(net=net, tax=tax, gross=gross, prepaid=Money.zero(currency), rounding=rounding, payable=gross + rounding)
    return attrs.evolve(
        source,
        key=key,
        kind=DocumentKind.CREDIT_NOTE,
        issue_on=issue_on,
        tax_point_on=issue_on,
        due_on=issue_on,
        lines=lines,
        taxes=taxes,
        totals=totals,
        notes=(),
        corrects=source.key,
        reason=reason,
        findings=(),
    )


def _tax_lines(source: DraftDocument, lines: Sequence[DraftLine]) -> tuple[TaxLine, ...]:
    zero = Money.zero(source.currency)
    sums: dict[tuple[str, Fraction], tuple[Money, Money]] = {}
    for line in lines:
        for part in line.taxes:
            taxable, tax = sums.get((part.code, part.rate), (zero, zero))
            sums[part.code, part.rate] = (taxable + part.taxable, tax + part.tax)
    return tuple(
        attrs.evolve(item, taxable=sums[item.code, item.rate][0], tax=sums[item.code, item.rate][1])
        for item in source.taxes
        if (item.code, item.rate) in sums
    )
