"""What answers write in the books: the money of an answer waits in suspense until its items take it out, each to its place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.ledger.entry import Entry, Posting, reversal
from billing_framework.receivables.answer import AnswerAdjustment
from billing_framework.receivables.answer_settlement import Made
from billing_framework.receivables.entries import transfer_entry
from billing_framework.values.money import Money


def answer_entries(made: Sequence[Made], mapping: ChartMapping) -> tuple[Entry, ...]:
    """Return an entry for each item that an answer made; what is paid comes out of suspense, what is reduced goes to its account.

    Args:
        made: the items, as `settle_item` made them.
        mapping: the accounts of the book; every adjustment code has one.
    """
    entries = []
    left = {one.item.key: one.item for one in made if one.role == "left"}
    for one in made:
        item = one.item
        if one.role == "left":
            continue
        if one.role == "moved":
            entries.append(transfer_entry(left[f"{item.key.removesuffix('/to')}/from"], item, mapping))
            continue
        other = mapping.adjustment_account(one.code) if one.role == "reduced" else mapping.role("suspense")
        entries.append(
            Entry(
                key=item.key,
                effective_on=item.dated_on,
                kind=f"answer_{one.role}",
                source=item.key,
                postings=(
                    Posting(
                        gl_account=mapping.role("receivable"),
                        money=item.original,
                        account_key=item.account,
                        document_key=item.key,
                    ),
                    Posting(gl_account=other, money=-item.original, document_key=item.key),
                ),
            )
        )
    return tuple(entries)


def reversal_entries(made: Sequence[Made], mapping: ChartMapping, *, action: str, on: date) -> tuple[Entry, ...]:
    """Return the exact mirror of every entry of an answer.

    Args:
        made: what the answer had made.
        mapping: the accounts of the book as they were when it was booked.
        action: natural key of the act.
        on: date of the reversal.
    """
    entries = answer_entries(made, mapping)
    return tuple(
        reversal(entry, key=f"{action}/entry/{number}", on=on, source=action) for number, entry in enumerate(entries, start=1)
    )


def adjustment_entry(adjustment: AnswerAdjustment, mapping: ChartMapping, *, key: str, on: date) -> Entry:
    """Return the entry of an adjustment that concerns no document: the account of its code against suspense.

    Args:
        adjustment: it; not zero, and its code has an account.
        mapping: the accounts of the book.
        key: natural key of the act.
        on: date on which it counts.
    """
    return suspense_entry(mapping.adjustment_account(adjustment.code), adjustment.money, mapping, key=key, on=on)


def suspense_entry(gl_account: str, money: Money, mapping: ChartMapping, *, key: str, on: date) -> Entry:
    """Return the entry that debits an account with `money` and credits suspense."""
    postings = (
        Posting(gl_account=gl_account, money=money, document_key=key),
        Posting(gl_account=mapping.role("suspense"), money=-money, document_key=key),
    )
    return Entry(key=key, effective_on=on, kind="answer_adjustment", source=key, postings=postings)
