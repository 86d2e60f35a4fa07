"""The argument RUN of commands that need none named; which one is meant then is told by the help of each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from billing_framework.storage.billing.meant_run import RULE

Command = TypeVar("Command", bound=Callable[..., Any])


def run_argument(command: Command) -> Command:
    """Give a command the argument ``run_code``, empty where no run is named, and tell the rule in its help."""
    text, example, rest = (command.__doc__ or "").partition("    Example:\n")
    command.__doc__ = f"{text}    {RULE}\n\n{example}{rest}"
    return click.argument("run_code", metavar="[RUN]", default="")(command)
