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
from billing_framework.storage.audit_objects import KINDS, about
from billing_framework.values.errors import InputRefused
from billing_framework.values.spelling import nearest

_INSTANT = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def audit() -> None:
    """Read the audit trail.

    Example:
      billing audit list --actor anna --since 2026-07-01
    """


@audit.command("list")
@click.option("--kind", default="", metavar="KIND", help="Only objects of this kind: account, document, plan, run, ...")
@click.option("--key", default="", metavar="CODE", help="Only the object of this code or number.")
@click.option("--by", "who", default="", metavar="NAME", help="Only what this actor did.")
@click.option("--since", type=_INSTANT, metavar="INSTANT", help="Only at or after this instant (UTC).")
@click.option("--until", type=_INSTANT, metavar="INSTANT", help="Only before this instant (UTC).")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000), help="At most so many, newest first.")
@pass_deployment
@click.pass_context
def list_events(context: click.Context, /, deployment: Deployment, **wanted: object) -> None:
    """List what was done, newest first, each with the kind and key that `billing audit show` takes.

    With --key also what was done to the object under another kind and key, as `billing audit show --help` says.

    Example:
      billing audit list --kind account --key A-1001
      billing audit list --by anna --since 2026-07-01 --limit 20
    """
    found = [closed_event(event) for event in _events(deployment, wanted)]
    headers = ("at", "actor", "action", "kind", "key", "reason")
    rows = ((one.at, one.actor, one.action, one.object_kind, one.object_key, one.reason) for one in found)
    emit(context, found, lambda: table(headers, rows))


def _events(deployment: Deployment, wanted: dict[str, object]) -> Iterator[AuditEvent]:
    since, until, limit = wanted["since"], wanted["until"], wanted["limit"]
    kind, key = _known(str(wanted["kind"])), str(wanted["key"])
    with deployment.database.read() as connection:
        yield from events(
            connection,
            object_kind="" if key else kind,
            known_by=about(connection, key, [kind] if kind else KINDS) if key else None,
            actor=str(wanted["who"]),
            since=since.replace(tzinfo=UTC) if isinstance(since, datetime) else None,
            until=until.replace(tzinfo=UTC) if isinstance(until, datetime) else None,
            limit=limit if isinstance(limit, int) else 100,
        )


def _known(kind: str) -> str:
    if kind and kind not in KINDS:
        near = nearest(kind, KINDS)
        hint = f"Did you mean {near!r}? " if near else ""
        remedy = f"{hint}There are: {', '.join(KINDS)}"
        raise InputRefused("AUDIT02", f"the audit trail has no kind of object {kind!r}", remedy=remedy)
    return kind


@audit.command()
@click.argument("kind")
@click.argument("key")
@reveal_options
@pass_deployment
@click.pass_context
def show(context: click.Context, deployment: Deployment, *, kind: str, key: str, reveal: bool, reason: str) -> None:
    """Show everything that was done to one object, oldest first, with before and after, under whatever kind and key it stands.

    Of an account that are also the acts on its agreements, charges, documents, payments, holds, open items and drafts in runs; of
    a document those on its run, drafts, holds and open items; of a payment the file that it came in and what it settled; of a run
    those on its accounts. Of personal data a mark is shown; equal marks are equal values.

    Example:
      billing audit show account A-1001
      billing audit show document INV-2026-000042
    """
    _known(kind)
    with opening(deployment, reveal=reveal, reason=reason) as connection:
        found = list(events(connection, known_by=about(connection, key, [kind]), limit=100_000))[::-1]
        found = open_events(connection, deployment, found, reason=reason) if reveal else list(map(closed_event, found))
    emit(context, found, lambda: _story(found) if found else f"the audit trail says nothing of {kind} {key}")


def _story(found: list[AuditEvent]) -> Iterator[str]:
    for event in found:
        thing = f"{event.object_kind} {event.object_key}"
        pairs = [("at", event.at), ("actor", event.actor), ("action", event.action), ("of", thing), ("reason", event.reason)]
        before, after = event.before or {}, event.after or {}
        changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        yield fields(pairs)
        yield table(("field", "before", "after"), ((name, _text(before.get(name)), _text(after.get(name))) for name in changed))
        yield ""


def _text(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else as_json(value)
