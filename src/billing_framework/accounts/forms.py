"""The four forms of master data: party, account, agreement, assignment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.accounts.fields import (
    Field,
    code,
    country,
    currency,
    cycle,
    day,
    email,
    locale,
    one_of,
    term_days,
    text_line,
    zone,
)
from billing_framework.accounts.form import Form
from billing_framework.accounts.identifier_range import range_of
from billing_framework.accounts.party import Address, Party
from billing_framework.values.errors import ValueRefused
from billing_framework.values.finding import Finding, Severity

ALLOCATIONS = ("oldest_first", "by_document", "pro_rata", "line_priority")
"""Named strategies for a payment without instruction; the receivables floor has one step for each."""


def _blocking(number: str, what: str, remedy: str, field: str, value: str = "") -> Finding:
    return Finding(code=number, severity=Severity.BLOCKING, what=what, remedy=remedy, field=field, value=value)


def _given(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}


def _build_party(values: Mapping[str, Any]) -> Party:
    rest = dict(values)
    lines = tuple(line for name in ("street", "street2", "street3") if (line := rest.pop(name, "")))
    parts = {name: rest.pop(name) for name in ("city", "postcode", "region", "country") if name in rest}
    return Party(address=Address(lines=lines, **parts), **rest)


def _write_party(party: Party) -> dict[str, str]:
    streets = dict(zip(("street", "street2", "street3"), party.address.lines, strict=False))
    place = {name: getattr(party.address, name) for name in ("city", "postcode", "region", "country")}
    return _given({"code": party.code, "name": party.name, **streets, **place, "email": party.email, "tax_id": party.tax_id})


def _party_rules(_party: Party) -> tuple[Finding, ...]:
    return ()


PARTY = Form[Party](
    kind="party",
    fields=(
        Field(name="code", read=code, help="unique code of the party", required=True),
        Field(name="name", read=text_line, help="name as it is printed on documents", required=True),
        Field(name="street", read=text_line, help="first street line"),
        Field(name="street2", read=text_line, help="second street line"),
        Field(name="street3", read=text_line, help="third street line"),
        Field(name="city", read=text_line, help="town"),
        Field(name="postcode", read=text_line, help="postal code"),
        Field(name="region", read=text_line, help="state or province"),
        Field(name="country", read=country, help="ISO 3166 code such as US"),
        Field(name="email", read=email, help="address for electronic delivery"),
        Field(name="tax_id", read=text_line, help="tax registration number"),
    ),
    build=_build_party,
    write=_write_party,
    rules=_party_rules,
    key=lambda party: party.code,
)


def _account_rules(account: Account) -> tuple[Finding, ...]:
    findings = []
    if account.parent == account.code:
        findings.append(
            _blocking("ACCOUNT04", "the account stands above itself", "Name another parent or none", "parent", account.parent)
        )
    if account.payer == "parent" and not account.parent:
        findings.append(
            _blocking("ACCOUNT04", "the parent shall pay, but there is none", "Name the parent, or let payer be self", "payer")
        )
    if account.tax_status != "taxable" and not account.exemption:
        findings.append(
            _blocking(
                "ACCOUNT13",
                f"the account is {account.tax_status} without a reason",
                "Give the certificate or legal reason, which documents print",
                "exemption",
            )
        )
    return tuple(findings)


def _write_account(account: Account) -> dict[str, str]:
    return _given({name: str(getattr(account, name)) for name in ACCOUNT.names})


ACCOUNT = Form[Account](
    kind="account",
    fields=(
        Field(name="code", read=code, help="account number", required=True),
        Field(name="party", read=code, help="code of the party", required=True),
        Field(name="book", read=code, help="code of the book that bills it", required=True),
        Field(name="currency", read=currency, help="ISO 4217 code of all its documents", required=True, of_deployment=True),
        Field(name="locale", read=locale, help="language and formats, such as en_US", of_deployment=True),
        Field(name="zone", read=zone, help="time zone of its billing dates, such as America/New_York", of_deployment=True),
        Field(name="cycle", read=cycle, help="billing calendar, such as monthly:1"),
        Field(name="due_days", read=term_days, help="days from issue to due date"),
        Field(name="parent", read=code, help="code of the account above it"),
        Field(name="payer", read=one_of("self", "parent"), help="self or parent"),
        Field(name="tax_status", read=one_of("taxable", "exempt", "reverse_charge"), help="taxable, exempt or reverse_charge"),
        Field(name="tax_jurisdiction", read=code, help="place whose taxes apply, such as US-CA"),
        Field(name="exemption", read=text_line, help="certificate or reason of an exemption"),
        Field(name="allocation", read=one_of(*ALLOCATIONS), help="strategy for payments without instruction"),
        Field(name="status", read=one_of("active", "closed"), help="active or closed"),
        Field(name="run_group", read=code, help="group by which runs are cut, such as a read route"),
    ),
    build=lambda values: Account(**values),
    write=_write_account,
    rules=_account_rules,
    key=lambda account: account.code,
)


def _dates_rule(starts_on: date, ends_on: date | None) -> tuple[Finding, ...]:
    if ends_on is None or ends_on > starts_on:
        return ()
    remedy = f"ends_on is the date after the last one; give a date after {starts_on.isoformat()}, or leave it empty"
    return (_blocking("ACCOUNT05", "the end is not after the start", remedy, "ends_on", ends_on.isoformat()),)


def _write_dates(dated: Agreement | Assignment) -> dict[str, str]:
    end = dated.ends_on.isoformat() if dated.ends_on else ""
    return {"starts_on": dated.starts_on.isoformat(), "ends_on": end}


def _build_agreement(values: Mapping[str, Any]) -> Agreement:
    rest = dict(values)
    return Agreement(terms=rest.pop("term"), **rest)


def _write_agreement(agreement: Agreement) -> dict[str, str]:
    terms = {f"term.{name}": text for name, text in agreement.terms.items()}
    head = {"code": agreement.code, "account": agreement.account, "plan": agreement.plan}
    return _given({**head, **_write_dates(agreement), "succeeds": agreement.succeeds, **terms})


AGREEMENT = Form[Agreement](
    kind="agreement",
    fields=(
        Field(name="code", read=code, help="unique code of the agreement", required=True),
        Field(name="account", read=code, help="code of the account", required=True),
        Field(name="plan", read=code, help="code of the price plan", required=True),
        Field(name="starts_on", read=day, help="first date of service", required=True),
        Field(name="ends_on", read=day, help="the date after the last one; empty while it runs"),
        Field(name="succeeds", read=code, help="code of the agreement that it continues"),
    ),
    free="term.",
    build=_build_agreement,
    write=_write_agreement,
    rules=lambda agreement: _dates_rule(agreement.starts_on, agreement.ends_on),
    key=lambda agreement: agreement.code,
)


def _build_assignment(values: Mapping[str, Any]) -> Assignment:
    rest = dict(values)
    return Assignment(details=rest.pop("detail"), **rest)


def _assignment_rules(assignment: Assignment) -> tuple[Finding, ...]:
    try:
        range_of(assignment.subject)
    except ValueRefused as refused:
        return (_blocking(refused.code, refused.what, refused.remedy, "subject", assignment.subject),)
    return _dates_rule(assignment.starts_on, assignment.ends_on)


def _write_assignment(assignment: Assignment) -> dict[str, str]:
    details = {f"detail.{name}": text for name, text in assignment.details.items()}
    head = {"subject": assignment.subject, "agreement": assignment.agreement}
    return _given({**head, **_write_dates(assignment), **details})


ASSIGNMENT = Form[Assignment](
    kind="assignment",
    fields=(
        Field(
            name="subject",
            read=text_line,
            help="identifier exactly as usage records carry it, or FIRST..LAST for a range of them",
            required=True,
        ),
        Field(name="agreement", read=code, help="code of the agreement", required=True),
        Field(name="starts_on", read=day, help="first date", required=True),
        Field(name="ends_on", read=day, help="the date after the last one; empty while it lasts"),
    ),
    free="detail.",
    build=_build_assignment,
    write=_write_assignment,
    rules=_assignment_rules,
    key=lambda assignment: f"{assignment.subject}@{assignment.starts_on.isoformat()}",
)
