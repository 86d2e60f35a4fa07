"""The verbs that parties, accounts, agreements and assignments share: create, change, show, list, import."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import attrs
import click

from billing_framework.accounts.csv_file import DELIMITERS
from billing_framework.accounts.form import Form
from billing_framework.cli.context import pass_deployment
from billing_framework.cli.output import emit, exit_for, fields, show_findings, table
from billing_framework.cli.reveal import masked, reveal_options
from billing_framework.run.deployment import Deployment
from billing_framework.run.input_file import read_input
from billing_framework.run.master.customer_change import change, find, refuse_unknown_names
from billing_framework.run.master.customers import create, import_file
from billing_framework.run.personal.reading import opening, party_reads, record_reads
from billing_framework.storage.audit import events
from billing_framework.storage.master.account_rows import Stored, all_rows
from billing_framework.storage.master.master_kind import MasterKind
from billing_framework.storage.personal.sealed_facts import shown_facts
from billing_framework.values.errors import InputRefused, ValueRefused
from billing_framework.values.period import sane_date

Command = TypeVar("Command", bound=Callable[..., Any])
Value = TypeVar("Value")

_HISTORY = 20

reason_option = click.option("--reason", default="", metavar="TEXT", help="Why; it stands in the audit trail.")


class IsoDate(click.DateTime):
    """The type of an option that names a date: year-month-day in plain digits, of a year that business is about."""

    name = "date"

    def __init__(self) -> None:
        super().__init__(formats=["%Y-%m-%d"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the date as a datetime at midnight, or fail with how a date is written."""
        if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
            self.fail(f"{value[:60]!r} is no date; write year-month-day, for example 2026-07-31", param, ctx)
        found = super().convert(value, param, ctx)
        try:
            sane_date(found.date())
        except ValueRefused as refused:
            self.fail(f"{refused.what}. {refused.remedy}", param, ctx)
        return found


date_type = IsoDate()


def settings_of(pairs: Sequence[str]) -> dict[str, str]:
    """Return ``name=value`` arguments as a mapping.

    Raises:
        InputRefused: ``ACCOUNT03`` for an argument without a sign of equality, or a name given twice.
    """
    given: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or name.strip() in given:
            remedy = "Write name=value, each name once; an empty value takes a field back to its default"
            raise InputRefused("ACCOUNT03", f"{pair!r} names no field and value", remedy=remedy)
        given[name.strip()] = value.strip()
    return given


def form_options(form: Form[Any], *, leave_out: Iterable[str]) -> Callable[[Command], Command]:
    """Return a decorator that adds one option per field of a form; those with a default of the deployment may be left out."""

    def decorate(command: Command) -> Command:
        for field in reversed(form.fields):
            if field.name not in leave_out:
                required = field.required and not field.of_deployment
                extra = "; by default the deployment's" if field.of_deployment else ""
                option = click.option(
                    f"--{field.name.replace('_', '-')}", field.name, required=required, help=f"{field.help}{extra}."
                )
                command = option(command)
        return command

    return decorate


def add_shared_verbs(group: click.Group, kind: MasterKind[Any], *, columns: Sequence[str], examples: Mapping[str, str]) -> None:
    """Give a noun its verbs ``create`` or ``add``, ``list`` and ``import``; where a code identifies it, ``show`` and ``change``.

    Args:
        group: the noun.
        kind: what it is.
        columns: fields that the list shows.
        examples: for each verb the example of its help; ``change`` is left out where the noun has its own.
    """
    verb = "add" if "add" in examples else "create"
    group.add_command(_create(kind, verb, examples[verb]))
    group.add_command(_list(kind, columns, examples["list"]))
    group.add_command(_import(kind, examples["import"]))
    if len(kind.keys) == 1:
        group.add_command(_show(kind, examples["show"]))
    if "change" in examples:
        group.add_command(_change(kind, examples["change"]))


def _help(text: str, example: str) -> str:
    lines = "\n".join(f"  {line}" for line in example.splitlines())
    return f"{text}\n\nExample:\n{lines}"


class _FreeFields(click.Command):
    """A command whose free fields are arguments, which it tells who writes one as an option."""

    def __init__(self, *args: Any, free: str, **extra: Any) -> None:
        super().__init__(*args, **extra)
        self.free = free

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if not self.free or error.option_name.lstrip("-").partition(".")[0] != self.free.rstrip("."):
                raise
            what = f"No such option: {error.option_name}. Write {self.free}NAME=VALUE, without dashes"
            raise click.UsageError(what, ctx) from error


