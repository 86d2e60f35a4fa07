"""Sealing and the keys of people: what was altered, moved or erased is never mistaken for what was sealed."""

import sys

import attrs
import pytest

from billing_framework.storage.engine import Database
from billing_framework.storage.personal.key_desk import KeyDesk, owner_of_party
from billing_framework.storage.personal.sealing import mark, new_secret, require_cipher, seal, unseal
from billing_framework.storage.personal.vault import Vault, read_key, vault_for_act
from billing_framework.values.errors import ConfigurationError, Refused, StorageError

SECRET = bytes(range(32))


def test_what_is_sealed_is_opened_at_its_place_only() -> None:
    sealed = seal(SECRET, "party|P1|name", b"Ada")
    assert unseal(SECRET, "party|P1|name", sealed) == b"Ada"
    for secret, place, altered in (
        (SECRET, "party|P2|name", sealed),
        (new_secret(), "party|P1|name", sealed),
        (SECRET, "party|P1|name", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (SECRET, "party|P1|name", b"short"),
        (SECRET, "party|P1|name", b""),
    ):
        with pytest.raises(StorageError, match="PERSONAL05"):
            unseal(secret, place, altered)


def test_the_same_text_is_sealed_otherwise_each_time_and_marked_alike() -> None:
    assert seal(SECRET, "here", b"Ada") != seal(SECRET, "here", b"Ada")
    assert mark(SECRET, "Ada") == mark(SECRET, "Ada")
    assert mark(SECRET, "Ada") != mark(SECRET, "Bea")
    assert mark(SECRET, "Ada") != mark(new_secret(), "Ada")


@pytest.mark.parametrize("text", ["00" * 32, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="])
def test_a_key_is_hexadecimal_or_base64(text: str) -> None:
    key = read_key(text, "personal_data.key")
    assert key.secret == bytes(32)
    assert len(key.id) == 8
    assert "secret" not in repr(key)


@pytest.mark.parametrize("text", ["", "00" * 31, "password", "AAAA", "é" * 32, "00" * 32 + "zz"])
def test_what_is_no_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigurationError, match="PERSONAL03") as caught:
        read_key(text, "personal_data.key")
    assert text == "" or text not in str(caught.value)


def test_the_cipher_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    require_cipher()
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)
    with pytest.raises(ConfigurationError, match="PERSONAL02"):
        require_cipher()


def test_keys_are_kept_once_they_have_sealed_something(database: Database) -> None:
    kept = attrs.evolve(database, vault=Vault(current=read_key("01" * 32, "test")))
    owner = owner_of_party("P1")
    with kept.begin() as connection:
        desk = KeyDesk.of(connection)
        first = desk.mark(owner, "Ada")
        desk.save()
        assert KeyDesk.of(connection).mark(owner, "Ada") != first  # nothing was sealed, so the key was not kept
        sealed = desk.seal_text(owner, "here", "Ada")
        desk.save()
        again = KeyDesk.of(connection)
        assert again.unseal_text(owner, "here", sealed) == "Ada"
        assert again.mark(owner, "Ada") == first
        with pytest.raises(StorageError, match="PERSONAL05"):
            again.unseal_text(owner_of_party("P2"), "here", sealed)


def test_a_deployment_without_a_key_has_no_vault(database: Database) -> None:
    with database.begin() as connection:
        with pytest.raises(Refused, match="PERSONAL08"):
            vault_for_act(connection)
        with pytest.raises(ConfigurationError, match="PERSONAL04"):
            KeyDesk.of(connection)
