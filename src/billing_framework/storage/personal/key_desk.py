"""The key desk of one transaction: gives out the keys of owners, makes new ones, and seals and opens values with them."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.personal import sealing
from billing_framework.storage.personal.tables import personal_key
from billing_framework.storage.personal.vault import Vault, needed_vault
from billing_framework.storage.turn import take_turn
from billing_framework.values.personal import ERASED

_GENERATION_BYTES = 2
_MADE_BY_ANYBODY = "party:"


@attrs.frozen(kw_only=True)
class DataKey:
    """A key of an owner.

    Attributes:
        owner: whom what is sealed under it is about: ``subject:IDENTIFIER``, ``party:CODE`` or ``batch:NUMBER``.
        generation: 1, and one more after each erasure.
        secret: the key, None once it is erased.
    """

    owner: str
    generation: int
    secret: bytes | None = attrs.field(default=None, repr=False)


@attrs.define
class KeyDesk:
    """The keys of some owners within one transaction.

    Attributes:
        connection: the connection of the transaction.
        vault: the keys of the deployment.
    """

    connection: Connection
    vault: Vault
    _keys: dict[str, dict[int, DataKey]] = attrs.field(factory=lambda: defaultdict(dict), init=False, repr=False)
    _loaded: set[str] = attrs.field(factory=set, init=False)
    _unsaved: dict[str, DataKey] = attrs.field(factory=dict, init=False, repr=False)
    _used: set[str] = attrs.field(factory=set, init=False)
    _has_turn: bool = attrs.field(default=False, init=False)

    @classmethod
    def of(cls, connection: Connection) -> KeyDesk:
        """Return the desk of a transaction.

        Raises:
            ConfigurationError: ``PERSONAL04`` where the settings name no key.
        """
        return cls(connection, needed_vault(connection))

    def load(self, owners: Iterable[str]) -> None:
        """Read the keys of owners at once; what is not read so is read one by one when it is needed."""
        wanted = set(owners) - self._loaded
        if not wanted:
            return
        columns = personal_key.c
        query = sa.select(personal_key)
        for row in rows_of(self.connection, wanted, lambda some: query.where(one_of(columns.owner, some))):
            secret = None
            if row.wrapped is not None:
                wrapping = sealing.derived(self.vault.key(row.key_id).secret, "wrap")
                secret = sealing.unseal(wrapping, wrap_place(row.owner, row.generation), row.wrapped)
            self._keys[row.owner][row.generation] = DataKey(owner=row.owner, generation=row.generation, secret=secret)
        self._loaded |= wanted

    def is_lost(self, owner: str, mark: bytes) -> bool:
        """Return True where the key of a mark was erased, so that nobody can tell any more what it was made of."""
        self.load([owner])
        key = self._keys[owner].get(int.from_bytes(mark[:_GENERATION_BYTES]))
        return key is not None and key.secret is None

    def key(self, owner: str) -> DataKey:
        """Return the newest key of an owner, a new one where there is none or it was erased; it is kept once it has sealed."""
        self.load([owner])
        if owner in self._unsaved:
            return self._unsaved[owner]
        newest = self._newest(owner)
        if newest.secret is None and owner.startswith(_MADE_BY_ANYBODY) and not self._has_turn:
            # Two runs may meet a party without a key at once; intakes come one after the other anyway.
            take_turn(self.connection, "personal keys", _MADE_BY_ANYBODY)
            self._has_turn = True
            known = set(self._loaded)
            self._loaded.clear()
            self.load(known)
            newest = self._newest(owner)
        if newest.secret is not None:
            return newest
        made = DataKey(owner=owner, generation=newest.generation + 1, secret=sealing.new_secret())
        self._unsaved[owner] = made
        return made

    def _newest(self, owner: str) -> DataKey:
        keys = self._keys[owner]
        return keys[max(keys)] if keys else DataKey(owner=owner, generation=0)

    def mark(self, owner: str, text: str) -> bytes:
        """Return generation and keyed digest of a text under the owner's newest key; once that is erased it tells nothing."""
        key = self.key(owner)
        return key.generation.to_bytes(_GENERATION_BYTES) + sealing.mark(_secret(key), text)

    def lasting_mark(self, owner: str, text: str) -> bytes:
        """Return a keyed digest whose key is kept although nothing is sealed under it."""
        self.keep(owner)
        return self.mark(owner, text)

    def keep(self, owner: str) -> None:
        """Keep the key of an owner although nothing is sealed under it, because a mark is stored that was made with it."""
        self.key(owner)
        self._used.add(owner)

    def seal(self, owner: str, place: str, text: str) -> bytes:
        """Return a text sealed for an owner and a place."""
        key = self.key(owner)
        self._used.add(owner)
        content = text.encode("utf-8", "surrogatepass")
        return key.generation.to_bytes(_GENERATION_BYTES) + sealing.seal(_secret(key), f"{owner}|{place}", content)

    def unseal(self, owner: str, place: str, sealed: bytes) -> str | None:
        """Return a text that was sealed, None where the owner's key was erased since.

        Raises:
            StorageError: ``PERSONAL05`` where it was altered, or belongs to another place or owner.
        """
        self.load([owner])
        generation = int.from_bytes(sealed[:_GENERATION_BYTES])
        key = self._keys[owner].get(generation) or self._unsaved.get(owner)
        if key is None or key.generation != generation:
            sealing.unseal(bytes(sealing.KEY_BYTES), f"{owner}|{place}", b"")  # no such key was ever given out
            raise AssertionError(owner)
        if key.secret is None:
            return None
        opened = sealing.unseal(key.secret, f"{owner}|{place}", sealed[_GENERATION_BYTES:])
        return opened.decode("utf-8", "surrogatepass")

    def seal_text(self, owner: str, place: str, text: str) -> str:
        """Return a text sealed as base64, as it stands in JSON."""
        return base64.b64encode(self.seal(owner, place, text)).decode()

    def unseal_text(self, owner: str, place: str, sealed: str) -> str | None:
        """Return a text that `seal_text` had sealed, None where the key was erased since."""
        return self.unseal(owner, place, base64.b64decode(sealed))

    def save(self) -> None:
        """Keep the new keys that sealed something; the last step before what they sealed is stored."""
        new = sorted(self._used & self._unsaved.keys())
        keys = [self._unsaved.pop(owner) for owner in new]
        bulk_insert(
            self.connection,
            personal_key,
            ("owner", "generation", "key_id", "wrapped"),
            [(key.owner, key.generation, self.vault.current.id, wrapped(self.vault, key)) for key in keys],
        )
        for key in keys:
            self._keys[key.owner][key.generation] = key
        self._used.clear()


def wrap_place(owner: str, generation: int) -> str:
    """Return the place to which a wrapped key is bound."""
    return f"key of {owner}, generation {generation}"


def wrapped(vault: Vault, key: DataKey) -> bytes:
    """Return a key wrapped by the current key of the deployment."""
    place = wrap_place(key.owner, key.generation)
    return sealing.seal(sealing.derived(vault.current.secret, "wrap"), place, _secret(key))


def _secret(key: DataKey) -> bytes:
    if key.secret is None:
        raise AssertionError(key)  # an erased key is never given out for sealing
    return key.secret


def told(opened: str | None) -> str:
    """Return an opened text, or what stands in its place where its key was erased."""
    return ERASED if opened is None else opened


def owner_of_subject(subject: str) -> str:
    """Return the owner of what records say about an identifier of the field."""
    return f"subject:{subject}"


def owner_of_party(code: str) -> str:
    """Return the owner of what is kept about a party."""
    return f"party:{code}"


def owner_of_batch(number: int) -> str:
    """Return the owner of what a batch brought that could not be read, so that nobody knows whom it is about."""
    return f"batch:{number}"


INDEX = "index:"
"""The owner of the key for digests of what has no owner; nothing is sealed under it."""
