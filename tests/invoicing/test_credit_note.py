from datetime import date

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.invoicing.credit_note import credit_note, creditable
from billing_framework.invoicing.document import DocumentStatus
from billing_framework.invoicing.draft import DocumentKind, DraftDocument
from billing_framework.invoicing.proof import prove
from billing_framework.values.errors import NotFound, Refused
from billing_framework.values.money import Money, Rounding
from billing_framework.values.quantity import Quantity
from tests.finance_vectors import VECTORS
from tests.invoicing.drafts import ACCOUNT, draft, issued

ON = date(2026, 9, 1)


def euros(text: str) -> Money:
    return Money.of(text, "EUR")


def credit(content: DraftDocument, earlier: list[DraftDocument], nets: dict[int, Money] | None = None) -> DraftDocument:
    return credit_note(issued(content), earlier, key=2 + len(earlier), issue_on=ON, reason="wrong reading", nets=nets)


def test_a_full_credit_is_the_exact_mirror() -> None:
    content = draft(("a", "68.33", "20"), ("b", "57.50", "20"), ("c", "-5.00", "7"), quantity=Quantity(3, "kWh"))
    note = credit(content, [])
    assert note.kind is DocumentKind.CREDIT_NOTE
    assert (note.corrects, note.reason, note.issue_on) == (content.key, "wrong reading", ON)
    assert [line.net for line in note.lines] == [-line.net for line in content.lines]
    assert [line.tax for line in note.lines] == [-line.tax for line in content.lines]
    assert [line.amount for line in note.lines] == [-line.amount for line in content.lines]
    assert [line.quantity for line in note.lines] == [Quantity(-3, "kWh")] * 3
    assert [(tax.taxable, tax.tax) for tax in note.taxes] == [(-tax.taxable, -tax.tax) for tax in content.taxes]
    assert note.totals.gross == -content.totals.gross
    assert prove(note) == []


def test_cash_rounding_goes_back_with_the_last_credit() -> None:
    account = attrs.evolve(ACCOUNT, currency="CHF")
    content = draft(("a", "10.01", "8.1"), ("b", "3.00", "8.1"), account=account, cash_rounding=Rounding(step_minor=5))
    first = credit(content, [], {2: Money.of("3.00", "CHF")})
    assert not first.totals.rounding
    last = credit(content, [first])
    assert last.totals.rounding == -content.totals.rounding
    assert first.totals.payable + last.totals.payable == -content.totals.payable
    by_lines = credit(content, [first], {1: Money.of("10.01", "CHF")})
    assert by_lines.totals == last.totals


def test_credit_notes_by_line_sum_to_the_invoice() -> None:
    vector = VECTORS["round-04"]
    content = draft(*((str(place), net, "20") for place, net in enumerate(vector["inputs"]["lines_net"])))
    notes: list[DraftDocument] = []
    for line in content.lines:
        notes.append(credit(content, notes, {line.number: line.net}))
    assert [-note.totals.gross for note in notes] == [euros(gross) for gross in vector["expected"]["line_gross"]]
    assert Money.total((note.totals.gross for note in notes), "EUR") == -euros(vector["expected"]["invoice_total"])


def test_a_line_is_never_credited_beyond_itself() -> None:
    vector = VECTORS["pay-08"]
    nets = VECTORS["round-04"]["inputs"]["lines_net"]
    content = draft(*((str(place), net, "20") for place, net in enumerate(nets)))
    first = creditable(content, [])[0]
    assert (first.net, first.gross) == (euros(vector["inputs"]["line_net"]), euros(vector["expected"]["max_credit"]))
    note = credit(content, [], {1: euros(vector["inputs"]["line_net"])})
    assert creditable(content, [note])[0].is_spent
    with pytest.raises(Refused, match="INVOICE16"):
        credit(content, [note], {1: euros("68.33")})
    with pytest.raises(Refused, match="INVOICE16 nothing of INV-2026-000001 is left"):
        credit(draft(("a", "1.00", "0")), [credit(draft(("a", "1.00", "0")), [])])


@pytest.mark.parametrize("part", ["68.34", "-1.00", "0.00"])
def test_wrong_parts_are_refused(part: str) -> None:
    with pytest.raises(
        Refused, match=r"INVOICE16 .* cannot be credited of line 1 of INV-2026-000001, of which 68\.33 EUR is left"
    ):
        credit(draft(("a", "68.33", "20")), [], {1: euros(part)})


def test_an_unknown_line_and_a_wrong_document_are_refused() -> None:
    content = draft(("a", "68.33", "20"))
    with pytest.raises(NotFound, match="INVOICE17 INV-2026-000001 has no line 2"):
        credit(content, [], {2: euros("1.00")})
    note = credit(content, [])
    for wrong in (
        attrs.evolve(issued(content), content=note),
        attrs.evolve(issued(content), status=DocumentStatus.VOID),
    ):
        with pytest.raises(Refused, match="INVOICE15"):
            credit_note(wrong, key=9, issue_on=ON, reason="?")


def parts_of(total: int, count: int, draw: st.DrawFn) -> list[int]:
    cuts = sorted(draw(st.lists(st.integers(1, max(1, total - 1)), min_size=count - 1, max_size=count - 1, unique=True)))
    return [second - first for first, second in zip([0, *cuts], [*cuts, total], strict=True)]


@st.composite
def lines_in_parts(draw: st.DrawFn) -> tuple[list[int], list[list[int]]]:
    nets = draw(st.lists(st.integers(10, 10_000), min_size=1, max_size=4))
    signs = draw(st.lists(st.sampled_from([1, -1]), min_size=len(nets), max_size=len(nets)))
    parts = [parts_of(net, draw(st.integers(1, 4)), draw) for net in nets]
    return [net * sign for net, sign in zip(nets, signs, strict=True)], [
        [part * sign for part in own] for own, sign in zip(parts, signs, strict=True)
    ]


@given(lines_in_parts(), st.sampled_from(["19", "7", "9.975", "0"]))
def test_any_parts_of_all_lines_take_back_exactly_what_was_billed(shape: tuple[list[int], list[list[int]]], rate: str) -> None:
    nets, parts = shape
    content = draft(*((str(place), str(Money(net, "EUR")).split()[0], rate) for place, net in enumerate(nets)))
    notes: list[DraftDocument] = []
    for number, own in enumerate(parts, start=1):
        for part in own:
            note = credit(content, notes, {number: Money(part, "EUR")})
            assert prove(note) == []
            notes.append(note)
            for left in creditable(content, notes):
                low, high = sorted((0, left.line.net.minor))
                assert low <= left.net.minor <= high
                low, high = sorted((0, left.line.tax.minor))
                assert low <= sum(part.tax.minor for part in left.taxes) <= high
    assert all(left.is_spent for left in creditable(content, notes))
    assert Money.total((note.totals.gross for note in notes), "EUR") == -content.totals.gross
