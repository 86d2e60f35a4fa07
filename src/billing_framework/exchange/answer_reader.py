"""Readers of answers: what turns a third party's file into `Answer` values, and says who owes next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

import attrs

from billing_framework.exchange.exporter import ExportDocument
from billing_framework.receivables.answer import Answer, AnswerItem
from billing_framework.values.finding import Finding


@attrs.frozen(kw_only=True)
class AnswerRequest:
    """What a reader of answers is told.

    Attributes:
        file: name of the file, for messages.
        currency: currency of amounts where the format names none.
        settings: the plugin's own settings, None where it has none.
        options: the reader's options, as given on the command line (``--option name=value``).
    """

    file: str
    currency: str
    settings: Any = None
    options: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class AnsweredDocument:
    """An answer with the document that it is about, for the question who owes next.

    Attributes:
        answer: the answer.
        item: its item.
        document: the document with its account, agreements and records.
        account: code of the account that answers: the document's own, or one that a part of it has moved to before.
        settings: the plugin's own settings, None where it has none.
    """

    answer: Answer
    item: AnswerItem
    document: ExportDocument
    account: str
    settings: Any = None


@attrs.frozen(kw_only=True)
class AnswerReader:
    """A format in which third parties answer documents.

    Attributes:
        format: name for ``--format``.
        title: one line for people.
        read: takes a binary stream and the request, yields answers in file order, and findings: one that stops refuses the whole
            file. A file that cannot be that format at all raises `InputRefused`. Nothing is posted of a refused file.
        next_party: returns the code of the account that owes what moves, empty where it cannot tell; None: the agreement's term
            ``next_party`` tells it.
        options: name to one-line help of the options that it understands.
    """

    format: str
    title: str
    read: Callable[[BinaryIO, AnswerRequest], Iterator[Answer | Finding]]
    next_party: Callable[[AnsweredDocument], str] | None = None
    options: Mapping[str, str] = attrs.field(factory=dict)
