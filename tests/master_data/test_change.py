"""Officers' changes of customer data: in one transaction, with the reason, audited before and after; on both databases."""

from __future__ import annotations

import threading
from datetime import date

import pytest

from billing_framework.run.deployment import Deployment
from billing_framework.run.master.customer_change import (
    change,
    change_assignment,
    continue_agreement,
    end_agreement,
    end_assignment,
    next_code,
    remove_assignment,
)
from billing_framework.run.master.customers import create, import_file
from billing_framework.storage.audit import AuditEvent, events
from billing_framework.storage.master.account_rows import (
    account_codes,
    assignments_of_subjects,
    load_agreements,
    load_assignments,
    replace_value,
    rows_of,
)
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from billing_framework.values.errors import Conflict, InputRefused, NotFound, Refused

AUGUST = date(2026, 8, 1)


@pytest.fixture
def customer(deployment: Deployment) -> Deployment:
    """An account with one agreement and two meters: one from January on, one that is planned for October."""
    create(deployment, PARTIES, {"code": "P-1", "name": "Ada Ohm"})
    create(deployment, ACCOUNTS, {"code": "A-1", "party": "P-1", "book": "US", "currency": "USD"})
    create(deployment, AGREEMENTS, {"code": "G-1", "account": "A-1", "plan": "basic", "starts_on": "2026-01-01", "term.kw": "5"})
    for subject, day in (("M-1", "2026-01-01"), ("M-2", "2026-10-01")):
        create(deployment, ASSIGNMENTS, {"subject": subject, "agreement": "G-1", "starts_on": day, "detail.multiplier": "40"})
    return deployment


def history(deployment: Deployment, kind: str, key: str) -> list[AuditEvent]:
    with deployment.database.read() as connection:
        return list(events(connection, object_kind=kind, object_key=key))


def spans(deployment: Deployment, subject: str) -> list[tuple[str, str, str]]:
    with deployment.database.read() as connection:
        held = assignments_of_subjects(connection, [subject]).get(subject, ())
    return [(one.agreement, one.starts_on.isoformat(), one.ends_on.isoformat() if one.ends_on else "") for one in held]


def test_creating_the_same_again_changes_nothing_and_other_content_is_a_conflict(customer: Deployment) -> None:
    _, created = create(customer, PARTIES, {"code": "P-1", "name": "Ada Ohm"})

    assert not created
    with pytest.raises(Conflict, match="ACCOUNT10"):
        create(customer, PARTIES, {"code": "P-1", "name": "Ada Volt"})
    assert len(history(customer, "party", "P-1")) == 1


def test_a_change_is_audited_with_actor_instant_reason_before_and_after(customer: Deployment) -> None:
    before, after = change(customer, ACCOUNTS, "A-1", {"due_days": "30"}, reason="letter of 3 July")

    assert (before.due_days, after.due_days) == (14, 30)
    event = history(customer, "account", "A-1")[0]
    assert (event.actor, event.action, event.reason, event.at) == (
        "anna", "account change", "letter of 3 July", customer.clock.now(),
    )  # fmt: skip
    assert event.before is not None
    assert event.after is not None
    assert (event.before["due_days"], event.after["due_days"]) == ("14", "30")


def test_a_change_to_what_is_so_already_writes_nothing(customer: Deployment) -> None:
    change(customer, ACCOUNTS, "A-1", {"due_days": "14"}, reason="again")

    assert len(history(customer, "account", "A-1")) == 1


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_change_needs_a_reason(customer: Deployment, reason: str) -> None:
    with pytest.raises(InputRefused, match="ACCOUNT16"):
        change(customer, ACCOUNTS, "A-1", {"due_days": "30"}, reason=reason)


def test_an_unknown_code_offers_the_nearest(customer: Deployment) -> None:
    with pytest.raises(NotFound, match="'A-1'"):
        change(customer, ACCOUNTS, "A-l", {"due_days": "30"}, reason="x")


@pytest.mark.parametrize("field", [{"currency": "EUR"}, {"code": "A-7"}])
def test_what_identifies_or_counts_an_account_never_changes_once_used(customer: Deployment, field: dict[str, str]) -> None:
    with pytest.raises(Refused, match="ACCOUNT12"):
        change(customer, ACCOUNTS, "A-1", field, reason="x")


