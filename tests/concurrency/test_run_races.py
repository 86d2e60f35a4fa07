"""Races around one account and one run: one wins, the other says so, and the books are sound whichever it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import attrs
import pytest

from billing_framework.invoicing.numbering import number_gaps
from billing_framework.run.correct.rebill import rebill_document
from billing_framework.run.cycle import off_cycle
from billing_framework.run.cycle.approve import approve_run
from billing_framework.run.cycle.cancel import cancel_run
from billing_framework.run.cycle.off_cycle import OffCycleRequest, bill_finally, bill_off_cycle
from billing_framework.run.cycle.post import post_run
from billing_framework.run.cycle.start import RunReport, start_run
from billing_framework.run.master.customer_change import end_agreement
from billing_framework.run.work.work import Work
from billing_framework.storage.billing.numbers import counters_given
from billing_framework.storage.billing.run_rows import find_run
from billing_framework.storage.engine import Database, open_database
from billing_framework.storage.ledger.verify import verify
from billing_framework.values.errors import BillingError, Refused
from tests.scenarios.office import Office

CUSTOMERS = 6


@pytest.fixture
def office(database: Database) -> Office:
    """June is posted for all; usage of June came late for the first; July is ready to be billed."""
    office = Office.of(database)
    for number in range(CUSTOMERS):
        office.customer(f"C{number}", f"machine-{number}")
    office.jobs(*(f"j{number},machine-{number},2026-06-{number + 1:02}T08:00:00+00:00,{number}" for number in range(CUSTOMERS)))
    office.bill("2026-06")
    office.jobs("late,machine-0,2026-06-20T08:00:00+00:00,4", file="late.csv")
    return office


@pytest.fixture
def twin(office: Office) -> Iterator[Office]:
    """The same office through connections of its own."""
    url = office.deployment.database.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    other = open_database(url)
    yield Office(attrs.evolve(office.deployment, database=other), office.clock)
    other.close()


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Do acts in threads that start together; return what each returned or how it was refused."""
    barrier = threading.Barrier(len(acts))
    results: dict[int, object] = {}

    def do(place: int, act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            results[place] = act()
        except BillingError as error:
            results[place] = error

    threads = [threading.Thread(target=do, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[place] for place in range(len(acts))]


def refusals(results: list[object]) -> list[str]:
    """Return the codes of the refusals; nothing else may have happened."""
    assert all(isinstance(result, Refused) for result in results if isinstance(result, BillingError)), results
    return [result.code for result in results if isinstance(result, BillingError)]


def sound(office: Office) -> None:
    database = office.deployment.database
    assert verify(database, "MAIN") == []
    with database.read() as connection:
        assert number_gaps(*counters_given(connection, "MAIN")) == []


def bill_july(office: Office) -> str:
    """Start, approve and post July; return what blocked the approval, empty where all is posted."""
    run = office.start("2026-07").run
    assert run is not None
    report = approve_run(office.deployment, run.code)
    if report.findings:
        return report.findings[0].code
    office.post(run.code)
    return ""


def test_a_run_is_drafted_and_posted_while_a_document_of_its_account_is_billed_anew(office: Office, twin: Office) -> None:
    results = at_once(
        lambda: bill_july(office),
        lambda: rebill_document(twin.deployment, "INV-2026-000001", reason="late usage"),
    )
    codes = refusals(results)
    assert set(codes) <= {"RUN24", "STORAGE06"}, results
    assert results[0] in ("", "RUN09") or isinstance(results[0], BillingError), results
    sound(office)
    bill_july(office)
    if isinstance(results[1], BillingError):
        rebill_document(twin.deployment, "INV-2026-000001", reason="late usage")
    sound(office)
    # 30.00 and 4 hours at 2.00, and a tenth of tax
    assert sum(line.endswith(" C0 41.80") for line in office.documents()) == 1
    assert sum(line.endswith(" 33.00") for line in office.documents()) == CUSTOMERS + 1


def test_a_run_is_posted_by_one_and_cancelled_by_another(office: Office, twin: Office) -> None:
    run = office.start("2026-07").run
    assert run is not None
    office.approve(run.code)
    results = at_once(
        lambda: office.post(run.code, work=Work(shard_size=1)),
        lambda: cancel_run(twin.deployment, run.code, reason="wrong date", void_numbers=True),
    )
    assert len(refusals(results)) <= 1, results
    sound(office)
    july = [line for line in office.documents() if int(line.split()[0][-6:]) > CUSTOMERS]
    assert len(july) in (0, CUSTOMERS)
    if not july:
        office.bill("2026-07")
        sound(office)


@attrs.define
class _ClockThatCancels:
    """The office's clock; when the posting of a run looks at it for the first time, somebody else cancels the run."""

    office: Office
    run: str
    cancelled: bool = False

    def now(self) -> datetime:
        with self.office.deployment.database.read() as connection:
            is_posting = find_run(connection, self.run).state == "posting"
        if is_posting and not self.cancelled:
            self.cancelled = True
            cancel_run(self.office.deployment, self.run, reason="wrong date")
        return self.office.clock.now()


def test_posting_tells_that_the_run_was_cancelled_before_the_first_document_was_issued(office: Office, twin: Office) -> None:
    run = office.start("2026-07").run
    assert run is not None
    office.approve(run.code)
    posting = attrs.evolve(office.deployment, clock=_ClockThatCancels(twin, run.code))
    with pytest.raises(Refused) as refused:
        post_run(posting, run.code)
    assert refused.value.code == "RUN03"
    assert f"the run {run.code} was cancelled meanwhile by {twin.deployment.actor}: wrong date" in str(refused.value)
    assert len(office.documents()) == CUSTOMERS
    office.bill("2026-07")
    sound(office)


def test_a_run_is_started_by_one_and_approved_by_another(office: Office, twin: Office) -> None:
    office.start("2026-07", accounts=["C0", "C1"])
    results = at_once(
        lambda: office.start("2026-07", work=Work(shard_size=1)),
        lambda: approve_run(twin.deployment),
    )
    assert len(refusals(results)) <= 1, results
    sound(office)


def overtaken(office: Office, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let July of all be started after a bill of one account was decided on, and before its run starts; return the code."""
    codes: list[str] = []

    def start_after_july(*given: Any, **options: Any) -> RunReport:
        if not codes and (july := office.start("2026-07").run) is not None:
            codes.append(july.code)
        return start_run(*given, **options)

    monkeypatch.setattr(off_cycle, "start_run", start_after_july)
    return codes


def test_a_last_bill_that_a_run_of_all_overtakes_is_not_said_to_be_billed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_agreement(office.deployment, "A-C1", date(2026, 7, 11), reason="moved out")
    july = overtaken(office, monkeypatch)
    final = bill_finally(office.deployment, OffCycleRequest(account="C1"))
    assert final.started.run is not None
    assert (final.started.run.code, final.started.run.state) == (july[0], "drafted")


def test_an_off_cycle_bill_that_a_run_of_all_overtakes_names_that_run(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    july = overtaken(office, monkeypatch)
    with pytest.raises(Refused, match=r"RUN54.*claimed by the run") as refused:
        bill_off_cycle(office.deployment, OffCycleRequest(account="C1", end=date(2026, 7, 16)))
    assert july[0] in refused.value.what
