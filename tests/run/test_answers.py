"""Answers of third parties: what adds up is booked once, what does not waits with its money, a reversal restores the books."""

from __future__ import annotations

from datetime import date
from typing import Any

import attrs
import pytest

from billing_framework.plugin.hookspecs import hookimpl
from billing_framework.plugin.host import Host
from billing_framework.plugin.settings import AnswerSettings
from billing_framework.receivables.hold import Block
from billing_framework.run.collect.answer import AnswerImport, import_answers
from billing_framework.run.collect.answer_queue import Retry, close_denial, discard_item, retry_all, retry_item
from billing_framework.run.collect.answer_view import answers_taken_in, items_waiting, show_answer
from billing_framework.run.collect.assign import assign_payment
from billing_framework.run.collect.hold import HoldRequest, place_hold, release_hold
from billing_framework.run.collect.payment import PaymentRequest, record_payment
from billing_framework.run.collect.view import open_items
from billing_framework.run.collect.write_off import write_off_item
from billing_framework.run.master.customers import create
from billing_framework.run.prove.reconcile import reconcile
from billing_framework.run.prove.trial_balance import book_trial_balance, prove
from billing_framework.storage.audit import events
from billing_framework.storage.engine import Database
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from billing_framework.values.errors import Conflict, InputRefused, LedgerRefused, NotFound, Refused
from billing_framework.values.money import Money
from tests.behind import behind
from tests.grown import grown_once
from tests.run import slips
from tests.scenarios import workshop
from tests.scenarios.office import BOOK, Office

CHART = """
[[book.account]]
code = "5100"
name = "Given up by agreement"
type = "expense"
[[book.account]]
code = "4100"
name = "Interest"
type = "income"
[[book.account]]
code = "2300"
name = "Carried forward"
type = "liability"
[book.adjustments]
"agreed.*" = "5100"
"interest" = "4100"
"forward" = "2300"
"""


@grown_once
def with_two_documents(database: Database, **settings: Any) -> Office:
    office = Office.of(database, book=BOOK + CHART, **settings)
    host = Host.build([("workshop", workshop), ("slips", slips)])
    office = Office(attrs.evolve(office.deployment, host=host), office.clock)
    office.customer("C1", "saw")
    create(office.deployment, PARTIES, {"code": "P-T", "name": "Third party"})
    for account, machine in (("T1", "drill"), ("T2", "lathe")):
        create(office.deployment, ACCOUNTS, {"code": account, "party": "P-T", "book": "MAIN", "currency": "USD"})
        fields = {"code": f"A-{account}", "account": account, "plan": "machine", "starts_on": "2026-01-01"}
        create(office.deployment, AGREEMENTS, {**fields, "term.patron": "C1"})
        create(office.deployment, ASSIGNMENTS, {"subject": machine, "agreement": f"A-{account}", "starts_on": "2026-01-01"})
    office.jobs("j1,drill,2026-07-03T08:00:00+00:00,10")
    office.bill("2026-07")
    assert office.documents() == ["INV-2026-000001 C1 33.00", "INV-2026-000002 T1 55.00", "INV-2026-000003 T2 33.00"]
    return office


@attrs.define
class Desk:
    """An office with a third party's account T, who answers two documents, and the account C1 of who owes next."""

    office: Office

    @classmethod
    def of(cls, database: Database, **settings: Any) -> Desk:
        return cls(with_two_documents(database, **settings))

    def take(self, *rows: str, **options: Any) -> AnswerImport:
        options = {"file": "slips.csv", "book": "MAIN", **options}
        return import_answers(self.office.deployment, "\n".join(rows).encode(), "slips", **options)

    def books(self) -> dict[str, str]:
        shown = book_trial_balance(self.office.deployment, "MAIN", None)
        return {line.name: str(line.balance).removesuffix(" USD") for line in shown.lines if line.balance}

    def open(self, account: str) -> list[str]:
        shown = open_items(self.office.deployment, account)
        return [f"{one.reference} {str(one.open).removesuffix(' USD')}" for one in shown.items if one.open]

    def sound(self) -> None:
        """Check that ledger and sub-ledgers prove."""
        assert prove(self.office.deployment, "MAIN", known_heads={}).findings == ()
        assert reconcile(self.office.deployment, deep=True) == []
        waiting = [one.item for one in items_waiting(self.office.deployment) if one.item.state == "suspended"]
        suspense = -Money.total((one.money for one in waiting), "USD")
        assert self.books().get("Suspense", "0.00") == str(suspense).removesuffix(" USD")


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk.of(database)


