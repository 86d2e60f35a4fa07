"""What a reader promises of each item that it yields, so that its faults are told as such and never met further inside."""

from __future__ import annotations

from collections.abc import Mapping

from billing_framework.usage.reader import BadRecord, Coverage
from billing_framework.usage.record import Usage
from billing_framework.values.finding import Finding, is_sound_finding
from billing_framework.values.period import Span

_PROMISED: Mapping[type, Mapping[str, type]] = {
    Usage: {"source": str, "external_id": str, "subject": str, "span": Span, "slot": str, "version": int, "line": int},
    BadRecord: {"line": int, "raw": str, "findings": tuple},
    Coverage: {"subject": str, "span": Span, "expected": int, "received": int, "missing": tuple},
}


def broken_promise(item: object) -> str:
    """Return what a reader may not yield, said after "it yielded"; empty where it may.

    What a text or number says is looked at later and waits in suspense; here are the types without which nothing can be said.

    Args:
        item: what it yielded.
    """
    promised = _PROMISED.get(type(item))
    if promised is None:
        if is_sound_finding(item):
            return ""
        return "a Finding with fields of wrong types" if isinstance(item, Finding) else f"a {type(item).__name__}"
    for name, needed in promised.items():
        value = getattr(item, name)
        if not isinstance(value, needed):
            place = "" if name == "line" else _place(item)
            return f"a {type(item).__name__} whose {name} is a {type(value).__name__}, not a {needed.__name__}{place}"
    if isinstance(item, BadRecord) and not (item.findings and all(map(is_sound_finding, item.findings))):
        return f"an unreadable record without a finding{_place(item)}"
    return ""


def _place(item: object) -> str:
    line: object = getattr(item, "line", None)
    return f" (line {line})" if type(line) is int else ""
