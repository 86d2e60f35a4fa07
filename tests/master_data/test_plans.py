from __future__ import annotations

from datetime import timedelta

import pytest

from billing_framework.run.deployment import Deployment
from billing_framework.run.master.plans import check_loaded, load_plan_files, model_params
from billing_framework.storage.audit import events
from billing_framework.storage.master.plan_rows import load_plans, plan_rows, plan_source
from billing_framework.values.clock import MovableClock
from billing_framework.values.errors import NotFound


def version(text: str, label: str, *changes: tuple[str, str]) -> bytes:
    """Return the plan under another version label, with other replacements."""
    for old, new in (('version = "2026"', f'version = "{label}"'), *changes):
        assert old in text
        text = text.replace(old, new)
    return text.encode()


def loaded(deployment: Deployment) -> list[str]:
    with deployment.database.read() as connection:
        return [row.name for row in plan_rows(connection)]


def test_the_same_content_again_changes_nothing(deployment: Deployment, plan_text: str) -> None:
    again = load_plan_files(deployment, [("elsewhere.toml", plan_text.encode())])

    assert (again.loaded, again.unchanged, again.findings) == ((), ("basic@2026",), ())
    with deployment.database.read() as connection:
        [event] = events(connection, object_kind="plan")
    assert (event.object_key, event.action) == ("basic@2026", "plan load")


def test_a_loaded_version_never_changes(deployment: Deployment, plan_text: str) -> None:
    done = load_plan_files(deployment, [("basic.toml", plan_text.replace("12.70", "13.70").encode())])

    assert [(one.code, one.line) for one in done.findings] == [("PLAN31", 6)]
    assert "supersedes" in done.findings[0].remedy
    with deployment.database.read() as connection:
        assert "12.70" in plan_source(connection, "basic")[1]


def test_a_later_version_begins_where_the_open_end_of_the_first_is_cut(deployment: Deployment, plan_text: str) -> None:
    later = version(plan_text, "2027", ("2026-01-01", "2027-01-01"))

    assert load_plan_files(deployment, [("2027.toml", later)]).loaded == ("basic@2027",)
    assert loaded(deployment) == ["basic@2026", "basic@2027"]


def test_versions_for_the_same_dates_are_refused_unless_one_supersedes_the_other(
    deployment: Deployment, plan_text: str, clock: MovableClock
) -> None:
    first = clock.now()
    clock.advance(timedelta(hours=1))
    same_dates = version(plan_text, "2026b", ("12.70", "13.70"))
    superseding = version(
        plan_text, "2026b", ("12.70", "13.70"), ('currency = "USD"', 'currency = "USD"\nsupersedes = "2026"\nreason = "misprint"')
    )

    refused = load_plan_files(deployment, [("b.toml", same_dates)])
    done = load_plan_files(deployment, [("b.toml", superseding)])

    assert [one.code for one in refused.findings] == ["PLAN14"]
    assert refused.findings[0].stops
    assert done.loaded == ("basic@2026b",)
    params = model_params(deployment.host)
    with deployment.database.read() as connection:
        assert [one.plan.name for one in load_plans(connection, ["basic"], params=params, known_at=first)] == ["basic@2026"]
        assert [one.plan.name for one in load_plans(connection, ["basic"], params=params)] == ["basic@2026", "basic@2026b"]
        assert next(events(connection, object_kind="plan")).reason == "misprint"
        assert check_loaded(deployment, connection) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ((("2026-01-01", "2027-01-01"), ('currency = "USD"', 'currency = "EUR"')), "PLAN34"),
        ((('currency = "USD"', 'currency = "USD"\nsupersedes = "2025"\nreason = "x"'),), "PLAN32"),
        ((('currency = "USD"', 'currency = "USD"\nsupersedes = "2026"'),), "PLAN11"),
        ((('currency = "USD"', 'currency = "USD"\nvalid_to = 2026-01-01'),), "PLAN11"),
        ((('"12.70"', "12.70"),), "PLAN04"),
        ((('model = "recurring"', 'model = "recuring"'),), "PLAN05"),
    ],
)
def test_a_version_that_does_not_fit_keeps_all_files_out(
    deployment: Deployment, plan_text: str, changes: tuple[tuple[str, str], ...], code: str
) -> None:
    good = plan_text.replace('"basic"', '"other"').encode()

    done = load_plan_files(deployment, [("other.toml", good), ("bad.toml", version(plan_text, "2026b", *changes))])

    assert code in [one.code for one in done.findings]
    assert all(one.file == "bad.toml" and one.line for one in done.findings)
    assert loaded(deployment) == ["basic@2026"]


def test_one_version_in_two_files_is_refused(deployment: Deployment, plan_text: str) -> None:
    other = plan_text.replace('"basic"', '"other"').encode()

    done = load_plan_files(deployment, [("a.toml", other), ("b.toml", other + b"\n")])

    assert [one.code for one in done.findings] == ["PLAN31"]
    assert loaded(deployment) == ["basic@2026"]


def test_dates_between_versions_that_none_prices_are_told(deployment: Deployment, plan_text: str) -> None:
    text = plan_text.replace('"basic"', '"gap"').replace('currency = "USD"', 'currency = "USD"\nvalid_to = 2026-06-01')
    later = version(text, "later", ("2026-01-01", "2026-07-01"), ("2026-06-01", "2026-12-01"))
    load_plan_files(deployment, [("a.toml", text.encode()), ("b.toml", later)])

    with deployment.database.read() as connection:
        [finding] = check_loaded(deployment, connection)

    assert (finding.code, finding.stops, finding.value) == ("PLAN13", False, "2026-06-01/2026-06-30")


def test_an_unknown_version_offers_the_nearest(deployment: Deployment) -> None:
    with deployment.database.read() as connection, pytest.raises(NotFound, match="basic@2026"):
        plan_source(connection, "basic", "2025")


def test_a_version_from_the_last_date_of_the_calendar_is_a_finding(deployment: Deployment, plan_text: str) -> None:
    never = version(plan_text, "never", ("2026-01-01", "9999-12-31"))

    done = load_plan_files(deployment, [("never.toml", never)])

    assert [(one.code, one.field) for one in done.findings] == [("VALUE29", "plan.valid_from")]
    assert loaded(deployment) == ["basic@2026"]
