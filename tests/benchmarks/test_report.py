from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import measuring, report
from benchmarks.growth import exponent
from benchmarks.measuring import Cost, Meter, Round, keep, median_ratio, plain, processor_ratio
from benchmarks.plots import Bar, Series, bars_plot, growth_plot

SLOW = Round(costs={"intake": Cost(clock=2, client=1, server=1), "post": Cost(clock=4, client=2)}, peak_mb=300)
FAST = Round(costs={"parse": Cost(clock=1, client=1), "write": Cost(clock=2, client=0.5, server=0.5)}, peak_mb=200)


def test_ratios_are_those_of_rounds_side_by_side() -> None:
    assert median_ratio([SLOW], [FAST]) == 2
    assert processor_ratio([SLOW], [FAST]) == 2


def test_a_meter_adds_up_parts_of_a_step_and_keeps_the_curve_of_the_first() -> None:
    meter = Meter()
    for step in ("intake", "intake", "post"):
        with meter.step(step):
            sum(range(1_000))
    done = meter.done(documents=1)

    assert list(done.costs) == ["intake", "post"]
    assert len(done.curve) == 2
    assert done.costs["intake"].clock == pytest.approx(sum(done.curve))
    assert done.peak_mb > 1


def test_the_exponent_is_the_slope_between_the_ends() -> None:
    assert exponent({100: 1.0, 1_000: 8.0, 10_000: 100.0}) == pytest.approx(1.0)
    assert exponent({100: 1.0}) == 0


def test_plots_are_well_formed() -> None:
    series = [Series(name="intake & more", points=((1e5, 0.4), (1e6, 4.1), (1e7, 44.0)))]
    curve = [Series(name="intake", points=((1.0, 2.0), (2.0, 2.5), (3.0, 3.1)))]
    for plot in (
        growth_plot(series, curve),
        growth_plot(series, []),
        bars_plot("time", [Bar(label="a", parts={"rate": 0.7, "post": 0.9})], mark=1.0, mark_name="floor"),
    ):
        root = ET.fromstring(plot)  # noqa: S314 - our own text
        assert root.tag.endswith("svg")
        assert "nan" not in plot


def test_the_page_holds_what_was_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    for module, name, value in (
        (measuring, "RESULTS", tmp_path),
        (report, "DOCS", tmp_path),
        (report, "PAGE", page),
    ):
        monkeypatch.setattr(module, name, value)
    figures = {"workload": "telecom", "database": "sqlite", "workers": 1, "size": 1_000, "unit": "records", "ratio": 2.0}
    more = {"processor_ratio": 2.0, "goal": 2.2, "product": [plain(SLOW)], "floor": [plain(FAST)]}
    keep("cycle_telecom_sqlite_1", {**figures, **more})

    report.write_page()
    first = page.read_text(encoding="utf-8")
    report.write_page()

    assert page.read_text(encoding="utf-8") == first
    assert first.startswith("before")
    assert first.endswith("after\n")
    assert "old" not in first
    assert "| telecom, 1,000 records | sqlite, 1 worker | 6.00 | 167 |" in first
    assert "| telecom, sqlite, 1 | intake | 2.00 | 500 | 1.00 | 1.00 |" in first
    assert (tmp_path / "performance_time.svg").is_file()
