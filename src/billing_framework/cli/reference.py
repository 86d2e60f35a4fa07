"""Writes the generated pages of the reference: hooks, commands, settings and codes.

``python -m billing_framework.cli.reference docs/reference`` writes them; a test says whether the committed ones are current.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import click

from billing_framework.cli.main import cli
from billing_framework.plugin import hookspecs
from billing_framework.plugin.offers import hook_names
from billing_framework.plugin.settings import Settings
from billing_framework.values.attribute_docs import attribute_docs, summary
from billing_framework.values.codes import core_codes

_GENERATED = "<!-- Written by `python -m billing_framework.cli.reference docs/reference`; do not edit. -->"


def pages() -> Mapping[str, str]:
    """Return the generated pages: file name to text."""
    return {
        "hooks.md": _page("Hooks", _hooks()),
        "cli.md": _page("Commands", _commands()),
        "settings.md": _page("Settings: billing.toml", _settings()),
        "codes.md": _page("Codes of findings and errors", _codes()),
    }


def _page(title: str, parts: Iterator[str]) -> str:
    return "\n\n".join([f"# {title}", _GENERATED, *(part.strip("\n") for part in parts)]) + "\n"


def _hooks() -> Iterator[str]:
    yield inspect.cleandoc(hookspecs.__doc__ or "")
    for name in hook_names():
        hook = getattr(hookspecs, name)
        signature = inspect.signature(hook)
        returned = str(signature.return_annotation)
        arguments = ", ".join(signature.parameters)
        text, _, example = (inspect.getdoc(hook) or "").partition("Example:\n")
        yield f"## {name}"
        yield f"`{name}({arguments}) -> {returned}`"
        yield _arguments(text)
        yield f"```python\n{textwrap.dedent(example).rstrip()}\n```"


def _arguments(text: str) -> str:
    before, found, after = text.partition("Args:\n")
    if not found:
        return before.rstrip()
    listed = "\n".join(f"* {line.strip()}" for line in after.splitlines() if line.strip())
    return f"{before.rstrip()}\n\n{listed}"


def _commands() -> Iterator[str]:
    yield (
        "Every command also takes `--config FILE`, `--actor NAME`, `--json` and `--help`. Exit codes: 0 done, 1 findings that"
        " block, 2 the call, the settings or the input is refused, 3 the state of the books or of a run forbids it, 4 the"
        " database, 70 a fault of the program, 74 the result cannot be written, 130 interrupted."
    )
    yield from _command(cli, click.Context(cli, info_name="billing"))


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None and not found.hidden:
                inner = click.Context(found, parent=context, info_name=name)
                if isinstance(found, click.Group):
                    yield f"## {inner.command_path}"
                    yield _told(found)
                yield from _command(found, inner)
        return
    nouns = context.command_path.count(" ")
    yield f"{'#' * (nouns + 1)} {context.command_path}"
    yield _told(command)
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{context.command_path} {usage}\n```"
    options = [
        f"* `{', '.join(parameter.opts)}`{_required(parameter)}: {parameter.help}"
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden and not (parameter.name or "").startswith("_shared_")
    ]
    if options:
        yield "\n".join(options)


def _required(parameter: click.Parameter) -> str:
    return " (required)" if parameter.required else ""


def _told(command: click.Command) -> str:
    text, found, example = inspect.cleandoc(command.help or "").replace("\b\n", "").partition("Example:\n")
    shown = f"\n\n```text\n{textwrap.dedent(example).rstrip()}\n```" if found else ""
    return text.strip() + shown


def _settings() -> Iterator[str]:
    yield "`billing config schema` prints the same for editors, with the settings of the installed plugins."
    hints = typing.get_type_hints(Settings)
    for field in attrs.fields(Settings):
        hint = hints[field.name]
        if field.name == "plugin":
            yield "## [plugin.NAME]"
            yield "Settings of one plugin; `billing plugin show NAME` lists its keys."
            continue
        parts = typing.get_args(hint)
        by_name = isinstance(typing.get_origin(hint), type) and issubclass(typing.get_origin(hint), Mapping)
        name = f"{field.name}.NAME" if by_name else field.name
        cls = parts[1] if by_name else next((part for part in parts if part is not type(None)), hint)
        yield f"## [{name}]"
        yield summary(cls)
        documented = attribute_docs(cls)
        yield "\n".join(f"* `{key.name}`{_default(key)}: {documented[key.name]}" for key in attrs.fields(cls))


def _default(key: attrs.Attribute[object]) -> str:
    if key.default is attrs.NOTHING:
        return " (required)"
    if isinstance(key.default, attrs.Factory) or key.default in ("", (), None):  # type: ignore[arg-type]  # a class to Python
        return ""
    shown = str(key.default).lower() if isinstance(key.default, bool) else " ".join(str(key.default).split())
    return f" (default {shown})"


def _codes() -> Iterator[str]:
    yield "Codes never change their meaning. Those of a plugin are shown by `billing plugin show NAME`."
    for code, page in sorted(core_codes().items()):
        yield f"## {code}"
        yield f"**{page.title}.** {page.meaning}"
        yield f"What to do: {page.remedy}"


def write(folder: Path) -> None:
    """Write all generated pages into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
