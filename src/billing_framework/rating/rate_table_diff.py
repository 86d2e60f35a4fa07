"""What changed between two versions of a rate table, row by row: new, withdrawn, dearer, cheaper, changed otherwise, the same."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from billing_framework.rating.plan_diff import Difference
from billing_framework.rating.rate_table import RateTable, RateTableKind
from billing_framework.rating.rate_table_file import cell_text, key_text


class Turn(enum.Enum):
    """What became of a row.

    ``DEARER`` and ``CHEAPER``: all its prices that changed went one way, and nothing else changed. ``OTHERWISE``: anything else,
    such as prices that went both ways, or another increment.
    """

    NEW = "new"
    WITHDRAWN = "withdrawn"
    DEARER = "dearer"
    CHEAPER = "cheaper"
    OTHERWISE = "changed otherwise"


@attrs.frozen(kw_only=True)
class RowTurn:
    """One row that is not the same in both versions.

    Attributes:
        key: its key.
        turn: what became of it.
        differences: the fields that differ; for a new or withdrawn row all that it says.
    """

    key: str
    turn: Turn
    differences: tuple[Difference, ...]


@attrs.frozen(kw_only=True)
class RateTableDiff:
    """What changed between two versions.

    Attributes:
        before: ``code@version`` of the old one.
        after: that of the new one.
        turns: the rows that changed: in the order of the new version, then those withdrawn in the order of the old one.
        same: how many rows did not change.
    """

    before: str
    after: str
    turns: tuple[RowTurn, ...]
    same: int

    @property
    def counts(self) -> Mapping[str, int]:
        """Return how many rows became what, with those that are the same."""
        found = {turn.value: 0 for turn in Turn}
        for one in self.turns:
            found[one.turn.value] += 1
        return found | {"same": self.same}


def rate_table_diff(old: RateTable, new: RateTable, kind: RateTableKind) -> RateTableDiff:
    """Return what changed between two versions whose rows are of one kind; its remarks are left out."""
    names = [field.name for field in attrs.fields(kind.row) if field.name not in kind.remarks]
    before, after = _by_key(old, kind), _by_key(new, kind)
    turns: list[RowTurn] = []
    for key, row in after.items():
        if key not in before:
            turns.append(_turn(kind, row, Turn.NEW, _said(row, names, came=True)))
        elif fields := [name for name in names if getattr(before[key], name) != getattr(row, name)]:
            turns.append(_changed(before[key], row, kind, fields))
    gone = [row for key, row in before.items() if key not in after]
    turns += [_turn(kind, row, Turn.WITHDRAWN, _said(row, names, came=False)) for row in gone]
    same = len(after) - sum(1 for one in turns if one.turn is not Turn.WITHDRAWN)
    return RateTableDiff(before=old.name, after=new.name, turns=tuple(turns), same=same)


def _by_key(table: RateTable, kind: RateTableKind) -> dict[tuple[Any, ...], Any]:
    return {tuple(getattr(row, name) for name in kind.key): row for row in table.rows}


def _turn(kind: RateTableKind, row: Any, turn: Turn, differences: Sequence[Difference]) -> RowTurn:
    return RowTurn(key=key_text(kind, row), turn=turn, differences=tuple(differences))


def _said(row: Any, names: Sequence[str], *, came: bool) -> list[Difference]:
    texts = [(name, cell_text(getattr(row, name))) for name in names]
    return [Difference(place=name, before="" if came else text, after=text if came else "") for name, text in texts if text]


def _changed(old: Any, new: Any, kind: RateTableKind, fields: Sequence[str]) -> RowTurn:
    turn = Turn.OTHERWISE
    if set(fields) <= set(kind.prices):
        pairs = [(getattr(old, name), getattr(new, name)) for name in fields]
        if all(before is not None and after is not None for before, after in pairs):
            ups = {after > before for before, after in pairs}
            turn = Turn.OTHERWISE if len(ups) > 1 else Turn.DEARER if True in ups else Turn.CHEAPER
    differences = [
        Difference(place=name, before=cell_text(getattr(old, name)), after=cell_text(getattr(new, name))) for name in fields
    ]
    return _turn(kind, new, turn, differences)
