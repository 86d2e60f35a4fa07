"""The pytest plugin of the framework: fixtures, and scenario files as tests. It is there wherever the framework is installed.

It imports the framework only when a test asks for it, so that other projects pay nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from billing_framework.testing.office import Office
    from billing_framework.values.clock import MovableClock

SUFFIX = ".scenario.toml"


@pytest.fixture
def billing_office() -> Iterator[Callable[..., Office]]:
    """Open throw-away deployments: ``billing_office(["parking"], currency="EUR")``; see `billing_framework.testing.Office`."""
    from billing_framework.testing.office import Office as Opened  # noqa: PLC0415  nobody pays who does not ask

    with ExitStack() as stack:

        def opened(plugins: list[str], **settings: Any) -> Office:
            return stack.enter_context(Opened.open(plugins, **settings))

        yield opened


@pytest.fixture
def billing_clock() -> MovableClock:
    """Return a clock that shows the first of August 2026, nine o'clock UTC, until the test moves it."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from billing_framework.values.clock import MovableClock as Clock  # noqa: PLC0415

    return Clock(datetime(2026, 8, 1, 9, tzinfo=UTC))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect ``*.scenario.toml`` as tests."""
    if not file_path.name.endswith(SUFFIX):
        return None
    return ScenarioFile.from_parent(parent, path=file_path)


class ScenarioFile(pytest.File):
    """A scenario file."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield its one test."""
        yield ScenarioItem.from_parent(self, name=self.path.name.removesuffix(SUFFIX))


class ScenarioItem(pytest.Item):
    """A scenario, played from intake to the proven ledger."""

    def runtest(self) -> None:
        """Play it."""
        from billing_framework.testing.scenario import play, read_scenario  # noqa: PLC0415
        from billing_framework.values.errors import BillingError  # noqa: PLC0415

        try:
            problems = play(read_scenario(self.path), self.path.parent)
        except BillingError as error:
            pytest.fail(str(error), pytrace=False)
        if problems:
            pytest.fail("\n".join(problems), pytrace=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return where it stands."""
        return self.path, 0, f"scenario: {self.name}"
