"""The ``billing`` command: finds the noun, runs the verb, and turns every error into a message and a documented exit code."""

from __future__ import annotations

import importlib
import io
import json
import logging
import os
import re
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

import billing_framework
from billing_framework.cli.context import Session, shared_options
from billing_framework.cli.prepared import prepared
from billing_framework.cli.printable import printable
from billing_framework.values.errors import BillingError, InputRefused, OutputRefused
from billing_framework.values.spelling import did_you_mean

NOUNS = {
    "account": "Accounts: who is billed, in which currency, on which cycle.",
    "agreement": "Agreements: what an account has bought, on which plan.",
    "answer": "Answers of third parties: take in, retry, discard.",
    "assignment": "Which identifier of the field belongs to which agreement.",
    "audit": "Who did what, when and why.",
    "book": "Books: the legal entities that bill, and their charts of accounts.",
    "charge": "Manual charges and credits.",
    "config": "The settings in billing.toml.",
    "db": "The database: upgrade, check, back up, restore.",
    "deposit": "Deposits and other money held for others.",
    "explain": "How a printed line came to be, computed again.",
    "file": "Files for others: check them.",
    "hold": "Holds: what waits for a decision.",
    "invoice": "Documents: show, credit, rebill.",
    "ledger": "The ledger: balances and proof.",
    "outbox": "How issued documents leave: deliver, list, retry.",
    "party": "Parties: people and organisations.",
    "payment": "Payments: record, import, allocate, return, refund.",
    "period": "Accounting periods: open and close.",
    "personal-data": "Personal data: keys, rotation, erasure.",
    "plan": "Price plans and their versions.",
    "plugin": "The plugins of this deployment.",
    "quote": "Price a file of records against a plan.",
    "rate-table": "Rate tables: dated lists of prices that plans name.",
    "run": "Billing runs: start, review, approve, post.",
    "share": "Who pays for an agreement, what part of which charges.",
    "tax": "Tax rates.",
    "usage": "Usage records: intake, suspense, coverage.",
}
"""Every noun with its line in the help; the noun's file in this folder is only loaded when it is used."""

_INTERRUPTED = 130
_FAULT = 70
_WORDS_REPORTED = 2


class _OutputGoneError(Exception):
    """The reader of a pipe has gone. click would make a failure of it."""


@contextmanager
def _pipes_watched() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise _OutputGoneError from error


class BillingCommand(click.Group):
    """The root: loads one file per noun, and is the one place where errors become messages and exit codes."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the arguments; ``--help`` and ``--version`` already print here."""
        with _pipes_watched():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb."""
        with _pipes_watched():
            return super().invoke(ctx)

    def list_commands(self, _: click.Context) -> list[str]:
        """Return all nouns."""
        return list(NOUNS)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a noun, None where there is no such noun."""
        if cmd_name not in NOUNS:
            return None
        name = cmd_name.replace("-", "_")
        module = importlib.import_module(f"billing_framework.cli.{name}")
        return prepared(getattr(module, name))

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """List the nouns without loading them."""
        with formatter.section("Nouns"):
            formatter.write_dl(list(NOUNS.items()))

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002  click's own signature
        **extra: Any,
    ) -> Any:
        """Run the command line and end the process with the documented exit code."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        session = extra.setdefault("obj", Session())
        try:
            _accept(sys.argv[1:] if args is None else args)
            code = super().main(args, prog_name or "billing", complete_var, standalone_mode=False, **extra)
            _flush()
        except (_OutputGoneError, BrokenPipeError):  # who read the output has seen enough
            _forget_output()
            sys.exit(0)
        except BaseException as error:  # noqa: BLE001  the last place before the user: every error ends here
            sys.exit(ended_by(error, session))
        finally:
            session.close()
        sys.exit(code if isinstance(code, int) else 0)


def _accept(arguments: Sequence[str]) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal of another encoding is no reason to fail
    for number, argument in enumerate(arguments, start=1):
        # Python carries bytes that are no UTF-8 along as half surrogates, which no database stores.
        shown = argument.encode("utf-8", "backslashreplace").decode()
        if shown != argument:
            what = f"argument {number} is not UTF-8 text: {shown[:60]!r}"
            raise InputRefused("INPUT01", what, remedy="Give it as UTF-8; rename a file whose name is not")


def is_interruption(error: BaseException | None) -> bool:
    """Return whether somebody interrupted; rolling back in the middle of a statement may fail, and is then not what ended it."""
    while error is not None:
        if isinstance(error, click.Abort | KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def ended_by(error: BaseException, session: Session) -> int:
    """Tell the user what ended the command and return the exit code.

    0 done, 1 findings that block, 2 the call, the settings or the input is refused, 3 the state of the books or of a run forbids
    it, 4 the database, 70 a fault of the program, 74 the result cannot be written, 130 interrupted.
    """
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else _FAULT
    if is_interruption(error):
        click.echo("interrupted; nothing of an unfinished action was stored", err=True)
        return _INTERRUPTED
    if session.debug and not isinstance(error, click.ClickException):
        traceback.print_exception(error)
    if isinstance(error, click.ClickException):
        _with_nearest(error).show()
        return error.exit_code
    if isinstance(error, BillingError):
        _tell(error, session)
        return error.exit_code
    if isinstance(error, OSError) and error.errno is not None:
        refused = _refused_by_system(error)
        _tell(refused, session)
        return refused.exit_code
    report = _crash_report(error)
    click.echo(f"internal error: {type(error).__name__}. Nothing of an unfinished action was stored.", err=True)
    click.echo(f"Please report it with the file {report}", err=True)
    return _FAULT


def _with_nearest(error: click.ClickException) -> click.ClickException:
    context = error.ctx if isinstance(error, click.UsageError) else None
    unknown = re.fullmatch(r"No such command '(.+)'\.", error.message)
    if context is None or not isinstance(context.command, click.Group) or not unknown:
        return error
    remedy = did_you_mean(unknown.group(1), context.command.list_commands(context), shown=99)
    return click.UsageError(f"{error.message} {remedy}", context)


def _tell(error: BillingError, session: Session) -> None:
    if session.json:
        facts = {"code": error.code, "what": error.what, "place": error.place, "remedy": error.remedy}
        click.echo(json.dumps({"error": facts}, ensure_ascii=False), err=True)
    else:
        click.echo(f"{click.style('error', fg='red')}: {printable(str(error))}", err=True)


def _flush() -> None:
    sys.stdout.flush()


def _is_of_output(error: OSError) -> bool:
    """Return whether it was the printing of a result that failed: who calls must know that the act itself is done."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_code in (click.echo.__code__, _flush.__code__)


