"""Asks plugins through pluggy, and checks every answer before anything is done with it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import attrs
import pluggy

from billing_framework.plugin import hookspecs
from billing_framework.plugin.discovery import LoadedPlugin
from billing_framework.values.errors import ConfigurationError, ContractBroken
from billing_framework.values.foreign_code import failures_of
from billing_framework.values.spelling import did_you_mean

CORE = "core"
"""Name under which the core offers its own things by the same hooks; no plugin may bear it."""

T = TypeVar("T")

_REPORT = "Report it to the authors of the plugin"


@attrs.frozen
class Panel:
    """The registered plugins, in the order in which they are asked.

    Attributes:
        plugins: the core first, then the plugins of the deployment.
        manager: pluggy's manager; nothing outside this file speaks to it.
    """

    plugins: tuple[LoadedPlugin, ...]
    manager: pluggy.PluginManager = attrs.field(repr=False)

    def ask(self, plugin: str, hook: str, **arguments: object) -> Any:
        """Return what one plugin answers to a hook, None where it does not implement it.

        Raises:
            ContractBroken: ``PLUGIN05`` where the plugin raises anything but an error of the framework.
        """
        others = [other.implementation for other in self.plugins if other.name != plugin]
        with failures_of(f"{hook} of plugin {plugin}", remedy=_REPORT):
            answers: list[Any] = self.manager.subset_hook_caller(hook, others)(**arguments)
        return answers[0] if answers else None

    def implements(self, hook: str) -> tuple[str, ...]:
        """Return the names of the plugins that implement a hook, in order."""
        having = {found.plugin_name for found in getattr(self.manager.hook, hook).get_hookimpls()}
        return tuple(plugin.name for plugin in self.plugins if plugin.name in having)


def register(plugins: Sequence[LoadedPlugin], core: object) -> Panel:
    """Return the panel of the core and the plugins.

    Raises:
        ConfigurationError: ``PLUGIN01`` for a name given twice or reserved, ``PLUGIN03`` for a hook that does not exist, is not
            marked, or takes arguments that it is not given.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    known = hook_names()
    panel = (LoadedPlugin(name=CORE, implementation=core), *plugins)
    for position, plugin in enumerate(panel):
        if plugin.name in [other.name for other in panel[:position]]:
            raise ConfigurationError("PLUGIN01", f"the plugin name {plugin.name!r} is taken", remedy="Give it another name")
        _refuse_unmarked(plugin, manager, known)
        try:
            manager.register(plugin.implementation, name=plugin.name)
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            unknown = [name for name in _marked(plugin, manager) if name not in known]
            remedy = did_you_mean(unknown[0], known) if unknown else "See the hook's arguments in the reference"
            what = f"plugin {plugin.name!r} does not fit the hooks: {_first_line(error)}"
            raise ConfigurationError("PLUGIN03", what, remedy=remedy) from error
    return Panel(panel, manager)


def hook_names() -> tuple[str, ...]:
    """Return the names of all hooks, in the order of a run."""
    return tuple(name for name, value in vars(hookspecs).items() if name.startswith("billing_") and inspect.isfunction(value))


def _first_line(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3])


def _marked(plugin: LoadedPlugin, manager: pluggy.PluginManager) -> list[str]:
    return [name for name in dir(plugin.implementation) if manager.parse_hookimpl_opts(plugin.implementation, name) is not None]


def _refuse_unmarked(plugin: LoadedPlugin, manager: pluggy.PluginManager, known: Iterable[str]) -> None:
    for name in known:
        if hasattr(plugin.implementation, name) and manager.parse_hookimpl_opts(plugin.implementation, name) is None:
            raise ConfigurationError(
                "PLUGIN03",
                f"{name} of plugin {plugin.name!r} is not marked as a hook and would never be called",
                remedy="Write @hookimpl above it",
            )


@attrs.frozen
class Offered:
    """What all plugins offer of one sort.

    Attributes:
        by_name: the values by their unique name, in the order in which they were offered.
        owner: name of the plugin by the same names.
    """

    by_name: Mapping[str, Any]
    owner: Mapping[str, str]


def collect(panel: Panel, hook: str, sort: type[T], name_of: Callable[[T], str]) -> Offered:
    """Return what the plugins offer by one hook.

    Args:
        panel: whom to ask.
        hook: name of the hook.
        sort: class that every offered value must be of.
        name_of: the unique name of a value.

    Raises:
        ConfigurationError: ``PLUGIN02`` where two offers have one name; both plugins are named.
        ContractBroken: ``PLUGIN04`` where a plugin returns something else than a sequence of `sort`.
    """
    by_name: dict[str, T] = {}
    owner: dict[str, str] = {}
    for plugin in panel.plugins:
        for value in checked(panel.ask(plugin.name, hook), sort, plugin.name, hook):
            name = name_of(value)
            if name in owner:
                who = f"plugin {plugin.name!r} twice" if owner[name] == plugin.name else f"{owner[name]!r} and {plugin.name!r}"
                raise ConfigurationError(
                    "PLUGIN02",
                    f"{sort.__name__} {name!r} is offered by {who}",
                    remedy="Enable only one of the two, or rename one offer",
                )
            by_name[name], owner[name] = value, plugin.name
    return Offered(MappingProxyType(by_name), MappingProxyType(owner))


def checked(answer: object, sort: type[T], plugin: str, hook: str) -> tuple[T, ...]:
    """Return the answer of a plugin as a tuple of `sort`; None is an empty one.

    Raises:
        ContractBroken: ``PLUGIN04`` for anything else.
    """
    if answer is None:
        return ()
    if not isinstance(answer, Sequence) or isinstance(answer, str | bytes):
        raise ContractBroken(
            "PLUGIN04",
            f"{hook} of plugin {plugin} returned {type(answer).__name__}, not a sequence of {sort.__name__}",
            remedy=_REPORT,
        )
    for value in answer:
        if not isinstance(value, sort):
            raise ContractBroken(
                "PLUGIN04", f"{hook} of plugin {plugin} returned a {type(value).__name__}, not a {sort.__name__}", remedy=_REPORT
            )
    return tuple(answer)
