"""An account is only entered on a billing calendar that the deployment has."""

from __future__ import annotations

from datetime import date

import attrs
import pytest

from billing_framework.plugin.settings import BillingCalendar
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.customer_change import change
from billing_framework.run.master.customers import create, import_file
from billing_framework.storage.master.master_kind import ACCOUNTS, PARTIES
from billing_framework.values.errors import BillingError

ACCOUNT = {"code": "A-1", "party": "P-1", "book": "US", "currency": "USD"}


@pytest.fixture
def office(deployment: Deployment) -> Deployment:
    create(deployment, PARTIES, {"code": "P-1", "name": "Ada Ohm"})
    calendar = BillingCalendar(boundaries=(date(2026, 1, 4), date(2026, 2, 1), date(2026, 3, 1)))
    return attrs.evolve(deployment, settings=attrs.evolve(deployment.settings, calendars={"retail": calendar}))


def test_a_misspelt_calendar_is_refused_with_the_nearest_name(office: Deployment) -> None:
    with pytest.raises(BillingError, match="Did you mean 'retail'") as refused:
        create(office, ACCOUNTS, {**ACCOUNT, "cycle": "custom:retial"})
    assert refused.value.code == "VALUE19"
    assert create(office, ACCOUNTS, {**ACCOUNT, "cycle": "custom:retail"})[1]
    with pytest.raises(BillingError, match="no billing calendar 'other'"):
        change(office, ACCOUNTS, "A-1", {"cycle": "custom:other"}, reason="moved")


def test_a_file_is_told_the_line_and_nothing_of_it_is_written(office: Deployment) -> None:
    text = "code,party,book,currency,cycle\nA-1,P-1,US,USD,custom:retail\nA-2,P-1,US,USD,custom:retial\n"
    report = import_file(office, ACCOUNTS, text.encode(), file="accounts.csv")
    assert [(one.code, one.line, one.field) for one in report.findings] == [("VALUE19", 3, "cycle")]
    assert not report.written


def test_an_account_whose_calendar_went_can_still_be_changed(office: Deployment) -> None:
    create(office, ACCOUNTS, {**ACCOUNT, "cycle": "custom:retail"})
    without = attrs.evolve(office, settings=attrs.evolve(office.settings, calendars={}))
    assert change(without, ACCOUNTS, "A-1", {"due_days": "30"}, reason="letter")[1].due_days == 30
