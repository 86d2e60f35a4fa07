"""What a deployment offers to rating: raters, charge models, settings; and how a failing or faulty one becomes a finding."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

import attrs

from billing_framework.rating.charge import Charge
from billing_framework.rating.group import Tile
from billing_framework.rating.pricing import ChargeModel
from billing_framework.rating.rater import Rater
from billing_framework.values.call_watch import UNWATCHED, CallWatch
from billing_framework.values.finding import Finding
from billing_framework.values.foreign_code import MEND, refusal_of, told
from billing_framework.values.kept import Kept

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class PricedAlike:
    """What a component charges like agreements.

    Attributes:
        tiles: plan versions of the period and of the next.
        charges: the charges; None where more than the agreement's terms decides about them.
    """

    tiles: tuple[tuple[Tile, ...], tuple[Tile, ...]]
    charges: tuple[Charge, ...] | None


@attrs.frozen(kw_only=True)
class RatingOffers:
    """Raters and charge models, resolved once when the deployment opens.

    Attributes:
        raters: raters in the order of the plugins in ``billing.toml``.
        models: charge models by name, those of the core included.
        plugin_of: name of a rater or model to the name of its plugin; those of the core may be left out.
        settings: name of a plugin to its structured settings.
        divisible_kinds: names of the usage kinds whose records may be cut at a period's edge.
        carried_kinds: names of the usage kinds whose records are each billed once, whenever they started.
        watch: who is told of each call of a plugin, and ends those that take too long.
        alike: what models have priced that price like agreements alike, by what decides it; None where agreements are rated one
            by one, so that each is priced for itself.
        kept: rater to the settings of its plugin as they were given to it.
    """

    raters: tuple[Rater, ...] = ()
    models: Mapping[str, ChargeModel] = attrs.field(factory=dict)
    plugin_of: Mapping[str, str] = attrs.field(factory=dict)
    settings: Mapping[str, Any] = attrs.field(factory=dict)
    divisible_kinds: frozenset[str] = frozenset()
    carried_kinds: frozenset[str] = frozenset()
    watch: CallWatch = attrs.field(default=UNWATCHED, eq=False, repr=False)
    alike: dict[Hashable, PricedAlike] | None = attrs.field(default=None, eq=False, repr=False)
    kept: Mapping[str, Kept] = attrs.field(init=False, eq=False, repr=False)

    @kept.default
    def _settings_kept(self) -> Mapping[str, Kept]:
        return {rater.name: Kept.of(self.settings_of(rater.name)) for rater in self.raters}

    def for_several(self) -> RatingOffers:
        """Return the same offers for agreements that are rated together, of which those that are alike are priced once."""
        return attrs.evolve(self, alike={})

    def plugin(self, name: str) -> str:
        """Return the plugin that offers a rater or model, ``core`` for the core's own."""
        return self.plugin_of.get(name, "core")

    def settings_of(self, rater: str) -> object:
        """Return the settings of the plugin that offers a rater, None where it has none."""
        return self.settings.get(self.plugin(rater))

    def asked_of_raters(self) -> frozenset[str]:
        """Return the names of the models that raters price themselves."""
        return frozenset(name for rater in self.raters for name in rater.models)

    def attempt(self, call: Callable[[], T], name: str, who: str, subject: str) -> tuple[T | None, Finding | None]:
        """Return what a rater or model returns, or a finding where it raises: its own for a refused value, else ``RATE01``."""
        try:
            return self.watch.call(self.plugin(name), who, call), None
        except BaseException as error:  # noqa: BLE001  whatever a plugin raises holds one account and must not stop the run
            if refused := refusal_of(error):
                what = f"{who}: {refused.what}"
                return None, Finding(code=refused.code, what=what, remedy=refused.remedy or "Correct the value", subject=subject)
            return None, Finding(
                code="RATE01",
                what=f"{who} of {self.plugin(name)} failed: {told(error)}",
                remedy=MEND,
                subject=subject,
            )

    def broken(self, name: str, what: str, subject: str) -> Finding:
        """Return the finding that a rater or model broke the contract."""
        return Finding(
            code="RATE03",
            what=f"{what} (plugin {self.plugin(name)})",
            remedy=MEND,
            subject=subject,
        )
