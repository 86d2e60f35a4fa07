"""Officers edit, hold and release drafts: each edit makes a new draft and voids an approval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy.engine import Connection

from billing_framework.invoicing.draft import DraftLine
from billing_framework.invoicing.edit import WAIVED, Edit, EditField, add_charge
from billing_framework.invoicing.record_edit import RECORD_FIELDS
from billing_framework.invoicing.write_down import cut_of, written_down
from billing_framework.rating.charge import Charge
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.draft import document_key, draft_batch
from billing_framework.run.draft.load_input import open_desk
from billing_framework.run.draft.together import TOGETHER, heads_of_drafts, held_together
from billing_framework.run.master.charges import refuse_unmapped
from billing_framework.run.master.customer_change import find
from billing_framework.run.reason import needs_reason
from billing_framework.run.review.record_edits import edits_of_record
from billing_framework.run.review.wanted_edits import (
    AddedLine,
    DroppedEdit,
    DroppedWriteDown,
    LineEdit,
    RecordChange,
    RecordDeferral,
    Wanted,
    WriteDown,
)
from billing_framework.run.review.withdraw_approval import withdraw_approval
from billing_framework.run.versions import computing_versions
from billing_framework.storage import audit
from billing_framework.storage.billing.documents import load_documents
from billing_framework.storage.billing.edit_rows import add_edit, numbered_edits, withdraw_edit
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.numbers import is_numbered
from billing_framework.storage.billing.run_rows import (
    HoldEvidence,
    Run,
    RunAccount,
    run_accounts_of,
    save_accounts,
)
from billing_framework.storage.master.account_rows import load_accounts
from billing_framework.storage.master.account_tables import account as accounts
from billing_framework.storage.master.billing_group_rows import load_billing_groups
from billing_framework.storage.master.master_kind import AGREEMENTS
from billing_framework.storage.master.near_codes import near_codes
from billing_framework.values.errors import NotFound, Refused, ValueRefused
from billing_framework.values.finding import Finding
from billing_framework.values.money import HALF_UP, Amount, Money, minor_units
from billing_framework.values.period import ONE_DAY, DateSpan
from billing_framework.values.plain_form import to_plain
from billing_framework.values.spelling import did_you_mean
from billing_framework.values.stated_money import stated_number


def edit_draft(deployment: Deployment, code: str, account: str, wanted: Wanted, *, reason: str) -> RunAccount:
    """Edit an account's draft and return the account as it stands afterwards.

    Args:
        deployment: the deployment; its actor edits.
        code: code of the run; the one that is meant where empty.
        account: code of the account: the one that pays for lines, the one whose agreement delivered for records.
        wanted: the change of lines or of a record, the line to add, or the edits to take back.
        reason: why.

    Raises:
        NotFound: there is no such run, account, line, record or agreement.
        ValueRefused: the change is none that the record or the lines allow; ``VALUE06`` for an amount with more decimals
            than its currency has, ``VALUE07`` for one in another currency, ``INVOICE29`` for a line of a later bill.
        InputRefused: ``BOOK06`` where the book cannot post the code of an added line, ``RUN14`` where no reason is given.
        Refused: ``RUN03`` where the run is posted or cancelled, ``RUN06`` for a rehearsal,
            ``INVOICE28`` where lines are to be written down that are already, ``INVOICE30`` where the same line was added before.
    """
    needs_reason(reason, "this", code="RUN14")
    with deployment.database.begin() as connection:
        run, row = _open_row(deployment, connection, code, account, reason)
        of_record = isinstance(wanted, RecordChange | RecordDeferral | DroppedEdit | DroppedWriteDown)
        if not of_record and row.document is not None and row.document != document_key(run, account):
            raise Refused("RUN17", f"account {account} is {row.reason}", remedy="Edit the draft of the account that pays")
        now = deployment.clock.now()
        made: list[dict[str, Any]]
        if isinstance(wanted, DroppedEdit | DroppedWriteDown):
            made = [
                {"edit": withdraw_edit(connection, run, account, one, actor=deployment.actor, at=now), "takes back": one}
                for one in _taken_back(connection, run, account, wanted)
            ]
        else:
            edits = _edits(deployment, connection, run, row, wanted=wanted, reason=reason)
            made = [{"edit": add_edit(connection, run, account, edit), **_shown(edit)} for edit in edits]
        save_accounts(connection, run, [attrs.evolve(row, state="pending")])
        audit.record(
            connection,
            now,
            deployment.actor,
            "run edit",
            object_kind="run account",
            object_key=f"{run.code}/{account}",
            after=made[0] if len(made) == 1 else {"edits": made},
            reason=reason,
        )
    return _draft_anew(deployment, run, account)


@attrs.frozen(kw_only=True)
class HeldByOfficer:
    """An account that an officer keeps out of the approval.

    Attributes:
        row: the account as it stands now.
        by: who holds it.
        since: since when.
        reason: what for.
        is_new: False where it was held already, and nothing was changed.
        withdrew_approval: True where the approval of the whole run was withdrawn for it.
    """

    row: RunAccount
    by: str
    since: datetime
    reason: str
    is_new: bool = True
    withdrew_approval: bool = False


def hold_account(deployment: Deployment, code: str, account: str, *, reason: str) -> HeldByOfficer:
    """Keep an account out of the run's approval until it is released; an approval that included it is void.

    What an officer holds already stays as it is, and who holds it is returned.

    Args:
        deployment: the deployment; its actor holds.
        code: code of the run; the one that is meant where empty.
        account: code of the account.
        reason: why.

    Raises:
        NotFound: there is no such run or account.
        InputRefused: ``RUN14`` where no reason is given.
        Refused: ``RUN03`` where the run is posted or cancelled, ``RUN06`` for a rehearsal.
    """
    needs_reason(reason, "this", code="RUN14")
    with deployment.database.begin() as connection:
        found = meant_run(connection, code, can_be_changed, final=True, lock=True)
        standing = _held_by_officer(connection, found, account) if can_be_changed(found) else None
        if standing is not None:
            return standing
        run, row = _open_row(deployment, connection, found.code, account, reason)
        finding = Finding(
            code="RUN15", what=f"held by {deployment.actor}: {reason}", remedy="Release it: billing run release", subject=account
        )
        held = attrs.evolve(
            row,
            state="held",
            reason=finding.what,
            evidence=(*row.evidence, HoldEvidence(check="officer", finding=finding)),
            released="",
        )
        _save_with_group(connection, run, held)
        _audit(deployment, connection, "run hold", run, before=row, after=held, reason=reason)
    return HeldByOfficer(
        row=held,
        by=deployment.actor,
        since=deployment.clock.now(),
        reason=reason,
        withdrew_approval=found.state == "approved",
    )


def _held_by_officer(connection: Connection, run: Run, account: str) -> HeldByOfficer | None:
    """Return who holds the account of a run, since when and what for; None where no officer does."""
    row = run_accounts_of(connection, run, [account]).get(account)
    if row is None or row.state != "held" or not any(item.check == "officer" for item in row.evidence):
        return None
    deeds = audit.events(connection, object_kind="run account", object_key=f"{run.code}/{account}", limit=None)
    deed = next((one for one in deeds if one.action == "run hold" and one.at is not None), None)
    if deed is None or deed.at is None:
        return None
    return HeldByOfficer(row=row, by=deed.actor, since=deed.at, reason=deed.reason, is_new=False)


def release_account(deployment: Deployment, code: str, account: str, *, reason: str) -> RunAccount:
    """Let a held draft pass as it is; a later draft with other content is checked again.

    Raises:
        InputRefused: ``RUN14`` where no reason is given.
        Refused: ``RUN16`` where it has no draft to let pass, or a finding about its data holds it.
    """
    needs_reason(reason, "this", code="RUN14")
    with deployment.database.begin() as connection:
        run, row = _open_row(deployment, connection, code, account, reason)
        if row.state != "held":
            raise Refused("RUN16", f"account {account} is {row.state}, not held", remedy="Nothing needs to be released")
        about_data = [item for item in row.evidence if item.check in ("rating", "charges", "period", TOGETHER)]
        if about_data or row.document is None:
            raise Refused(
                "RUN16",
                f"account {account} is held for its data: {row.reason}",
                remedy="Correct the data, then draft it again: billing run retry; an edit is taken back by --withdraw N",
            )
        stored = load_documents(connection, [row.document])[row.document]
        released = attrs.evolve(row, state="drafted", reason="", evidence=(), released=stored.digest)
        _save_with_group(connection, run, released)
        _audit(deployment, connection, "run release", run, before=row, after=released, reason=reason)
    return released


def _save_with_group(connection: Connection, run: Run, changed: RunAccount) -> None:
    """Save a row that was held or released, and what follows for those that are billed together with it."""
    groups = load_billing_groups(connection, run.book)
    before = list(run_accounts_of(connection, run, groups.members([changed.account])).values())
    rows = [changed if row.account == changed.account else row for row in before]
    after = held_together(rows, heads_of_drafts(connection, rows))
    save_accounts(connection, run, [row for row, was in zip(after, before, strict=True) if row != was])


def can_be_changed(run: Run) -> bool:
    """Return whether drafts of a run may be edited, held and released: an approval is withdrawn then."""
    return run.state not in ("posting", "posted", "cancelled")


def _open_row(deployment: Deployment, connection: Connection, code: str, account: str, reason: str) -> tuple[Run, RunAccount]:
    run = meant_run(connection, code, can_be_changed, final=True, lock=True)
    if not run.is_final:
        raise Refused("RUN06", f"{run.code} is a rehearsal", remedy="Edit, hold and release accounts of the final run")
    if not can_be_changed(run):
        raise Refused("RUN03", f"the run {run.code} is {run.state}", remedy=_way_on(connection, run, account))
    if run.state == "approved":
        run = withdraw_approval(deployment, connection, run, reason=reason)
    row = run_accounts_of(connection, run, [account]).get(account)
    if row is None:
        known = run_accounts_of(connection, run, near_codes(connection, accounts.c.code, account))
        raise NotFound("RUN04", f"account {account!r} is not in the run {run.code}", remedy=did_you_mean(account, known))
    if row.document is not None and is_numbered(connection, row.document):
        what = f"the bill of account {account} in the run {run.code} has its number already"
        raise Refused("RUN03", what, remedy=_way_on(connection, run, account))
    return run, row


def _way_on(connection: Connection, run: Run, account: str) -> str:
    """Return what an officer can do for an account whose run is over."""
    row = run_accounts_of(connection, run, [account]).get(account)
    if run.state == "cancelled" or (row is not None and row.state in ("held", "skipped")):
        return "The run does not bill the account any more; start another run over the period: billing run start"
    if run.state == "posting":
        return "End its posting first: billing run post; then correct what is issued: billing invoice rebill"
    return "Correct the issued document: billing invoice rebill"


def _taken_back(connection: Connection, run: Run, account: str, wanted: DroppedEdit | DroppedWriteDown) -> list[int]:
    """Return the positions of the edits that are taken back."""
    standing = numbered_edits(connection, run, [account]).get(account, {})
    if isinstance(wanted, DroppedWriteDown):
        parts = [position for position, one in standing.items() if one.cut]
        if not parts:
            raise NotFound(
                "RUN17", f"account {account} has no write-down that stands", remedy="Look at its edits: billing run show"
            )
        return parts
    if wanted.position not in standing:
        shown = ", ".join(map(str, standing)) or "none"
        raise NotFound(
            "RUN17", f"account {account} has no edit {wanted.position} that stands", remedy=f"Those that stand: {shown}"
        )
    return [wanted.position]


def _edits(
    deployment: Deployment,
    connection: Connection,
    run: Run,
    row: RunAccount,
    *,
    wanted: LineEdit | AddedLine | WriteDown | RecordChange | RecordDeferral,
    reason: str,
) -> list[Edit]:
    if isinstance(wanted, RecordChange | RecordDeferral):
        return edits_of_record(deployment, connection, run, row.account, wanted, reason=reason)
    if isinstance(wanted, WriteDown):
        return _written_down(deployment, connection, run, row, wanted=wanted, reason=reason)
    return [_edit(deployment, connection, run, row, wanted=wanted, reason=reason)]


def _written_down(
    deployment: Deployment, connection: Connection, run: Run, row: RunAccount, *, wanted: WriteDown, reason: str
) -> list[Edit]:
    """Return an edit for each line that a write-down changes."""
    lines = _lines(connection, row)
    waived = {f"{line.charge_key}{WAIVED}" for line in lines} & {line.charge_key for line in lines}
    some = [
        line
        for line in lines
        if line.net.minor > 0
        and f"{line.charge_key}{WAIVED}" not in waived
        and (not wanted.codes or line.charge_code in wanted.codes)
    ]
    if not some:
        raise ValueRefused(
            "INVOICE26", f"the draft of account {row.account} has no line to write down", remedy="Choose other lines"
        )
    _refuse_second_cut(numbered_edits(connection, run, [row.account]).get(row.account, {}), some)
    stated = [_stated(line) for line in some]
    left = written_down(stated, cut_of(wanted.cut, Money.total(stated, stated[0].currency)))
    now = deployment.clock.now()
    return [
        Edit(
            target=line.charge_key,
            field=EditField.AMOUNT,
            about=f"line {line.number}",
            cut=wanted.cut.strip(),
            before=str(line.amount),
            after=str(kept.amount),
            reason=reason,
            actor=deployment.actor,
            at=now,
        )
        for line, was, kept in zip(some, stated, left, strict=True)
        if kept != was
    ]


def _refuse_second_cut(standing: Mapping[int, Edit], lines: Sequence[DraftLine]) -> None:
    """Refuse to write lines down that are written down already, even where that could not be applied again since."""
    keys = {line.charge_key for line in lines}
    found = {position: one for position, one in standing.items() if one.cut and one.target in keys}
    if found:
        numbers = ", ".join(map(str, found))
        raise Refused(
            "INVOICE28",
            f"the lines are written down by {', '.join(dict.fromkeys(one.cut for one in found.values()))} already"
            f" (edits {numbers})",
            remedy="Take that back first: billing run edit RUN ACCOUNT --withdraw-write-down, or each with --withdraw N;"
            " then write down once, by all that is meant",
        )


def _stated(line: DraftLine) -> Money:
    """Return a line's amount to the minor unit: without tax, or with the tax where its price includes it."""
    rounded = line.amount.payable(HALF_UP)
    return line.net if abs((rounded - line.net).minor) <= 1 else rounded


