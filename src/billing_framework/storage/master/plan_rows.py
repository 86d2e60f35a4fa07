"""Keeps the versions of price plans as they were loaded: text, digest and instant; what a version is follows from its text."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.rating.plan_file import read_plan
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.selection import LoadedPlan
from billing_framework.storage.master.loaded_text import as_loaded
from billing_framework.storage.master.master_tables import plan_version
from billing_framework.values.errors import NotFound, StorageError
from billing_framework.values.spelling import did_you_mean


@attrs.frozen(kw_only=True)
class PlanRow:
    """What is stored of a plan version beside its text.

    Attributes:
        code: code of the plan.
        version: label of the version.
        valid_from: first service date that it prices.
        valid_to: the date after the last, None for open end.
        currency: its currency.
        supersedes: version that it corrects, or empty.
        reason: why.
        sha256: digest of the file as hex.
        file: name of the file that it was loaded from.
        loaded_at: when; from then on it is known.
        loaded_by: who.
    """

    code: str
    version: str
    valid_from: date
    valid_to: date | None
    currency: str
    supersedes: str
    reason: str
    sha256: str
    file: str
    loaded_at: datetime
    loaded_by: str

    @property
    def name(self) -> str:
        """Return ``code@version``."""
        return f"{self.code}@{self.version}"


def plan_rows(connection: Connection, codes: Collection[str] = ()) -> list[PlanRow]:
    """Return the loaded versions of the plans `codes` (of all plans where it is empty), by code and first date."""
    table = plan_version.c
    query = sa.select(plan_version).order_by(table.code, table.valid_from, table.loaded_at, table.version)
    if codes:
        query = query.where(table.code.in_(sorted(codes)))
    return [_row(row) for row in connection.execute(query)]


def _row(row: sa.Row[tuple[object, ...]]) -> PlanRow:
    fields = {field.name: getattr(row, field.name) for field in attrs.fields(PlanRow)}
    return PlanRow(**(fields | {"sha256": row.sha256.hex()}))


def load_plans(
    connection: Connection, codes: Collection[str], *, params: Mapping[str, type], known_at: datetime | None = None
) -> tuple[LoadedPlan, ...]:
    """Return the versions of some plans with their instants, by code and first date.

    Args:
        connection: a connection.
        codes: the plans; all where it is empty.
        params: parameter classes of the models, of the deployment's core and plugins; see `plan_file.params_by_model`.
        known_at: only versions loaded at or before this instant, where given.

    Raises:
        StorageError: ``PLAN33`` where a stored text can no longer be read, mostly because its plugin is not enabled;
            ``STORAGE20`` where it was changed since it was loaded.
    """
    table = plan_version.c
    columns = (table.code, table.version, table.source, table.sha256, table.loaded_at)
    query = sa.select(*columns).order_by(table.code, table.valid_from, table.loaded_at, table.version)
    if codes:
        query = query.where(table.code.in_(sorted(codes)))
    if known_at is not None:
        query = query.where(table.loaded_at <= known_at)
    return tuple(
        LoadedPlan(plan=_plan(f"{row.code}@{row.version}", row.source, row.sha256, params), loaded_at=row.loaded_at)
        for row in connection.execute(query)
    )


def _plan(name: str, source: str, sha256: bytes, params: Mapping[str, type]) -> PlanVersion:
    return stored_plan(name, as_loaded(source, sha256, f"the price plan {name}"), params)


def stored_plan(name: str, source: str, params: Mapping[str, type]) -> PlanVersion:
    """Return the plan version of a stored text.

    Raises:
        StorageError: ``PLAN33`` where the text can no longer be read.
    """
    read = read_plan(source.encode(), file=f"plan {name} as loaded", params=params)
    if read.plan is None:
        raise StorageError(
            "PLAN33",
            f"the stored plan {name} cannot be read: {read.findings[0]}",
            remedy="Enable the plugin whose charge model it names, in the version that knew this plan",
        )
    return read.plan


def plan_source(connection: Connection, code: str, version: str = "") -> tuple[PlanRow, str]:
    """Return one version and its text: the named one, else the one that was loaded last.

    Raises:
        NotFound: ``PLAN32``, with the nearest name.
    """
    table = plan_version.c
    query = sa.select(plan_version).where(table.code == code)
    if version:
        query = query.where(table.version == version)
    row = connection.execute(query.order_by(table.loaded_at.desc(), table.valid_from.desc()).limit(1)).one_or_none()
    if row is not None:
        return _row(row), row.source
    wanted = f"{code}@{version}" if version else code
    known = [one.name if version else one.code for one in plan_rows(connection)]
    raise NotFound("PLAN32", f"there is no plan {wanted!r}", remedy=did_you_mean(wanted, set(known)))


def add_plans(connection: Connection, plans: Sequence[tuple[PlanVersion, str]], *, now: datetime, actor: str) -> None:
    """Add new versions, each with the name of its file; from `now` on they are known."""
    rows = [
        {
            "code": plan.code,
            "version": plan.version,
            "valid_from": plan.valid_from,
            "valid_to": plan.valid_to,
            "currency": plan.currency,
            "supersedes": plan.supersedes,
            "reason": plan.reason,
            "sha256": bytes.fromhex(plan.sha256),
            "source": plan.source,
            "file": file,
            "loaded_at": now,
            "loaded_by": actor,
        }
        for plan, file in plans
    ]
    if rows:
        connection.execute(plan_version.insert(), rows)