BEFORE = {"Receivable": "121", "Revenue": "-110", "Sales tax": "-11"}
PAID = (
    "payment,GUILD,TR-1,30.00,2026-08-01",
    "item,2/A/1,INV-2026-000002,A,answered,55.00,30.00,10.00",
    "line,1,33.00,20.00",
    "adjust,CO,45,13.00,reduce,agreed.rate",
    "line,2,22.00,10.00",
    "adjust,PR,2,10.00,next_party,",
    "adjust,CO,42,2.00,reduce,agreed.other",
)


def counted(report: AnswerImport) -> dict[str, Any]:
    (answer,) = report.answers
    return {
        name: value for name, value in attrs.asdict(answer, recurse=False).items() if value and name not in ("payer", "trace")
    }


def codes(report: AnswerImport) -> list[str]:
    return [finding.code for finding in report.findings]


def test_an_answer_pays_reduces_and_moves_on(desk: Desk) -> None:
    assert desk.books() == BEFORE | {"Receivable": "121.00", "Revenue": "-110.00", "Sales tax": "-11.00"}
    report = desk.take(*PAID)
    assert report.findings == ()
    assert report.written
    assert counted(report) | {"money": 0, "waiting": 0} == {"items": 1, "posted": 1, "money": 0, "waiting": 0}
    assert desk.books() == {
        "Bank": "30.00",
        "Receivable": "76.00",
        "Given up by agreement": "15.00",
        "Revenue": "-110.00",
        "Sales tax": "-11.00",
    }
    assert desk.open("T1") == []
    assert desk.open("C1") == ["INV-2026-000001 33.00", "INV-2026-000002 10.00"]
    moved = open_items(desk.office.deployment, "C1").items[-1]
    assert (moved.dated_on, moved.due_on) == (date(2026, 8, 1), date(2026, 8, 15))
    with desk.office.deployment.database.read() as connection:
        (told,) = [event for event in events(connection) if event.action == "answer import"]
    assert (told.object_key, told.actor, told.after and told.after["posted"]) == ("TR-1", "ada", 1)
    desk.sound()


def test_the_same_file_again_books_nothing_and_says_so(desk: Desk) -> None:
    desk.take(*PAID)
    before = desk.books()
    again = desk.take(*PAID, file="again.csv")
    assert not again.written
    assert (again.answers[0].duplicate, again.answers[0].posted, again.answers[0].seen_before) == (1, 0, True)
    assert again.findings == ()
    assert desk.books() == before
    desk.sound()


def test_a_rehearsal_says_the_same_and_writes_nothing(desk: Desk) -> None:
    rehearsed = desk.take(*PAID, check_only=True)
    assert desk.books()["Receivable"] == "121.00"
    assert attrs.evolve(rehearsed, written=True) == desk.take(*PAID)


def reversed_rows(trace: str = "TR-2", money: str = "0.00", *more: str) -> tuple[str, ...]:
    return (
        f"payment,GUILD,{trace},{money},2026-08-20",
        "item,2/A/22,INV-2026-000002,A,reversed,-55.00,-30.00,",
        "adjust,CO,45,-13.00,reduce,agreed.rate",
        "adjust,PR,2,-10.00,next_party,",
        "adjust,CO,42,-2.00,reduce,agreed.other",
        *more,
    )


def test_a_reversal_restores_the_books_exactly(desk: Desk) -> None:
    desk.take(*PAID)
    report = desk.take(*reversed_rows("TR-2", "0.00", "other,FB,TR-2,-30.00,forward"))
    assert report.findings == ()
    assert (report.answers[0].posted, report.answers[0].reversed) == (1, 1)
    assert desk.books() == {
        "Bank": "30.00",
        "Receivable": "121.00",
        "Carried forward": "-30.00",
        "Revenue": "-110.00",
        "Sales tax": "-11.00",
    }
    assert desk.open("T1") == ["INV-2026-000002 55.00"]
    assert desk.open("C1") == ["INV-2026-000001 33.00"]
    desk.sound()


