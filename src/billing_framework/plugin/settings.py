"""``billing.toml``: the settings of a deployment, typed, with the place and the remedy of every mistake."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import cattrs
from babel import Locale, UnknownLocaleError

from billing_framework.invoicing.review import ReviewBounds
from billing_framework.plugin.delivery_settings import DeliverySettings
from billing_framework.values.calendar import CustomCycle
from billing_framework.values.clock import timezone
from billing_framework.values.errors import ConfigurationError, ValueRefused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Money, minor_digits
from billing_framework.values.structuring import WrongValue, strict_converter
from billing_framework.values.typed_toml import Codes, line_of, raise_first, read_toml, structure
from billing_framework.values.week_calendar import calendar_from

CODES = Codes(unreadable="CONFIG01", unknown_key="CONFIG02", missing_key="CONFIG03", bad_value="CONFIG04")
CHECK_COMMAND = "billing config check"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_LARGEST_FILE_BYTES = 4_000_000


@attrs.frozen(kw_only=True)
class SecretReference:
    """Where a secret stands; the secret itself is never written into ``billing.toml``.

    Attributes:
        env: name of the environment variable that holds it.
        file: file that holds it, relative to ``billing.toml``; blanks and line ends around it are cut off.
    """

    env: str = ""
    file: str = ""

    def __attrs_post_init__(self) -> None:
        if bool(self.env) == bool(self.file):
            raise ValueRefused("CONFIG04", "a secret is named by env or by file, one of the two", remedy='Write { env = "NAME" }')

    def reveal(self, folder: Path, environment: Mapping[str, str]) -> str:
        """Return the secret.

        Args:
            folder: folder that a relative `file` starts from.
            environment: the environment variables.

        Raises:
            ConfigurationError: ``CONFIG06`` where the variable or the file is not there or empty.
        """
        if self.env:
            found, shown = environment.get(self.env, ""), f"the environment variable {self.env}"
        else:
            path = folder / self.file
            found, shown = _text_of(path), f"the file {path}"
        if not found:
            raise ConfigurationError("CONFIG06", f"{shown} holds no secret", remedy="Set it where the command runs")
        return found


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip() if path.is_file() else ""
    except (OSError, ValueError) as error:  # no right to read it; no text
        raise ConfigurationError(
            "CONFIG06", f"the file {path} cannot be read as a secret", remedy="Give it as UTF-8 text that the command may read"
        ) from error


def _at_least_zero(_settings: object, field: attrs.Attribute[Any], value: Fraction | int) -> None:
    if value < 0:
        raise ValueRefused("CONFIG04", f"{field.name} must not be below zero, not {value}", remedy="Give 0 or more")


def _share(_settings: object, field: attrs.Attribute[Any], value: Fraction) -> None:
    if not 0 <= value <= 1:
        raise ValueRefused("CONFIG04", f"{field.name} must be a share from 0 to 1, not {value}", remedy='Write it as "0.25"')


def _factor(_settings: object, field: attrs.Attribute[Any], value: Fraction) -> None:
    if value != 0 and value < 1:
        raise ValueRefused("CONFIG04", f"{field.name} must be 1 or more, or 0, not {value}", remedy='Write it as "3"; "0" is off')


def _known_currency(_settings: object, _field: object, value: str) -> None:
    minor_digits(value)


def _known_zone(_settings: object, _field: object, value: str) -> None:
    timezone(value)


def _known_locale(_settings: object, _field: object, value: str) -> None:
    try:
        Locale.parse(value)
    except (UnknownLocaleError, ValueError) as error:
        raise ValueRefused(
            "CONFIG04", f"{value!r} is no locale", remedy="Write language and country, for example de_CH"
        ) from error


def _no_clear_password(_settings: object, _field: object, value: str | SecretReference) -> None:
    if isinstance(value, str):
        parts = urlsplit(value)
        if parts.password or "password" in parse_qs(parts.query):
            raise ValueRefused(
                "CONFIG05",
                "the database URL holds a password in the clear",
                remedy='Put the whole URL into an environment variable and write database = { env = "BILLING_DATABASE" }',
            )


def _plain_name(_settings: object, _field: object, value: str) -> None:
    if not _NAME.fullmatch(value):
        raise ValueRefused("CONFIG04", f"{value!r} is no plain name", remedy="Use small letters, digits and underscores")


@attrs.frozen(kw_only=True)
class DeploymentSettings:
    """Table ``[deployment]``: what this installation is.

    Attributes:
        name: short name, shown in messages and audit rows.
        database: ``sqlite:///billing.sqlite3`` (a relative path starts at the folder of ``billing.toml``),
            ``postgresql://host/name``, or a secret reference that holds such a URL.
        plugins: names of the plugins to enable, in the order in which they are asked; nothing else is imported.
        currency: ISO 4217 code of new accounts that name none.
        locale: language and formats of new accounts that name none.
        zone: IANA time zone of new accounts that name none.
        actor: who acts where the command line does not say; empty for the operating system's user.
        maker_checker: True where who approves a run must differ from who started or edited it; corrections of issued documents
            and acts on money are not approved by a second person.
    """

    name: str = attrs.field(validator=_plain_name)
    database: str | SecretReference = attrs.field(validator=_no_clear_password)
    plugins: tuple[str, ...] = ()
    currency: str = attrs.field(validator=_known_currency)
    locale: str = attrs.field(default="en_US", validator=_known_locale)
    zone: str = attrs.field(default="UTC", validator=_known_zone)
    actor: str = ""
    maker_checker: bool = False


@attrs.frozen(kw_only=True)
class HolidayCalendar:
    """Table ``[holidays.NAME]``: dates on which a plan or a due date treats a day as a holiday.

    Attributes:
        title: one line for people.
        dates: the holidays.
    """

    title: str = ""
    dates: tuple[date, ...]


@attrs.frozen(kw_only=True)
class BillingCalendar:
    """Table ``[calendars.NAME]``: a calendar of periods that accounts name as the cycle ``custom:NAME``.

    It lists its boundaries, or follows a pattern of whole weeks such as ``4-4-5``.

    Attributes:
        boundaries: first dates of the periods, ascending; the last one only ends the period before it.
        pattern: weeks of the three periods of a quarter, for example ``4-4-5``; empty where the boundaries are listed.
        first_year: first year of the pattern, named by the calendar year in which it ends.
        last_year: last year of the pattern.
        weekday: the weekday on which each year of the pattern ends.
        month: the calendar month at whose end the year ends, 1 to 12.
        ending: ``last`` such weekday of the month, or the one ``nearest`` to the month's last day.
    """

    boundaries: tuple[date, ...] = ()
    pattern: str = ""
    first_year: int = 0
    last_year: int = 0
    weekday: str = "saturday"
    month: int = 1
    ending: str = "last"

    def __attrs_post_init__(self) -> None:
        self.cycle("")

    def cycle(self, name: str) -> CustomCycle:
        """Return the calendar under its name.

        Raises:
            ValueRefused: ``VALUE20`` where neither boundaries nor a pattern with its years is given, or they make no sense.
        """
        given = {field: value for field, value in attrs.asdict(self).items() if value not in ((), "", 0)}
        if self.boundaries:
            return calendar_from(name, {"boundaries": self.boundaries})
        return calendar_from(name, given)


@attrs.frozen(kw_only=True)
class ReviewSettings:
    """Table ``[review]``: which drafts a run holds for an officer.

    Attributes:
        largest: one amount per currency, for example ``["5000.00 USD"]``; a draft above it is held.
        factor: a total this many times above or below the median of the account's own history is held; ``"0"`` switches it off.
        least_history: number of past documents below which the history proves nothing.
        least_difference: one amount per currency; a smaller difference from the median is let through.
        estimated_share: part of the total that may rest on estimates, ``"1"`` for all.
        zero_total: true to hold a total of zero.
        zero_usage: true to hold an agreement whose usage is zero.
        missing_usage: true to hold an agreement that had usage on its last document and has none now.
    """

    largest: tuple[Money, ...] = ()
    factor: Fraction = attrs.field(default=Fraction(3), validator=_factor)
    least_history: int = attrs.field(default=3, validator=_at_least_zero)
    least_difference: tuple[Money, ...] = ()
    estimated_share: Fraction = attrs.field(default=Fraction(1), validator=_share)
    zero_total: bool = True
    zero_usage: bool = True
    missing_usage: bool = True

    @property
    def bounds(self) -> ReviewBounds:
        """The bounds as the review checks are given them."""
        return ReviewBounds(
            largest={money.currency: money for money in self.largest},
            factor=self.factor,
            least_history=self.least_history,
            least_difference={money.currency: money for money in self.least_difference},
            estimated_share=self.estimated_share,
            zero_total=self.zero_total,
            zero_usage=self.zero_usage,
            missing_usage=self.missing_usage,
        )


def _item_policy(_settings: object, _field: object, value: str) -> None:
    if value not in ("suspend", "refuse_file"):
        raise ValueRefused("CONFIG04", f"{value!r} is no policy", remedy="Write suspend or refuse_file")


@attrs.frozen(kw_only=True)
class AnswerSettings:
    """Table ``[answers]``: what becomes of a third party's answer that does not add up.

    Attributes:
        unbalanced_item: ``suspend`` lets the item wait with its money in suspense and books the others, ``refuse_file`` books
            nothing of the file. A file whose items do not make its payment is always refused.
    """

    unbalanced_item: str = attrs.field(default="suspend", validator=_item_policy)


def _executor(_settings: object, _field: object, value: str) -> None:
    if value not in ("in-process", "processes", "dask"):
        raise ValueRefused("CONFIG04", f"{value!r} is no executor", remedy="Write in-process, processes or dask")


def _at_least_one(_settings: object, field: attrs.Attribute[Any], value: int) -> None:
    if value < 1:
        raise ValueRefused("CONFIG04", f"{field.name} must be 1 or more, not {value}", remedy="Give 1 or more")


@attrs.frozen(kw_only=True)
class RunSettings:
    """Table ``[run]``: how runs are worked on; none of it decides what is billed.

    Attributes:
        executor: ``in-process`` works in the process of the command, ``processes`` in worker processes of this machine, ``dask``
            on the workers of an existing Dask cluster.
        workers: number of worker processes.
        scheduler: address of the Dask scheduler, for example ``tcp://10.0.0.5:8786``, or the file that it writes it into.
        shard_size: accounts that a worker takes at a time; of many documents to post it takes up to five times as many.
        lease_seconds: how long a worker may be silent before another one takes its shard over.
        plugin_budget_seconds: how long one call of a plugin may take; a longer one is told, and ended in a worker process.
    """

    executor: str = attrs.field(default="in-process", validator=_executor)
    workers: int = attrs.field(default=2, validator=_at_least_one)
    scheduler: str = ""
    shard_size: int = attrs.field(default=2_000, validator=_at_least_one)
    lease_seconds: int = attrs.field(default=300, validator=_at_least_one)
    plugin_budget_seconds: int = attrs.field(default=120, validator=_at_least_one)


@attrs.frozen(kw_only=True)
class PersonalDataSettings:
    """Table ``[personal_data]``: the keys under which personal data are encrypted; without it they stand in the clear.

    Attributes:
        key: where the key stands: 32 bytes as 64 hex digits or as base64.
        former_keys: keys from before a rotation, until ``billing personal-data rotate`` has wrapped everything anew.
    """

    key: SecretReference
    former_keys: tuple[SecretReference, ...] = ()


def _told_apart(_settings: object, _field: object, values: tuple[DeliverySettings, ...]) -> None:
    names = [one.name for one in values]
    for name in names:
        if names.count(name) > 1:
            raise ValueRefused("CONFIG04", f"two deliveries are called {name}", remedy="Give each a name of its own")


@attrs.frozen(kw_only=True)
class Settings:
    """All of ``billing.toml``.

    Attributes:
        deployment: what this installation is.
        holidays: holiday calendars by name.
        calendars: billing calendars by name, for accounts whose cycle is ``custom:NAME``.
        review: which drafts are held.
        answers: what becomes of third parties' answers that do not add up.
        run: how runs are worked on.
        personal_data: the keys under which personal data are encrypted; None where they stand in the clear.
        deliveries: the ways on which issued documents leave, in order.
        plugin: for each plugin the keys of its table ``[plugin.NAME]``, not yet typed: its settings class does that.
    """

    deployment: DeploymentSettings
    holidays: Mapping[str, HolidayCalendar] = attrs.field(factory=dict)
    calendars: Mapping[str, BillingCalendar] = attrs.field(factory=dict)
    review: ReviewSettings = ReviewSettings()
    answers: AnswerSettings = AnswerSettings()
    run: RunSettings = RunSettings()
    personal_data: PersonalDataSettings | None = None
    deliveries: tuple[DeliverySettings, ...] = attrs.field(default=(), validator=_told_apart)
    plugin: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)

    @property
    def custom_cycles(self) -> Mapping[str, CustomCycle]:
        """The billing calendars by name, as `parse_cycle` is given them."""
        return {name: calendar.cycle(name) for name, calendar in self.calendars.items()}

    @property
    def holiday_dates(self) -> Mapping[str, frozenset[date]]:
        """The dates of every holiday calendar, as raters are given them."""
        return MappingProxyType({name: frozenset(calendar.dates) for name, calendar in self.holidays.items()})


@attrs.frozen(kw_only=True)
class SettingsFile:
    """A file of settings with its text, in which later checks look up their lines.

    Attributes:
        path: where it is; relative paths inside start at its folder.
        text: its text.
        sha256: hex digest of its bytes; every run stores it.
        settings: what it says.
    """

    path: Path
    text: str
    sha256: str
    settings: Settings

    def typed_plugin(self, name: str, cls: type | None) -> tuple[Any, list[Finding]]:
        """Return the table of one plugin as an instance of its settings class, and what is wrong with it.

        Args:
            name: name of the plugin.
            cls: its settings class; None where it has none, then every key is unknown.
        """
        table = self.settings.plugin.get(name, {})
        if cls is not None:
            file = str(self.path)
            return structure(cls, table, file=file, text=self.text, codes=CODES, at=("plugin", name), converter=converter())
        return None, [
            self.finding("CONFIG02", f"plugin {name} has no settings", "Remove the key", ("plugin", name, key)) for key in table
        ]

    def unused_tables(self) -> list[Finding]:
        """Return a finding for each ``[plugin.NAME]`` whose plugin is not enabled."""
        return [
            self.finding(
                "CONFIG07", f"plugin {name} has settings but is not enabled", "Add it to deployment.plugins", ("plugin", name)
            )
            for name in self.settings.plugin
            if name not in self.settings.deployment.plugins
        ]

    def finding(self, code: str, what: str, remedy: str, path: tuple[str, ...]) -> Finding:
        """Return a blocking finding about one key of this file."""
        return Finding(
            code=code,
            severity=Severity.BLOCKING,
            what=what,
            remedy=remedy,
            file=str(self.path),
            line=line_of(self.text, path),
            field=".".join(path),
        )


@functools.cache
def converter() -> cattrs.Converter:
    """Return the strict converter that also knows what only settings may hold."""
    strict = strict_converter().copy()
    strict.register_structure_hook_func(lambda target: target == str | SecretReference, _text_or_secret)
    return strict


def _text_or_secret(value: object, _: object) -> str | SecretReference:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return converter().structure(value, SecretReference)
    raise WrongValue("text or a secret reference is needed here", 'Write "text" or { env = "NAME" }', value)


def read_settings(path: Path) -> tuple[SettingsFile | None, list[Finding]]:
    """Return the settings in the file at `path`, or None, and everything that is wrong with it.

    Raises:
        ConfigurationError: ``CONFIG08`` where there is no such file, or it is no file of settings by its size.
    """
    if not path.is_file() or path.stat().st_size > _LARGEST_FILE_BYTES:
        raise ConfigurationError(
            "CONFIG08",
            "there is no file of settings here",
            place=str(path),
            remedy="Name it with --config or the environment variable BILLING_CONFIG, or change to its folder",
        )
    content = path.read_bytes()
    text, tables, findings = read_toml(content, str(path), CODES)
    if findings:
        return None, findings
    settings, findings = structure(Settings, tables, file=str(path), text=text, codes=CODES, converter=converter())
    if settings is None:
        return None, findings
    return SettingsFile(path=path, text=text, sha256=hashlib.sha256(content).hexdigest(), settings=settings), []


def load_settings(path: Path) -> SettingsFile:
    """Return the settings in the file at `path`.

    Raises:
        ConfigurationError: the first of its mistakes, with file, line, key, value and remedy.
    """
    file, findings = read_settings(path)
    raise_first(findings, ConfigurationError, CHECK_COMMAND)
    if file is None:
        raise AssertionError  # no settings without a finding
    return file
