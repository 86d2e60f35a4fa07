from datetime import date, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.receivables.allocation import (
    AllocationPlan,
    Instruction,
    allocations_of,
    net_credits,
    plan_allocation,
    undo_allocation,
)
from billing_framework.receivables.open_item import Allocation, ItemKind, OpenItem, standings
from billing_framework.receivables.write_off import write_off
from billing_framework.values.errors import NotFound, Refused, UnitMismatch
from billing_framework.values.money import Money
from tests.finance_vectors import VECTORS
from tests.receivables.items import PAID_ON, credit, debit, euros, open_of

AUGUST = date(2026, 8, 1)


def invoices(*amounts: str) -> list[OpenItem]:
    return [debit(str(place), amount, due_on=AUGUST + timedelta(days=place)) for place, amount in enumerate(amounts)]


def allocated(plan: AllocationPlan, items: list[OpenItem]) -> list[Money]:
    shares = {share.debit: share.amount for share in plan.shares}
    return [shares.get(item.key, euros("0.00")) for item in items]


def test_oldest_due_first() -> None:
    vector = VECTORS["pay-01"]
    items = invoices(*vector["inputs"]["open_by_due"])
    plan = plan_allocation(open_of(credit(vector["inputs"]["payment"]))[0], list(reversed(open_of(*items))))
    assert allocated(plan, items) == [euros(part) for part in vector["expected"]["allocated"]]
    assert plan.unapplied == euros(vector["expected"]["unapplied"])


def test_pro_rata_by_law() -> None:
    vector = VECTORS["pay-02"]
    items = invoices(*vector["inputs"]["charges"])
    plan = plan_allocation(open_of(credit(vector["inputs"]["payment"]))[0], open_of(*items), strategy="pro_rata")
    assert allocated(plan, items) == [euros(part) for part in vector["expected"]["allocated"]]
    in_full = plan_allocation(open_of(credit("250.00"))[0], open_of(*items), strategy="pro_rata")
    assert allocated(in_full, items) == [item.original for item in items]
    assert in_full.unapplied == euros("50.00")


def test_an_overpayment_stays_on_account() -> None:
    vector = VECTORS["pay-04"]
    items = invoices(vector["inputs"]["open"])
    plan = plan_allocation(open_of(credit(vector["inputs"]["payment"]))[0], open_of(*items))
    assert allocated(plan, items) == [euros(vector["expected"]["clearing"])]
    assert plan.unapplied == euros(vector["expected"]["payment_on_account"])


def test_a_short_payment_within_tolerance_is_written_off() -> None:
    vector = VECTORS["pay-05"]
    (invoice,) = invoices(vector["inputs"]["bill"])
    payment = credit(vector["inputs"]["payment"])
    plan = plan_allocation(open_of(payment)[0], open_of(invoice), tolerance=euros(vector["inputs"]["tolerance"]))
    expected = vector["expected"]
    assert allocated(plan, [invoice]) == [euros(expected["allocated"])]
    assert plan.small_balances == ((invoice.key, euros(expected["small_balance_writeoff"])),)
    paid = allocations_of(plan, "payment/P-1/allocate", PAID_ON)
    rest = open_of(invoice, allocations=paid)[0]
    settlement = write_off(rest, action="small/P-1", on=PAID_ON)
    assert open_of(invoice, allocations=[*paid, *settlement.allocations])[0].open == euros(expected["open"])


def test_a_rest_above_tolerance_or_of_an_untouched_item_stays_open() -> None:
    items = invoices("100.00", "0.50")
    plan = plan_allocation(open_of(credit("98.99"))[0], open_of(*items), tolerance=euros("1.00"))
    assert plan.small_balances == ()


def test_instalments_spread_to_the_sources_by_age_or_pro_rata() -> None:
    vector = VECTORS["plan-03"]
    items = invoices(*vector["inputs"]["sources"])
    payment = open_of(credit(vector["inputs"]["instalment_paid"]))[0]
    by_age = plan_allocation(payment, open_of(*items), strategy="oldest_first")
    pro_rata = plan_allocation(payment, open_of(*items), strategy="pro_rata")
    assert allocated(by_age, items) == [euros(part) for part in vector["expected"]["by_age"]]
    assert allocated(pro_rata, items) == [euros(part) for part in vector["expected"]["pro_rata"]]