def test_reversal_and_correction_in_one_file(desk: Desk) -> None:
    desk.take(*PAID)
    correction = (
        "item,2/A/1b,INV-2026-000002,A,answered,55.00,40.00,",
        "adjust,CO,45,15.00,reduce,agreed.rate",
    )
    report = desk.take(*reversed_rows("TR-2", "10.00", *correction))
    assert report.findings == ()
    assert (report.answers[0].posted, report.answers[0].reversed) == (2, 1)
    assert desk.open("T1") == []
    assert desk.open("C1") == ["INV-2026-000001 33.00"]
    assert {name: desk.books()[name] for name in ("Bank", "Given up by agreement")} == {
        "Bank": "40.00",
        "Given up by agreement": "15.00",
    }
    assert "Suspense" not in desk.books()
    # and the correction can be taken back in its turn
    again = desk.take(
        "payment,GUILD,TR-3,0.00,2026-08-25",
        "item,2/A/22b,INV-2026-000002,A,reversed,-55.00,-40.00,",
        "adjust,CO,45,-15.00,reduce,agreed.rate",
        "other,FB,x,-40.00,forward",
    )
    assert again.findings == ()
    assert desk.open("T1") == ["INV-2026-000002 55.00"]
    desk.sound()


def test_what_the_next_party_has_paid_stays_theirs_after_a_reversal(desk: Desk) -> None:
    desk.take(*PAID)
    request = PaymentRequest(account="C1", money=Money.of("43", "USD"), received_on=date(2026, 8, 10), external_ref="CASH-1")
    record_payment(desk.office.deployment, request)
    assert desk.open("C1") == []
    assert desk.take(*reversed_rows("TR-2", "0.00", "other,FB,TR-2,-30.00,forward")).findings == ()
    assert desk.open("C1") == ["CASH-1 -10.00"]
    assert desk.open("T1") == ["INV-2026-000002 55.00"]
    desk.sound()


NOT_A_MIRROR = {
    "another amount": ("-13.00", "-12.00"),
    "another reason": ("CO,45,-13.00", "CO,46,-13.00"),
    "another reference": ("INV-2026-000002,A,", "INV-2026-000002,B,"),
    "another document": ("INV-2026-000002,A,", "INV-2026-000003,A,"),
}


@pytest.mark.parametrize("what", NOT_A_MIRROR)
def test_a_reversal_of_something_else_waits_with_its_money(desk: Desk, what: str) -> None:
    desk.take(*PAID)
    before = desk.books()
    old, new = NOT_A_MIRROR[what]
    rows = [row.replace(old, new) for row in reversed_rows("TR-2", "0.00", "other,FB,TR-2,-30.00,forward")]
    if what == "another amount":
        rows = [row.replace("-2.00", "-3.00") for row in rows]
    report = desk.take(*rows)
    assert codes(report) == ["ANSWER08"]
    assert str(report.answers[0].waiting) == "-30.00 USD"
    assert desk.books() == before | {"Suspense": "30.00", "Carried forward": "-30.00"}
    desk.sound()


def test_a_part_that_moved_on_keeps_the_reversal_waiting(desk: Desk) -> None:
    desk.take(*PAID)
    write_off_item(desk.office.deployment, "INV-2026-000002", account="C1", reason="small")
    report = desk.take(*reversed_rows("TR-2", "0.00", "other,FB,TR-2,-30.00,forward"))
    assert codes(report) == ["ANSWER09"]
    desk.sound()


def test_a_denial_gives_nothing_up_and_is_worked_on(desk: Desk) -> None:
    report = desk.take(
        "payment,GUILD,TR-1,0.00,2026-08-01",
        "item,2/A/4,INV-2026-000002,A,denied,55.00,0.00,",
        "adjust,CO,29,55.00,reduce,agreed.rate",
    )
    assert report.findings == ()
    assert (report.answers[0].posted, report.answers[0].denied) == (1, 1)
    assert desk.open("T1") == ["INV-2026-000002 55.00"]
    assert desk.books()["Receivable"] == "121.00"
    (waiting,) = items_waiting(desk.office.deployment, denied=True)
    assert (waiting.name, str(waiting.item.denied)) == ("TR-1/1", "55.00 USD")
    assert items_waiting(desk.office.deployment) == []
    close_denial(desk.office.deployment, "TR-1/1", reason="sent again")
    assert items_waiting(desk.office.deployment, denied=True) == []
    with pytest.raises(Refused, match="ANSWER15"):
        close_denial(desk.office.deployment, "TR-1/1", reason="again")
    desk.sound()


