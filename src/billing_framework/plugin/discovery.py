"""Which plugins are installed, and the import of those, and only those, that ``billing.toml`` names."""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from billing_framework.plugin.hookspecs import PROJECT
from billing_framework.values.errors import ConfigurationError
from billing_framework.values.foreign_code import told
from billing_framework.values.spelling import did_you_mean


@attrs.frozen(kw_only=True)
class InstalledPlugin:
    """A plugin that is installed, whether enabled or not.

    Attributes:
        name: name of its entry point, by which ``billing.toml`` enables it.
        distribution: name of the distribution that brings it.
        version: version of that distribution.
        target: module, or module and object, that is imported when it is enabled.
    """

    name: str
    distribution: str
    version: str
    target: str


@attrs.frozen(kw_only=True)
class LoadedPlugin:
    """A plugin to be asked.

    Attributes:
        name: its name in the deployment.
        implementation: module or object with the hook implementations.
        distribution: name of its distribution; empty for an object given in Python.
        version: version of its distribution; empty for an object given in Python.
        migrations: folder ``migrations`` beside its module, None where it has none.
        file: file from which its module was loaded; empty for an object given in Python.
    """

    name: str
    implementation: object = attrs.field(repr=False)
    distribution: str = ""
    version: str = ""
    migrations: Path | None = None
    file: str = ""


def installed_plugins() -> Mapping[str, InstalledPlugin]:
    """Return the installed plugins by name, without importing any.

    Raises:
        ConfigurationError: ``PLUGIN02`` where two distributions bring a plugin of the same name.
    """
    found: dict[str, InstalledPlugin] = {}
    for point in sorted(importlib.metadata.entry_points(group=PROJECT), key=lambda point: point.name):
        distribution = point.dist.name if point.dist else ""
        version = point.dist.version if point.dist else ""
        plugin = InstalledPlugin(name=point.name, distribution=distribution, version=version, target=point.value)
        other = found.setdefault(point.name, plugin)
        if other != plugin:
            raise ConfigurationError(
                "PLUGIN02",
                f"the plugin name {point.name!r} comes from two distributions, {other.distribution} and {distribution}",
                remedy="Uninstall one of them",
            )
    return found


def load_plugins(names: Sequence[str]) -> tuple[LoadedPlugin, ...]:
    """Import the named plugins, in that order, and nothing else.

    Raises:
        ConfigurationError: ``PLUGIN01`` for a name that is not installed or given twice, ``PLUGIN06`` where its import fails.
    """
    installed = installed_plugins()
    loaded: list[LoadedPlugin] = []
    for position, name in enumerate(names):
        if name not in installed:
            have = f"Installed are: {', '.join(installed)}" if installed else "No plugin is installed"
            raise ConfigurationError(
                "PLUGIN01", f"plugin {name!r} is not installed", remedy=f"{did_you_mean(name, installed)}. {have}"
            )
        if name in names[:position]:
            raise ConfigurationError("PLUGIN01", f"plugin {name!r} is named twice", remedy="Name it once in deployment.plugins")
        loaded.append(_imported(installed[name]))
    return tuple(loaded)


def _imported(plugin: InstalledPlugin) -> LoadedPlugin:
    point = importlib.metadata.EntryPoint(name=plugin.name, value=plugin.target, group=PROJECT)
    try:
        implementation = point.load()
    except BaseException as error:
        raise ConfigurationError(
            "PLUGIN06",
            f"plugin {plugin.name!r} cannot be imported: {told(error)}",
            place=plugin.target,
            remedy=f"Reinstall {plugin.distribution} {plugin.version}, or report it to its authors",
        ) from error
    return LoadedPlugin(
        name=plugin.name,
        implementation=implementation,
        distribution=plugin.distribution,
        version=plugin.version,
        migrations=_migrations(point.module),
        file=importlib.import_module(point.module).__file__ or "",
    )


def _migrations(module: str) -> Path | None:
    package = importlib.import_module(module.split(".", maxsplit=1)[0])
    folders = [Path(folder) / "migrations" for folder in getattr(package, "__path__", ())]  # a single module has no folder
    return next((folder for folder in folders if folder.is_dir()), None)
