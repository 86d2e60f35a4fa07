"""Cuts the work of a run into shards: accounts that are billed together are never parted, numbers stay in blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy.engine import Connection

from billing_framework.accounts.billing_group import BillingGroups
from billing_framework.invoicing.numbering import Numbered
from billing_framework.storage.billing.run_counts import account_states
from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.billing.shard_rows import (
    DRAFT,
    POST,
    Shard,
    accounts_in_shards,
    add_shards,
    drop_shards,
    last_number,
    shards_of,
)


def plan_drafting(connection: Connection, run: Run, groups: BillingGroups, size: int) -> None:
    """Put every account that waits to be drafted into a shard, with all that are billed together with it.

    What is in shards already stays there, unless accounts of theirs have come to belong together across shards since.

    Args:
        connection: a connection with a write transaction that holds the run's row.
        run: a run that is not approved.
        groups: who is billed together with whom.
        size: accounts in a shard; a larger group is a shard of its own. It decides nothing of the documents.
    """
    states = account_states(connection, run)
    if "pending" not in states.values():
        return
    planned = accounts_in_shards(connection, run)
    loose = _loose(pending_families(states, groups), {number: accounts for number, (_, accounts) in planned.items()})
    broken = _holding(planned, loose)
    drop_shards(connection, run, step=DRAFT, numbers=broken)
    freed = {account for number in broken for account in planned[number][1]}
    loose |= pending_families({account: states.get(account, "skipped") for account in sorted(freed - _members(loose))}, groups)
    first = last_number(connection, run, DRAFT) + 1
    shards = [
        Shard(run_id=run.id, step=DRAFT, number=number, size=len(accounts), accounts=tuple(accounts))
        for number, accounts in enumerate(batches(loose, size), start=first)
    ]
    add_shards(connection, shards)


def _members(families: Mapping[str, list[str]]) -> set[str]:
    return {account for members in families.values() for account in members}


def _loose(families: Mapping[str, list[str]], planned: Mapping[int, Sequence[str]]) -> dict[str, list[str]]:
    """Return the families that are in no shard as a whole."""
    if not planned:
        return dict(families)
    shard_of = {account: number for number, accounts in planned.items() for account in accounts}
    places = {head: {shard_of.get(account, 0) for account in members} for head, members in families.items()}
    return {head: members for head, members in families.items() if places[head] == {0} or len(places[head]) > 1}


def _holding(planned: Mapping[int, tuple[str, Sequence[str]]], loose: Mapping[str, list[str]]) -> set[int]:
    """Return the shards that nobody has and that hold some of the accounts which are planned anew."""
    anew = _members(loose)
    return {number for number, (state, accounts) in planned.items() if state == "pending" and not anew.isdisjoint(accounts)}


def pending_families(states: Mapping[str, str], groups: BillingGroups) -> dict[str, list[str]]:
    """Return by group all accounts whose charges meet on one document or are shared, where one of them is pending."""
    families: dict[str, list[str]] = {}
    heads = {account: groups.head(account) for account in states}
    for account, head in heads.items():
        families.setdefault(head, []).append(account)
    pending = {heads[account] for account, state in states.items() if state == "pending"}
    return {head: members for head, members in families.items() if head in pending}


def batches(families: Mapping[str, list[str]], size: int) -> Iterator[list[str]]:
    """Yield the accounts in lists that never part a family."""
    batch: list[str] = []
    for head in sorted(families):
        if batch and len(batch) + len(families[head]) > size:
            yield batch
            batch = []
        batch += families[head]
    if batch:
        yield batch


def plan_posting(connection: Connection, run: Run, manifest: Sequence[Numbered], issued: Iterable[int], size: int) -> None:
    """Put every document of the posting manifest that is not issued into a shard: a range of positions, a block of numbers.

    Args:
        connection: a connection with a write transaction that holds the run's row.
        run: an approved run.
        manifest: its documents in posting order.
        issued: keys of the documents that bear their number already.
        size: documents in a shard.
    """
    planned = shards_of(connection, run, POST)
    open_shards = shards_of(connection, run, POST, unfinished=True)
    covered = {position for shard in open_shards for position in range(shard.first_position, shard.last_position + 1)}
    done = set(issued)
    waiting = [position for position, one in enumerate(manifest, start=1) if position not in covered and one.document not in done]
    first = max((shard.number for shard in planned), default=0) + 1
    shards = [
        Shard(
            run_id=run.id,
            step=POST,
            number=number,
            size=end - start + 1,
            first_position=start,
            last_position=end,
        )
        for number, (start, end) in enumerate(_ranges(waiting, size), start=first)
    ]
    add_shards(connection, shards)


def _ranges(positions: Sequence[int], size: int) -> Iterator[tuple[int, int]]:
    """Yield runs of positions without a hole as first and last, at most `size` long."""
    start = last = 0
    for position in positions:
        if start and (position != last + 1 or position - start >= size):
            yield start, last
            start = 0
        start, last = start or position, position
    if start:
        yield start, last