def test_a_denial_that_is_taken_back_needs_no_work_and_can_be_answered_again(desk: Desk) -> None:
    denied = "item,2/A/4,INV-2026-000002,A,denied,55.00,0.00,"
    desk.take("payment,GUILD,TR-1,0.00,2026-08-01", denied, "adjust,CO,29,55.00,deny,")
    report = desk.take(
        "payment,GUILD,TR-2,55.00,2026-08-02",
        "item,2/A/22,INV-2026-000002,A,reversed,-55.00,0.00,",
        "adjust,CO,29,-55.00,deny,",
        "item,2/A/1,INV-2026-000002,A,answered,55.00,55.00,0.00",
    )
    assert report.findings == ()
    assert items_waiting(desk.office.deployment, denied=True) == []
    assert desk.open("T1") == []
    desk.sound()


def test_a_part_denied_stays_open(desk: Desk) -> None:
    rows = [row.replace("reduce,agreed.rate", "deny,") for row in PAID]
    assert desk.take(*rows).answers[0].denied == 1
    assert desk.open("T1") == ["INV-2026-000002 13.00"]
    assert [str(item.item.denied) for item in items_waiting(desk.office.deployment, denied=True)] == ["13.00 USD"]
    desk.sound()


UNBALANCED = {
    "a line": (("line,1,33.00,20.00", "line,1,33.00,21.00"),),
    "the whole": (("adjust,CO,42,2.00", "adjust,CO,42,3.00"), ("line,2,22.00,10.00", "line,2,22.00,9.00")),
    "the lines and the whole": (("line,1,33.00,20.00", "line,1,34.00,21.00"),),
    "what the next party owes": (("30.00,10.00", "30.00,11.00"),),
    "signs": (("next_party", "reduce"), ("30.00,10.00", "30.00,-10.00")),
}


@pytest.mark.parametrize("what", UNBALANCED)
def test_an_item_that_does_not_add_up_waits_and_the_others_are_booked(desk: Desk, what: str) -> None:
    rows = list(PAID)
    for old, new in UNBALANCED[what]:
        rows = [row.replace(old, new) for row in rows]
    rows[0] = "payment,GUILD,TR-1,63.00,2026-08-01"
    report = desk.take(*rows, "item,3/B/1,INV-2026-000003,B,answered,33.00,33.00,")
    assert set(codes(report)) <= {"ANSWER02", "ANSWER03"}
    assert report.findings
    assert (report.answers[0].posted, report.answers[0].suspended, str(report.answers[0].waiting)) == (1, 1, "30.00 USD")
    assert desk.books()["Suspense"] == "-30.00"
    assert desk.books()["Bank"] == "63.00"
    assert desk.open("T1") == ["INV-2026-000002 55.00"]
    assert desk.open("T2") == []
    assert [decision.state for decision in retry_all(desk.office.deployment)] == ["suspended"]
    desk.sound()


def test_the_other_policy_refuses_the_whole_file(database: Database) -> None:
    desk = Desk.of(database, answers=AnswerSettings(unbalanced_item="refuse_file"))
    report = desk.take(*(row.replace("line,1,33.00,20.00", "line,1,33.00,21.00") for row in PAID))
    assert codes(report) == ["ANSWER02"]
    assert not report.written
    assert desk.books()["Receivable"] == "121.00"
    assert answers_taken_in(desk.office.deployment) == []


@pytest.mark.parametrize(
    "rows",
    [
        ("payment,GUILD,TR-1,31.00,2026-08-01", *PAID[1:]),
        (*PAID, "other,L6,x,1.00,interest"),
        (*PAID, *PAID),
        ("item,1,2,3,answered,1.00,1.00,", *PAID),
    ],
    ids=["payment", "adjustment", "one trace twice", "reader"],
)
def test_a_file_that_does_not_make_its_payment_is_refused(desk: Desk, rows: tuple[str, ...]) -> None:
    report = desk.take(*rows)
    assert report.findings
    assert not report.written
    assert desk.books()["Receivable"] == "121.00"
    assert answers_taken_in(desk.office.deployment) == []


