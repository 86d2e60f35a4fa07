"""Usage: what was delivered, as the source delivered it; immutable, and never marked as billed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

import attrs

from billing_framework.values.period import Span

Body = TypeVar("Body")


@attrs.frozen(kw_only=True)
class UsageKind:
    """A kind of usage record that a plugin offers; the core derives its table, checks and documentation from `body`.

    Attributes:
        name: unique name in the deployment, snake_case, for example ``interval_day``.
        title: one line for people.
        body: frozen attrs class with the fields of the kind. Field types: ``str``, ``int``, ``bool``, ``Fraction``, ``date``,
            aware ``datetime``, an ``Enum`` of text values, ``tuple[int, ...]`` (packed), each also ``| None``. What tells about a
            person is declared by `personal`; raters are given a placeholder for it.
        divisible: True where a record covers a span that may be cut at a period's edge (interval data); such records are
            given to every period that they overlap, others only to the period in which they start.
        reach_days: how many days before the billed period the rater must see. Records of the agreement's subjects in that
            reach are given to it too, whichever agreement they were guided to (the closing reading of one customer is the
            opening reading of the next); only those of the period itself must be accounted for.
        reach_after_days: how many days after the billed period it must see, in the same way. A document is found late when a
            record in its reach arrives after it, so this is kept as short as the rating allows.
        carried: True where each record is billed once and whole: one that no standing document has billed and that starts before
            the period's end is given to the next bill of its agreement, however old it is. Such kinds are not divisible and
            have no reach. A slot of such a kind is of its source, so that a newer version may name another subject; a slot of
            any other kind is of its subject, whichever source speaks about it.
        editable: fields of the body that a reviewer may change in a draft; the stored record stays as it was delivered.
    """

    name: str
    title: str
    body: type
    divisible: bool = False
    reach_days: int = 0
    reach_after_days: int = 0
    carried: bool = False
    editable: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Usage(Generic[Body]):
    """One record: the envelope that all kinds share, and the body of its kind.

    Attributes:
        kind: name of the kind.
        source: who delivered it (file family, head-end, switch); with `external_id` it names the record for ever.
        external_id: identifier at the source. Same id and content is a duplicate, same id with other content a conflict.
        subject: identifier of the field as delivered (meter channel, number, matter); guiding finds its agreement.
        span: instants that it covers; equal ends for a reading at one instant.
        slot: what it speaks about. Of several records of one slot only the one with the highest `version` counts, the
            others are superseded; empty where records never replace each other. See `UsageKind.carried` for whose it is.
        version: orders the records of one slot, for example an update instant as yyyymmddhhmmss.
        deleted: True where the source takes back what its earlier versions of the slot say: none of them counts any more, until
            a higher version says something again. Such a record has no body of its own; whatever stands there is passed over.
        body: the fields of the kind.
        line: 1-based line or record number in its file, for messages.
    """

    kind: str
    source: str
    external_id: str
    subject: str
    span: Span
    slot: str = ""
    version: int = 0
    body: Body
    line: int = attrs.field(default=0, eq=False)
    deleted: bool = False

    @property
    def start(self) -> datetime:
        """First instant."""
        return self.span.start


AnyUsage = Usage[Any]
