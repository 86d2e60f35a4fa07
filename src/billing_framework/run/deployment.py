"""Opens a deployment: the settings, the plugins that they name, the database and the clock, in one frozen value."""

from __future__ import annotations

import getpass
import os
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import attrs

from billing_framework.plugin.check import NAME_A_KEY, missing_key
from billing_framework.plugin.host import Host
from billing_framework.plugin.settings import SecretReference, Settings, SettingsFile, load_settings
from billing_framework.storage.engine import Database, open_database
from billing_framework.storage.personal.sealing import require_cipher
from billing_framework.storage.personal.vault import Vault, read_key
from billing_framework.values.clock import Clock, SystemClock
from billing_framework.values.errors import ConfigurationError

FILE_NAME = "billing.toml"
CONFIG_VARIABLE = "BILLING_CONFIG"
_LONGEST_ACTOR = 200
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Characters that count as printable, and of which nothing is seen."""


@attrs.frozen(kw_only=True)
class Deployment:
    """Everything that an action needs besides its own arguments.

    Attributes:
        settings: what ``billing.toml`` says.
        settings_sha256: hex digest of its bytes; every run stores it.
        folder: folder of ``billing.toml``, where relative paths start.
        host: the resolved plugins.
        database: the open database.
        clock: the clock of all actions.
        actor: who acts.
        file: ``billing.toml`` itself, from which workers open the same deployment; None where it was put together by hand.
    """

    settings: Settings
    settings_sha256: str
    folder: Path
    host: Host
    database: Database
    clock: Clock
    actor: str
    file: Path | None = None

    def close(self) -> None:
        """Close the connections of the database."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def settings_path(given: str | Path | None, environment: Mapping[str, str]) -> Path:
    """Return where the settings are: as `given`, else as the environment says, else ``billing.toml`` in the present folder."""
    return Path(given or environment.get(CONFIG_VARIABLE) or FILE_NAME)


def open_deployment(
    path: str | Path | None = None,
    *,
    actor: str = "",
    clock: Clock | None = None,
    environment: Mapping[str, str] | None = None,
) -> Deployment:
    """Open the deployment whose settings are at `path`.

    Args:
        path: ``billing.toml``; by default as the variable ``BILLING_CONFIG`` says, else in the present folder.
        actor: who acts; by default as the settings say, else the operating system's user.
        clock: the clock; by default the machine's.
        environment: the environment variables; by default those of the process.

    Raises:
        ConfigurationError: a mistake in the settings or the plugins.
        StorageError: the database cannot be reached.
    """
    variables = os.environ if environment is None else environment
    file = load_settings(settings_path(path, variables))
    host = Host.from_file(file)
    folder = file.path.resolve().parent
    vault = vault_from(file.settings, folder, variables)
    require_vault(host, vault)
    return Deployment(
        settings=file.settings,
        settings_sha256=file.sha256,
        folder=folder,
        host=host,
        database=open_database(database_url(file.settings, folder, variables), vault=vault),
        clock=clock or SystemClock(),
        actor=who_acts(actor, file),
        file=file.path.resolve(),
    )


def database_url(settings: Settings, folder: Path, environment: Mapping[str, str]) -> str:
    """Return the URL of the database with its secret revealed, a relative SQLite path starting at `folder`.

    Raises:
        ConfigurationError: ``CONFIG06`` where the secret is not there.
    """
    database = settings.deployment.database
    url = database.reveal(folder, environment) if isinstance(database, SecretReference) else database
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(f"{prefix}/"):
        return f"{prefix}{folder / url.removeprefix(prefix)}"
    return url


def vault_from(settings: Settings, folder: Path, environment: Mapping[str, str]) -> Vault | None:
    """Return the keys under which personal data are sealed, None where the settings name none.

    Raises:
        ConfigurationError: ``CONFIG06`` where a secret is not there, ``PERSONAL03`` where it is no key, ``PERSONAL02`` where the
            package that encrypts is not installed.
    """
    named = settings.personal_data
    if named is None:
        return None
    require_cipher()
    former = tuple(
        read_key(secret.reveal(folder, environment), f"personal_data.former_keys[{place}]")
        for place, secret in enumerate(named.former_keys)
    )
    return Vault(current=read_key(named.key.reveal(folder, environment), "personal_data.key"), former=former)


def require_vault(host: Host, vault: Vault | None) -> None:
    """Refuse a deployment whose plugins keep personal data without a key to seal them.

    Raises:
        ConfigurationError: ``PERSONAL01``, naming the usage kind.
    """
    missing = "" if vault is not None else missing_key(host)
    if missing:
        raise ConfigurationError("PERSONAL01", missing, remedy=NAME_A_KEY)


def who_acts(given: str, file: SettingsFile) -> str:
    """Return the actor: as given, else as the settings say, else the operating system's user.

    Names that look alike are one name: blanks around it go, several within it are one, and letters are composed (NFC). Else
    somebody could approve what was started under the same name.

    Raises:
        ConfigurationError: ``CONFIG09`` where it is no short printable name; it stands in every row of the audit.
    """
    named = given or file.settings.deployment.actor or _system_user()
    actor = unicodedata.normalize("NFC", re.sub(" +", " ", named.strip()))
    if not actor or not actor.isprintable() or _INVISIBLE.search(actor) or len(actor) > _LONGEST_ACTOR:
        what = f"the actor {actor[:40]!r} is no name of at most {_LONGEST_ACTOR} printable characters"
        raise ConfigurationError("CONFIG09", what, remedy="Give --actor NAME, or set deployment.actor")
    return actor


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid-{os.getuid()}"
