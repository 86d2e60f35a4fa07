"""Manifests as text, part by part: each part is written once, and its digest tells a stale draft what has changed.

The text of a manifest is made of the texts of its parts. What many accounts share (tax rates, holidays, versions) is written once
for all of them, and the records of an agreement stand in columns: keys, then digests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import groupby
from typing import Any

import attrs

from billing_framework.run.draft.bill_input import AgreementInput, BillInput, UsageRef
from billing_framework.run.draft.likeness import STAND_INS, Template, in_text, likeness, names_of, says_stand_in, under
from billing_framework.values.plain_form import from_plain, text_of_plain, to_terse

_SELF = "identity"
_IDENTITY = ("document", "known_at")
"""Fields that are in no part: they decide nothing."""

_SHARED: Mapping[str, tuple[str, ...]] = {
    "tax rates": ("tax_rates", "seller_has_tax_id", "buyer_has_tax_id"),
    "holidays": ("holidays",),
    "versions": ("versions",),
}
"""Parts that are the same values for many accounts."""

_OWN: Mapping[str, tuple[str, ...]] = {
    "account": ("account", "payer", "period", "issue_on"),
    "payers": ("bearers",),
    "manual charges": ("charges",),
    "edits": ("edits",),
    "findings": ("findings",),
    "late usage": ("late",),
}
_OF_AGREEMENTS: Mapping[str, tuple[str, ...]] = {
    "agreements": ("agreement", "period", "full_period", "next_period"),
    "plans": ("tiles", "next_tiles", "earlier_tiles"),
    "rate tables": ("tables",),
    "assignments": ("assignments", "earlier_assignments", "neighbours"),
    "usage": ("usage",),
    "carried state": ("state", "billed_through"),
    "shares": ("shares",),
}
_DEFAULTS: Mapping[str, object] = {
    field.name: field.default.factory() if isinstance(field.default, attrs.Factory) else field.default  # type: ignore[arg-type]
    for cls in (BillInput, AgreementInput)
    for field in attrs.fields(cls)
}


@attrs.frozen
class ManifestText:
    """A manifest as it is stored.

    Attributes:
        text: all of it.
        parts: digest of each part as hex, by name; the key of the document and the instant at which it was known are in none.
    """

    text: str
    parts: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Digest of all parts, as hex."""
        return parts_digest(self.parts)


def parts_digest(parts: Mapping[str, str]) -> str:
    """Return the digest of a manifest as hex, from the digests of its parts."""
    return _sha256("\n".join(f"{name} {digest}" for name, digest in sorted(parts.items())))


