"""The argument RUN: of commands that need none named, which tell in their help which one is meant then, and of those that do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from billing_framework.storage.billing.meant_run import RULE
from billing_framework.values.errors import NotFound

Command = TypeVar("Command", bound=Callable[..., Any])


def run_argument(command: Command) -> Command:
    """Give a command the argument ``run_code``, empty where no run is named, and tell the rule in its help."""
    text, example, rest = (command.__doc__ or "").partition("    Example:\n")
    command.__doc__ = f"{text}    {RULE}\n\n{example}{rest}"
    return click.argument("run_code", metavar="[RUN]", default="")(command)


def named_run_argument(command: Command) -> Command:
    """Give a command the argument ``run_code`` that must name a run, as what is done to one draft or to held ones always does."""
    return click.argument("run_code", metavar="RUN", callback=_named)(command)


def _named(_: click.Context, __: click.Parameter, code: str) -> str:
    if not code.strip():
        raise NotFound("RUN01", "no run is named", remedy="Name it; they are listed by billing run list")
    return code
