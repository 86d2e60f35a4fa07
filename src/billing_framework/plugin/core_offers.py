"""What the core itself offers, by the same hooks as any plugin: codes, charge models, review checks and the plainest exporter."""

from __future__ import annotations

from collections.abc import Sequence

from billing_framework.exchange.exporter import Exporter
from billing_framework.exchange.lines_csv import document_lines
from billing_framework.invoicing.review import ReviewCheck
from billing_framework.invoicing.review_checks import core_checks
from billing_framework.plugin.hookspecs import hookimpl
from billing_framework.rating.charge_models import core_models
from billing_framework.rating.pricing import ChargeModel
from billing_framework.values.codes import CodePage, core_codes


@hookimpl
def billing_codes() -> Sequence[CodePage]:
    """Offer the codes of the core."""
    return tuple(core_codes().values())


@hookimpl
def billing_charge_models() -> Sequence[ChargeModel]:
    """Offer the charge models that every deployment has."""
    return core_models()


@hookimpl
def billing_review_checks() -> Sequence[ReviewCheck]:
    """Offer the checks that every run makes."""
    return core_checks()


@hookimpl
def billing_exporters() -> Sequence[Exporter]:
    """Offer the exporter that every deployment has."""
    return (document_lines(),)