def _refused_by_system(error: OSError) -> BillingError:
    if _is_of_output(error):
        remedy = "What the command has done stands: give the output another place, and look at it"
        return OutputRefused("OUTPUT01", f"the result cannot be written: {error.strerror}", remedy=remedy)
    place = str(error.filename)[:200] if error.filename else ""
    remedy = "Check the name, your rights and the space that is left; what had been reported as done stands"
    return InputRefused("INPUT02", f"the operating system refused: {error.strerror}", place=place, remedy=remedy)


def _crash_report(error: BaseException) -> Path:
    descriptor, name = tempfile.mkstemp(prefix="billing-crash-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8") as report:
        report.write(f"billing {billing_framework.__version__}, Python {sys.version}\n")
        report.write(f"billing {' '.join(_without_values(sys.argv[1:]))}\n\n")
        traceback.print_exception(error, file=report)
    return Path(name)


def _without_values(arguments: Sequence[str]) -> Iterator[str]:
    # A report is sent to others, and an argument may tell about a person: noun, verb and names of options are enough.
    for place, argument in enumerate(arguments):
        shown = argument.partition("=")[0] if argument.startswith("-") or "=" in argument else argument
        yield shown if argument.startswith("-") or place < _WORDS_REPORTED else "..."


def _forget_output() -> None:
    # The reader of a pipe has gone; without this the interpreter complains again when it flushes at the end.
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # standard output is no file, as under a test runner
        return


@click.group(cls=BillingCommand, params=shared_options())
@click.version_option(billing_framework.__version__, prog_name="billing")
@click.pass_context
def cli(context: click.Context) -> None:
    """Bill delivered work: usage records become charges, documents, ledger entries and settled open items.

    Every command has its own help with an example: billing NOUN VERB --help.

    Exit codes: 0 done, 1 findings that block, 2 the call, the settings or the input is refused, 3 the state of the books or of
    a run forbids it, 4 the database, 70 a fault of the program, 74 the result cannot be written, 130 interrupted.

    Shell completion: eval "$(_BILLING_COMPLETE=bash_source billing)"; also zsh_source and fish_source.

    Example:
      billing db upgrade
      billing usage intake stays.csv --format tickets
    """
    if os.environ.get("NO_COLOR"):
        context.color = False


prepared(cli)


def _open_standard_streams() -> None:
    """Let what is written to a closed standard stream go nowhere: else the next file that is opened would be taken for it."""
    for number, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))


def main() -> None:
    """Run the command line; the entry point of the ``billing`` script."""
    _open_standard_streams()
    # Whoever ends the process politely interrupts it: what is open is rolled back, and the exit code says so.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # What fails is told once and in our words; the library would print a traceback where a connection is lost.
    logging.getLogger("sqlalchemy").addHandler(logging.NullHandler())
    cli.main()