def test_the_currency_of_an_unused_account_may_be_corrected(customer: Deployment) -> None:
    create(customer, ACCOUNTS, {"code": "A-2", "party": "P-1", "book": "US", "currency": "USD"})

    _, after = change(customer, ACCOUNTS, "A-2", {"currency": "EUR"}, reason="typing error")

    assert after.currency == "EUR"


def test_an_agreement_stays_with_its_account(customer: Deployment) -> None:
    create(customer, ACCOUNTS, {"code": "A-2", "party": "P-1", "book": "US", "currency": "USD"})

    with pytest.raises(Refused, match="ACCOUNT12"):
        change(customer, AGREEMENTS, "G-1", {"account": "A-2"}, reason="x")


def test_dates_of_an_agreement_cannot_leave_its_meters_outside(customer: Deployment) -> None:
    with pytest.raises(InputRefused, match="ACCOUNT06"):
        change(customer, AGREEMENTS, "G-1", {"ends_on": "2026-09-01"}, reason="x")


def test_new_terms_from_a_date_on_end_the_agreement_and_begin_its_successor(customer: Deployment) -> None:
    done = continue_agreement(customer, "G-1", AUGUST, {"term.kw": "8"}, reason="wish")

    assert (done.ended.ends_on, done.begun.code, done.begun.starts_on, done.begun.succeeds) == (AUGUST, "G-1~2", AUGUST, "G-1")
    assert (done.ended.terms, done.begun.terms) == ({"kw": "5"}, {"kw": "8"})
    assert done.moved == ("M-1", "M-2")
    assert spans(customer, "M-1") == [("G-1", "2026-01-01", "2026-08-01"), ("G-1~2", "2026-08-01", "")]
    assert spans(customer, "M-2") == [("G-1~2", "2026-10-01", "")]
    assert [event.action for event in history(customer, "agreement", "G-1")] == ["agreement end", "agreement create"]
    assert [event.action for event in history(customer, "assignment", "M-1@2026-08-01")] == ["assignment create"]


def test_a_succession_is_one_act_even_when_its_last_step_fails(customer: Deployment) -> None:
    with pytest.raises(InputRefused, match="ACCOUNT09"):
        continue_agreement(customer, "G-1", AUGUST, {"plan": "nothing"}, reason="wish")

    with customer.database.read() as connection:
        [agreement] = load_agreements(connection, ["A-1"])["A-1"]
    assert agreement.ends_on is None
    assert spans(customer, "M-1") == [("G-1", "2026-01-01", "")]
    assert len(history(customer, "agreement", "G-1")) == 1


def test_an_agreement_has_one_successor_and_its_successor_may_have_the_next(customer: Deployment) -> None:
    continue_agreement(customer, "G-1", AUGUST, {"term.kw": "8"}, reason="wish")

    with pytest.raises(Refused):
        continue_agreement(customer, "G-1", date(2026, 7, 15), {"code": "G-1x"}, reason="wish")
    done = continue_agreement(customer, "G-1~2", date(2026, 9, 1), {"term.kw": ""}, reason="wish")
    assert (done.begun.code, done.begun.terms) == ("G-1~3", {})


def test_ending_an_agreement_ends_its_meters_and_removes_what_would_begin_later(customer: Deployment) -> None:
    ended = end_agreement(customer, "G-1", AUGUST, reason="moved out")

    assert ended.ends_on == AUGUST
    assert spans(customer, "M-1") == [("G-1", "2026-01-01", "2026-08-01")]
    assert spans(customer, "M-2") == []
    assert history(customer, "assignment", "M-2@2026-10-01")[0].action == "assignment remove"


@pytest.mark.parametrize("on", [date(2026, 1, 1), date(2025, 6, 1)])
def test_an_agreement_cannot_end_before_it_began(customer: Deployment, on: date) -> None:
    with pytest.raises(Refused, match="ACCOUNT05"):
        end_agreement(customer, "G-1", on, reason="x")


