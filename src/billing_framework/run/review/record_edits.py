"""Makes edits of usage records for a draft, on what the records say in it now."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from billing_framework.invoicing.edit import Edit
from billing_framework.invoicing.record_edit import change_record, defer_record, edit_records
from billing_framework.rating.group import KeyedUsage
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.draft import run_request
from billing_framework.run.draft.load_input import load_inputs, open_desk
from billing_framework.run.draft.rated_input import rated_input
from billing_framework.run.review.wanted_edits import RecordChange, RecordDeferral
from billing_framework.run.versions import computing_versions
from billing_framework.storage.billing.run_rows import Run
from billing_framework.values.errors import NotFound, ValueRefused
from billing_framework.values.spelling import did_you_mean


def edits_of_record(
    deployment: Deployment, connection: Connection, run: Run, account: str, wanted: RecordChange | RecordDeferral, *, reason: str
) -> list[Edit]:
    """Return the edits that change fields of a record, or leave it for a later bill.

    Args:
        deployment: the deployment; its actor edits.
        connection: a connection with the action's transaction.
        run: the run.
        account: code of the account whose agreement delivered the record.
        wanted: what is wanted.
        reason: why.

    Raises:
        NotFound: ``RUN17`` where the account's draft has no such record.
        ValueRefused: ``INVOICE23`` to ``INVOICE25`` where the kind does not allow it.
    """
    record = _found(_records(deployment, connection, run, account), wanted.record, account)
    kind = deployment.host.kind(record.usage.kind)
    actor, now = deployment.actor, deployment.clock.now()
    if isinstance(wanted, RecordDeferral):
        return [defer_record(record, kind, reason=reason, actor=actor, at=now)]
    edits = []
    for name, text in wanted.values.items():
        edit = change_record(record, kind, name, text, reason=reason, actor=actor, at=now)
        [record] = _applied(deployment, record, edit)
        edits.append(edit)
    return edits


def _records(deployment: Deployment, connection: Connection, run: Run, account: str) -> list[KeyedUsage]:
    desk = open_desk(deployment, connection, run.book, versions=computing_versions(deployment))
    inputs, material = load_inputs(connection, desk, [account], run_request(connection, run, [account]))
    return [
        record
        for usage in rated_input(inputs[account], material).group.agreements
        for record in usage.records
        if record.assignment.agreement == usage.agreement.code
    ]


def _found(records: list[KeyedUsage], name: str, account: str) -> KeyedUsage:
    found = [record for record in records if name == str(record.key)]
    found = found or [record for record in records if name == record.usage.external_id]
    if len(found) == 1:
        return found[0]
    if found:
        keys = ", ".join(str(record.key) for record in found)
        raise NotFound(
            "RUN17", f"{len(found)} records of account {account} have the id {name!r}", remedy=f"Name one by key: {keys}"
        )
    known = [record.usage.external_id for record in records]
    raise NotFound("RUN17", f"the draft of account {account} has no record {name!r}", remedy=did_you_mean(name, known))


def _applied(deployment: Deployment, record: KeyedUsage, edit: Edit) -> tuple[KeyedUsage, ...]:
    """Return the record after an edit, which must not leave it one that the source could not have delivered."""
    edited = edit_records([record], [edit], deployment.host.kinds)
    for finding in edited.findings:
        raise ValueRefused(finding.code, finding.what, remedy=finding.remedy)
    return edited.records
