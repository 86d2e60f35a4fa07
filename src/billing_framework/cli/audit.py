"""``billing audit``: who did what, when and why, before and after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.output import as_json, emit, fields, table
from billing_framework.cli.reveal import reveal_options
from billing_framework.run.deployment import Deployment
from billing_framework.run.personal.reading import closed_event, open_events, opening
from billing_framework.storage.audit import AuditEvent, events

_INSTANT = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def audit() -> None:
    """Read the audit trail.

    Example:
      billing audit list --actor anna --since 2026-07-01
    """


@audit.command("list")
@click.option("--kind", default="", metavar="KIND", help="Only objects of this kind: account, plan, run, ...")
@click.option("--key", default="", metavar="CODE", help="Only the object of this code or number.")
@click.option("--by", "who", default="", metavar="NAME", help="Only what this actor did.")
@click.option("--since", type=_INSTANT, metavar="INSTANT", help="Only at or after this instant (UTC).")
@click.option("--until", type=_INSTANT, metavar="INSTANT", help="Only before this instant (UTC).")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000), help="At most so many, newest first.")
@pass_deployment
@click.pass_context
def list_events(context: click.Context, /, deployment: Deployment, **wanted: object) -> None:
    """List what was done, newest first.

    Example:
      billing audit list --kind account --key A-1001
      billing audit list --by anna --since 2026-07-01 --limit 20
    """
    found = [closed_event(event) for event in _events(deployment, wanted)]
    headers = ("at", "actor", "action", "object_key", "reason")
    emit(context, found, lambda: table(headers, ([getattr(event, name) for name in headers] for event in found)))


def _events(deployment: Deployment, wanted: dict[str, object]) -> Iterator[AuditEvent]:
    since, until, limit = wanted["since"], wanted["until"], wanted["limit"]
    with deployment.database.read() as connection:
        yield from events(
            connection,
            object_kind=str(wanted["kind"]),
            object_key=str(wanted["key"]),
            actor=str(wanted["who"]),
            since=since.replace(tzinfo=UTC) if isinstance(since, datetime) else None,
            until=until.replace(tzinfo=UTC) if isinstance(until, datetime) else None,
            limit=limit if isinstance(limit, int) else 100,
        )


@audit.command()
@click.argument("kind")
@click.argument("key")
@reveal_options
@pass_deployment
@click.pass_context
def show(context: click.Context, deployment: Deployment, *, kind: str, key: str, reveal: bool, reason: str) -> None:
    """Show everything that was done to one object, oldest first, with before and after.

    Of personal data a mark is shown; equal marks are equal values.

    Example:
      billing audit show account A-1001
    """
    with opening(deployment, reveal=reveal, reason=reason) as connection:
        found = list(events(connection, object_kind=kind, object_key=key, limit=100_000))[::-1]
        found = open_events(connection, deployment, found, reason=reason) if reveal else list(map(closed_event, found))
    emit(context, found, lambda: _story(found) if found else f"nothing was done to {kind} {key}")


def _story(found: list[AuditEvent]) -> Iterator[str]:
    for event in found:
        pairs = [("at", event.at), ("actor", event.actor), ("action", event.action), ("reason", event.reason)]
        before, after = event.before or {}, event.after or {}
        changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        yield fields(pairs)
        yield table(("field", "before", "after"), ((name, _text(before.get(name)), _text(after.get(name))) for name in changed))
        yield ""


def _text(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else as_json(value)
