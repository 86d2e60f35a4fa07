"""What an officer may want of a draft, in the words of the desk; `edits` makes edits of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import attrs

from billing_framework.invoicing.edit import EditField


@attrs.frozen(kw_only=True)
class LineEdit:
    """What an officer wants of a line of a draft.

    Attributes:
        line: number of the line.
        field: what is changed.
        after: the new description, or the new exact amount as text, with its currency or
            without; empty for a line that is dropped or waived.
        text: description of the opposite line of a waiver.
    """

    line: int
    field: EditField
    after: str = ""
    text: str = ""


@attrs.frozen(kw_only=True)
class AddedLine:
    """A line that an officer adds to a draft.

    Attributes:
        code: charge code.
        description: what is printed, in the customer's language.
        amount: amount before tax in the account's currency, as text, with the currency or without.
        tax_category: tax category.
        agreement: code of the agreement that it is for, or empty.
        on: date that it is for.
        again: True where the same line is added once more on purpose.
    """

    code: str
    description: str
    amount: str
    tax_category: str
    agreement: str = ""
    on: date
    again: bool = False


@attrs.frozen(kw_only=True)
class WriteDown:
    """That the lines of a draft are to come to less.

    Attributes:
        cut: by how much: a percentage such as ``10%``, or an amount before tax in the account's currency.
        codes: only lines with these charge codes; all where empty. Lines that give back are never written down.
    """

    cut: str
    codes: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class RecordChange:
    """That a usage record is to say something else before it is rated.

    Attributes:
        record: its key, or its id at the source where only one record of the account has that.
        values: field to its new value as people write it; empty for none.
    """

    record: str
    values: Mapping[str, str]


@attrs.frozen(kw_only=True)
class RecordDeferral:
    """That a usage record is to wait for a later bill.

    Attributes:
        record: its key, or its id at the source where only one record of the account has that.
    """

    record: str


@attrs.frozen(kw_only=True)
class DroppedEdit:
    """That an earlier edit is taken back.

    Attributes:
        position: its number among the edits of the account.
    """

    position: int


@attrs.frozen(kw_only=True)
class DroppedWriteDown:
    """That all edits of the write-downs of a draft are taken back."""


Wanted = LineEdit | AddedLine | WriteDown | RecordChange | RecordDeferral | DroppedEdit | DroppedWriteDown
"""All that may be wanted of a draft."""
