"""The contract of carried state: each of an agreement of the group, of its period, once, exact and storable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from billing_framework.rating.declared_types import are_texts, is_mapping, is_name, is_number, is_span_of_dates
from billing_framework.rating.group import AgreementUsage
from billing_framework.rating.state import CarriedState


def states_fault(states: Sequence[CarriedState], agreements: Mapping[str, AgreementUsage]) -> str:
    """Return in what way carried states break the contract, or an empty text.

    Args:
        states: what a plugin returned.
        agreements: code to agreement of those that it was asked for; state belongs to one of them.
    """
    if type(states) is not tuple:
        return "returned carried states that are no tuple"
    for state in states:
        fault = _state_fault(state, agreements)
        if fault:
            return fault
    for scope, name in twice(states):
        return f"returned the state {name!r} of {scope!r} twice"
    return ""


def twice(states: Collection[CarriedState]) -> list[tuple[str, str]]:
    """Return scope and name of the states that are there more than once for one end of a period, in order."""
    places = [(state.scope, state.name, state.period.end) for state in states]
    if len(set(places)) == len(places):
        return []
    return [(scope, name) for (scope, name, _), count in Counter(places).items() if count > 1]


def _state_fault(state: object, agreements: Mapping[str, AgreementUsage]) -> str:
    if type(state) is not CarriedState:
        return f"returned {type(state).__name__} as carried state"
    if not is_name(state.name) or not is_name(state.scope):
        return "returned a carried state without a scope or name that can be stored"
    usage = agreements.get(state.scope)
    if usage is None:
        return f"returned the state {state.name!r} of {state.scope!r}, which it was not asked for"
    if not is_span_of_dates(state.period):
        return f"returned the state {state.name!r} of no period"
    if state.period.start < usage.period.start or state.period.end > usage.period.end:
        return f"returned the state {state.name!r} of {state.period}, outside {usage.period}"
    return _content_fault(state)


def _content_fault(state: CarriedState) -> str:
    if not is_mapping(state.values) or not are_texts(list(state.values)):
        return f"returned the state {state.name!r} with values of wrong names"
    if not all(map(is_number, state.values.values())):
        return f"returned numbers that are not exact, or too long, as state {state.name!r}"
    if state.written_by != "":
        return f"returned the state {state.name!r} as written by a document, which the core fills in"
    return ""
