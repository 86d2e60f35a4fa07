"""Several accounts pay for one agreement: each gets a document with its part, and the parts make the whole.

The drill costs 30.00 a month, the first ten hours of a year 2.00 and all others 1.00; 10 % tax.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from billing_framework.accounts.share import Share
from billing_framework.invoicing.edit import EditField
from billing_framework.run.correct.credit import credit_document
from billing_framework.run.correct.rebill import rebill_document
from billing_framework.run.cycle.approve import approve_run
from billing_framework.run.master.charges import ChargeRequest, enter_charge, withdraw
from billing_framework.run.master.customer_change import continue_agreement
from billing_framework.run.master.customers import create, save
from billing_framework.run.master.shares import end_share, remove_share
from billing_framework.run.prove.explain import explain_line
from billing_framework.run.review.edits import edit_draft, hold_account, release_account
from billing_framework.run.review.review import review_run
from billing_framework.run.review.wanted_edits import LineEdit
from billing_framework.run.usage.late import late_usage
from billing_framework.storage.billing.documents import find_document
from billing_framework.storage.billing.keys import states_before
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.record_tables import billed_record
from billing_framework.storage.billing.run_rows import run_accounts
from billing_framework.storage.engine import Database
from billing_framework.storage.ledger.verify import verify
from billing_framework.storage.master.billing_group_rows import load_billing_groups
from billing_framework.storage.master.master_kind import ACCOUNTS, PARTIES
from billing_framework.storage.master.share_rows import SHARES, load_shares
from billing_framework.values.errors import Refused
from billing_framework.values.number import exact_text
from billing_framework.values.period import DateSpan
from tests.grown import grown_once
from tests.scenarios.errand_office import client, errand_office, tell
from tests.scenarios.office import Office
from tests.scenarios.test_numbers import GUARDED

JULY = "j1,drill,2026-07-10T08:00:00+00:00,6,slot-7,1"


def share(payer: str, percent: str = "", *, codes: str = "", starts: str = "2026-01-01", ends: str = "") -> Share:
    return Share(
        agreement="A-C1",
        payer=payer,
        percent=Fraction(percent) if percent else None,
        codes=tuple(codes.split()),
        starts_on=date.fromisoformat(starts),
        ends_on=date.fromisoformat(ends) if ends else None,
    )


@grown_once
def shared_office(database: Database, *shares: Share, **settings: object) -> Office:
    """Set up C1 with a drill for which others pay, C2 with a lathe of its own, and C9, which has nothing."""
    office = Office.of(database, **settings)  # type: ignore[arg-type]
    office.customer("C1", "drill")
    office.customer("C2", "lathe")
    create(office.deployment, PARTIES, {"code": "P-C9", "name": "Insurer"})
    create(
        office.deployment,
        ACCOUNTS,
        {"code": "C9", "party": "P-C9", "book": "MAIN", "currency": "USD", "cycle": "quarterly:1"},
    )
    told = save(office.deployment, SHARES, shares or (share("C1"), share("C2", "40")))
    assert told.findings == ()
    return office


def states(office: Office) -> dict[str, tuple[str, str]]:
    with office.deployment.database.read() as connection:
        return {row.account: (row.state, row.reason) for row in run_accounts(connection, meant_run(connection, ""))}


def lines(office: Office, number: str) -> list[str]:
    with office.deployment.database.read() as connection:
        content = find_document(connection, number).content
    return [f"{line.agreement} {line.description} {str(line.net)[:-4]}" for line in content.lines]


def sound(office: Office) -> None:
    """Every line can be explained, and the ledger verifies."""
    assert verify(office.deployment.database, "MAIN") == []
    for row in office.documents():
        with office.deployment.database.read() as connection:
            count = len(find_document(connection, row.split()[0]).content.lines)
        for line in range(1, count + 1):
            explained = explain_line(office.deployment, f"{row.split()[0]}/{line}")
            assert explained.proven, (row, line, explained.findings)


def test_two_accounts_pay_for_one_machine(database: Database) -> None:
    office = shared_office(database)
    office.jobs(JULY)
    office.bill("2026-07")
    assert office.documents() == [
        "INV-2026-000001 C1 27.72",  # 60 % of 30.00 + 6 x 2.00
        "INV-2026-000002 C2 51.48",  # the other 40 %, and 30.00 for its own machine
    ]
    assert lines(office, "INV-2026-000001") == [
        "A-C1 Stand, share 60 % of 1\u00a0month 18.00",
        "A-C1 Machine hours, tier 1, share 60 % of 6\u00a0hour 7.20",
    ]
    assert lines(office, "INV-2026-000002") == [
        "A-C2 Stand 30.00",
        "A-C1 Stand, share 40 % of 1\u00a0month 12.00",
        "A-C1 Machine hours, tier 1, share 40 % of 6\u00a0hour 4.80",
    ]
    sound(office)
    assert office.start("2026-07").nothing_to_do
    assert late_usage(office.deployment, "MAIN") == ()


def test_tiers_count_the_whole_once_whoever_pays(database: Database) -> None:
    office = shared_office(database, share("C2", "100", codes="hours"), share("C9", codes="stand"))
    for number, month in enumerate(("2026-05", "2026-06", "2026-07"), start=5):
        office.jobs(f"j{number},drill,{month}-10T08:00:00+00:00,6,slot-{number},1", file=f"{month}.csv")
        office.bill(month)
        office.pass_days(1)
    # C1 pays nothing itself; six hours at 2.00, then four at 2.00 and two at 1.00, then six at 1.00.
    assert office.documents() == [
        "INV-2026-000001 C2 46.20",
        "INV-2026-000002 C9 33.00",
        "INV-2026-000003 C2 44.00",
        "INV-2026-000004 C9 33.00",
        "INV-2026-000005 C2 39.60",
        "INV-2026-000006 C9 33.00",
    ]
    sound(office)


def test_the_first_service_date_decides_who_pays(database: Database) -> None:
    office = shared_office(
        database, share("C1"), share("C2", "40", ends="2026-07-01"), share("C9", "50", starts="2026-07-01"), accumulate="bill"
    )
    office.jobs("j0,drill,2026-06-10T08:00:00+00:00,5", JULY)
    office.bill("2026-06")
    office.bill("2026-07")
    assert office.documents() == [
        "INV-2026-000001 C1 26.40",
        "INV-2026-000002 C2 50.60",
        "INV-2026-000003 C1 23.10",
        "INV-2026-000004 C2 33.00",
        "INV-2026-000005 C9 23.10",
    ]
    sound(office)


def test_batches_and_databases_decide_nothing(sqlite_database: Database, postgres_database: Database) -> None:
    digests = set()
    for database, size in ((sqlite_database, 1), (postgres_database, 200)):
        office = shared_office(database)
        office.jobs(JULY)
        rehearsed = office.start("2026-07", kind="rehearsal").run
        final = office.start("2026-07", batch_size=size).run
        assert rehearsed is not None
        assert final is not None
        digests |= {review_run(office.deployment, run.code).digest for run in (rehearsed, final)}
    assert len(digests) == 1


def test_a_run_of_one_payer_takes_in_all_that_are_billed_with_it(database: Database) -> None:
    office = shared_office(database)
    office.customer("C3", "saw")
    report = office.start("2026-07", accounts=["C2"])
    assert report.counts == {"drafted": 2}
    assert sorted(states(office)) == ["C1", "C2"]


def test_where_one_is_held_for_its_data_the_others_wait(database: Database) -> None:
    office = shared_office(database)
    office.customer("C3", "saw")
    office.jobs(JULY, f"j2,lathe,2026-07-10T08:00:00+00:00,{10**18},slot-8,1")
    office.start("2026-07")
    found = states(office)
    assert {account: state for account, (state, _) in found.items()} == {"C1": "held", "C2": "held", "C3": "drafted"}
    assert found["C1"][1].startswith("it shares charges with C2, which is held: ")
    office.jobs("j2b,lathe,2026-07-10T08:00:00+00:00,1,slot-8,2", file="corrected.csv")
    office.start("2026-07")
    assert {state for state, _ in states(office).values()} == {"drafted"}


def test_what_an_officer_holds_keeps_the_others_and_lets_them_go_again(database: Database) -> None:
    office = shared_office(database)
    office.customer("C3", "saw")
    office.jobs(JULY)
    office.start("2026-07")
    hold_account(office.deployment, "", "C1", reason="asked the client")
    found = states(office)
    assert {account: state for account, (state, _) in found.items()} == {"C1": "held", "C2": "held", "C3": "drafted"}
    assert found["C2"][1] == "it shares charges with C1, which is held: held by ada: asked the client"
    with pytest.raises(Refused, match="RUN16"):
        release_account(office.deployment, "", "C2", reason="never mind")
    release_account(office.deployment, "", "C1", reason="the client agrees")
    assert {state for state, _ in states(office).values()} == {"drafted"}
    office.approve()
    office.post()
    assert len(office.documents()) == 3


def test_one_held_account_leaves_the_whole_group_to_the_next_run(database: Database) -> None:
    office = shared_office(database)
    office.customer("C3", "saw")
    office.jobs(JULY)
    office.start("2026-07")
    hold_account(office.deployment, "", "C2", reason="asked the client")
    office.approve()
    office.post()
    assert office.documents() == ["INV-2026-000001 C3 33.00"]
    office.bill("2026-07")
    assert [row.split()[1] for row in office.documents()] == ["C3", "C1", "C2"]
    sound(office)


def test_a_payer_whose_own_period_is_billed_still_pays_for_a_newcomer(database: Database) -> None:
    office = shared_office(database)
    office.bill("2026-07")
    office.customer("C5", "press")
    save(office.deployment, SHARES, [Share(agreement="A-C5", payer="C2", starts_on=date(2026, 1, 1))])
    office.bill("2026-07")
    assert office.documents()[2:] == ["INV-2026-000003 C2 33.00"]
    assert lines(office, "INV-2026-000003") == ["A-C5 Stand 30.00"]
    sound(office)


def test_new_shares_make_a_draft_stale_and_bring_the_payer_into_the_run(database: Database) -> None:
    office = shared_office(database, share("C1"))
    office.jobs(JULY)
    run = office.start("2026-07").run
    assert run is not None
    save(office.deployment, SHARES, [share("C9", "25")])
    assert [finding.code for finding in approve_run(office.deployment, run.code).findings] == ["RUN09"]
    assert office.start("2026-07").stale == 1
    office.approve()
    office.post()
    assert [row.split()[1] for row in office.documents()] == ["C1", "C2", "C9"]
    sound(office)


def test_a_manual_charge_is_shared_and_billed_once(database: Database) -> None:
    office = shared_office(database)
    request = ChargeRequest(
        account="C1",
        agreement="A-C1",
        code="service",
        text="Visit",
        amount="50.01",
        tax_category="standard",
        service=DateSpan(date(2026, 7, 3), date(2026, 7, 4)),
        reason="they asked for it",
    )
    enter_charge(office.deployment, request)
    office.bill("2026-07")
    assert "A-C1 Visit, share 60 % 30.01" in lines(office, "INV-2026-000001")
    assert "A-C1 Visit, share 40 % 20.00" in lines(office, "INV-2026-000002")
    office.bill("2026-08")
    assert [row.split()[2] for row in office.documents()[2:]] == ["19.80", "46.20"]
    sound(office)


def test_the_share_of_a_child_goes_on_the_document_of_its_parent(database: Database) -> None:
    office = shared_office(database)
    office.customer("C6", "press", parent="C1", payer="parent")
    end_share(office.deployment, "A-C1", "C2", date(2026, 7, 1), reason="moved")
    save(office.deployment, SHARES, [share("C6", "40", starts="2026-07-01")])
    office.bill("2026-07")
    assert office.documents() == ["INV-2026-000001 C1 66.00", "INV-2026-000002 C2 33.00"]
    assert len(lines(office, "INV-2026-000001")) == 3
    sound(office)


def test_what_was_altered_behind_the_back_is_named(database: Database) -> None:
    office = shared_office(database)
    office.bill("2026-07")
    with office.deployment.database.begin() as connection:
        connection.execute(SHARES.table.update().where(SHARES.table.c.payer == "C2").values(percent=Fraction(41)))
    explained = explain_line(office.deployment, "INV-2026-000002/2")
    assert not explained.proven
    assert explained.findings[-1].code == "EXPLAIN07"
    assert "the share A-C1/C2@2026-01-01 was changed since" in explained.findings[-1].what


def test_an_agreement_that_goes_on_under_another_name_takes_its_shares_along(database: Database) -> None:
    office = shared_office(database)
    continue_agreement(office.deployment, "A-C1", date(2026, 7, 1), {}, reason="new terms")
    with office.deployment.database.read() as connection:
        found = load_shares(connection, ["A-C1", "A-C1~2"])
    assert [(one.payer, one.starts_on.month, one.ends_on) for one in found["A-C1~2"]] == [("C1", 7, None), ("C2", 7, None)]
    assert {one.ends_on for one in found["A-C1"]} == {date(2026, 7, 1)}


def test_shares_that_make_no_whole_or_fit_no_book_are_refused(database: Database) -> None:
    office = shared_office(database)
    for payer, percent, code in (("C9", "61", "ACCOUNT31"), ("C9", "", "ACCOUNT31"), ("NOBODY", "5", "ACCOUNT09")):
        told = save(office.deployment, SHARES, [share(payer, percent)])
        assert [finding.code for finding in told.findings] == [code]
        assert not told.written
    with pytest.raises(Refused, match="ACCOUNT31"):
        end_share(office.deployment, "A-C1", "C1", date(2026, 7, 1), reason="gone")
    with pytest.raises(Refused, match="ACCOUNT31"):
        remove_share(office.deployment, "A-C1", "C1", date(2026, 7, 1), reason="gone")
    assert [one.ends_on for one in end_share(office.deployment, "A-C1", "C2", date(2026, 7, 1), reason="gone")] == [
        date(2026, 7, 1)
    ]
    remove_share(office.deployment, "A-C1", "C2", date(2026, 6, 1), reason="was never there")
    with office.deployment.database.read() as connection:
        assert [one.payer for one in load_shares(connection, ["A-C1"])["A-C1"]] == ["C1"]


def test_the_database_refuses_a_payer_of_another_book(database: Database) -> None:
    office = shared_office(database, share("C9"))
    with pytest.raises(Refused, match="ACCOUNT12 .* bears a share"), office.deployment.database.begin() as connection:
        connection.execute(ACCOUNTS.table.update().where(ACCOUNTS.table.c.code == "C9").values(currency="EUR"))
    create(
        office.deployment,
        ACCOUNTS,
        {"code": "C10", "party": "P-C9", "book": "MAIN", "currency": "EUR", "cycle": "monthly:1"},
    )
    assert [one.code for one in save(office.deployment, SHARES, [share("C10", "5")]).findings] == ["ACCOUNT32"]
    with pytest.raises(Refused, match="ACCOUNT32"), office.deployment.database.begin() as connection:
        connection.execute(SHARES.table.update().values(payer="C10"))


def test_no_account_of_another_book_pays(sqlite_database: Database) -> None:
    """No act brings it about; where a foreign program did, the run is refused, and not only its posting."""
    office = shared_office(sqlite_database)
    above = {"code": "C8", "party": "P-C9", "book": "MAIN", "currency": "USD", "cycle": "monthly:1"}
    create(office.deployment, ACCOUNTS, above)
    with office.deployment.database.begin() as connection:
        connection.exec_driver_sql("UPDATE account SET parent = 'C8', payer = 'parent' WHERE code = 'C1'")
        assert load_billing_groups(connection, "MAIN").payer("C1") == "C8"
        connection.exec_driver_sql("UPDATE account SET book = 'ELSEWHERE' WHERE code = 'C8'")
        with pytest.raises(Refused, match="ACCOUNT04"):
            load_billing_groups(connection, "MAIN").payer("C1")
        connection.rollback()


@grown_once
def corrected_office(database: Database, *shares: Share, **settings: object) -> Office:
    """Bill July to the payers; then it turns out that the drill ran one hour more."""
    office = shared_office(database, *shares, **settings)
    office.jobs(JULY)
    office.bill("2026-07")
    office.pass_days(1)
    office.jobs("j1b,drill,2026-07-10T08:00:00+00:00,7,slot-7,2", file="corrected.csv")
    return office


def test_late_usage_names_the_documents_of_all_payers(database: Database) -> None:
    office = corrected_office(database)
    found = late_usage(office.deployment, "MAIN")
    assert [(one.document, one.account) for one in found] == [("INV-2026-000001", "C1"), ("INV-2026-000002", "C2")]


@pytest.mark.parametrize("number", ["INV-2026-000001", "INV-2026-000002"])
def test_a_rebill_of_one_payer_rebills_all_of_them(database: Database, number: str) -> None:
    office = corrected_office(database)
    report = rebill_document(office.deployment, number, reason="read again")
    other = ({"INV-2026-000001", "INV-2026-000002"} - {number}).pop()
    assert [one.document for one in report.beside] == [other]
    issued = {row.split()[1] + row.split()[2] for row in office.documents() if row >= "INV-2026-000003"}
    assert issued == {"C129.04", "C252.36"}  # 60 % and 40 % of 30.00 + 7 x 2.00
    assert late_usage(office.deployment, "MAIN") == ()
    assert rebill_document(office.deployment, report.new, reason="once more").unchanged
    sound(office)


def test_a_document_that_says_the_same_stays(database: Database) -> None:
    office = corrected_office(database, share("C1", codes="hours"), share("C2", codes="stand"))
    report = rebill_document(office.deployment, "INV-2026-000002", reason="read again")
    assert (report.note, report.new) == ("", "")
    assert [(one.document, one.new) for one in report.beside] == [("INV-2026-000001", "INV-2026-000003")]
    assert [row for row in office.documents() if row.startswith("INV")][-1] == "INV-2026-000003 C1 15.40"
    sound(office)


def test_shares_that_were_corrected_move_parts_from_one_payer_to_another(database: Database) -> None:
    office = corrected_office(database)
    remove_share(office.deployment, "A-C1", "C2", date(2026, 7, 1), reason="it was the insurer")
    save(office.deployment, SHARES, [share("C9", "40")])
    report = rebill_document(office.deployment, "INV-2026-000002", reason="wrong payer")
    assert [(one.document, one.account) for one in report.beside] == [("INV-2026-000001", "C1"), ("", "C9")]
    assert sorted(row.split()[1] + " " + row.split()[2] for row in office.documents() if row >= "INV-2026-000003") == [
        "C1 29.04",
        "C2 33.00",
        "C9 19.36",
    ]
    sound(office)
    assert rebill_document(office.deployment, report.new, reason="once more").unchanged


def test_who_paid_the_remainder_may_change_places(database: Database) -> None:
    office = corrected_office(database)
    with office.deployment.database.read() as connection:
        before = load_shares(connection, ["A-C1"])["A-C1"]
    swapped = [
        Share(agreement="A-C1", payer=one.payer, percent=None if one.percent else Fraction(60), starts_on=one.starts_on)
        for one in before
    ]
    assert save(office.deployment, SHARES, swapped, update=True, reason="swapped").findings == ()
    rebill_document(office.deployment, "INV-2026-000001", reason="swapped")
    assert [row.split()[2] for row in office.documents() if row >= "INV-2026-000003"] == ["29.04", "52.36"]
    sound(office)


@pytest.mark.parametrize("correction", ["cascade", "adjust_next", "hold"])
def test_later_documents_of_all_payers_follow(database: Database, correction: str) -> None:
    office = shared_office(database, correction=correction)
    office.jobs(JULY)
    office.bill("2026-07")
    office.jobs("j2,drill,2026-08-10T08:00:00+00:00,6,slot-8,1", file="august.csv")
    office.bill("2026-08")
    assert [row.split()[2] for row in office.documents()[2:]] == ["26.40", "50.60"]  # 30.00 + 4 x 2.00 + 2 x 1.00
    office.jobs("j1b,drill,2026-07-10T08:00:00+00:00,7,slot-7,2", file="corrected.csv")
    office.pass_days(1)
    report = rebill_document(office.deployment, "INV-2026-000001", reason="read again")
    assert [one.number for one in report.later] == ["INV-2026-000003", "INV-2026-000004"]
    sound(office)
    if correction == "cascade":
        newest = {row.split()[1]: row.split()[2] for row in office.documents() if row.startswith("INV")}
        assert newest == {"C1": "25.74", "C2": "50.16"}  # 30.00 + 3 x 2.00 + 3 x 1.00
    if correction == "adjust_next":
        office.bill("2026-09")
        # One dollar less for August, shared as August was; no hours in September.
        assert [row.split()[2] for row in office.documents()[-2:]] == ["19.14", "45.76"]
        sound(office)


def test_a_credit_of_one_payer_keeps_what_the_others_rest_on_until_the_last_is_credited(database: Database) -> None:
    office = corrected_office(database)
    credit_document(office.deployment, "INV-2026-000001", reason="goodwill")
    assert hours_so_far(office) == ["6"]
    credit_document(office.deployment, "INV-2026-000002", reason="goodwill")
    assert hours_so_far(office) == []
    sound(office)


def hours_so_far(office: Office) -> list[str]:
    with office.deployment.database.read() as connection:
        found = states_before(connection, ["A-C1"], date(2026, 8, 1)).get("A-C1", {})
    return [exact_text(value) for state in found.values() for value in state.values.values()]


def test_records_that_are_carried_from_bill_to_bill_are_billed_once_for_all_payers(database: Database) -> None:
    office = errand_office(database)
    client(office, "C1", "ann")
    client(office, "C2", "bob")
    assert save(office.deployment, SHARES, [share("C1"), share("C2", "40")]).findings == ()
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,10,Bank")
    office.bill("2026-07")
    assert [row.split()[1:] for row in office.documents()] == [["C1", "6.60"], ["C2", "4.40"]]
    office.pass_days(1)
    tell(office, "e0,ann,2026-06-30T08:00:00+00:00,5,Kiosk", "e2,bob,2026-08-03T08:00:00+00:00,1,Post", file="late.csv")
    assert late_usage(office.deployment, "MAIN") == ()
    office.bill("2026-08")
    assert [row.split()[1:] for row in office.documents()[2:]] == [["C1", "3.30"], ["C2", "3.30"]]
    with office.deployment.database.read() as connection:
        linked = connection.execute(billed_record.select().where(billed_record.c.reversed_by.is_(None))).all()
    assert len(linked) == 3
    assert rebill_document(office.deployment, "INV-2026-000002", reason="looked at again").unchanged
    tell(office, "e1b,ann,2026-07-02T08:00:00+00:00,20,Bank", file="other.csv")
    remove_share(office.deployment, "A-C1", "C2", date(2026, 7, 1), reason="pays no more")
    report = rebill_document(office.deployment, "INV-2026-000002", reason="pays no more")
    assert (report.new, [(one.account, one.new) for one in report.beside]) == ("", [("C1", "INV-2026-000005")])
    assert office.documents()[-1] == "INV-2026-000005 C1 11.00"
    sound(office)


def test_an_edit_of_a_part_stays_with_its_payer(database: Database) -> None:
    office = shared_office(database)
    office.jobs(JULY)
    office.start("2026-07")
    edit_draft(office.deployment, "", "C2", LineEdit(line=2, field=EditField.AMOUNT, after="10"), reason="goodwill")
    office.approve()
    office.post()
    assert [row.split()[2] for row in office.documents()] == ["27.72", "49.28"]
    sound(office)


def test_a_part_that_was_on_a_void_document_is_billed_by_a_rebill_of_another_payer(database: Database) -> None:
    office = shared_office(database, book=GUARDED)
    # Nothing is held for C2, so giving 10.00 of its deposit back would overdraw the guarded account.
    back = ChargeRequest(
        account="C2",
        agreement="",
        code="deposit.back",
        text="Deposit back",
        amount="-10",
        tax_category="standard",
        service=DateSpan(date(2026, 7, 3), date(2026, 7, 4)),
        reason="order 7",
    )
    charge = enter_charge(office.deployment, back)
    office.start("2026-07")
    office.approve()
    assert list(office.post().void) == ["C2"]
    withdraw(office.deployment, charge.id, reason="no deposit was taken")
    office.bill("2026-07")
    assert [row.split()[1:] for row in office.documents()] == [["C1", "19.80"], ["C2", "35.20", "void"], ["C2", "33.00"]]
    report = rebill_document(office.deployment, "INV-2026-000001", reason="a part was on a void document")
    assert (report.new, [(one.document, one.account) for one in report.beside]) == ("", [("", "C2")])
    assert office.documents()[-1].split()[1:] == ["C2", "13.20"]
    sound_but_void(office)


def sound_but_void(office: Office) -> None:
    assert verify(office.deployment.database, "MAIN") == []
    for number in ("INV-2026-000001", "INV-2026-000004"):
        assert explain_line(office.deployment, f"{number}/1").proven
