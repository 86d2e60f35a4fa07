"""``billing rate-table``: dated tables of prices, loaded from CSV as versions that never change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import attrs
import click

from billing_framework.cli.context import Session, pass_deployment, pass_session
from billing_framework.cli.master_verbs import date_type
from billing_framework.cli.number_option import NUMBER
from billing_framework.cli.output import emit, exit_for, fields, show_findings, table
from billing_framework.plugin.host import Host
from billing_framework.rating.rate_table import RateTable, RateTableKind
from billing_framework.rating.rate_table_diff import RateTableDiff, rate_table_diff
from billing_framework.rating.rate_table_file import RateTableHeader, cell_text, key_text
from billing_framework.run.deployment import Deployment
from billing_framework.run.input_file import read_input
from billing_framework.run.master.rate_tables import checked_file, load_rate_table_file, rate_table_kind
from billing_framework.storage.master.rate_table_rows import (
    RateTableRow,
    find_rate_table,
    load_rate_table,
    rate_table_content,
    rate_table_rows,
)
from billing_framework.values.errors import InputRefused, NotFound
from billing_framework.values.spelling import did_you_mean
from billing_framework.values.typed_toml import raise_first

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ANY_DATE = date(1970, 1, 1)


@click.group("rate-table")
def rate_table() -> None:
    """Keep rate tables: dated lists of prices that plans name. A loaded version never changes.

    Example:
      billing rate-table check prices.csv --kind example.prices
      billing rate-table load prices.csv --code retail --kind example.prices --version 2026-07 --valid-from 2026-07-01
    """


@rate_table.command()
@click.argument("file", type=_FILE)
@click.option("--code", required=True, metavar="CODE", help="Code of the table; plans name it.")
@click.option("--kind", required=True, metavar="KIND", help="Kind of its rows, as billing plugin show lists them.")
@click.option("--version", required=True, metavar="LABEL", help="Label of this version, unique in the table.")
@click.option("--valid-from", required=True, type=date_type, metavar="DATE", help="First service date that it prices.")
@click.option("--valid-to", type=date_type, metavar="DATE", help="The date after the last; else until a later version begins.")
@click.option("--currency", default="", metavar="CODE", help="Currency of the prices, where the kind's plans ask for it.")
@click.option("--supersedes", default="", metavar="LABEL", help="Loaded version that this one corrects.")
@click.option("--reason", default="", metavar="TEXT", help="Why it corrects it; it stands in the audit trail.")
@pass_deployment
@click.pass_context
def load(
    context: click.Context,
    deployment: Deployment,
    /,
    *,
    file: Path,
    valid_from: datetime,
    valid_to: datetime | None,
    **said: str,
) -> None:
    """Load a version of a rate table from a CSV file, whole or not at all; the same content again changes nothing.

    Example:
      billing rate-table load prices.csv --code retail --kind example.prices --version 2026-07 --valid-from 2026-07-01
      billing rate-table load fixed.csv --code retail --kind example.prices --version 2026-07b --valid-from 2026-07-01
        --supersedes 2026-07 --reason "price of zone 3 was mistyped"
    """
    header = RateTableHeader(valid_from=valid_from.date(), valid_to=valid_to.date() if valid_to else None, **said)
    done = load_rate_table_file(deployment, read_input(file), file=file.name, header=header)
    show_findings(context, done.findings)
    words = {"loaded": "loaded", "unchanged": "is loaded already, unchanged", "refused": "was not loaded"}
    emit(context, done, f"{done.name} {words[done.outcome]}" + (f", {done.rows} rows" if done.rows else ""))
    exit_for(context, done.findings)


@rate_table.command()
@click.argument("file", type=_FILE)
@click.option("--kind", required=True, metavar="KIND", help="Kind of its rows, as billing plugin show lists them.")
@pass_session
@click.pass_context
def check(context: click.Context, session: Session, *, file: Path, kind: str) -> None:
    """Check a file of rates before it is loaded; needs no database.

    Example:
      billing rate-table check prices.csv --kind example.prices
    """
    host = Host.from_file(session.settings_file())
    header = RateTableHeader(code="checked", version="file", kind=kind, valid_from=_ANY_DATE)
    read = checked_file(host, read_input(file), file=file.name, header=header)
    rows = read.table.size if read.table else 0
    show_findings(context, read.findings)
    emit(context, {"rows": rows, "findings": read.findings}, f"nothing to correct in {rows} rows" if read.table else [])
    exit_for(context, read.findings)


@rate_table.command("list")
@click.argument("codes", nargs=-1)
@pass_deployment
@click.pass_context
def list_tables(context: click.Context, deployment: Deployment, codes: tuple[str, ...]) -> None:
    """List the loaded versions of all rate tables, or of the tables named.

    Example:
      billing rate-table list retail
    """
    with deployment.database.read() as connection:
        rows = rate_table_rows(connection, codes)
        for code in sorted({*codes} - {row.code for row in rows}):
            find_rate_table(connection, code)  # refuses it
    headers = ("code", "version", "kind", "valid_from", "valid_to", "row_count", "supersedes", "loaded_at", "loaded_by")
    emit(context, rows, lambda: table(headers, ([getattr(row, name) for name in headers] for row in rows)))


@rate_table.command()
@click.argument("name", metavar="CODE[@VERSION]")
@click.option("--row", "keys", multiple=True, metavar="KEY", help="Only the row with this key, its parts joined by /.")
@click.option("--limit", default=20, show_default=True, type=NUMBER, help="So many rows are shown.")
@click.option("--source", is_flag=True, help="Print the file as it was loaded.")
@pass_deployment
@click.pass_context
def show(context: click.Context, deployment: Deployment, *, name: str, keys: tuple[str, ...], limit: int, source: bool) -> None:
    """Show a version of a rate table: the named one, else the one that was loaded last.

    Example:
      billing rate-table show retail
      billing rate-table show retail@2026-07 --row north
    """
    code, _, version = name.partition("@")
    with deployment.database.read() as connection:
        row = find_rate_table(connection, code, version)
        content = rate_table_content(connection, row)
        if source:
            text = content.decode("utf-8-sig")
            emit(context, {"version": row, "source": text}, text.removesuffix("\n"))
            return
        found = load_rate_table(connection, row, deployment.host.rate_tables)
    kind = rate_table_kind(deployment.host, row.kind)
    rows = _rows(found, kind, keys) if keys else [found.row(place) for place in range(min(limit, found.size))]
    columns = [field.name for field in attrs.fields(kind.row)]
    cells = [{column: cell_text(getattr(one, column)) for column in columns} for one in rows]
    emit(context, {"version": row, "rows": cells}, lambda: _description(row, columns, cells))


def _rows(found: RateTable, kind: RateTableKind, keys: tuple[str, ...]) -> list[object]:
    by_key: dict[str, list[object]] = {}
    for one in found.rows:
        by_key.setdefault(key_text(kind, one), []).append(one)
    for key in keys:
        if key not in by_key:
            raise NotFound("TABLE32", f"{found.name} has no row {key!r}", remedy=did_you_mean(key, by_key))
    return [one for key in keys for one in by_key[key]]


def _description(row: RateTableRow, columns: list[str], cells: list[dict[str, str]]) -> Iterator[str]:
    yield fields(
        [
            *((key, getattr(row, key)) for key in ("code", "version", "kind", "valid_from", "valid_to", "currency")),
            ("supersedes", row.supersedes),
            ("reason", row.reason),
            ("sha256", row.sha256),
            ("file sha256", row.file_sha256),
            ("loaded", f"{row.loaded_at} by {row.loaded_by} from {row.file}"),
            ("rows", row.row_count),
        ]
    )
    yield ""
    yield table(columns, ([one[column] for column in columns] for one in cells))
    if len(cells) < row.row_count:
        yield f"{len(cells)} of {row.row_count} rows"


@rate_table.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--kind", default="", metavar="KIND", help="Kind of the rows, where both are files.")
@click.option("--limit", default=100, show_default=True, type=NUMBER, help="So many rows are listed.")
@pass_session
@click.pass_context
def diff(context: click.Context, session: Session, *, before: str, after: str, kind: str, limit: int) -> None:
    """Show what changed between two versions: new, withdrawn, dearer, cheaper, changed otherwise, the same.

    Each is a CODE@VERSION or a file; two files need no database.

    Example:
      billing rate-table diff retail@2026-06 retail@2026-07
      billing rate-table diff retail@2026-07 prices-august.csv
      billing rate-table diff july.csv august.csv --kind example.prices
    """
    host, old, new = _pair(session, before, after, kind)
    found = rate_table_diff(old, new, host.rate_tables[new.kind])
    emit(context, {"counts": found.counts, "diff": found}, lambda: _changes(found, limit))


def _pair(session: Session, before: str, after: str, kind: str) -> tuple[Host, RateTable, RateTable]:
    stored = [name for name in (before, after) if not Path(name).is_file()]
    loaded: dict[str, RateTable] = {}
    if stored:
        deployment = session.deployment()
        host = deployment.host
        with deployment.database.read() as connection:
            for name in stored:
                code, _, version = name.partition("@")
                loaded[name] = load_rate_table(connection, find_rate_table(connection, code, version), host.rate_tables)
        kind = kind or next(iter(loaded.values())).kind
    else:
        host = Host.from_file(session.settings_file())
    if not kind:
        raise click.UsageError("give --kind, because both are files")
    old, new = (
        loaded[name] if name in loaded else _from_file(host, name, kind, label)
        for name, label in ((before, "before"), (after, "after"))
    )
    if old.kind != new.kind:
        what = f"{before} is of kind {old.kind}, {after} of kind {new.kind}"
        raise InputRefused("TABLE07", what, remedy="Compare tables of one kind")
    return host, old, new


def _from_file(host: Host, name: str, kind: str, label: str) -> RateTable:
    header = RateTableHeader(code="file", version=label, kind=kind, valid_from=_ANY_DATE)
    read = checked_file(host, read_input(Path(name)), file=name, header=header)
    raise_first([finding for finding in read.findings if finding.stops], InputRefused, "billing rate-table check")
    if read.table is None:
        raise InputRefused("TABLE01", "the file holds no rates", place=name)
    return read.table


def _changes(found: RateTableDiff, limit: int) -> Iterator[str]:
    yield table(("rows", "what became of them"), ((count, turn) for turn, count in found.counts.items()), right=("rows",))
    listed = [
        (one.key, one.turn.value, "; ".join(f"{two.place} {two.before} → {two.after}".strip(" →") for two in one.differences))
        for one in found.turns[:limit]
    ]
    if listed:
        yield ""
        yield table(("key", "turn", "difference"), listed)
    if len(found.turns) > limit:
        yield f"... and {len(found.turns) - limit} more; --limit or --json shows them"
