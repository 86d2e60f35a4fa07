"""``billing book``: the legal entities that bill, with their series, charts of accounts and mappings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from billing_framework.accounts.book import BookProfile
from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import reason_option
from billing_framework.cli.output import emit, exit_for, fields, show_findings, table
from billing_framework.run.deployment import Deployment
from billing_framework.run.input_file import read_input
from billing_framework.run.master.books import load_book_file
from billing_framework.run.master.mapping_check import mapping_findings
from billing_framework.storage.master.book_rows import find_books, load_book


@click.group()
def book() -> None:
    """Keep books: who sells, how documents are numbered, and where each charge and tax code is posted.

    Example:
      billing book load book.toml
      billing book check
    """


@book.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", "check_only", is_flag=True, help="Only say what would happen.")
@reason_option
@pass_deployment
@click.pass_context
def load(context: click.Context, deployment: Deployment, *, file: Path, check_only: bool, reason: str) -> None:
    """Load a book from its TOML file; the same file again changes nothing, a changed one is audited with before and after.

    Example:
      billing book load book.toml --reason "bank account changed on 1 July"
    """
    done = load_book_file(deployment, file.name, read_input(file), check_only=check_only, reason=reason)
    show_findings(context, done.findings)
    head = f"book {done.code or file.name} {done.outcome}{' (checked only)' if check_only else ''}"
    rows = [(key, *pair) for key, pair in done.changes.items()]
    emit(context, done, lambda: [head, table(("key", "before", "after"), rows)] if rows else head)
    exit_for(context, done.findings)


@book.command("list")
@pass_deployment
@click.pass_context
def list_books(context: click.Context, deployment: Deployment) -> None:
    """List the books in force.

    Example:
      billing book list
    """
    with deployment.database.read() as connection:
        found = find_books(connection).values()
    rows = [
        {
            "code": one.profile.code,
            "name": one.profile.name,
            "currency": one.profile.currency,
            "zone": one.profile.zone,
            "version": one.version,
            "loaded_at": one.loaded_at,
            "loaded_by": one.loaded_by,
        }
        for one in found
    ]
    emit(context, rows, lambda: table(list(rows[0]) if rows else ("code",), (list(row.values()) for row in rows)))


@book.command()
@click.argument("code")
@click.option("--source", is_flag=True, help="Print the file as it was loaded.")
@pass_deployment
@click.pass_context
def show(context: click.Context, deployment: Deployment, *, code: str, source: bool) -> None:
    """Show one book: seller, bank, number series, chart of accounts, mappings.

    Example:
      billing book show US
    """
    with deployment.database.read() as connection:
        found = load_book(connection, code)
    emit(context, found, lambda: found.source.removesuffix("\n") if source else _description(found.profile))


def _description(profile: BookProfile) -> Iterator[str]:
    seller, bank = profile.seller, profile.bank
    address = "\n".join(
        [*seller.address.lines, f"{seller.address.postcode} {seller.address.city}".strip(), seller.address.country]
    )
    yield fields(
        [
            ("code", profile.code),
            ("name", profile.name),
            ("currency", profile.currency),
            ("zone", profile.zone),
            ("seller", f"{seller.name}\n{address}"),
            ("tax ids", ", ".join(seller.tax_ids)),
            ("bank", " ".join(part for part in (bank.name, bank.iban or bank.account, bank.bic) if part)),
        ]
    )
    yield ""
    yield table(("kind", "prefix", "width", "reset"), ((s.kind, s.prefix, s.width, s.reset.value) for s in profile.series))
    yield ""
    chart = ((a.code, a.name, a.type.value, a.role, a.floor.value, a.control_of) for a in profile.accounts)
    yield table(("account", "name", "type", "role", "floor", "control of"), chart)
    yield ""
    yield table(("charge or tax code", "account"), [*profile.charges.items(), *profile.taxes.items()])


@book.command()
@pass_deployment
@click.pass_context
def check(context: click.Context, deployment: Deployment) -> None:
    """Check that every charge code of the loaded plans and every tax code of the loaded rates has an account to post to.

    Example:
      billing book check
    """
    with deployment.database.read() as connection:
        findings = mapping_findings(deployment, connection)
    show_findings(context, findings)
    emit(context, {"findings": findings}, [] if findings else "every charge and tax code is mapped")
    exit_for(context, findings)
