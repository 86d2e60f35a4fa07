"""The vault of a deployment: the keys, named by the settings, that wrap the keys of the people about whom data are kept."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import attrs
from sqlalchemy.engine import Connection

from billing_framework.storage.personal.sealing import KEY_BYTES, derived
from billing_framework.values.errors import ConfigurationError, Refused

VAULT_OPTION = "billing_vault"
"""Execution option of a connection that holds the vault."""

_HEX = re.compile(r"[0-9a-fA-F]{64}")


@attrs.frozen
class DeploymentKey:
    """A key of the deployment.

    Attributes:
        id: eight hex digits that name it; they tell nothing about it.
        secret: the key.
    """

    id: str
    secret: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Vault:
    """The keys of a deployment.

    Attributes:
        current: wraps every new key.
        former: keys from before a rotation, which only unwrap.
    """

    current: DeploymentKey
    former: tuple[DeploymentKey, ...] = ()

    def key(self, name: str) -> DeploymentKey:
        """Return the key of this id.

        Raises:
            ConfigurationError: ``PERSONAL04`` where the settings do not name it.
        """
        for key in (self.current, *self.former):
            if key.id == name:
                return key
        raise _no_key(f"under the key {name}, which is none of those that the settings name")


def read_key(text: str, place: str) -> DeploymentKey:
    """Return the key that a secret holds.

    Args:
        text: 32 bytes as 64 hex digits, or as base64.
        place: key of the settings, for the message; the secret is never shown.

    Raises:
        ConfigurationError: ``PERSONAL03`` where it is no such key.
    """
    secret = b""
    try:
        secret = bytes.fromhex(text) if _HEX.fullmatch(text) else base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != KEY_BYTES:
        raise ConfigurationError(
            "PERSONAL03",
            "the secret is no key of 32 bytes, written as 64 hex digits or as base64",
            place=place,
            remedy="Make one with billing personal-data new-key, and put it where the settings say",
        )
    return DeploymentKey(derived(secret, "key id")[:4].hex(), secret)


def vault_of(connection: Connection) -> Vault | None:
    """Return the vault of the deployment that a connection works for, None where it has none."""
    found: Any = connection.get_execution_options().get(VAULT_OPTION)
    return found if isinstance(found, Vault) else None


def needed_vault(connection: Connection) -> Vault:
    """Return the vault of the deployment that a connection works for.

    Raises:
        ConfigurationError: ``PERSONAL04`` where it has none, but sealed data are met.
    """
    vault = vault_of(connection)
    if vault is None:
        raise _no_key("but the settings name no key")
    return vault


def _no_key(why: str) -> ConfigurationError:
    return ConfigurationError(
        "PERSONAL04",
        f"personal data are sealed {why}",
        remedy="Name the key in [personal_data], an earlier one in former_keys",
    )


def vault_for_act(connection: Connection) -> Vault:
    """Return the vault for an act on keys.

    Raises:
        Refused: ``PERSONAL08`` where the deployment has none.
    """
    vault = vault_of(connection)
    if vault is None:
        what = "this deployment seals no personal data: its settings name no key"
        raise Refused("PERSONAL08", what, remedy='Write [personal_data] with key = { env = "BILLING_PERSONAL_KEY" }')
    return vault
