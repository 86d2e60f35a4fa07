from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from billing_framework.run.deployment import Deployment
from billing_framework.run.master.books import load_book_file
from billing_framework.run.master.mapping_check import mapping_findings
from billing_framework.run.master.periods import book_periods, close_book_period, inclusive, months, open_periods
from billing_framework.run.master.plans import load_plan_files
from billing_framework.run.master.taxes import load_tax_file
from billing_framework.storage.audit import events
from billing_framework.storage.ledger.books import load_book as load_ledger_book
from billing_framework.storage.ledger.books import load_chart
from billing_framework.storage.master.book_rows import find_books, load_book, number_series
from billing_framework.values.clock import MovableClock
from billing_framework.values.errors import Conflict, InputRefused, LedgerRefused, NotFound


def test_the_first_load_creates_book_and_chart_in_the_ledger(empty: Deployment, book_text: str) -> None:
    checked = load_book_file(empty, "book.toml", book_text.encode(), check_only=True)
    with empty.database.read() as connection:
        assert find_books(connection) == {}

    done = load_book_file(empty, "book.toml", book_text.encode())

    assert (checked.outcome, done.outcome, done.version) == ("created", "created", 1)
    with empty.database.read() as connection:
        assert load_ledger_book(connection, "US").currency == "USD"
        assert load_chart(connection, "US").account("1200").control_of == "receivable"
        assert [one.prefix for one in number_series(load_book(connection, "US").profile)] == ["INV-{year}-", "CN-{year}-"]


def test_the_same_file_again_changes_nothing(deployment: Deployment, book_text: str) -> None:
    assert load_book_file(deployment, "other-name.toml", book_text.encode()).outcome == "unchanged"
    with deployment.database.read() as connection:
        assert len(list(events(connection, object_kind="book"))) == 1


def test_a_changed_file_is_a_new_version_audited_before_and_after(
    deployment: Deployment, book_text: str, clock: MovableClock
) -> None:
    first = clock.now()
    clock.advance(timedelta(days=1))
    changed = book_text.replace("Example Energy LLC", "Example Power LLC").replace("12-3456789", "98-7654321")

    done = load_book_file(deployment, "book.toml", changed.encode(), reason="renamed")

    assert (done.outcome, done.version) == ("changed", 2)
    assert done.changes == {
        "seller.name": ("Example Energy LLC", "Example Power LLC"),
        "seller.tax_ids[1]": ("12-3456789", "98-7654321"),
    }
    with deployment.database.read() as connection:
        event = next(events(connection, object_kind="book"))
        assert event.before is not None
        assert event.after is not None
        assert (event.before["seller"]["name"], event.after["seller"]["name"]) == ("Example Energy LLC", "Example Power LLC")
        assert load_book(connection, "US").profile.seller.name == "Example Power LLC"
        assert load_book(connection, "US", known_at=first).profile.seller.name == "Example Energy LLC"


def test_the_currency_of_a_book_never_changes(deployment: Deployment, book_text: str) -> None:
    with pytest.raises(Conflict, match="LEDGER14"):
        load_book_file(deployment, "book.toml", book_text.replace('currency = "USD"', 'currency = "EUR"').encode())
    euro = book_text.replace('currency = "USD"', 'currency = "EUR"').encode()
    [finding] = load_book_file(deployment, "book.toml", euro, check_only=True).findings
    assert (finding.code, finding.field) == ("LEDGER14", "book.currency")


def test_an_account_of_the_ledger_stays_in_the_file(deployment: Deployment, book_text: str) -> None:
    extended = book_text.replace(
        "[book.charges]", '[[book.account]]\ncode = "4100"\nname = "Other"\ntype = "income"\n\n[book.charges]'
    )
    assert load_book_file(deployment, "book.toml", extended.encode()).outcome == "changed"

    done = load_book_file(deployment, "book.toml", book_text.encode())

    assert done.outcome == "refused"
    assert [(one.code, one.value) for one in done.findings] == [("BOOK05", "4100")]


def test_a_mistyped_bank_account_is_refused(empty: Deployment, book_text: str) -> None:
    done = load_book_file(empty, "book.toml", book_text.replace("DE89", "DE98").encode())

    assert [(one.code, one.field, one.line) for one in done.findings] == [("BOOK03", "book.bank.iban", 13)]


