"""Gives a command what all commands share: the shared options, and its examples as they are written."""

from __future__ import annotations

import inspect

import click

from billing_framework.cli.context import shared_options


def prepared(command: click.Command) -> click.Command:
    """Return a noun's command with the shared options on every verb and its examples kept line by line."""
    if isinstance(command, click.Group):
        for verb in command.commands.values():
            prepared(verb)
    elif not any(parameter.name == "_shared_json" for parameter in command.params):
        command.params.extend(shared_options())
    if command.help and "\b" not in command.help:
        # click joins the lines of a paragraph unless it is marked.
        command.help = inspect.cleandoc(command.help).replace("Example:\n", "\b\nExample:\n")
    return command