def test_instalments_sum_to_the_debt() -> None:
    vector = VECTORS["plan-01"]
    parts = euros(vector["inputs"]["total"]).shared([1] * vector["inputs"]["n"])
    assert parts == [euros(part) for part in vector["expected"]["instalments"]]


def test_the_payers_instruction_comes_before_the_strategy() -> None:
    items = invoices("100.00", "50.00", "75.00")
    payment = open_of(credit("160.00"))[0]
    wishes = [Instruction(item="2"), Instruction(item="document/1", amount=euros("20.00"))]
    plan = plan_allocation(payment, open_of(*items), instructions=wishes)
    assert [(share.debit, str(share.amount), share.strategy) for share in plan.shares] == [
        ("document/2", "75.00 EUR", "by_document"),
        ("document/1", "20.00 EUR", "by_document"),
        ("document/0", "65.00 EUR", "oldest_first"),
    ]
    only = plan_allocation(payment, open_of(*items), instructions=wishes, strategy="by_document")
    assert (len(only.shares), only.unapplied) == (2, euros("65.00"))


def test_an_instruction_that_cannot_be_followed_is_told_and_settles_what_it_can() -> None:
    items = invoices("100.00")
    wishes = [Instruction(item="9"), Instruction(item="0", amount=euros("130.00"))]
    plan = plan_allocation(open_of(credit("120.00"))[0], open_of(*items), instructions=wishes, strategy="by_document")
    assert [(finding.code, finding.subject, finding.stops) for finding in plan.findings] == [
        ("AR15", "9", False),
        ("AR15", "0", False),
    ]
    assert (allocated(plan, items), plan.unapplied) == ([euros("100.00")], euros("20.00"))


def test_lines_by_priority() -> None:
    first = debit("1", "70.00", due_on=AUGUST, lines=[("energy.peak", "50.00"), ("deposit", "20.00")])
    second = debit("2", "70.00", due_on=date(2026, 9, 1), lines=[("energy.peak", "40.00"), ("arrears", "30.00")])
    plan = plan_allocation(
        open_of(credit("75.00"))[0],
        open_of(first, second),
        strategy="line_priority",
        priorities=("deposit*", "arrears", "energy.*"),
    )
    assert [(share.debit, share.line, str(share.amount)) for share in plan.shares] == [
        ("document/1", 2, "20.00 EUR"),
        ("document/2", 2, "30.00 EUR"),
        ("document/1", 1, "25.00 EUR"),
    ]


def test_an_instruction_may_name_a_line() -> None:
    invoice = debit("1", "70.00", lines=[("energy", "50.00"), ("service", "20.00")])
    plan = plan_allocation(
        open_of(credit("30.00"))[0], open_of(invoice), instructions=[Instruction(item="1", line=2)], strategy="by_document"
    )
    assert [(share.line, str(share.amount)) for share in plan.shares] == [(2, "20.00 EUR")]


def test_credits_are_netted_with_what_they_correct_first() -> None:
    old, corrected = debit("1", "100.00"), debit("2", "80.00", due_on=date(2026, 9, 1))
    note = credit("90.00", "CN-1", kind=ItemKind.CREDIT_NOTE, corrects="document/2")
    free = credit("5.00", "CN-2", kind=ItemKind.CREDIT_NOTE)
    plans = net_credits(open_of(free, note), open_of(old, corrected))
    assert [[(share.debit, str(share.amount)) for share in plan.shares] for plan in plans] == [
        [("document/2", "80.00 EUR"), ("document/1", "10.00 EUR")],
        [("document/1", "5.00 EUR")],
    ]


