"""Runs the command line in the open deployment of a test's office, which would else open one of its own."""

from __future__ import annotations

from typing import Protocol

from click.testing import CliRunner, Result

from billing_framework.cli.context import Session
from billing_framework.cli.main import cli
from billing_framework.run.deployment import Deployment


class HasDeployment(Protocol):
    """An office of a test, of whatever trade."""

    deployment: Deployment


def billing(office: HasDeployment, *arguments: str) -> Result:
    """Run a command in the deployment of the office."""
    session = Session()
    session._opened = office.deployment  # noqa: SLF001  the command line would open one of its own
    return CliRunner().invoke(cli, list(arguments), obj=session)


def told(office: HasDeployment, *arguments: str, code: int = 0) -> str:
    """Return what a command printed, after checking its exit code and that no traceback was shown."""
    done = billing(office, *arguments)
    assert done.exit_code == code, (done.output, done.exception)
    assert "Traceback" not in done.output
    return done.output