def _edit(
    deployment: Deployment, connection: Connection, run: Run, row: RunAccount, *, wanted: LineEdit | AddedLine, reason: str
) -> Edit:
    now = deployment.clock.now()
    if isinstance(wanted, AddedLine):
        return _added(connection, run, row, wanted, reason=reason, actor=deployment.actor, at=now)
    line = _line(connection, row, wanted.line)
    before = line.description if wanted.field is EditField.DESCRIPTION else str(line.amount)
    after = wanted.after
    if wanted.field is EditField.AMOUNT:
        after = str(_amount(wanted.after, line.amount.currency, row))
    return Edit(
        target=line.charge_key,
        field=wanted.field,
        about=f"line {line.number}",
        before=before,
        after=after,
        text=wanted.text,
        reason=reason,
        actor=deployment.actor,
        at=now,
    )


def _added(
    connection: Connection, run: Run, row: RunAccount, wanted: AddedLine, *, reason: str, actor: str, at: datetime
) -> Edit:
    """Return the edit that adds a line, where the book can post it and the bill may hold it."""
    refuse_unmapped(connection, run.book, wanted.code)
    if wanted.agreement:
        find(connection, AGREEMENTS, wanted.agreement)
    if wanted.on >= run.period.end:
        raise ValueRefused(
            "INVOICE29",
            f"a line of {wanted.on} is not for the bill of {run.period}",
            remedy="Correct the date, or let it wait for its bill: billing charge add",
        )
    standing = numbered_edits(connection, run, [row.account]).get(row.account, {})
    charge = Charge(
        agreement=wanted.agreement,
        component="manual",
        code=wanted.code,
        description=wanted.description,
        service=DateSpan(wanted.on, wanted.on + ONE_DAY),
        source=f"{run.code}/{row.account}/{len(standing) + row.version + 1}",
        amount=_amount(wanted.amount, load_accounts(connection, [row.account])[row.account].currency, row),
        tax_category=wanted.tax_category,
    )
    added = attrs.evolve(add_charge(charge, reason=reason, actor=actor, at=at), about=wanted.code)
    for position, one in standing.items():
        same = one.charge is not None and attrs.evolve(one.charge, source=charge.source) == added.charge
        if same and one.reason == reason and not wanted.again:
            raise Refused(
                "INVOICE30",
                f"edit {position} adds the same line for the same reason",
                remedy="Nothing is left to do; to add the same once more, give --again",
            )
    return added