def changed_parts(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the parts in which two manifests differ."""
    return tuple(name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name))


def versions_digest(versions: Mapping[str, str]) -> str:
    """Return the digest that the part of a manifest has which says what computes."""
    return _sha256(text_of_plain({"versions": to_terse(versions)}))


@attrs.frozen
class _LikeManifest:
    """The manifest of accounts that are billed alike.

    Attributes:
        first: one of them under the stand-ins, whose parts are the objects that tell them from others.
        text: all of it.
        fixed: digest of each part that is the same for all of them.
        named: text of each part that names the account.
    """

    first: BillInput
    text: Template
    fixed: Mapping[str, str]
    named: Mapping[str, Template]

    def filled(self, names: tuple[str, str, str, str]) -> ManifestText:
        """Return the manifest under some names."""
        own = {name: _sha256(part.filled(names)) for name, part in self.named.items()}
        return ManifestText(self.text.filled(names), {**self.fixed, **own})


@attrs.define
class ManifestWriter:
    """Writes the manifests of a batch, each shared part once.

    Attributes:
        _shared: what was written, with the values that it was written from, so that their identities stay theirs.
        _alike: manifests of accounts that are billed alike, by what they have in common; None where one was met.
    """

    _shared: dict[tuple[object, ...], tuple[list[object], str, str]] = attrs.field(factory=dict)
    _alike: dict[Hashable, _LikeManifest | None] = attrs.field(factory=dict)

    def write(self, given: BillInput) -> ManifestText:
        """Return a manifest as text with the digests of its parts."""
        key = likeness(given)
        if key is None or key not in self._alike:
            whole = self._whole(given)
            if key is not None and not says_stand_in(whole.text):
                self._alike[key] = None
            return whole
        known = self._alike[key] or self._like(given)
        self._alike[key] = known
        return known.filled(in_text(names_of(given)))

    def _like(self, given: BillInput) -> _LikeManifest:
        first = under(given, STAND_INS)
        texts, digests = self._parts(first)
        parts = {name: Template.of(text) for name, text in texts.items() if name != _SELF}
        return _LikeManifest(
            first=first,
            text=Template.of(_joined(texts)),
            fixed={name: digests.get(name) or _sha256(texts[name]) for name, part in parts.items() if not part.places},
            named={name: part for name, part in parts.items() if part.places},
        )

    def _whole(self, given: BillInput) -> ManifestText:
        texts, digests = self._parts(given)
        return ManifestText(
            _joined(texts), {name: digests.get(name) or _sha256(text) for name, text in texts.items() if name != _SELF}
        )

    def _parts(self, given: BillInput) -> tuple[dict[str, str], dict[str, str]]:
        """Return the texts of the parts by name, with that which tells who it is; and the digests that are known."""
        texts: dict[str, str] = {}
        digests: dict[str, str] = {}
        for name, fields in _SHARED.items():
            texts[name], digests[name] = self._shared_part(name, fields, given)
        for name, fields in _OWN.items():
            texts[name] = text_of_plain(_fields(given, fields, to_terse))
        for name, fields in _OF_AGREEMENTS.items():
            write = _usage_columns if name == "usage" else to_terse
            texts[name] = text_of_plain([_fields(one, fields, write) for one in given.agreements])
        texts[_SELF] = text_of_plain(_fields(given, _IDENTITY, to_terse))
        return texts, digests

    def _shared_part(self, name: str, fields: Sequence[str], given: BillInput) -> tuple[str, str]:
        values = [getattr(given, field) for field in fields]
        key = (name, *(value if isinstance(value, bool) else id(value) for value in values))
        known = self._shared.get(key)
        if known is None:
            text = text_of_plain(_fields(given, fields, to_terse))
            known = self._shared[key] = (values, text, _sha256(text))
        return known[1], known[2]


def manifest_from_text(text: str) -> BillInput:
    """Return the manifest that was written as `text`.

    Raises:
        ValueError, KeyError, TypeError, BillingError: the text is not one that was written.
    """
    read = json.loads(text)
    agreements: list[dict[str, Any]] = [{} for _ in read["agreements"]]
    for name in _OF_AGREEMENTS:
        for whole, part in zip(agreements, read[name], strict=True):
            whole.update(part)
    for one in agreements:
        if "usage" in one:
            one["usage"] = _usage_list(one["usage"])
    plain: dict[str, Any] = {"agreements": agreements, **read[_SELF]}
    for name in (*_SHARED, *_OWN):
        plain.update(read[name])
    return from_plain(plain, BillInput)


def read_back(text: str) -> tuple[str, str]:
    """Return of a manifest that was written as `text` the code of its account, and the digest of all parts as hex.

    Raises:
        ValueError, KeyError, TypeError: the text is not one that was written.
    """
    parts = json.loads(text)
    code = str(parts["account"]["account"]["code"])
    return code, parts_digest({name: _sha256(text_of_plain(part)) for name, part in parts.items() if name != _SELF})


def _joined(texts: Mapping[str, str]) -> str:
    return "{" + ",".join(f'"{name}":{text}' for name, text in sorted(texts.items())) + "}"


def _fields(value: object, names: Sequence[str], write: Callable[[Any], Any]) -> dict[str, Any]:
    return {name: write(item) for name in names if (item := getattr(value, name)) != _DEFAULTS[name]}


def _usage_columns(refs: Sequence[UsageRef]) -> list[list[object]]:
    columns: list[list[object]] = []
    for kind, some in groupby(refs, key=lambda ref: ref.kind):
        listed = list(some)
        columns.append([kind, [ref.key for ref in listed], "".join([ref.digest for ref in listed])])
    return columns


def _usage_list(columns: Sequence[Sequence[Any]]) -> list[dict[str, object]]:
    refs: list[dict[str, object]] = []
    for kind, keys, digests in columns:
        width = len(digests) // len(keys)
        refs += [
            {"kind": kind, "key": key, "digest": digests[place * width : (place + 1) * width]} for place, key in enumerate(keys)
        ]
    return refs


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