def test_what_concerns_no_document_goes_to_its_account_or_waits(desk: Desk) -> None:
    rows = ("payment,GUILD,TR-1,28.50,2026-08-01", *PAID[1:], "other,L6,int,-1.50,interest", "other,WO,old,3.00,unknown")
    report = desk.take(*rows)
    assert codes(report) == ["ANSWER10"]
    books = desk.books()
    assert (books["Bank"], books["Interest"], books["Suspense"]) == ("28.50", "-1.50", "3.00")
    assert (report.answers[0].suspended, str(report.answers[0].waiting)) == (1, "-3.00 USD")
    discard_item(desk.office.deployment, "TR-1/3", code="forward", reason="recovered earlier overpayment")
    assert desk.books()["Carried forward"] == "3.00"
    assert "Suspense" not in desk.books()
    desk.sound()


WAITS = {
    "no such document": ("INV-2026-000002", "INV-2026-000009", "ANSWER05"),
    "another total": ("INV-2026-000002", "INV-2026-000003", "ANSWER05"),
    "no account for a code": ("agreed.rate", "other.rate", "ANSWER10"),
}


@pytest.mark.parametrize("why", WAITS)
def test_what_does_not_fit_waits_with_its_money(desk: Desk, why: str) -> None:
    old, new, code = WAITS[why]
    report = desk.take(*(row.replace(old, new) for row in PAID))
    assert codes(report)[0] == code
    assert desk.books()["Suspense"] == "-30.00"
    assert desk.open("T1") == ["INV-2026-000002 55.00"]
    (waiting,) = items_waiting(desk.office.deployment)
    assert (waiting.name, waiting.item.state, waiting.payer) == ("TR-1/1", "suspended", "GUILD")
    desk.sound()


def test_an_officer_says_which_document_is_meant(desk: Desk) -> None:
    desk.take(*(row.replace("INV-2026-000002", "INV-2O26-OOOOO2") for row in PAID))
    deployment = desk.office.deployment
    assert retry_item(deployment, "TR-1/1", Retry()).state == "suspended"
    with pytest.raises(InputRefused, match="ACCOUNT16"):
        retry_item(deployment, "TR-1/1", Retry(document="INV-2026-000002"))
    done = retry_item(deployment, "TR-1/1", Retry(document="INV-2026-000002", reason="letters for digits"))
    assert (done.state, done.item.given, done.item.decided_by) == ("posted", {"document": "INV-2026-000002"}, "ada")
    assert desk.open("T1") == []
    assert "Suspense" not in desk.books()
    with pytest.raises(Refused, match="ANSWER15"):
        retry_item(deployment, "TR-1/1", Retry())
    desk.sound()


def test_a_held_document_waits_until_it_is_released(desk: Desk) -> None:
    deployment = desk.office.deployment
    hold = place_hold(
        deployment, HoldRequest(document="INV-2026-000002", blocks=(Block.ALLOCATION,), code="dispute", reason="disputed")
    )
    assert codes(desk.take(*PAID)) == ["ANSWER06"]
    desk.office.pass_days(2)
    release_hold(deployment, hold.id, outcome="rejected", reason="settled")
    assert retry_item(deployment, "TR-1/1", Retry(on=date(2026, 8, 4))).state == "posted"
    desk.sound()


def test_what_is_settled_otherwise_waits_and_is_given_to_the_account(desk: Desk) -> None:
    request = PaymentRequest(account="T1", money=Money.of("50", "USD"), received_on=date(2026, 8, 1), external_ref="CASH-1")
    record_payment(desk.office.deployment, request)
    assert codes(desk.take(*PAID)) == ["ANSWER06"]
    with pytest.raises(InputRefused, match="ANSWER16"):
        discard_item(desk.office.deployment, "TR-1/1", reason="paid before")
    with pytest.raises(InputRefused, match="ANSWER16"):
        discard_item(desk.office.deployment, "TR-1/1", account="T1", code="forward", reason="paid before")
    with pytest.raises(NotFound, match="ACCOUNT09"):
        discard_item(desk.office.deployment, "TR-1/1", account="T9", reason="paid before")
    assert discard_item(desk.office.deployment, "TR-1/1", account="T1", reason="paid before").state == "discarded"
    assert sorted(desk.open("T1")) == ["INV-2026-000002 5.00", "TR-1 -30.00"]
    assert "Suspense" not in desk.books()
    with pytest.raises(Refused, match="ANSWER15"):
        discard_item(desk.office.deployment, "TR-1/1", account="T1", reason="again")
    desk.sound()


