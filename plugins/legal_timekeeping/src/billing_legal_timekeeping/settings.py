"""Settings of the plugin: table ``[plugin.legal_timekeeping]`` of ``billing.toml``."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from billing_legal_timekeeping.ledes.profile import ReceiverProfile


@attrs.frozen(kw_only=True)
class LegalSettings:
    """Settings of the plugin.

    Attributes:
        receivers: receivers of e-bills by the name that the option ``profile`` gives, beside those that come with the plugin; one
            of the same name takes its place.
    """

    receivers: Mapping[str, ReceiverProfile] = attrs.field(factory=dict)
