"""Quotes: a file of records priced with no database, as bills would price it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from billing_framework.cli.main import cli
from billing_framework.plugin.host import Host
from billing_framework.run.prove.quote import Quote, QuoteRequest
from billing_framework.run.prove.quote_file import quote_file, read_plans
from billing_framework.values.errors import InputRefused
from billing_framework.values.period import DateSpan
from tests.scenarios import workshop
from tests.scenarios.office import PLAN


def host() -> Host:
    return Host.build([("workshop", workshop)])


def quoted(folder: Path, jobs: str, plan: str = "", **given: object) -> Quote:
    (folder / "plan.toml").write_text(plan or PLAN.format(accumulate="year", correction="hold"), encoding="utf-8")
    (folder / "jobs.csv").write_text(jobs, encoding="utf-8")
    plans, findings = read_plans(host(), [folder / "plan.toml"])
    assert findings == []
    return quote_file(host(), folder / "jobs.csv", "jobs", QuoteRequest(plans=plans, **given))  # type: ignore[arg-type]


THREE_MONTHS = """j1,drill,2026-05-10T08:00:00+00:00,6
j2,drill,2026-06-10T08:00:00+00:00,6
j3,lathe,2026-07-10T08:00:00+00:00,6
"""


def test_every_month_is_priced_and_state_is_carried_on(tmp_path: Path) -> None:
    found = quoted(tmp_path, THREE_MONTHS)
    assert [(str(one.period), str(one.net), one.records) for one in found.periods] == [
        ("2026-05-01/2026-05-31", "42.00 USD", 1),
        ("2026-06-01/2026-06-30", "40.00 USD", 1),
        ("2026-07-01/2026-07-31", "36.00 USD", 1),
    ]
    assert str(found.net) == "118.00 USD"
    assert found.findings == ()
    assert found.periods[0].lines[1].charge.steps


def test_one_period_and_its_zone(tmp_path: Path) -> None:
    jobs = "j1,drill,2026-08-01T03:00:00+00:00,6\n"
    july = DateSpan.inclusive(date(2026, 7, 1), date(2026, 7, 31))
    assert [one.records for one in quoted(tmp_path, jobs, period=july).periods] == [0]
    assert [one.records for one in quoted(tmp_path, jobs, period=july, zone="America/New_York").periods] == [1]
    assert [str(one.period.start) for one in quoted(tmp_path, jobs, zone="America/New_York").periods] == ["2026-07-01"]


def test_only_the_newest_version_of_a_record_counts(tmp_path: Path) -> None:
    jobs = "j1,drill,2026-05-10T08:00:00+00:00,6,s,1\nj1b,drill,2026-05-10T08:00:00+00:00,2,s,2\n"
    assert str(quoted(tmp_path, jobs).net) == "34.00 USD"


def test_nothing_to_price_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="QUOTE01"):
        quoted(tmp_path, "")


def test_the_command_shows_a_quote_and_its_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BILLING_CONFIG", raising=False)
    monkeypatch.setattr("billing_framework.cli.quote.host_of", lambda _: host())
    quoted(tmp_path, THREE_MONTHS)
    done = CliRunner().invoke(cli, ["quote", "plan.toml", "jobs.csv", "--format", "jobs", "--period", "2026-06", "--steps"])
    assert done.exit_code == 0, done.output
    assert "machine@2026: 42.00 USD without tax" in done.output
    as_json = CliRunner().invoke(cli, ["quote", "plan.toml", "jobs.csv", "--format", "jobs", "--json"])
    assert json.loads(as_json.output)["net"] == "118.00 USD"

    (tmp_path / "other.toml").write_text(
        PLAN.format(accumulate="year", correction="hold").replace("machine", "other"), encoding="utf-8"
    )
    two = CliRunner().invoke(cli, ["quote", "plan.toml", "jobs.csv", "--format", "jobs", "--also", "other.toml"])
    assert isinstance(two.exception, InputRefused | SystemExit)
    bad = CliRunner().invoke(cli, ["quote", "nowhere.toml", "jobs.csv", "--format", "jobs"])
    assert bad.exit_code != 0
