"""Officers end shares, or remove those that were mistakes; what is left must make a whole again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.csv_file import Row
from billing_framework.accounts.share import Share
from billing_framework.accounts.share_check import share_findings
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.customers import Intake, audit_event, raise_findings, references, write
from billing_framework.run.reason import needs_reason
from billing_framework.run.usage.changed_agreements import instant_of_change
from billing_framework.storage.audit import record_many
from billing_framework.storage.master.account_rows import Stored, remove_value, rows_of
from billing_framework.storage.master.share_rows import SHARES, load_shares
from billing_framework.storage.turn import take_turn
from billing_framework.values.errors import NotFound


def end_share(
    deployment: Deployment, agreement: str, payer: str, on: date, *, codes: Sequence[str] = (), reason: str
) -> tuple[Share, ...]:
    """End the shares of a payer in an agreement: `on` is the first service date of which it bears nothing.

    Args:
        deployment: the open deployment.
        agreement: code of the agreement.
        payer: code of the account that pays.
        on: first service date without it.
        codes: only the share in these charge codes; all shares of the payer where empty.
        reason: why.

    Raises:
        NotFound: ``ACCOUNT09`` where it has no share that begins before `on` and ends later.
        Refused: ``ACCOUNT31`` where the others would not make a whole.
    """
    needs_reason(reason, "ending a share")
    with deployment.database.begin() as connection:
        held = [was for was in _held(connection, agreement, payer, codes) if _reaches(was.value, on)]
        if not held:
            raise _missing(agreement, payer, on)
        changed = tuple((was, Row(0, attrs.evolve(was.value, ends_on=on))) for was in held)
        raise_findings(references(connection, SHARES, [row for _, row in changed], [was for was, _ in changed], ""))
        found = Intake[Share](new=(), changed=changed, unchanged=0, findings=())
        now = instant_of_change(connection, SHARES, deployment.clock.now())
        write(connection, SHARES, found, now=now, actor=deployment.actor, reason=reason, verb="end")
    return tuple(row.value for _, row in changed)


def remove_share(
    deployment: Deployment, agreement: str, payer: str, on: date, *, codes: Sequence[str] = (), reason: str
) -> tuple[Share, ...]:
    """Remove the shares of a payer that were mistakes from their first day; the audit trail keeps them. Arguments as `end_share`.

    Raises:
        NotFound: ``ACCOUNT09`` where it has no share on that date.
        Refused: ``ACCOUNT31`` where the others would not make a whole.
    """
    needs_reason(reason, "removing a share")
    with deployment.database.begin() as connection:
        held = [was for was in _held(connection, agreement, payer, codes) if was.value.holds_on(on)]
        if not held:
            raise _missing(agreement, payer, on)
        gone = {SHARES.identity(was.value) for was in held}
        left = [one for one in load_shares(connection, [agreement])[agreement] if SHARES.identity(one) not in gone]
        raise_findings([finding for _, finding in share_findings(left)])
        for was in held:
            remove_value(connection, SHARES, was)
        events = [audit_event(SHARES, "share remove", was.value, None, reason) for was in held]
        record_many(connection, instant_of_change(connection, SHARES, deployment.clock.now()), deployment.actor, events)
    return tuple(was.value for was in held)


def _held(connection: Connection, agreement: str, payer: str, codes: Iterable[str]) -> list[Stored[Share]]:
    take_turn(connection, "shares", agreement)
    wanted = tuple(sorted(set(codes)))
    stored = rows_of(connection, SHARES, "agreement", [agreement])
    return [was for was in stored if was.value.payer == payer and (not wanted or was.value.codes == wanted)]


def _reaches(share: Share, on: date) -> bool:
    return share.starts_on < on and (share.ends_on is None or share.ends_on > on)


def _missing(agreement: str, payer: str, on: date) -> NotFound:
    return NotFound(
        "ACCOUNT09",
        f"account {payer!r} has no such share in agreement {agreement!r} on {on.isoformat()}",
        remedy=f"Look at them: billing share list --agreement {agreement}",
    )
