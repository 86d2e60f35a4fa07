"""What every command shares: the settings, who acts, how results are shown; and the deployment, opened when asked for."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import attrs
import click

if TYPE_CHECKING:
    from billing_framework.plugin.settings import SettingsFile
    from billing_framework.run.deployment import Deployment


@attrs.define
class Session:
    """One call of the command line.

    Attributes:
        config: path given by ``--config``, or None.
        actor: who acts, as given by ``--actor``, or empty.
        json: True where results are wanted as JSON.
        debug: True where a fault of the program is to show its traceback.
    """

    config: str | None = None
    actor: str = ""
    json: bool = False
    debug: bool = False
    _opened: Deployment | None = attrs.field(default=None, init=False)
    _stack: ExitStack = attrs.field(factory=ExitStack, init=False, repr=False)

    def settings_file(self) -> SettingsFile:
        """Return the settings without opening the plugins or the database."""
        from billing_framework.plugin.settings import load_settings  # noqa: PLC0415  needless for help
        from billing_framework.run.deployment import settings_path  # noqa: PLC0415  the same

        return load_settings(settings_path(self.config, os.environ))

    def deployment(self) -> Deployment:
        """Return the deployment, opened at the first call and closed at the end of the command."""
        from billing_framework.run.deployment import open_deployment  # noqa: PLC0415  needless for help

        if self._opened is None:
            self._opened = self._stack.enter_context(open_deployment(self.config, actor=self.actor))
        return self._opened

    def close(self) -> None:
        """Close what was opened."""
        self._stack.close()


pass_session = click.make_pass_decorator(Session, ensure=True)


def pass_deployment(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the open `Deployment` as its first argument."""

    @functools.wraps(command)
    def with_deployment(*args: object, **kwargs: object) -> object:
        context = click.get_current_context()
        return context.invoke(command, context.ensure_object(Session).deployment(), *args, **kwargs)

    return with_deployment


def shared_options() -> list[click.Parameter]:
    """Return the options that every command takes, so that they may stand before or after the noun and verb."""
    return [
        _shared("config", "-c", "--config", metavar="FILE", help="Settings; else BILLING_CONFIG, else ./billing.toml."),
        _shared("actor", "--actor", metavar="NAME", help="Who acts; else as the settings say, else your user name."),
        _shared("json", "--json", is_flag=True, help="Print the result as JSON."),
        _shared("debug", "--debug", is_flag=True, hidden=True, help="Show the traceback of a fault of the program."),
    ]


def _shared(name: str, *declarations: str, **attributes: Any) -> click.Option:
    def remember(context: click.Context, _: click.Parameter, value: object) -> None:
        session = context.ensure_object(Session)
        if value:
            setattr(session, name, value)

    return click.Option([*declarations, f"_shared_{name}"], expose_value=False, is_eager=True, callback=remember, **attributes)