def test_an_unknown_book_offers_the_nearest(deployment: Deployment) -> None:
    with deployment.database.read() as connection, pytest.raises(NotFound, match="'US'"):
        load_book(connection, "USA")


def test_every_code_of_plans_and_taxes_needs_an_account(deployment: Deployment, plan_text: str) -> None:
    taxes = """
        schema = 1
        [[tax]]
        code = "vat"
        title = { en = "VAT" }
        category = "standard"
        percent = "19"
        valid_from = 2020-01-01
        """
    other = plan_text.replace('"basic"', '"other"').replace("service.fixed", "energy.fixed")
    foreign = plan_text.replace('"basic"', '"foreign"').replace("service.fixed", "energy.fixed").replace('"USD"', '"EUR"')
    with deployment.database.read() as connection:
        assert mapping_findings(deployment, connection) == []

    assert load_plan_files(deployment, [("other.toml", other.encode()), ("foreign.toml", foreign.encode())]).findings == ()
    assert load_tax_file(deployment, "de.toml", taxes.encode()).findings == ()

    with deployment.database.read() as connection:
        found = mapping_findings(deployment, connection)
    assert [(one.code, one.value, one.subject) for one in found] == [("BOOK06", "energy.fixed", "US"), ("BOOK06", "vat", "US")]


def test_periods_are_opened_ahead_once_and_closed_for_good(deployment: Deployment, clock: MovableClock) -> None:
    opened = open_periods(deployment, "US", months("2026-11", "2027-02"))
    again = open_periods(deployment, "US", months("2026-11", "2027-02"))

    clock.move_to(datetime(2026, 12, 1, 12, tzinfo=UTC))
    closed = close_book_period(deployment, "US", date(2026, 11, 30), reason="reported")

    assert [str(one.span) for one in opened] == [
        "2026-11-01/2026-11-30", "2026-12-01/2026-12-31", "2027-01-01/2027-01-31", "2027-02-01/2027-02-28",
    ]  # fmt: skip
    assert again == ()
    assert closed is not None
    assert not closed.is_open
    assert close_book_period(deployment, "US", date(2026, 11, 30), reason="reported again") is None
    assert [one.is_open for one in book_periods(deployment, "US")] == [False, True, True, True]
    with pytest.raises(LedgerRefused, match="LEDGER09"):
        open_periods(deployment, "US", months("2026-11", "2026-11"))
    with deployment.database.read() as connection:
        assert len(list(events(connection, object_kind="period"))) == 5


def test_overlapping_periods_are_refused_altogether(deployment: Deployment) -> None:
    open_periods(deployment, "US", months("2026-07", "2026-07"))

    with pytest.raises(LedgerRefused, match="LEDGER15"):
        open_periods(deployment, "US", (*months("2026-06", "2026-06"), inclusive(date(2026, 7, 15), date(2026, 8, 15))))
    assert len(book_periods(deployment, "US")) == 1


@pytest.mark.parametrize(("first", "last"), [("2026-13", "2026-13"), ("July", "July"), ("2026-07", "2026-06"), ("", "")])
def test_months_that_are_none(first: str, last: str) -> None:
    with pytest.raises(InputRefused, match="PERIOD01"):
        months(first, last)


def test_a_period_is_closed_under_the_dates_it_was_opened_under(deployment: Deployment) -> None:
    weeks = inclusive(date(2026, 2, 2), date(2026, 3, 1))
    open_periods(deployment, "US", (weeks, *months("2026-04", "2026-04")), reason="budget")

    with pytest.raises(NotFound, match=r"LEDGER06 book US has no period 2026-02-01/2026-02-28") as refused:
        close_book_period(deployment, "US", months("2026-02", "2026-02")[0], reason="reported")
    assert str(weeks) in refused.value.remedy
    with pytest.raises(NotFound, match="LEDGER06"):
        close_book_period(deployment, "US", months("2026-07", "2026-07")[0], reason="reported")
    closed = [close_book_period(deployment, "US", span, reason="reported") for span in (weeks, months("2026-04", "2026-04")[0])]
    assert [one and one.span.start for one in closed] == [date(2026, 2, 2), date(2026, 4, 1)]
    with deployment.database.read() as connection:
        reasons = [(event.action, event.reason) for event in events(connection, object_kind="period")]
    assert reasons == [("period close", "reported")] * 2 + [("period open", "budget")] * 2
