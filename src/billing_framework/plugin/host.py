"""The host: the plugins of a deployment, asked once and resolved into frozen values that pure functions are given."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, TypeVar

import attrs

from billing_framework.exchange.answer_reader import AnswerReader
from billing_framework.exchange.exporter import Exporter
from billing_framework.invoicing.digest import document_digest
from billing_framework.invoicing.draft import DraftDocument, Note
from billing_framework.invoicing.review import ReviewCheck
from billing_framework.plugin import core_offers
from billing_framework.plugin.discovery import LoadedPlugin, load_plugins
from billing_framework.plugin.offers import CORE, Offered, Panel, checked, collect, hook_names, register
from billing_framework.plugin.settings import CHECK_COMMAND, CODES, SettingsFile, converter
from billing_framework.rating.pricing import ChargeModel
from billing_framework.rating.rate_table import RateTableKind
from billing_framework.rating.rate_table_file import row_fields
from billing_framework.rating.rater import Rater
from billing_framework.usage.kind_fields import body_fields
from billing_framework.usage.reader import Reader
from billing_framework.usage.record import UsageKind
from billing_framework.values.codes import CodePage
from billing_framework.values.errors import ConfigurationError, ContractBroken, NotFound
from billing_framework.values.finding import Finding
from billing_framework.values.spelling import did_you_mean
from billing_framework.values.typed_toml import raise_first, structure
from billing_framework.values.unit_definition import UnitDefinition
from billing_framework.values.units import Units, define_units

T = TypeVar("T")

_DRAFTED = "billing_documents_drafted"

_NAMED: Mapping[str, tuple[type, str]] = {
    "billing_codes": (CodePage, "code"),
    "billing_units": (UnitDefinition, "name"),
    "billing_usage_kinds": (UsageKind, "name"),
    "billing_readers": (Reader, "format"),
    "billing_raters": (Rater, "name"),
    "billing_rate_tables": (RateTableKind, "name"),
    "billing_charge_models": (ChargeModel, "name"),
    "billing_review_checks": (ReviewCheck, "name"),
    "billing_exporters": (Exporter, "format"),
    "billing_answer_readers": (AnswerReader, "format"),
}


@attrs.frozen(kw_only=True)
class EnabledPlugin:
    """A plugin of the deployment and what it offers.

    Attributes:
        name: its name in the deployment.
        distribution: name of its distribution, or empty for an object given in Python.
        version: version of its distribution; every run stores it.
        settings: instance of its settings class, None where it has none.
        hooks: the hooks that it implements, in the order of a run.
        offers: hook to the names of what it offers there.
        migrations: folder with its migrations, None where it has none and its tables are derived.
        file: file from which its module was loaded, or empty for an object given in Python.
    """

    name: str
    distribution: str
    version: str
    settings: Any
    hooks: tuple[str, ...]
    offers: Mapping[str, tuple[str, ...]]
    migrations: Path | None = None
    file: str = ""


@attrs.frozen(kw_only=True)
class Host:
    """All that the plugins bring, by name; made once when a deployment opens.

    Attributes:
        plugins: the plugins in their order.
        codes: pages of the core's and the plugins' codes.
        unit_definitions: units that the plugins offer.
        kinds: usage kinds by name.
        readers: readers by format.
        raters: raters by name, in the order of the plugins.
        rater_of_kind: the rater of each usage kind that one rates.
        rate_tables: kinds of rate tables by name.
        charge_models: charge models by name.
        review_checks: review checks in order, the core's first.
        exporters: exporters by format.
        answer_readers: readers of answers by format.
        owners: hook to the name of the plugin behind each offered name.
    """

    plugins: tuple[EnabledPlugin, ...]
    codes: Mapping[str, CodePage]
    unit_definitions: tuple[UnitDefinition, ...]
    kinds: Mapping[str, UsageKind]
    readers: Mapping[str, Reader]
    raters: Mapping[str, Rater]
    rater_of_kind: Mapping[str, Rater]
    rate_tables: Mapping[str, RateTableKind]
    charge_models: Mapping[str, ChargeModel]
    review_checks: tuple[ReviewCheck, ...]
    exporters: Mapping[str, Exporter]
    answer_readers: Mapping[str, AnswerReader]
    owners: Mapping[str, Mapping[str, str]]
    _panel: Panel = attrs.field(repr=False, eq=False)

    @classmethod
    def from_file(cls, file: SettingsFile) -> Self:
        """Return the host of the plugins that ``billing.toml`` names; nothing else is imported.

        Raises:
            ConfigurationError: an unknown plugin, a clash of names, a hook that does not exist, a wrong setting.
            ContractBroken: a plugin returned something that its hook forbids.
        """
        try:
            loaded = load_plugins(file.settings.deployment.plugins)
        except ConfigurationError as error:
            named = file.finding(error.code, error.what, error.remedy, ("deployment", "plugins"))
            raise_first([named], ConfigurationError)
            raise
        raise_first(file.unused_tables(), ConfigurationError, CHECK_COMMAND)
        panel = register(loaded, core_offers)
        settings, findings = file_settings(panel, file)
        raise_first(findings, ConfigurationError, CHECK_COMMAND)
        return cls._resolved(panel, settings)

    @classmethod
    def build(cls, plugins: Sequence[tuple[str, object]] = (), *, settings: Mapping[str, Any] | None = None) -> Self:
        """Return the host of plugins given as objects, for tests and notebooks.

        Args:
            plugins: name and module or object with hook implementations, in the order in which they are asked.
            settings: by plugin name an instance of its settings class, or a mapping that is structured into it.
        """
        panel = register([LoadedPlugin(name=name, implementation=plugin) for name, plugin in plugins], core_offers)
        typed: dict[str, Any] = {}
        for name, _ in plugins:
            settings_class, given = settings_class_of(panel, name), (settings or {}).get(name, {})
            if settings_class is None or isinstance(given, settings_class):
                typed[name] = given or None
                continue
            typed[name], findings = structure(
                settings_class, given, file="settings", text="", codes=CODES, at=("plugin", name), converter=converter()
            )
            raise_first(findings, ConfigurationError)
        return cls._resolved(panel, typed)

    @classmethod
    def _resolved(cls, panel: Panel, settings: Mapping[str, Any]) -> Self:
        offered = {hook: collect(panel, hook, sort, attrgetter(key)) for hook, (sort, key) in _NAMED.items()}
        _check_names(offered["billing_charge_models"], offered["billing_raters"])
        kinds, raters = offered["billing_usage_kinds"], offered["billing_raters"]
        _check_reader_kinds(offered["billing_readers"], kinds)
        for kind in kinds.by_name.values():
            body_fields(kind)
        _check_rate_tables(offered["billing_rate_tables"])
        return cls(
            plugins=tuple(
                EnabledPlugin(
                    name=plugin.name,
                    distribution=plugin.distribution,
                    version=plugin.version,
                    migrations=plugin.migrations,
                    file=plugin.file,
                    settings=settings.get(plugin.name),
                    hooks=tuple(hook for hook in hook_names() if plugin.name in panel.implements(hook)),
                    offers=MappingProxyType(
                        {hook: names for hook, found in offered.items() if (names := _names_of(found, plugin.name))}
                    ),
                )
                for plugin in panel.plugins
                if plugin.name != CORE
            ),
            codes=offered["billing_codes"].by_name,
            unit_definitions=tuple(offered["billing_units"].by_name.values()),
            kinds=kinds.by_name,
            readers=offered["billing_readers"].by_name,
            raters=raters.by_name,
            rater_of_kind=_by_kind(raters, kinds),
            rate_tables=offered["billing_rate_tables"].by_name,
            charge_models=offered["billing_charge_models"].by_name,
            review_checks=tuple(offered["billing_review_checks"].by_name.values()),
            exporters=offered["billing_exporters"].by_name,
            answer_readers=offered["billing_answer_readers"].by_name,
            owners=MappingProxyType({hook: found.owner for hook, found in offered.items()}),
            panel=panel,
        )

    @functools.cached_property
    def units(self) -> Units:
        """The units of the deployment; defined when they are first asked for, because few commands do.

        Raises:
            ValueRefused: ``VALUE24`` or ``VALUE25`` for a definition that is wrong or clashes; ``billing plugin check`` tells it.
        """
        return define_units(self.unit_definitions)

    def settings_of_rater(self, name: str) -> Any:
        """Return the settings of the plugin that offers the rater `name`, None where it has none."""
        return self._settings_behind("billing_raters", name)

    def settings_of_reader(self, file_format: str) -> Any:
        """Return the settings of the plugin that offers the reader of `file_format`, None where it has none."""
        return self._settings_behind("billing_readers", file_format)

    @property
    def settings_of_checks(self) -> Mapping[str, Any]:
        """The settings of the plugins that offer the review checks, by name of the check."""
        return {check.name: self._settings_behind("billing_review_checks", check.name) for check in self.review_checks}

    def _settings_behind(self, hook: str, name: str) -> Any:
        owner = self.owners[hook][name]
        return next((plugin.settings for plugin in self.plugins if plugin.name == owner), None)

    def exporter(self, file_format: str) -> tuple[Exporter, Any]:
        """Return the exporter of a format, and the settings of its plugin (None where it has none).

        Raises:
            NotFound: ``PLUGIN07`` with the nearest spelling.
        """
        found = _named(self.exporters, file_format, "exporter for the format")
        return found, self._settings_behind("billing_exporters", file_format)

    def answer_reader(self, file_format: str) -> tuple[AnswerReader, Any]:
        """Return the reader of a format of answers, and the settings of its plugin (None where it has none).

        Raises:
            NotFound: ``PLUGIN07`` with the nearest spelling.
        """
        found = _named(self.answer_readers, file_format, "reader of answers for the format")
        return found, self._settings_behind("billing_answer_readers", file_format)

    def reader(self, file_format: str) -> Reader:
        """Return the reader of a format.

        Raises:
            NotFound: ``PLUGIN07`` with the nearest spelling.
        """
        return _named(self.readers, file_format, "reader for the format")

    def kind(self, name: str) -> UsageKind:
        """Return a usage kind.

        Raises:
            NotFound: ``PLUGIN07`` with the nearest spelling.
        """
        return _named(self.kinds, name, "usage kind")

    def documents_drafted(self, documents: Sequence[DraftDocument]) -> tuple[Note, ...]:
        """Return the notes that the plugins add to a batch of drafts, in order of the documents and then of the plugins.

        Raises:
            ContractBroken: as `notes_of` does.
        """
        place = {draft.key: position for position, draft in enumerate(documents)}
        digests = {draft.key: document_digest(draft) for draft in documents} if self.noting_plugins else {}
        notes = [note for plugin in self.noting_plugins for note in self.notes_of(plugin, documents, digests)]
        return tuple(sorted(notes, key=lambda note: place[note.document]))

    @property
    def noting_plugins(self) -> tuple[str, ...]:
        """The plugins that add notes to drafts, in order."""
        return self._panel.implements(_DRAFTED)

    def notes_of(self, plugin: str, documents: Sequence[DraftDocument], digests: Mapping[int, str]) -> tuple[Note, ...]:
        """Return the notes that one plugin adds to a batch of drafts.

        Args:
            plugin: name of the plugin.
            documents: the drafts.
            digests: key of each draft to the digest that it had before any plugin saw it.

        Raises:
            ContractBroken: ``PLUGIN04`` for anything but notes, ``PLUGIN05`` where it fails, ``PLUGIN08`` where it names a
                document that is not in the batch or has changed a draft.
        """
        added = checked(self._panel.ask(plugin, _DRAFTED, documents=tuple(documents)), Note, plugin, _DRAFTED)
        own = {draft.key for draft in documents}
        said: list[object] = [note.document for note in added]
        strangers = [key for key in said if type(key) is not int or key not in own]
        if strangers or any(document_digest(draft) != digests[draft.key] for draft in documents):
            what = f"named document {strangers[0]!r}, which is not in the batch" if strangers else "changed a draft"
            raise ContractBroken("PLUGIN08", f"{_DRAFTED} of plugin {plugin} {what}", remedy="Report it to its authors")
        return added


def _named(table: Mapping[str, T], name: str, noun: str) -> T:
    if name not in table:
        remedy = f"{did_you_mean(name, table)}. Enable the plugin that brings it in deployment.plugins"
        raise NotFound("PLUGIN07", f"no enabled plugin offers the {noun} {name!r}", remedy=remedy)
    return table[name]


def settings_class_of(panel: Panel, plugin: str) -> type | None:
    """Return the settings class that a plugin offers, None where it has none.

    Raises:
        ContractBroken: ``PLUGIN04`` where it is no attrs class.
    """
    offered = panel.ask(plugin, "billing_settings")
    if offered is not None and not (isinstance(offered, type) and attrs.has(offered)):
        raise ContractBroken("PLUGIN04", f"billing_settings of plugin {plugin} returned {offered!r}, not an attrs class")
    return offered


def file_settings(panel: Panel, file: SettingsFile) -> tuple[Mapping[str, Any], list[Finding]]:
    """Return the settings of all plugins by name, and everything that is wrong with them."""
    typed: dict[str, Any] = {}
    findings: list[Finding] = []
    for plugin in panel.plugins[1:]:
        typed[plugin.name], wrong = file.typed_plugin(plugin.name, settings_class_of(panel, plugin.name))
        findings += wrong
    return typed, findings


def _names_of(found: Offered, plugin: str) -> tuple[str, ...]:
    return tuple(name for name, owner in found.owner.items() if owner == plugin)


def _check_names(models: Offered, raters: Offered) -> None:
    for name, owner in models.owner.items():
        if owner != CORE and not name.startswith(f"{owner}."):
            raise ContractBroken(
                "PLUGIN04", f"plugin {owner} offers the charge model {name!r}", remedy=f"Name it {owner}.{name.split('.')[-1]}"
            )
    taken = dict(models.owner)
    for rater in raters.by_name.values():
        for name in rater.models:
            if name in taken:
                raise ConfigurationError(
                    "PLUGIN02", f"the charge model {name!r} is offered by {taken[name]!r} and by the rater {rater.name!r}"
                )
            taken[name] = rater.name


def _check_rate_tables(kinds: Offered) -> None:
    for name, owner in kinds.owner.items():
        if not name.startswith(f"{owner}."):
            raise ContractBroken(
                "PLUGIN04", f"plugin {owner} offers the rate table kind {name!r}", remedy=f"Name it {owner}.{name.split('.')[-1]}"
            )
        row_fields(kinds.by_name[name])


def _check_reader_kinds(readers: Offered, kinds: Offered) -> None:
    for reader in readers.by_name.values():
        for kind in reader.kinds:
            _refuse_unknown_kind(kind, kinds, f"the reader {reader.format!r} of plugin {readers.owner[reader.format]!r} yields")


def _refuse_unknown_kind(kind: str, kinds: Offered, who: str) -> None:
    if kind not in kinds.by_name:
        remedy = f"{did_you_mean(kind, kinds.by_name)}. Enable the plugin that offers the kind"
        raise ConfigurationError("PLUGIN09", f"{who} the unknown usage kind {kind!r}", remedy=remedy)


def _by_kind(raters: Offered, kinds: Offered) -> Mapping[str, Rater]:
    by_kind: dict[str, Rater] = {}
    for rater in raters.by_name.values():
        for kind in rater.kinds:
            _refuse_unknown_kind(kind, kinds, f"the rater {rater.name!r} of plugin {raters.owner[rater.name]!r} rates")
            if kind in by_kind:
                one, other = by_kind[kind].name, rater.name
                raise ConfigurationError(
                    "PLUGIN02",
                    f"the usage kind {kind!r} is rated by {one!r} of plugin {raters.owner[one]!r}"
                    f" and by {other!r} of plugin {raters.owner[other]!r}",
                    remedy="Enable only one of them",
                )
            by_kind[kind] = rater
    return MappingProxyType(by_kind)