def test_an_ended_agreement_cannot_be_prolonged_by_ending_it_later(customer: Deployment) -> None:
    end_agreement(customer, "G-1", AUGUST, reason="moved out")

    with pytest.raises(Refused, match="ACCOUNT05"):
        end_agreement(customer, "G-1", date(2026, 9, 1), reason="x")


def test_a_meter_goes_from_one_agreement_to_another(customer: Deployment) -> None:
    create(customer, AGREEMENTS, {"code": "G-2", "account": "A-1", "plan": "basic", "starts_on": "2026-01-01"})
    end_assignment(customer, "M-1", AUGUST, reason="meter exchange")
    create(customer, ASSIGNMENTS, {"subject": "M-1", "agreement": "G-2", "starts_on": "2026-08-01"})

    assert spans(customer, "M-1") == [("G-1", "2026-01-01", "2026-08-01"), ("G-2", "2026-08-01", "")]
    with customer.database.read() as connection:
        assert [one.subject for one in load_assignments(connection, ["G-2"])["G-2"]] == ["M-1"]


def test_details_and_dates_of_an_assignment_are_corrected_in_place(customer: Deployment) -> None:
    before, after = change_assignment(
        customer, "M-1", None, {"detail.multiplier": "80", "starts_on": "2026-02-01"}, reason="wrong ratio"
    )

    assert (before.details, after.details) == ({"multiplier": "40"}, {"multiplier": "80"})
    assert spans(customer, "M-1") == [("G-1", "2026-02-01", "")]


def test_an_assignment_made_by_mistake_is_removed_and_kept_in_the_audit(customer: Deployment) -> None:
    remove_assignment(customer, "M-1", date(2026, 7, 1), reason="another meter was meant")

    assert spans(customer, "M-1") == []
    event = history(customer, "assignment", "M-1@2026-01-01")[0]
    assert event.after is None
    assert event.before is not None
    assert event.before["detail.multiplier"] == "40"


def test_a_change_of_what_was_changed_meanwhile_is_refused(customer: Deployment) -> None:
    with customer.database.read() as connection:
        [stale] = rows_of(connection, ACCOUNTS, "code", ["A-1"])
    change(customer, ACCOUNTS, "A-1", {"due_days": "30"}, reason="first")

    with customer.database.begin() as connection, pytest.raises(Conflict, match="ACCOUNT14"):
        replace_value(connection, ACCOUNTS, stale, stale.value)


def test_many_officers_assigning_one_meter_at_once_leave_it_with_one_agreement(customer: Deployment) -> None:
    for number in range(2, 10):
        create(customer, AGREEMENTS, {"code": f"G-{number}", "account": "A-1", "plan": "basic", "starts_on": "2026-01-01"})
    outcomes: list[str] = []

    def assign(number: int) -> None:
        try:
            create(customer, ASSIGNMENTS, {"subject": "M-9", "agreement": f"G-{number}", "starts_on": f"2026-0{number}-01"})
            outcomes.append("assigned")
        except (Refused, Conflict) as refused:
            outcomes.append(refused.code)

    threads = [threading.Thread(target=assign, args=(number,)) for number in range(2, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count("assigned") == 1
    assert set(outcomes) <= {"assigned", "ACCOUNT07", "STORAGE06"}
    assert len(spans(customer, "M-9")) == 1


def test_a_successor_is_named_by_counting_up() -> None:
    assert [next_code(code) for code in ("G-1", "G-1~2", "G~1~9")] == ["G-1~2", "G-1~3", "G~1~10"]


def test_a_run_finds_the_accounts_of_a_cycle(customer: Deployment) -> None:
    text = "code,party,book,currency,cycle,status\nA-3,P-1,US,USD,monthly:15,active\nA-2,P-1,US,USD,monthly:01,closed\n"
    import_file(customer, ACCOUNTS, text.encode(), file="accounts.csv")

    with customer.database.read() as connection:
        assert account_codes(connection, "US") == ("A-1", "A-3")
        assert account_codes(connection, "US", "monthly:1") == ("A-1",)
        assert account_codes(connection, "US", "monthly:1", status="closed") == ("A-2",)