def _amount(text: str, currency: str, row: RunAccount) -> Amount:
    number = stated_number(text, currency, of=f"account {row.account}")
    minor_units(number, currency)  # proves that it can be paid to the minor unit
    return Amount(number, currency)


_NO_DRAFT = "It has no draft: see why with billing run review, and take an edit that is to blame back with --withdraw N"


def _line(connection: Connection, row: RunAccount, number: int) -> DraftLine:
    lines = _lines(connection, row)
    for line in lines:
        if line.number == number:
            return line
    remedy = f"Its lines are 1 to {len(lines)}" if lines else _NO_DRAFT
    raise NotFound("RUN17", f"the draft of account {row.account} has no line {number}", remedy=remedy)


def _lines(connection: Connection, row: RunAccount) -> tuple[DraftLine, ...]:
    return load_documents(connection, [row.document])[row.document].content.lines if row.document else ()


def _shown(edit: Edit) -> dict[str, str]:
    what = {"of": edit.target, "name": edit.name} if edit.field in RECORD_FIELDS else {"charge": edit.target}
    return {"field": edit.field.value, **what, "from": edit.before, "to": edit.after}


def _audit(
    deployment: Deployment, connection: Connection, action: str, run: Run, *, before: RunAccount, after: RunAccount, reason: str
) -> None:
    audit.record(
        connection,
        deployment.clock.now(),
        deployment.actor,
        action,
        object_kind="run account",
        object_key=f"{run.code}/{after.account}",
        before={"state": before.state, "evidence": to_plain(list(before.evidence))},
        after={"state": after.state},
        reason=reason,
    )


def _draft_anew(deployment: Deployment, run: Run, account: str) -> RunAccount:
    """Draft the account again, with all those whose charges meet on one document."""
    with deployment.database.read() as connection:
        desk = open_desk(deployment, connection, run.book, versions=computing_versions(deployment))
        family = run_accounts_of(connection, run, desk.groups.members([account]))
    return draft_batch(desk, run, list(family))[account]