def _create(kind: MasterKind[Any], verb: str, example: str) -> click.Command:
    first = kind.form.fields[0].name
    free = f" Further fields are written {kind.form.free}NAME=VALUE." if kind.form.free else ""

    text = f"{verb.capitalize()} one {kind.name}.{free} The same again changes nothing."

    @click.command(verb, cls=_FreeFields, free=kind.form.free, help=_help(text, example))
    @click.argument(first)
    @click.argument("more", nargs=-1, metavar="[FIELD=VALUE]...")
    @form_options(kind.form, leave_out=[first])
    @reason_option
    @pass_deployment
    @click.pass_context
    def command(
        context: click.Context, /, deployment: Deployment, more: tuple[str, ...], reason: str, **given: str | None
    ) -> None:
        texts = {name: text for name, text in given.items() if text is not None} | settings_of(more)
        value, created = create(deployment, kind, texts, reason=reason)
        done = "created" if created else "is there already, unchanged"
        shown = masked(deployment, kind, kind.form.write(value))
        data = {"outcome": "created" if created else "unchanged", kind.name: shown}
        emit(context, data, f"{kind.name} {kind.key(value)} {done}")

    return command


def _change(kind: MasterKind[Any], example: str) -> click.Command:
    text = f"Change fields of one {kind.name}; an empty value takes a field back to its default."

    @click.command("change", help=_help(text, example))
    @click.argument("code")
    @click.argument("changes", nargs=-1, required=True, metavar="FIELD=VALUE...")
    @_closing(kind)
    @reason_option
    @pass_deployment
    @click.pass_context
    def command(
        context: click.Context, /, deployment: Deployment, code: str, changes: tuple[str, ...], *, reason: str, **flags: bool
    ) -> None:
        before, after = change(deployment, kind, code, settings_of(changes), reason=reason, **flags)
        if kind.personal:
            _tell_personal_change(context, deployment, kind, before, after)
        else:
            tell_change(context, kind, before, after)

    return command


def _closing(kind: MasterKind[Any]) -> Callable[[Command], Command]:
    """Return the decorator that lets an account be closed as it is, where the kind is one that is closed."""
    if kind.name != "account":
        return lambda command: command
    text = "Close the account though items are open on it, agreements still run, or usage waits for a bill."
    return click.option("--leave-open", is_flag=True, help=text)


def tell_change(
    context: click.Context, kind: MasterKind[Value], before: Value, after: Value, *, left: Sequence[str] = ()
) -> None:
    """Print what a change did, field by field, and the lines about what it left as it was."""
    old, new = kind.form.write(before), kind.form.write(after)
    rows = [(name, old.get(name, ""), new.get(name, "")) for name in {**old, **new} if old.get(name) != new.get(name)]
    data = {"outcome": "changed" if rows else "unchanged", "before": old, "after": new} | ({"left": list(left)} if left else {})
    head = f"{kind.name} {kind.key(after)} {'changed' if rows else 'is so already, unchanged'}"
    emit(context, data, lambda: [head, table(("field", "before", "after"), rows), *left] if rows else head)


def _tell_personal_change(
    context: click.Context, deployment: Deployment, kind: MasterKind[Value], before: Value, after: Value
) -> None:
    old, new = kind.form.write(before), kind.form.write(after)
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    shown_old, shown_new = masked(deployment, kind, old), masked(deployment, kind, new)
    rows = [(name, shown_old.get(name, ""), shown_new.get(name, "")) for name in changed]
    data = {"outcome": "changed" if rows else "unchanged", "before": shown_old, "after": shown_new}
    head = f"{kind.name} {kind.key(after)} {'changed' if rows else 'is so already, unchanged'}"
    emit(context, data, lambda: [head, table(("field", "before", "after"), rows)] if rows else head)


def _revealing(kind: MasterKind[Any]) -> Callable[[Command], Command]:
    """Return the decorator that lets a command reveal, where there is something to be revealed."""
    return reveal_options if kind.personal else lambda command: command