def test_other_content_under_a_known_name_is_a_conflict_and_books_nothing(desk: Desk) -> None:
    desk.take(*PAID)
    before = desk.books()
    rows = [row.replace("CO,45", "CO,46") for row in PAID]
    report = desk.take(*rows)
    assert codes(report) == ["ANSWER12"]
    assert (report.answers[0].conflicts, report.answers[0].posted) == (1, 0)
    assert desk.books() == before
    assert desk.take(*rows).answers[0].duplicate == 1
    (waiting,) = items_waiting(desk.office.deployment)
    with pytest.raises(Refused, match="ANSWER15"):
        retry_item(desk.office.deployment, waiting.name, Retry())
    assert discard_item(desk.office.deployment, waiting.name, reason="the first was right").state == "discarded"
    assert desk.books() == before
    desk.sound()


def test_a_trace_number_that_stands_for_another_payment_refuses_the_file(desk: Desk) -> None:
    desk.take(*PAID)
    other = ("payment,GUILD,TR-1,33.00,2026-08-01", "item,3/B/1,INV-2026-000003,B,answered,33.00,33.00,")
    assert codes(desk.take(*other)) == ["ANSWER11"]
    assert desk.open("T2") == ["INV-2026-000003 33.00"]


def test_an_item_told_twice_in_one_answer_waits(desk: Desk) -> None:
    item = "item,3/B/1,INV-2026-000003,B,answered,33.00,33.00,"
    report = desk.take("payment,GUILD,TR-1,66.00,2026-08-01", item, item)
    assert codes(report) == ["ANSWER12"]
    assert (report.answers[0].posted, report.answers[0].suspended) == (1, 1)
    assert desk.books()["Suspense"] == "-33.00"
    assert desk.take("payment,GUILD,TR-1,66.00,2026-08-01", item, item).answers[0].duplicate == 2
    desk.sound()


def test_money_that_the_bank_told_before_is_taken_for_the_answers_own(desk: Desk) -> None:
    deployment = desk.office.deployment
    bank = PaymentRequest(account="", money=Money.of("30", "USD"), received_on=date(2026, 8, 1), external_ref="TR-1")
    record_payment(deployment, bank, book="MAIN")
    assert desk.take(*PAID).findings == ()
    assert desk.books()["Bank"] == "30.00"
    assert "Suspense" not in desk.books()
    assert record_payment(deployment, bank, book="MAIN").outcome == "duplicate"
    desk.sound()


def test_money_that_the_bank_tells_later_is_no_other_money(desk: Desk) -> None:
    deployment = desk.office.deployment
    desk.take(*PAID)
    bank = PaymentRequest(account="", money=Money.of("30", "USD"), received_on=date(2026, 8, 2), external_ref="TR-1")
    assert record_payment(deployment, bank, book="MAIN").outcome == "duplicate"
    with pytest.raises(Conflict, match="AR40"):
        record_payment(deployment, attrs.evolve(bank, money=Money.of("31", "USD")), book="MAIN")
    with pytest.raises(Refused, match="AR46"):
        assign_payment(deployment, "TR-1", "C1")
    assert desk.books()["Bank"] == "30.00"


def test_money_of_somebody_else_under_the_trace_number_refuses_the_file(desk: Desk) -> None:
    bank = PaymentRequest(account="C1", money=Money.of("30", "USD"), received_on=date(2026, 8, 1), external_ref="TR-1")
    record_payment(desk.office.deployment, bank)
    assert codes(desk.take(*PAID)) == ["ANSWER11"]


def test_two_third_parties_under_one_trace_number_refuse_the_file(desk: Desk) -> None:
    other = ("payment,UNION,TR-1,33.00,2026-08-01", "item,3/B/1,INV-2026-000003,B,answered,33.00,33.00,")
    assert codes(desk.take(*PAID, *other)) == ["ANSWER11", "ANSWER11"]
    assert (desk.open("T2"), "Bank" in desk.books()) == (["INV-2026-000003 33.00"], False)
    desk.sound()


