"""Facts in the audit trail about people: sealed under their key, with a mark by which it is seen that two of them differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from billing_framework.storage.personal.key_desk import KeyDesk, told

_SHOWN_BYTES = 4
_GENERATION_BYTES = 2

Facts = Mapping[str, Any]


def sealed_facts(desk: KeyDesk, owner: str, facts: Facts | None, names: Iterable[str]) -> dict[str, Any] | None:
    """Return facts with some of them sealed; the desk has to be saved before they are stored."""
    if facts is None:
        return None
    hidden = {name: str(facts[name]) for name in names if name in facts}
    sealed = {
        name: {
            "owner": owner,
            "mark": desk.mark(owner, f"{name}={text}")[_GENERATION_BYTES:][:_SHOWN_BYTES].hex(),
            "sealed": desk.seal_text(owner, _place(name), text),
        }
        for name, text in hidden.items()
    }
    return {**facts, **sealed}


def owners_of(facts: Iterable[Facts | None]) -> set[str]:
    """Return whom the sealed facts among these are about."""
    return {value["owner"] for some in facts for value in (some or {}).values() if is_sealed(value)}


def is_sealed(value: object) -> bool:
    """Return True where a fact is sealed."""
    return isinstance(value, Mapping) and value.keys() == {"owner", "mark", "sealed"}


def shown_facts(facts: Facts | None) -> dict[str, Any] | None:
    """Return facts with a mark in the place of each sealed one: equal marks are equal facts."""
    if facts is None:
        return None
    return {name: f"<personal {value['mark']}>" if is_sealed(value) else value for name, value in facts.items()}


def opened_facts(desk: KeyDesk, facts: Facts | None) -> dict[str, Any] | None:
    """Return facts in the clear; those whose key was erased say so."""
    if facts is None:
        return None
    return {
        name: told(desk.unseal_text(value["owner"], _place(name), value["sealed"])) if is_sealed(value) else value
        for name, value in facts.items()
    }


def _place(name: str) -> str:
    return f"audit|{name}"