def _show(kind: MasterKind[Any], example: str) -> click.Command:
    @click.command("show", help=_help(f"Show one {kind.name} with its last changes.", example))
    @click.argument("code")
    @_revealing(kind)
    @pass_deployment
    @click.pass_context
    def command(context: click.Context, deployment: Deployment, code: str, *, reveal: bool = False, reason: str = "") -> None:
        with opening(deployment, reveal=reveal, reason=reason) as connection:
            stored = find(connection, kind, code)
            history = [
                attrs.evolve(event, before=shown_facts(event.before), after=shown_facts(event.after))
                for event in events(connection, object_kind=kind.name, object_key=code, limit=_HISTORY)
            ]
            if reveal:
                record_reads(connection, deployment, f"{kind.name} show", party_reads([code], kind.personal), reason=reason)
        data = {**masked(deployment, kind, kind.form.write(stored.value), reveal=reveal), "revision": stored.revision}
        lines = [(event.at, event.actor, event.action, event.reason) for event in history]
        emit(
            context,
            {kind.name: data, "history": history},
            lambda: [fields(data.items()), "", table(("at", "actor", "action", "reason"), lines)],
        )

    return command


def _list(kind: MasterKind[Any], columns: Sequence[str], example: str) -> click.Command:
    filters = [field.name for field in kind.form.fields if field.name in columns and field.name in kind.table.c]

    @click.command("list", help=_help(f"List each {kind.name}, in order of its {' and '.join(kind.keys)}.", example))
    @_revealing(kind)
    @pass_deployment
    @click.pass_context
    def command(
        context: click.Context,
        /,
        deployment: Deployment,
        reveal: bool = False,  # noqa: FBT001, FBT002  click gives it by name
        reason: str = "",
        **wanted: str | None,
    ) -> None:
        chosen = {name: text for name, text in wanted.items() if text is not None}
        with opening(deployment, reveal=reveal, reason=reason) as connection:
            refuse_unknown_names(connection, kind, chosen)
            values = [stored.value for stored in all_rows(connection, kind, **chosen)]
            if reveal:
                codes = [kind.key(value) for value in values]
                record_reads(connection, deployment, f"{kind.name} list", party_reads(codes, kind.personal), reason=reason)
        found = [masked(deployment, kind, kind.form.write(value), reveal=reveal) for value in values]
        emit(context, found, lambda: table(columns, ([row.get(name, "") for name in columns] for row in found)))

    for name in reversed(filters):
        if not name.endswith("_on") and name != "name":
            option = click.Option([f"--{name.replace('_', '-')}", name], metavar="TEXT", help=f"Only with this {name}.")
            command.params.insert(0, option)
    return command


def _import(kind: MasterKind[Any], example: str) -> click.Command:
    text = (
        f"Take in a CSV file with one {kind.name} per line: the whole file, or nothing and a finding per wrong line."
        f" Columns: {', '.join(kind.form.names)}{f', {kind.form.free}NAME' if kind.form.free else ''}."
    )

    @click.command("import", help=_help(text, example))
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--check", "check_only", is_flag=True, help="Only say what would happen.")
    @click.option("--update", is_flag=True, help="Change what differs from the file, instead of refusing it.")
    @click.option("--delimiter", type=click.Choice([*DELIMITERS[:2], "tab"]), default=",", help="What separates the cells.")
    @reason_option
    @pass_deployment
    @click.pass_context
    def command(
        context: click.Context, /, deployment: Deployment, file: Path, delimiter: str, reason: str, **flags: bool
    ) -> None:
        separator = "\t" if delimiter == "tab" else delimiter
        content = read_input(file)
        report = import_file(deployment, kind, content, file=file.name, delimiter=separator, reason=reason, **flags)
        show_findings(context, report.findings)
        state = "" if report.written else " (checked only, nothing written)" if flags["check_only"] else " (nothing written)"
        counts = f"{report.created} created, {report.changed} changed, {report.unchanged} unchanged"
        wrong = f", {len(report.findings)} findings" if report.findings else ""
        emit(context, report, f"{file.name}: {report.lines} lines: {counts}{wrong}{state}")
        exit_for(context, report.findings)

    return command


def show_stored(stored: Stored[Value], kind: MasterKind[Value]) -> str:
    """Return one stored value field by field."""
    return fields([*kind.form.write(stored.value).items(), ("revision", stored.revision)])
