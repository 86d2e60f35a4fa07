"""Acts on the keys of people: the rotation of the deployment's key, and erasure, which destroys the key of one person."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.run.deployment import Deployment
from billing_framework.run.personal.reading import OBJECT_KIND
from billing_framework.run.reason import needs_reason
from billing_framework.storage.audit import record
from billing_framework.storage.engine import Database
from billing_framework.storage.master.account_rows import all_rows, replace_value
from billing_framework.storage.master.account_tables import party
from billing_framework.storage.master.master_kind import PARTIES
from billing_framework.storage.personal import sealing
from billing_framework.storage.personal.key_desk import DataKey, wrap_place, wrapped
from billing_framework.storage.personal.tables import personal_key
from billing_framework.storage.personal.vault import Vault, vault_for_act
from billing_framework.values.errors import NotFound, Refused
from billing_framework.values.spelling import did_you_mean

_OWNERS_OFFERED = 10_000


@attrs.frozen(kw_only=True)
class Owner:
    """A person about whom data are kept, as far as keys tell.

    Attributes:
        owner: ``subject:IDENTIFIER``, ``party:CODE``, or ``batch:NUMBER`` for what could not be read.
        generation: 1, and one more where data came in after an erasure.
        key_id: the deployment's key that wraps the key of this generation.
        erased_at: when it was erased, None while it can be read.
    """

    owner: str
    generation: int
    key_id: str
    erased_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Rotation:
    """What a rotation did.

    Attributes:
        key_id: the deployment's key by which everything is wrapped now.
        rewrapped: how many keys were wrapped anew.
        sealed: how many parties stood in the clear and were sealed.
    """

    key_id: str
    rewrapped: int
    sealed: int


@attrs.frozen(kw_only=True)
class Erasure:
    """What an erasure did.

    Attributes:
        owner: whose data can no longer be read by anybody.
        generations: how many keys were destroyed.
    """

    owner: str
    generations: int


def new_key() -> str:
    """Return a new key for a deployment as 64 hex digits."""
    return secrets.token_hex(sealing.KEY_BYTES)


def list_owners(connection: Connection, *, erased: bool = False) -> Iterator[Owner]:
    """Yield about whom data are kept, in order; with `erased` only whose were erased.

    Raises:
        Refused: ``PERSONAL08`` where the deployment has no key.
    """
    vault_for_act(connection)
    columns = personal_key.c
    query = sa.select(columns.owner, columns.generation, columns.key_id, columns.erased_at)
    query = query.where(columns.owner.like("%:_%")).order_by(columns.owner, columns.generation)
    for row in connection.execute(query.where(columns.erased_at.is_not(None)) if erased else query):
        yield Owner(owner=row.owner, generation=row.generation, key_id=row.key_id, erased_at=row.erased_at)


def rotate(deployment: Deployment) -> Rotation:
    """Wrap every key by the deployment's current key, and seal parties that were kept before there was one.

    Afterwards the former keys are no longer needed, and may be destroyed; what backups made before hold is then lost with them.

    Raises:
        Refused: ``PERSONAL08`` where the deployment has no key.
        ConfigurationError: ``PERSONAL04`` where a key is wrapped by one that the settings do not name.
    """
    with deployment.database.begin() as connection:
        vault = vault_for_act(connection)
        rewrapped = _rewrap(connection, vault)
        sealed = _seal_parties(connection)
        done = Rotation(key_id=vault.current.id, rewrapped=rewrapped, sealed=sealed)
        if rewrapped or sealed:
            record(
                connection,
                deployment.clock.now(),
                deployment.actor,
                "personal-data rotate",
                object_kind=OBJECT_KIND,
                object_key="keys",
                after=attrs.asdict(done),
            )
    _forget(deployment.database)
    return done


def _rewrap(connection: Connection, vault: Vault) -> int:
    columns = personal_key.c
    others = sa.select(personal_key).where(columns.key_id != vault.current.id, columns.wrapped.is_not(None))
    count = 0
    for row in connection.execute(others.order_by(columns.owner, columns.generation)).all():
        wrapping = sealing.derived(vault.key(row.key_id).secret, "wrap")
        secret = sealing.unseal(wrapping, wrap_place(row.owner, row.generation), row.wrapped)
        key = DataKey(owner=row.owner, generation=row.generation, secret=secret)
        changed = personal_key.update().where(columns.owner == key.owner, columns.generation == key.generation)
        connection.execute(changed.values(key_id=vault.current.id, wrapped=wrapped(vault, key)))
        count += 1
    return count


def _seal_parties(connection: Connection) -> int:
    clear = set(connection.scalars(sa.select(party.c.code).where(party.c.sealed.is_(None))))
    found = [stored for stored in all_rows(connection, PARTIES) if stored.value.code in clear] if clear else []
    for stored in found:
        replace_value(connection, PARTIES, stored, stored.value)
    return len(found)


def erase(deployment: Deployment, owner: str, *, reason: str) -> Erasure:
    """Destroy the key of a person: what was sealed under it can no longer be read by anybody, money and documents stay.

    Args:
        deployment: the open deployment.
        owner: ``subject:IDENTIFIER``, ``party:CODE``, or ``batch:NUMBER`` for what could not be read.
        reason: why, for the audit trail.

    Raises:
        InputRefused: ``PERSONAL07`` without a reason.
        NotFound: ``PERSONAL06`` where nothing is kept under this name.
        Refused: ``PERSONAL10`` where it was erased already, ``PERSONAL08`` where the deployment has no key.
    """
    needs_reason(reason, "erasing personal data", code="PERSONAL07")
    now = deployment.clock.now()
    columns = personal_key.c
    with deployment.database.begin() as connection:
        vault_for_act(connection)
        rows = connection.execute(sa.select(personal_key).where(columns.owner == owner)).all()
        if not rows or ":" not in owner or owner.endswith(":"):
            raise _nobody(connection, owner)
        alive = [row.generation for row in rows if row.wrapped is not None]
        if not alive:
            what = f"the personal data of {owner} were erased already"
            raise Refused("PERSONAL10", what, remedy="Nothing is left to do")
        gone = personal_key.update().where(columns.owner == owner, columns.generation.in_(alive))
        connection.execute(gone.values(wrapped=None, erased_at=now))
        record(
            connection,
            now,
            deployment.actor,
            "personal-data erase",
            object_kind=OBJECT_KIND,
            object_key=owner,
            before={"generations": len(alive)},
            reason=reason,
        )
    _forget(deployment.database)
    return Erasure(owner=owner, generations=len(alive))


def _nobody(connection: Connection, owner: str) -> NotFound:
    known = connection.scalars(sa.select(personal_key.c.owner).distinct().limit(_OWNERS_OFFERED))
    remedy = f"{did_you_mean(owner, list(known))}; write subject:IDENTIFIER, party:CODE or batch:NUMBER"
    return NotFound("PERSONAL06", f"no personal data are kept under {owner!r}", remedy=remedy)


def _forget(database: Database) -> None:
    """Write what was changed through to the file and empty the log beside it, in which old pages would still stand."""
    if database.dialect == "sqlite":
        with database.engine.connect() as connection:
            driver = connection.connection
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
