"""A noun of many verbs, of which one is not to wait for all: each stands in a file that is loaded when the verb is used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import attrs
import click

from billing_framework.cli.prepared import prepared


@attrs.frozen
class VerbFile:
    """Where a verb stands.

    Attributes:
        name: file in this folder, whose tuple ``VERBS`` holds it.
        line: the verb's line in the help of its noun; its own help begins with the same words.
    """

    name: str
    line: str


class VerbsByFile(click.Group):
    """The command of such a noun.

    Attributes:
        files: file and line in the help of each verb.
    """

    def __init__(self, *arguments: Any, files: Mapping[str, VerbFile], **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.files = files

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the names of all verbs."""
        return sorted(self.files)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb, None where there is none of this name."""
        if cmd_name not in self.files:
            return None
        module = importlib.import_module(f"{__package__}.{self.files[cmd_name].name}")
        return prepared(next(verb for verb in module.VERBS if verb.name == cmd_name))

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.files[name].line) for name in sorted(self.files)])
