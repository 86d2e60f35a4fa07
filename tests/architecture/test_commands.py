"""Every command explains itself, with an example that names it."""

import functools
import re
import shlex
from collections.abc import Iterator

import click

from billing_framework.cli.main import cli
from billing_framework.cli.verbs_by_file import VerbsByFile
from tests.architecture.source_tree import ROOT

# The commands that the first foundation must have; more may come.
REQUIRED = {
    *("db upgrade", "db check", "db backup", "db restore"),
    *("plugin list", "plugin show", "plugin check"),
    *("plan load", "plan list", "plan show", "plan check", "plan diff"),
    *("usage intake", "run start", "run show", "run review", "run approve", "run post", "run cancel"),
    *("payment record", "payment import", "payment allocate", "payment reverse", "payment refund"),
    *("invoice show", "invoice list", "invoice rebill", "explain", "ledger balance", "ledger verify", "quote"),
}


def below(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None and not found.hidden:
                yield from below(found, (*path, name))


@functools.cache
def commands() -> dict[str, click.Command]:
    """Return every command and group by its path, all nouns loaded."""
    return dict(below(cli))


def leaves() -> dict[str, click.Command]:
    return {path: command for path, command in commands().items() if not isinstance(command, click.Group)}


def test_the_commands_of_the_foundation_are_there() -> None:
    assert sorted(REQUIRED - set(leaves())) == []


def test_every_command_and_group_has_a_help_text() -> None:
    assert [path for path, command in commands().items() if not (command.help or "").strip()] == []


def test_a_noun_that_lists_its_verbs_without_loading_them_says_what_their_help_says() -> None:
    nouns = {path: noun for path, noun in commands().items() if isinstance(noun, VerbsByFile)}
    assert "run" in nouns
    for path, noun in nouns.items():
        for verb, file in noun.files.items():
            assert " ".join(str(commands()[f"{path} {verb}"].help).split()).startswith(file.line.removesuffix("."))


def test_every_option_has_a_help_text() -> None:
    bare = [
        f"{path} {parameter.opts[0]}"
        for path, command in leaves().items()
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden and not parameter.help
    ]
    assert bare == []


def test_whole_numbers_are_no_longer_than_what_is_stored() -> None:
    longer = [
        f"{path} {parameter.name}"
        for path, command in leaves().items()
        for parameter in command.params
        if isinstance(parameter.type, type(click.INT))
        and not (isinstance(parameter.type, click.IntRange) and parameter.type.max is not None and parameter.type.max < 2**63)
    ]
    assert longer == []


def examples(command: click.Command) -> list[str]:
    _, found, after = f"{command.help or ''}\n{command.epilog or ''}".partition("Example")
    return re.findall(r"^\s*(billing .+?)\s*$", after, re.MULTILINE) if found else []


def test_every_command_has_an_example_that_calls_it() -> None:
    without = []
    for path, command in leaves().items():
        words = [[word for word in shlex.split(line, comments=True) if not word.startswith("-")] for line in examples(command)]
        if not any(line[1 : 1 + len(path.split())] == path.split() for line in words):
            without.append(path)
    assert without == []


def test_examples_use_only_options_that_exist() -> None:
    unknown = []
    for path, command in leaves().items():
        shared = {
            name
            for _, group in commands().items()
            if isinstance(group, click.Group)
            for option in group.params
            for name in option.opts
        }
        known = shared | {name for option in command.params for name in [*option.opts, *option.secondary_opts]} | {"--help"}
        for line in examples(command):
            own = line.split("|")[0]
            used = {word.split("=")[0] for word in shlex.split(own, comments=True) if re.match(r"--?[a-z]", word)}
            unknown += [f"{path}: {option}" for option in sorted(used - known)]
    assert unknown == []


def test_exit_codes_and_commands_are_documented() -> None:
    text = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "docs" / "reference").rglob("*.md"))
    assert [path for path in leaves() if f"billing {path}" not in text] == []
    assert re.search(r"(?i)exit code", text)
