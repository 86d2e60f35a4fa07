"""Usage of a plugin that is not enabled any more: nothing is billed for dates of which it may tell, as it would be left out."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from billing_framework.plugin.host import Host
from billing_framework.storage.usage.batches import kinds_within
from billing_framework.values.clock import timezone
from billing_framework.values.errors import ConfigurationError
from billing_framework.values.period import DateSpan
from billing_framework.values.spelling import first_of

_NAMED = 5


def refuse_unknown_kinds(connection: Connection, host: Host, period: DateSpan, zone: str) -> None:
    """Refuse to bill dates of which there is usage of a kind that no enabled plugin offers.

    Args:
        connection: a connection.
        host: the enabled plugins.
        period: the dates.
        zone: zone of the book.

    Raises:
        ConfigurationError: ``USAGE34`` where there is such usage.
    """
    unknown = sorted(kinds_within(connection, period.instants(timezone(zone))) - set(host.kinds))
    if unknown:
        raise ConfigurationError(
            "USAGE34",
            f"there is usage of {period} of the kinds {first_of(unknown, _NAMED)}, which no enabled plugin knows or would bill",
            place="deployment.plugins",
            remedy="Enable the plugin that took it in, or its former version; it stays enabled until its last usage is billed",
        )
