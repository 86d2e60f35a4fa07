"""How each kind of customer data stands in its table: value to row and back, and what identifies it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import attrs
import sqlalchemy as sa

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.accounts.form import Form
from billing_framework.accounts.forms import ACCOUNT, AGREEMENT, ASSIGNMENT, PARTY
from billing_framework.accounts.party import Address, Party
from billing_framework.storage.master import account_tables as tables
from billing_framework.values.identity import natural_id

Value = TypeVar("Value")


@attrs.frozen(kw_only=True)
class MasterKind(Generic[Value]):
    """One kind of customer data and its table.

    Attributes:
        form: how it is read and checked.
        table: where it stands.
        keys: columns that identify a row.
        identity: values of `keys`.
        to_row: column name to value, without `revision`.
        from_row: the value of a row.
        sealed: columns with personal data, which are encrypted where the deployment has a key.
        personal: names of the same in the form.
    """

    form: Form[Value]
    table: sa.Table
    keys: tuple[str, ...]
    identity: Callable[[Value], tuple[Any, ...]]
    to_row: Callable[[Value], dict[str, Any]]
    from_row: Callable[[Mapping[str, Any]], Value]
    sealed: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the kind."""
        return self.form.kind

    def key(self, value: Value) -> str:
        """Return what officers call the value, and audit rows name it by."""
        return self.form.key(value)


def _party_row(party: Party) -> dict[str, Any]:
    address = attrs.asdict(party.address)
    return {
        "code": party.code,
        "name": party.name,
        **address,
        "lines": list(party.address.lines),
        "email": party.email,
        "tax_id": party.tax_id,
    }


def _party(row: Mapping[str, Any]) -> Party:
    address = Address(
        lines=tuple(row["lines"]), city=row["city"], postcode=row["postcode"], region=row["region"], country=row["country"]
    )
    return Party(code=row["code"], name=row["name"], address=address, email=row["email"], tax_id=row["tax_id"])


def _account_row(account: Account) -> dict[str, Any]:
    return attrs.asdict(account) | {"id": tables.account_id(account.code), "parent": account.parent or None}


def _account(row: Mapping[str, Any]) -> Account:
    fields = {name: row[name] for name in ACCOUNT.names}
    return Account(**(fields | {"parent": row["parent"] or ""}))


def _agreement_row(agreement: Agreement) -> dict[str, Any]:
    return {
        "id": natural_id("agreement", agreement.code),
        "code": agreement.code,
        "account": agreement.account,
        "plan": agreement.plan,
        "starts_on": agreement.starts_on,
        "ends_on": agreement.ends_on,
        "terms": dict(agreement.terms),
        "succeeds": agreement.succeeds or None,
    }


def _agreement(row: Mapping[str, Any]) -> Agreement:
    return Agreement(
        code=row["code"],
        account=row["account"],
        plan=row["plan"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        terms=row["terms"],
        succeeds=row["succeeds"] or "",
    )


def _assignment_row(assignment: Assignment) -> dict[str, Any]:
    return {
        "subject_id": tables.subject_id(assignment.subject),
        "subject": assignment.subject,
        "agreement": assignment.agreement,
        "starts_on": assignment.starts_on,
        "ends_on": assignment.ends_on,
        "details": dict(assignment.details),
    }


def _assignment(row: Mapping[str, Any]) -> Assignment:
    return Assignment(
        subject=row["subject"],
        agreement=row["agreement"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        details=row["details"],
    )


PARTIES = MasterKind[Party](
    form=PARTY,
    table=tables.party,
    keys=("code",),
    identity=lambda party: (party.code,),
    to_row=_party_row,
    from_row=_party,
    sealed=("name", "lines", "city", "postcode", "region", "email", "tax_id"),
    personal=("name", "street", "street2", "street3", "city", "postcode", "region", "email", "tax_id"),
)
ACCOUNTS = MasterKind[Account](
    form=ACCOUNT,
    table=tables.account,
    keys=("code",),
    identity=lambda account: (account.code,),
    to_row=_account_row,
    from_row=_account,
)
AGREEMENTS = MasterKind[Agreement](
    form=AGREEMENT,
    table=tables.agreement,
    keys=("code",),
    identity=lambda agreement: (agreement.code,),
    to_row=_agreement_row,
    from_row=_agreement,
)
ASSIGNMENTS = MasterKind[Assignment](
    form=ASSIGNMENT,
    table=tables.assignment,
    keys=("subject", "starts_on"),
    identity=lambda assignment: (assignment.subject, assignment.starts_on),
    to_row=_assignment_row,
    from_row=_assignment,
)
