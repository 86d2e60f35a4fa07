from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from billing_framework.accounts.agreement import Agreement
from billing_framework.rating.charge_models import core_models
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.selection import LoadedPlan, Selection, select
from billing_framework.values.period import DateSpan

MODELS = {model.name: model for model in core_models()}
AGREEMENT = Agreement(code="G1", account="A1", plan="P", starts_on=date(2024, 6, 15))
YEAR = DateSpan(date(2026, 1, 1), date(2027, 1, 1))


def version(name: str, valid_from: str, valid_to: str = "", *, loaded: int = 1, supersedes: str = "") -> LoadedPlan:
    plan = PlanVersion(
        code="P",
        version=name,
        valid_from=date.fromisoformat(valid_from),
        valid_to=date.fromisoformat(valid_to) if valid_to else None,
        currency="USD",
        components=(),
        supersedes=supersedes,
    )
    return LoadedPlan(plan=plan, loaded_at=datetime(2026, 1, loaded, tzinfo=UTC))


def chosen(plans: list[LoadedPlan], *, known: int = 31, dates: DateSpan = YEAR) -> Selection:
    return select(AGREEMENT, dates, plans, datetime(2026, 1, known, tzinfo=UTC), MODELS)


def shown(selection: Selection) -> list[tuple[str, str]]:
    return [(tile.plan.version, str(tile.dates)) for tile in selection.tiles]


def test_an_open_version_holds_until_a_later_one_begins() -> None:
    plans = [version("b", "2026-07-01"), version("a", "2025-01-01")]
    assert shown(chosen(plans)) == [("a", "2026-01-01/2026-06-30"), ("b", "2026-07-01/2026-12-31")]
    assert chosen(plans).findings == ()


def test_what_was_not_known_does_not_count() -> None:
    plans = [version("a", "2025-01-01"), version("b", "2026-07-01", loaded=20)]
    assert shown(chosen(plans, known=19)) == [("a", "2026-01-01/2026-12-31")]
    assert shown(chosen(plans, known=20))[-1] == ("b", "2026-07-01/2026-12-31")


def test_a_correction_wins_for_its_dates_once_it_is_known() -> None:
    plans = [
        version("a", "2025-01-01"),
        version("c", "2026-07-01"),
        version("fix", "2026-03-01", "2026-04-01", loaded=10, supersedes="a"),
    ]
    assert shown(chosen(plans, known=9)) == [("a", "2026-01-01/2026-06-30"), ("c", "2026-07-01/2026-12-31")]
    assert shown(chosen(plans)) == [
        ("a", "2026-01-01/2026-02-28"),
        ("fix", "2026-03-01/2026-03-31"),
        ("a", "2026-04-01/2026-06-30"),
        ("c", "2026-07-01/2026-12-31"),
    ]


def test_a_correction_of_a_correction_wins() -> None:
    plans = [
        version("a", "2026-01-01"),
        version("b", "2026-01-01", loaded=2, supersedes="a"),
        version("c", "2026-01-01", loaded=3, supersedes="b"),
    ]
    assert [shown(chosen(plans, known=day)) for day in (1, 2, 3)] == [[(name, "2026-01-01/2026-12-31")] for name in "abc"]


def test_dates_without_a_version_are_a_finding() -> None:
    selection = chosen([version("a", "2026-02-01", "2026-11-01")])
    assert shown(selection) == [("a", "2026-02-01/2026-10-31")]
    assert [(finding.code, finding.value) for finding in selection.findings] == [
        ("PLAN13", "2026-01-01/2026-01-31"),
        ("PLAN13", "2026-11-01/2026-12-31"),
    ]
    assert all(finding.stops and finding.subject == "G1" for finding in selection.findings)


def test_two_versions_for_one_date_are_a_finding() -> None:
    selection = chosen([version("a", "2025-01-01", "2026-08-01"), version("b", "2026-07-01")])
    assert [(finding.code, finding.value) for finding in selection.findings] == [("PLAN14", "2026-07-01/2026-07-31")]
    assert "a, b" in selection.findings[0].what


def test_a_plan_that_is_not_loaded_is_a_finding() -> None:
    assert [finding.code for finding in chosen([]).findings] == ["PLAN16"]
    assert [finding.code for finding in chosen([version("a", "2025-01-01", loaded=30)], known=29).findings] == ["PLAN16"]


def test_the_edge_of_a_version_that_prices_nothing_there_cuts_nothing() -> None:
    plans = [version("a", "2025-01-01"), version("never", "2026-05-01", "2026-06-01", loaded=2, supersedes="x")]
    plans.append(version("better", "2026-05-01", "2026-06-01", loaded=3, supersedes="never"))
    plans.append(version("best", "2025-01-01", "2027-01-01", loaded=4, supersedes="better"))
    # "a" is open and began with "best", which has an end: both would price, so this is told and not guessed.
    assert {finding.code for finding in chosen(plans).findings} == {"PLAN14"}
    assert shown(chosen(plans[:2], known=1)) == [("a", "2026-01-01/2026-12-31")]


def test_models_cut_where_they_count_anew(plan: Any) -> None:
    keys = 'model = "graduated"\nmeasure = "m"\nunit = "u"\ntiers = [{ price = "1" }]\naccumulate = "year"\nreset = "anniversary"'
    loaded = LoadedPlan(plan=plan({"use": keys}), loaded_at=datetime(2026, 1, 1, tzinfo=UTC))
    agreement = Agreement(code="G1", account="A1", plan="test", starts_on=date(2024, 6, 15))
    june = DateSpan(date(2026, 6, 1), date(2026, 7, 1))
    found = select(agreement, june, [loaded], datetime(2026, 2, 1, tzinfo=UTC), MODELS)
    assert [str(tile.dates) for tile in found.tiles] == ["2026-06-01/2026-06-14", "2026-06-15/2026-06-30"]


days = st.integers(0, 400).map(lambda number: date.fromordinal(date(2025, 12, 1).toordinal() + number))


@given(st.lists(st.tuples(days, st.one_of(st.none(), st.integers(1, 300)), st.integers(1, 28), st.integers(0, 5)), max_size=6))
def test_tiles_and_findings_together_cover_the_dates_once(rows: list[tuple[date, int | None, int, int]]) -> None:
    plans = []
    for number, (start, length, loaded, supersedes) in enumerate(rows):
        end = date.fromordinal(start.toordinal() + length).isoformat() if length else ""
        plans.append(
            version(f"v{number}", start.isoformat(), end, loaded=loaded, supersedes=f"v{supersedes}" if supersedes else "")
        )
    selection = chosen(plans, known=14)
    if [finding.code for finding in selection.findings] == ["PLAN16"]:
        return
    unclear = [tuple(map(date.fromisoformat, finding.value.split("/"))) for finding in selection.findings]
    covered = sum(tile.dates.days for tile in selection.tiles) + sum((last - first).days + 1 for first, last in unclear)
    assert covered == YEAR.days
    assert all(tile.plan.valid_from <= tile.dates.start for tile in selection.tiles)
    assert all(one.loaded_at.day <= 14 for one in plans if one.plan in [tile.plan for tile in selection.tiles])
