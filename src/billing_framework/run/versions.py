"""What computes: the names and versions that decide, beside its input, what a bill comes to."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version

from billing_framework.plugin.settings import Settings
from billing_framework.run.deployment import Deployment
from billing_framework.values.clock import timezone_data_version


def computing_versions(deployment: Deployment) -> dict[str, str]:
    """Return the name and version of everything that computes: the framework, the plugins, their settings, the time zones."""
    plugins = {f"plugin {plugin.name}": plugin.version for plugin in deployment.host.plugins}
    return {
        "billing-framework": version("billing-framework"),
        "plugin settings": settings_digest(deployment.settings),
        "calendars": calendars_digest(deployment.settings),
        "time zone rules": timezone_data_version(),
        **plugins,
    }


def calendars_digest(settings: Settings) -> str:
    """Return the digest of the holidays and billing calendars of the settings, as hex."""
    holidays = {name: sorted(day.isoformat() for day in days) for name, days in settings.holiday_dates.items()}
    calendars = {name: str(calendar) for name, calendar in settings.custom_cycles.items()}
    return hashlib.sha256(json.dumps([holidays, calendars], sort_keys=True).encode()).hexdigest()


def settings_digest(settings: Settings) -> str:
    """Return the digest of the settings that decide amounts: those of the plugins, as hex."""
    text = json.dumps({name: dict(table) for name, table in settings.plugin.items()}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
