"""Checks a file of settings with its plugins and reports everything that is wrong, where opening stops at the first."""

from __future__ import annotations

from pathlib import Path

from billing_framework.plugin import core_offers
from billing_framework.plugin.discovery import load_plugins
from billing_framework.plugin.host import Host, file_settings
from billing_framework.plugin.offers import register
from billing_framework.plugin.settings import SettingsFile, read_settings
from billing_framework.usage.kind_fields import body_fields
from billing_framework.usage.withheld import is_personal_kind
from billing_framework.values.errors import BillingError
from billing_framework.values.finding import Finding, Severity

NAME_A_KEY = 'Write [personal_data] with key = { env = "BILLING_PERSONAL_KEY" }; billing personal-data new-key makes one'


def check_file(path: Path) -> tuple[SettingsFile | None, Host | None, list[Finding]]:
    """Return the settings and the host, each None where it cannot be had, and all findings.

    The database is not opened, and a secret is not looked for: both may only exist where the deployment runs.

    Raises:
        ConfigurationError: ``CONFIG08`` where there is no file.
    """
    file, findings = read_settings(path)
    if file is None:
        return None, None, findings
    findings += file.unused_tables()
    try:
        panel = register(load_plugins(file.settings.deployment.plugins), core_offers)
        _, wrong = file_settings(panel, file)
        findings += wrong
        host = None if findings else Host.from_file(file)
        if host is not None:
            _ = host.units  # defined when they are first used; a check wants to know now
            missing = "" if file.settings.personal_data is not None else missing_key(host)
            if missing:
                findings.append(file.finding("PERSONAL01", missing, NAME_A_KEY, ("deployment", "plugins")))
    except BillingError as error:
        named = file.finding(error.code, error.what, error.remedy, ("deployment", "plugins"))
        return file, None, [*findings, named]
    return file, host, findings


def personal_kinds(host: Host) -> list[str]:
    """Return the names of the usage kinds that hold personal data."""
    return [name for name, kind in host.kinds.items() if is_personal_kind(body_fields(kind))]


def missing_key(host: Host) -> str:
    """Return which usage kind holds personal data, in a sentence for who has named no key to encrypt them; empty for none."""
    found = personal_kinds(host)
    if not found:
        return ""
    owner = host.owners["billing_usage_kinds"][found[0]]
    return f"the usage kind {found[0]!r} of plugin {owner!r} holds personal data, but no key is named to encrypt them"


def unrated_kinds(host: Host) -> list[Finding]:
    """Return a finding for each usage kind that no rater rates: its records would be taken in and never be billed."""
    return [
        Finding(
            code="PLUGIN10",
            severity=Severity.ISSUE,
            what=f"no enabled plugin rates the usage kind {name!r} of plugin {host.owners['billing_usage_kinds'][name]!r}",
            remedy="Enable a plugin with a rater for it",
            subject=name,
        )
        for name in host.kinds
        if name not in host.rater_of_kind
    ]