BEHIND = {
    "what is paid": "UPDATE answer SET amount = amount + 1",
    "what an item takes": "UPDATE answer_item SET amount = amount + 1",
    "what an item says": "UPDATE answer_item SET content = replace(content, 'CO', 'PR')",
    "text that is none": "UPDATE answer_item SET content = '[7]'",
    "its digest": "UPDATE answer_item SET digest = :digest",
    "an item that is gone": "DELETE FROM answer_item",
    "an answer that is gone": "DELETE FROM answer",
    "what an item made": "UPDATE answer_item SET made = '[]'",
    "the money that came": "UPDATE payment SET amount = amount + 1",
    "the money that is gone": "DELETE FROM payment",
}


@pytest.mark.parametrize("what", BEHIND)
def test_an_answer_that_was_changed_behind_the_programs_back_is_named(desk: Desk, what: str) -> None:
    desk.take(*PAID)
    values = {"digest": bytes(32)} if ":digest" in BEHIND[what] else {}
    assert behind(desk.office.deployment.database, BEHIND[what], **values) == 1
    found = prove(desk.office.deployment, "MAIN").findings
    assert {one.code for one in found} == {"AR48"}


def test_nothing_is_booked_into_a_closed_or_unknown_period(desk: Desk) -> None:
    with pytest.raises(LedgerRefused, match="LEDGER06"):
        desk.take(*(row.replace("2026-08-01", "2031-08-01") for row in PAID))
    assert answers_taken_in(desk.office.deployment) == []
    assert desk.take(*(row.replace("2026-08-01", "2031-08-01") for row in PAID), on=date(2026, 8, 1)).written


def test_an_amount_that_raises_the_payment(desk: Desk) -> None:
    report = desk.take(
        "payment,GUILD,TR-1,58.00,2026-08-01",
        "item,2/A/1,INV-2026-000002,A,answered,55.00,58.00,",
        "adjust,CO,144,-3.00,reduce,agreed.bonus",
    )
    assert report.findings == ()
    assert desk.open("T1") == []
    assert desk.books()["Given up by agreement"] == "-3.00"
    desk.sound()


def test_what_others_did_before_is_no_news(desk: Desk) -> None:
    """Two parties answer one after the other: the second is told what the first did, and it is booked once."""
    desk.take(*(row.replace("2,10.00,next_party,", "2,10.00,next_party,").replace("PR", "OA") for row in PAID))
    assert desk.open("C1")[-1] == "INV-2026-000002 10.00"
    report = desk.take(
        "payment,SECOND,TR-9,7.00,2026-08-09",
        "item,2/Z/2,INV-2026-000002,Z,answered,55.00,7.00,",
        "adjust,OA,23,45.00,note,",
        "adjust,CO,45,3.00,reduce,agreed.rate",
    )
    assert report.findings == ()
    assert desk.open("C1") == ["INV-2026-000001 33.00"]
    desk.sound()


def test_who_owes_next_may_be_said_by_the_file_the_plugin_the_term_or_an_officer(desk: Desk) -> None:
    deployment = desk.office.deployment
    silent = attrs.evolve(slips.billing_answer_readers()[0], next_party=None)
    mute = type("Mute", (), {"billing_answer_readers": staticmethod(hookimpl(lambda: [silent]))})
    host = Host.build([("workshop", workshop), ("slips", mute)])
    mute_desk = Desk(Office(attrs.evolve(deployment, host=host), desk.office.clock))
    assert codes(mute_desk.take(*PAID)) == ["ANSWER07"]
    with pytest.raises(InputRefused, match="ACCOUNT16"):
        retry_item(deployment, "TR-1/1", Retry(next_account="T2"))
    done = retry_item(deployment, "TR-1/1", Retry(next_account="T2", reason="they agreed to pay"))
    assert done.state == "posted"
    assert sorted(desk.open("T2")) == ["INV-2026-000002 10.00", "INV-2026-000003 33.00"]
    desk.sound()


def test_an_answer_is_shown_with_what_became_of_it(desk: Desk) -> None:
    desk.take(*PAID)
    view = show_answer(desk.office.deployment, "TR-1")
    assert (view.answer.payer, view.states, view.items[0].made[0][0]) == ("GUILD", {"posted": 1}, "paid")
    for trace, error in (("TR-2", NotFound),):
        with pytest.raises(error, match="ANSWER14"):
            show_answer(desk.office.deployment, trace)
    for name in ("TR-1/9", "TR-1", "TR-2/1"):
        with pytest.raises(NotFound, match="ANSWER14"):
            retry_item(desk.office.deployment, name, Retry())
