"""Reads the manifests that documents were made from, and the values behind the names in them, proving both by their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import attrs
from sqlalchemy.engine import Connection

from billing_framework.plugin.host import Host
from billing_framework.rating.rate_table import RateTable
from billing_framework.run.draft.bill_input import BillInput, Material, TableRef, TileRef, UsageRef
from billing_framework.run.draft.manifest import manifest_from_text
from billing_framework.run.master.plans import model_params
from billing_framework.storage.billing.documents import load_inputs as manifests_of
from billing_framework.storage.master.plan_rows import plan_source, stored_plan
from billing_framework.storage.master.rate_table_rows import find_rate_table, load_rate_table
from billing_framework.storage.personal.vault import vault_of
from billing_framework.storage.usage.kind_table import kind_tables
from billing_framework.storage.usage.load import UsageRow, load_by_key
from billing_framework.storage.usage.opened import altered_seals
from billing_framework.usage.content import content_digest
from billing_framework.values.errors import BillingError
from billing_framework.values.finding import Finding, Severity


@attrs.frozen(kw_only=True)
class StoredInputs:
    """The manifests of one document.

    Attributes:
        inputs: manifest of each account that contributed, by account.
        findings: manifests that were altered since.
    """

    inputs: Mapping[str, BillInput]
    findings: tuple[Finding, ...] = ()


@attrs.frozen(kw_only=True)
class StoredMaterial:
    """The values behind the names in manifests.

    Attributes:
        material: records and plans.
        rows: the usage rows by key, with the batch that brought each.
        findings: what is missing or was altered since.
    """

    material: Material
    rows: Mapping[int, UsageRow]
    findings: tuple[Finding, ...] = ()


def read_inputs(connection: Connection, document: int) -> StoredInputs:
    """Return the manifests that a document was made from, and a finding for each that was altered."""
    inputs: dict[str, BillInput] = {}
    findings = []
    for text, digest in manifests_of(connection, [document]).get(document, {}).values():
        if hashlib.sha256(text.encode()).digest() != digest:
            findings.append(_altered("EXPLAIN01", "the stored input of the document was altered", str(document)))
        try:
            given = manifest_from_text(text)
        except (ValueError, KeyError, TypeError, BillingError) as error:
            findings.append(_altered("EXPLAIN01", f"the stored input of the document cannot be read: {error}", str(document)))
            continue
        inputs[given.account.code] = given
    return StoredInputs(inputs=dict(sorted(inputs.items())), findings=tuple(findings))


def read_material(connection: Connection, host: Host, inputs: Mapping[str, BillInput]) -> StoredMaterial:
    """Return the usage records and plans that manifests name, and a finding for each that is missing or was altered."""
    refs = [ref for given in inputs.values() for one in given.named for ref in one.usage]
    findings: list[Finding] = []
    rows = _usage(connection, host, refs, findings)
    tiles = {
        tile.plan: tile
        for given in inputs.values()
        for one in given.named
        for tile in (*one.tiles, *one.next_tiles, *one.earlier_tiles)
    }
    plans = {}
    for name, tile in sorted(tiles.items()):
        try:
            plans[name] = stored_plan(name, _plan_text(connection, tile, findings), model_params(host))
        except BillingError as error:
            findings.append(_altered("EXPLAIN03", f"the price plan {name} cannot be read: {error.what}", name))
    tables = _tables(connection, host, [ref for given in inputs.values() for one in given.named for ref in one.tables], findings)
    material = Material(usage={key: row.usage for key, row in rows.items()}, plans=plans, tables=tables, kinds=host.kinds)
    return StoredMaterial(material=material, rows=rows, findings=tuple(findings))


def _usage(connection: Connection, host: Host, refs: list[UsageRef], findings: list[Finding]) -> dict[int, UsageRow]:
    kinds = kind_tables(host.kinds)
    wanted: dict[str, list[int]] = {}
    for ref in refs:
        if ref.kind in kinds:
            wanted.setdefault(ref.kind, []).append(ref.key)
        else:
            findings.append(_altered("EXPLAIN04", f"no enabled plugin offers the usage kind {ref.kind}", ref.kind))
    rows = load_by_key(connection, kinds, wanted)
    for ref in refs:
        row = rows.get(ref.key)
        if row is None:
            findings.append(
                _altered("EXPLAIN02", f"the usage record {ref.key} of kind {ref.kind} is no longer there", str(ref.key))
            )
        elif content_digest(row.usage, kinds[ref.kind].fields, row.mark).hex() != ref.digest:
            what = f"the usage record {row.usage.external_id!r} of {row.usage.subject} was altered"
            findings.append(_altered("EXPLAIN02", what, row.usage.external_id))
    if vault_of(connection) is not None:
        for key, why in altered_seals(connection, kinds, rows.values()).items():
            what = f"the personal data of the usage record {rows[key].usage.external_id!r} were altered: {why}"
            findings.append(_altered("EXPLAIN02", what, rows[key].usage.external_id))
    return rows


def _tables(connection: Connection, host: Host, refs: list[TableRef], findings: list[Finding]) -> dict[str, RateTable]:
    tables = {}
    for name, sha256 in sorted({ref.table: ref.sha256 for ref in refs}.items()):
        code, _, version = name.rpartition("@")
        try:
            tables[name] = load_rate_table(connection, find_rate_table(connection, code, version), host.rate_tables)
        except BillingError as error:
            findings.append(_altered("EXPLAIN03", f"the rate table {name} cannot be read: {error.what}", name))
            continue
        if tables[name].sha256 != sha256:
            findings.append(_altered("EXPLAIN03", f"the rate table {name} was altered", name))
    return tables


def _plan_text(connection: Connection, tile: TileRef, findings: list[Finding]) -> str:
    code, _, version = tile.plan.rpartition("@")
    _, text = plan_source(connection, code, version)
    if hashlib.sha256(text.encode()).hexdigest() != tile.sha256:
        findings.append(_altered("EXPLAIN03", f"the text of the price plan {tile.plan} was altered", tile.plan))
    return text


def _altered(code: str, what: str, subject: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.BLOCKING,
        what=what,
        remedy="Find out who changed it behind the program's back, and restore it from a backup",
        subject=subject,
    )
