"""Receivers: what those who take LEDES files want beyond the format, as data."""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

import attrs

from billing_framework import BillingError, InputRefused, ValueRefused
from billing_legal_timekeeping.codes_in_use import SHIPPED, known_sets
from billing_legal_timekeeping.ledes.layout import NAMES
from billing_legal_timekeeping.tables import CodeSort


class Charset(enum.Enum):
    """Characters that a receiver can read."""

    ASCII = "ascii"
    CP1252 = "cp1252"
    UTF8 = "utf-8"


class OnUnknown(enum.Enum):
    """What an unknown task, activity, expense code or class is to a receiver."""

    WARN = "warn"
    ERROR = "error"


def _known_fields(_profile: object, field: attrs.Attribute[Any], names: tuple[str, ...]) -> None:
    for name in names:
        if name not in NAMES:
            raise ValueRefused("LEDES26", f"{field.name}: the format has no field {name!r}", remedy="Name one of its 24 fields")


def _known_sorts(_profile: object, field: attrs.Attribute[Any], codes: Mapping[str, tuple[str, ...]]) -> None:
    for name in codes:
        if name not in {sort.value for sort in CodeSort}:
            known = ", ".join(sort.value for sort in CodeSort)
            raise ValueRefused("LEDES26", f"{field.name}: {name!r} is no sort of codes", remedy=f"Known are: {known}")


@attrs.frozen(kw_only=True)
class ReceiverProfile:
    """What one receiver wants.

    Attributes:
        title: one line for people.
        charset: characters that it can read.
        description_size: most characters of a line's description; 0 takes the format's own size.
        money_digits: most digits before the point of amounts; 0 takes the format's own sizes.
        expense_cost_decimals: most decimals of the unit cost of an expense.
        most_negative_adjustments: most negative adjustments of the whole invoice; 0 for any number.
        unknown_codes: what an unknown code is.
        code_sets: names of the shipped sets whose codes it knows.
        codes: further codes that it knows, by sort: task, activity, expense, classification.
        classes: class of a timekeeper as the firm has it, to that which the receiver wants.
        required: fields that it demands, though the format does not.
        optional: fields that it can do without, though the format demands them.
    """

    title: str
    charset: Charset = Charset.ASCII
    description_size: int = 0
    money_digits: int = 0
    expense_cost_decimals: int = 4
    most_negative_adjustments: int = 0
    unknown_codes: OnUnknown = OnUnknown.WARN
    code_sets: tuple[str, ...] = attrs.field(default=SHIPPED, validator=known_sets)
    codes: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict, validator=_known_sorts)
    classes: Mapping[str, str] = attrs.field(factory=dict)
    required: tuple[str, ...] = attrs.field(default=(), validator=_known_fields)
    optional: tuple[str, ...] = attrs.field(default=(), validator=_known_fields)


def shipped_profiles() -> dict[str, ReceiverProfile]:
    """Return the profiles that come with the plugin, by name."""
    text = (resources.files("billing_legal_timekeeping.ledes") / "profiles.toml").read_text(encoding="utf-8")
    return read_profiles(text, "profiles.toml")


def read_profiles(text: str, source: str) -> dict[str, ReceiverProfile]:
    """Return the profiles of a TOML text by name.

    Args:
        text: a table for each profile.
        source: name of the file, for messages.

    Raises:
        InputRefused: ``LEDES26`` where it is no TOML, or a table is no profile.
    """
    try:
        return {name: _profile(table) for name, table in tomllib.loads(text).items()}
    except (ValueError, TypeError, AttributeError, BillingError) as error:
        raise InputRefused("LEDES26", f"no profiles of receivers: {error}", place=source, remedy="See profiles.toml") from error


def _profile(table: Mapping[str, Any]) -> ReceiverProfile:
    values = dict(table)
    for field, kind in (("charset", Charset), ("unknown_codes", OnUnknown)):
        if field in values:
            values[field] = kind(values[field])
    for field in ("code_sets", "required", "optional"):
        if field in values:
            values[field] = tuple(values[field])
    return ReceiverProfile(**values)


def chosen_profile(options: Mapping[str, str], settings: object) -> ReceiverProfile:
    """Return the profile that the option ``profile`` names, the default one without it.

    Args:
        options: options of a check or an export.
        settings: settings of the plugin; their receivers come before those that are shipped. None without any.

    Raises:
        InputRefused: ``LEDES26`` where there is no such profile.
    """
    own: Mapping[str, ReceiverProfile] = getattr(settings, "receivers", {})
    profiles = {**shipped_profiles(), **own}
    name = options.get("profile", "default")
    if name not in profiles:
        raise InputRefused("LEDES26", f"there is no profile {name!r}", remedy=f"Known are: {', '.join(sorted(profiles))}")
    return profiles[name]
