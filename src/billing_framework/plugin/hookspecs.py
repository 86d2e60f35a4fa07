"""Every hook of the framework, in the order of a run. A plugin implements the ones it needs with `hookimpl`.

Offers are plural nouns: called once when a deployment opens; they return frozen, named values, and a name that two plugins
offer is an error that names both. Moments are verbs: called per batch, never per row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from billing_framework.invoicing.draft import DraftDocument, Note
    from billing_framework.rating.rater import ChargeModel, Rater
    from billing_framework.usage.reader import Reader
    from billing_framework.usage.record import UsageKind
    from billing_framework.values.codes import Code
    from billing_framework.values.units import UnitDefinition

PROJECT = "billing_framework"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
