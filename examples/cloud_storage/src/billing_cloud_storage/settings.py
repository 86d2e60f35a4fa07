"""Settings of the plugin: table ``[plugin.cloud_storage]`` of ``billing.toml``."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Settings:
    """What a deployment may set.

    Attributes:
        gaps_hold: whether a day without figures holds the account; otherwise the day is billed as empty.
    """

    gaps_hold: bool = True