def test_an_allocation_is_undone_once_by_its_exact_opposite() -> None:
    invoice, payment = debit("1", "100.00"), credit("60.00")
    plan = plan_allocation(open_of(payment)[0], open_of(invoice))
    (link,) = allocations_of(plan, "act", PAID_ON)
    undo = undo_allocation(link, [link], key="undo", on=PAID_ON)
    assert (undo.amount, undo.undoes, undo.debit, undo.credit) == (euros("-60.00"), "act/1", invoice.key, payment.key)
    assert [standing.open for standing in open_of(invoice, payment, allocations=[link, undo])] == [
        euros("100.00"),
        euros("-60.00"),
    ]
    for again in (link, undo):
        with pytest.raises(Refused, match="AR16"):
            undo_allocation(again, [link, undo], key="undo2", on=PAID_ON)


def test_sides_that_do_not_fit_are_refused() -> None:
    payment, invoice = open_of(credit("60.00"))[0], open_of(debit("1", "60.00"))[0]
    with pytest.raises(Refused, match="AR14"):
        plan_allocation(invoice, [invoice])
    with pytest.raises(Refused, match="AR14"):
        plan_allocation(payment, [payment])
    with pytest.raises(Refused, match="AR14 document/1 belongs to A-2, the credit payment/P-1 to A-1"):
        plan_allocation(payment, open_of(debit("1", "1.00", account="A-2")))
    with pytest.raises(NotFound, match=r"AR13 there is no allocation strategy 'oldest'. Did you mean 'oldest_first'"):
        plan_allocation(payment, [invoice], strategy="oldest")
    dollars = attrs.evolve(debit("1", "1.00"), original=Money.of("1.00", "USD"))
    with pytest.raises(UnitMismatch, match="VALUE07"):
        plan_allocation(payment, open_of(dollars))


def item_with_lines(place: int, parts: list[int]) -> OpenItem:
    texts = [(f"code{number % 3}", str(Money(part, "EUR")).split()[0]) for number, part in enumerate(parts)]
    total = str(Money(sum(parts), "EUR")).split()[0]
    return debit(str(place), total, due_on=AUGUST + timedelta(days=place % 3), lines=texts)


@given(
    st.lists(st.lists(st.integers(1, 5_000), min_size=1, max_size=3), min_size=1, max_size=5),
    st.lists(st.integers(1, 20_000), min_size=1, max_size=4),
    st.sampled_from(["oldest_first", "pro_rata", "line_priority", "by_document"]),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(1, 6_000)), max_size=3),
)
def test_whatever_is_paid_nothing_is_settled_twice_and_nothing_is_lost(
    shapes: list[list[int]], payments: list[int], strategy: str, wishes: list[tuple[int, int, int]]
) -> None:
    items = [item_with_lines(place, parts) for place, parts in enumerate(shapes)]
    credits_ = [credit(str(Money(paid, "EUR")).split()[0], f"P-{place}") for place, paid in enumerate(payments)]
    links: list[Allocation] = []
    for payment in credits_:
        (standing,) = standings([payment], links)
        plan = plan_allocation(
            standing,
            standings(items, links),
            strategy=strategy,
            priorities=("code1", "code0"),
            instructions=[Instruction(item=str(item), line=line, amount=Money(part, "EUR")) for item, line, part in wishes],
        )
        new = allocations_of(plan, payment.key, PAID_ON)
        assert all(link.amount.minor > 0 for link in new)
        links += new
        assert Money.total((link.amount for link in new), "EUR") + plan.unapplied == -payment.original
    after = standings([*items, *credits_], links)  # refuses what is settled beyond itself
    assert Money.total((standing.open for standing in after), "EUR") == Money.total(
        (item.original for item in [*items, *credits_]), "EUR"
    )
    for standing in after[: len(items)]:
        assert Money.total((rest for _, rest in standing.line_opens), "EUR") == standing.open
        assert all(rest.minor >= 0 for _, rest in standing.line_opens)
    if strategy != "by_document":
        total_owed = sum(map(sum, shapes))
        assert sum(link.amount.minor for link in links) == min(total_owed, sum(payments))
