"""A finding: a problem of data, reported as a value instead of raised."""

from __future__ import annotations

import enum
from typing import TypeGuard

import attrs

from billing_framework.values.code_name import is_storable, storable
from billing_framework.values.errors import shortened

_LONGEST_VALUE = 200
_LONGEST_CODE = 100
_LAST_LINE = 2**63 - 1


class Severity(enum.Enum):
    """How much a finding stops.

    ``INFORMATION`` is told and stops nothing; ``ISSUE`` suspends the record or holds the account until somebody decides;
    ``BLOCKING`` stops the whole action.
    """

    INFORMATION = "information"
    ISSUE = "issue"
    BLOCKING = "blocking"


def _told(text: str) -> str:
    return storable(shortened(text))


def _cut(value: str) -> str:
    value = storable(value)
    return value if len(value) <= _LONGEST_VALUE else value[: _LONGEST_VALUE - 1] + "…"


@attrs.frozen(kw_only=True)
class Finding:
    """What is wrong with one record, field, account or file, and what to do.

    Whatever a plugin or a file says in it, it can be stored and shown: characters that a database refuses are written as escapes,
    and sentences of more than 2,000 characters are cut.

    Attributes:
        code: stable code with a page in the reference, for example ``USAGE02``.
        severity: how much it stops.
        what: what is wrong, in one sentence without a full stop.
        remedy: what to do; empty only for information.
        file: name of the file that the data came from, or empty.
        line: 1-based line or record number in that file; 0 where there is none.
        field: field name, or empty.
        value: the offending value as text, cut to 200 characters; never personal data.
        subject: what it is about: a record's external id, a meter, an account.
    """

    code: str
    severity: Severity = Severity.ISSUE
    what: str = attrs.field(converter=_told)
    remedy: str = attrs.field(default="", converter=_told)
    file: str = attrs.field(default="", converter=storable)
    line: int = 0
    field: str = attrs.field(default="", converter=storable)
    value: str = attrs.field(default="", converter=_cut)
    subject: str = attrs.field(default="", converter=storable)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        parts = [part for part in (place, self.subject, self.field) if part]
        shown = f" ({self.value!r})" if self.value else ""
        tail = f". {self.remedy}" if self.remedy else ""
        return f"{': '.join([*parts, ''])}{self.code} {self.what}{shown}{tail}"

    @property
    def stops(self) -> bool:
        """True where the record, account or action cannot go on before somebody decides."""
        return self.severity is not Severity.INFORMATION


def is_sound_finding(value: object) -> TypeGuard[Finding]:
    """Return whether what a plugin returned is a finding whose fields have the declared types and that every database stores."""
    if type(value) is not Finding or type(value.severity) is not Severity or type(value.line) is not int:
        return False
    texts = (value.code, value.what, value.remedy, value.file, value.field, value.value, value.subject)
    return (
        set(map(type, texts)) == {str}
        and 0 < len(value.code) <= _LONGEST_CODE
        and 0 <= value.line <= _LAST_LINE
        and is_storable("".join(texts))
    )
