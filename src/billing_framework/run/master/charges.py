"""Officers put charges and credits on an account's next bill, and withdraw them before they are billed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.accounts.fields import code as read_code
from billing_framework.accounts.fields import text_line
from billing_framework.accounts.manual_charge import ManualCharge
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.customer_change import find
from billing_framework.run.reason import needs_reason
from billing_framework.storage.audit import AuditEvent, record_many
from billing_framework.storage.billing.keys import billed_charges
from billing_framework.storage.billing.tables import document
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.master.account_tables import account as account_table
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.master.manual_rows import (
    add_charge,
    as_charge,
    find_charge,
    manual_charges,
    next_charge_id,
    withdraw_charge,
)
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS
from billing_framework.storage.master.master_tables import manual_charge
from billing_framework.storage.master.near_codes import near_codes
from billing_framework.values.errors import InputRefused, NotFound, Refused
from billing_framework.values.money import LARGEST_MINOR, Amount
from billing_framework.values.period import DateSpan
from billing_framework.values.plain_form import to_plain
from billing_framework.values.spelling import did_you_mean


@attrs.frozen(kw_only=True)
class ChargeRequest:
    """What an officer asks for.

    Attributes:
        account: code of the account.
        agreement: code of the agreement that it is for, or empty.
        code: charge code.
        text: what is printed.
        amount: exact amount before tax in the account's currency, as text; negative for a credit.
        tax_category: tax category.
        service: dates that it is for.
        reason: why.
        again: True where the same is entered once more on purpose.
    """

    account: str
    agreement: str = ""
    code: str
    text: str
    amount: str
    tax_category: str
    service: DateSpan
    reason: str
    again: bool = False


def enter_charge(deployment: Deployment, request: ChargeRequest) -> ManualCharge:
    """Enter a charge or credit for the next bill of the account.

    Raises:
        NotFound: the account or agreement does not exist.
        InputRefused: ``MANUAL01`` where a field is wrong, ``BOOK06`` where the book cannot post the charge code.
        Refused: ``MANUAL02`` where the agreement is another account's or the account is closed,
            ``MANUAL05`` where the same charge was entered before for the same reason.
    """
    needs_reason(request.reason, "entering a charge")
    with deployment.database.begin() as connection:
        # The account's row is locked, so that two officers do not come to the same number.
        connection.execute(sa.select(account_table.c.id).where(account_table.c.code == request.account).with_for_update())
        account = find(connection, ACCOUNTS, request.account).value
        if account.status != "active":
            raise Refused("MANUAL02", f"account {account.code} is closed", remedy="Open it again, or use another account")
        _refuse_foreign_agreement(connection, request)
        refuse_unmapped(connection, account.book, request.code)
        entered = ManualCharge(
            id=next_charge_id(connection, account.code),
            account=account.code,
            agreement=request.agreement,
            code=read_code(request.code),
            text=_printed(request.text),
            amount=_amount(request.amount, account.currency),
            tax_category=read_code(request.tax_category),
            service=request.service,
            reason=request.reason,
            entered_at=deployment.clock.now(),
            entered_by=deployment.actor,
        )
        if not request.again:
            _refuse_same(connection, entered)
        add_charge(connection, entered)
        _audit(deployment, connection, "charge add", None, entered)
    return entered


def _printed(text: str) -> str:
    if not text:
        raise InputRefused("MANUAL01", "the charge has no text", remedy="Write what the document prints for it")
    return text_line(text)


def _amount(text: str, currency: str) -> Amount:
    amount = Amount(text, currency)
    if abs(amount.payable().minor) > LARGEST_MINOR:
        raise InputRefused("VALUE30", f"{text[:60]} {currency} is more than is booked", remedy="Correct the amount")
    if not amount:
        raise InputRefused("MANUAL01", "a charge of nothing is no charge", remedy="Give an amount above or below zero")
    return amount


def _refuse_same(connection: Connection, entered: ManualCharge) -> None:
    """Refuse the command that was given twice."""
    for one in manual_charges(connection, entered.account):
        if attrs.evolve(entered, id=one.id, entered_at=one.entered_at, entered_by=one.entered_by) == one:
            raise Refused(
                "MANUAL05",
                f"charge {one.id} says the same: {one.amount} for {one.text!r} on {one.service.start}",
                remedy="Nothing is left to do; to charge the same once more, give --again",
            )


def _refuse_foreign_agreement(connection: Connection, request: ChargeRequest) -> None:
    if not request.agreement:
        return
    agreement = find(connection, AGREEMENTS, request.agreement).value
    if agreement.account != request.account:
        raise Refused(
            "MANUAL02",
            f"agreement {agreement.code} belongs to account {agreement.account}, not to {request.account}",
            remedy="Name one of the account's own agreements, or none",
        )


def refuse_unmapped(connection: Connection, book: str, code: str) -> None:
    """Refuse a charge code that the book cannot post.

    Raises:
        InputRefused: ``BOOK06``.
    """
    profile = load_book(connection, book).profile
    if not profile.revenue_account(code):
        remedy = f"{did_you_mean(code, profile.charges)}, or map it in [book.charges] and load the book again"
        raise InputRefused("BOOK06", f"the charge code {code!r} is mapped to no account of book {book}", remedy=remedy)


def withdraw(deployment: Deployment, charge: str, *, reason: str) -> ManualCharge:
    """Withdraw a charge that is not billed yet and return it.

    Raises:
        NotFound: ``MANUAL03``: there is no such charge.
        Refused: ``MANUAL04`` where it is withdrawn already or stands on an issued document.
    """
    needs_reason(reason, "withdrawing a charge")
    with deployment.database.begin() as connection:
        found = find_charge(connection, charge)
        if found is None:
            near = near_codes(connection, manual_charge.c.id, charge, withdrawn_at=None)
            raise NotFound("MANUAL03", f"there is no manual charge {charge!r}", remedy=did_you_mean(charge, near))
        if found.withdrawn_at is not None:
            raise Refused(
                "MANUAL04", f"charge {charge} was withdrawn on {found.withdrawn_at.date()}", remedy="Nothing is left to do"
            )
        number = _issued_on(connection, found)
        if number:
            raise Refused(
                "MANUAL04", f"charge {charge} stands on document {number}", remedy="Credit that line: billing invoice credit"
            )
        now = deployment.clock.now()
        withdraw_charge(connection, charge, now=now, actor=deployment.actor, reason=reason)
        gone = attrs.evolve(found, withdrawn_at=now, withdrawn_reason=reason)
        _audit(deployment, connection, "charge withdraw", found, gone)
    return gone


def _issued_on(connection: Connection, charge: ManualCharge) -> str:
    key = as_charge(charge).natural_key
    billed = billed_charges(connection, [key]).get(key)
    if billed is None:
        return ""
    row = connection.execute(sa.select(document.c.status, document.c.number).where(document.c.id == billed.document)).one()
    return "" if row.status == "draft" else str(row.number)


def charge_states(connection: Connection, account: str = "") -> list[tuple[ManualCharge, str]]:
    """Return manual charges with their state: ``waiting``, ``drafted``, ``billed on NUMBER`` or ``withdrawn``.

    Raises:
        NotFound: ``ACCOUNT09``: there is no such account.
    """
    if account:
        find(connection, ACCOUNTS, account)
    charges = list(manual_charges(connection, account, withdrawn=True))
    billed = billed_charges(connection, [as_charge(one).natural_key for one in charges])
    wanted = {one.document for one in billed.values()}
    query = sa.select(document.c.id, document.c.status, document.c.number)
    numbers: Mapping[int, Any] = {
        row.id: row for row in rows_of(connection, wanted, lambda some: query.where(one_of(document.c.id, some)))
    }
    states = []
    for one in charges:
        found = billed.get(as_charge(one).natural_key)
        row = numbers.get(found.document) if found is not None else None
        state = "withdrawn" if one.withdrawn_at else "waiting"
        if row is not None and not one.withdrawn_at:
            state = "drafted" if row.status == "draft" else f"billed on {row.number}"
        states.append((one, state))
    return states


def _audit(deployment: Deployment, connection: Connection, action: str, before: ManualCharge | None, after: ManualCharge) -> None:
    now: datetime = deployment.clock.now()
    event = AuditEvent(
        action=action,
        object_kind="charge",
        object_key=after.id,
        before=None if before is None else to_plain(before),
        after=to_plain(after),
        reason=after.reason if before is None else after.withdrawn_reason,
    )
    record_many(connection, now, deployment.actor, [event])
