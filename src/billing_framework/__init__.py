"""A framework for billing systems: delivered work becomes charges, documents, ledger entries and settled open items.

Everything that a plugin may import stands here, in ``__all__``; whatever is not listed may change without notice.
"""

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from billing_framework.accounts.account import Account
    from billing_framework.accounts.agreement import Agreement
    from billing_framework.accounts.assignment import Assignment
    from billing_framework.accounts.party import Address, Party
    from billing_framework.exchange.answer_reader import AnsweredDocument, AnswerReader, AnswerRequest
    from billing_framework.exchange.exporter import (
        CheckRequest,
        ExportDocument,
        Exported,
        Exporter,
        ExportLine,
        ExportRequest,
        GivenAnswer,
    )
    from billing_framework.invoicing.document import Buyer, Document, Seller
    from billing_framework.invoicing.draft import DocumentKind, DraftDocument, DraftLine, Note, TaxLine, Totals
    from billing_framework.invoicing.review import (
        BilledQuantity,
        PastDocument,
        ReviewBatch,
        ReviewBounds,
        ReviewCheck,
        Reviewed,
        billed_quantities,
        median,
    )
    from billing_framework.plugin.hookspecs import hookimpl
    from billing_framework.rating.account_rater import AccountRecords, AccountRule, MeasureScale, account_rater
    from billing_framework.rating.charge import Charge, ChargeItem, ChargeShare, Origin, Step
    from billing_framework.rating.component_charge import component_charge, usage_charge
    from billing_framework.rating.figure import ByTerm, Figure, figure
    from billing_framework.rating.group import AgreementUsage, BillingGroup, KeyedUsage, Tile
    from billing_framework.rating.interval_index import IntervalIndex
    from billing_framework.rating.measure_rater import measure_rater
    from billing_framework.rating.models_tiered import Graduated, price_graduated
    from billing_framework.rating.price_plan import Component, PlanVersion, Proration, RoundingPlace
    from billing_framework.rating.pricing import ChargeModel, Priced, Pricing
    from billing_framework.rating.quantity_rule import Billed, QuantityRule
    from billing_framework.rating.rate_table import RateTable, RateTableKind, RateTableName, rate_table_field
    from billing_framework.rating.rate_table_columns import CodedColumn
    from billing_framework.rating.rated_columns import LineColumns, RatedColumns
    from billing_framework.rating.rater import Rater
    from billing_framework.rating.rating import Measure, Rating
    from billing_framework.rating.shard_twin import ShardTwin, rate_by_columns
    from billing_framework.rating.state import CarriedState
    from billing_framework.rating.tiers import Tier, Widths, portions, thresholds, tier_findings
    from billing_framework.rating.usage_columns import FieldColumn, UsageColumns
    from billing_framework.receivables.answer import (
        Adjustment,
        Answer,
        AnswerAdjustment,
        AnswerItem,
        AnswerLine,
        AnswerStatus,
        Treatment,
    )
    from billing_framework.taxing.tax import LineTax
    from billing_framework.usage.columnar.cells import CellBlock, cells_of
    from billing_framework.usage.columnar.line_blocks import LineBlock, line_blocks, rejoined
    from billing_framework.usage.columnar.record_columns import RecordColumns
    from billing_framework.usage.columnar.stamps import Instants, instants_of
    from billing_framework.usage.delimited import Layout, delimited_reader
    from billing_framework.usage.reader import BadRecord, Coverage, Reader, ReadItem, ReadRequest
    from billing_framework.usage.record import AnyUsage, Usage, UsageKind
    from billing_framework.values.clock import timezone
    from billing_framework.values.codes import CodePage, read_codes
    from billing_framework.values.columns import Column, Overflows, divide_columns, sum_groups
    from billing_framework.values.errors import (
        BillingError,
        ConfigurationError,
        ContractBroken,
        InputRefused,
        UnitMismatch,
        ValueRefused,
    )
    from billing_framework.values.finding import Finding, Severity
    from billing_framework.values.formats import format_date, format_money, format_number, format_quantity
    from billing_framework.values.money import Amount, Money, Rounding
    from billing_framework.values.number import exact, exact_text
    from billing_framework.values.period import DateSpan, Span, midnight
    from billing_framework.values.personal import is_erased, personal
    from billing_framework.values.price import UnitPrice
    from billing_framework.values.quantity import Quantity
    from billing_framework.values.rounding import RoundingMode, RoundingStep, allocate, divide, to_places, to_step
    from billing_framework.values.unit_definition import UnitDefinition
    from billing_framework.values.units import Units, define_units

__version__ = "0.1.0"

__all__ = [
    "Account",
    "AccountRecords",
    "AccountRule",
    "Address",
    "Adjustment",
    "Agreement",
    "AgreementUsage",
    "Amount",
    "Answer",
    "AnswerAdjustment",
    "AnswerItem",
    "AnswerLine",
    "AnswerReader",
    "AnswerRequest",
    "AnswerStatus",
    "AnsweredDocument",
    "AnyUsage",
    "Assignment",
    "BadRecord",
    "Billed",
    "BilledQuantity",
    "BillingError",
    "BillingGroup",
    "Buyer",
    "ByTerm",
    "CarriedState",
    "CellBlock",
    "Charge",
    "ChargeItem",
    "ChargeModel",
    "ChargeShare",
    "CheckRequest",
    "CodePage",
    "CodedColumn",
    "Column",
    "Component",
    "ConfigurationError",
    "ContractBroken",
    "Coverage",
    "DateSpan",
    "Document",
    "DocumentKind",
    "DraftDocument",
    "DraftLine",
    "ExportDocument",
    "ExportLine",
    "ExportRequest",
    "Exported",
    "Exporter",
    "FieldColumn",
    "Figure",
    "Finding",
    "GivenAnswer",
    "Graduated",
    "InputRefused",
    "Instants",
    "IntervalIndex",
    "KeyedUsage",
    "Layout",
    "LineBlock",
    "LineColumns",
    "LineTax",
    "Measure",
    "MeasureScale",
    "Money",
    "Note",
    "Origin",
    "Overflows",
    "Party",
    "PastDocument",
    "PlanVersion",
    "Priced",
    "Pricing",
    "Proration",
    "Quantity",
    "QuantityRule",
    "RateTable",
    "RateTableKind",
    "RateTableName",
    "RatedColumns",
    "Rater",
    "Rating",
    "ReadItem",
    "ReadRequest",
    "Reader",
    "RecordColumns",
    "ReviewBatch",
    "ReviewBounds",
    "ReviewCheck",
    "Reviewed",
    "Rounding",
    "RoundingMode",
    "RoundingPlace",
    "RoundingStep",
    "Seller",
    "Severity",
    "ShardTwin",
    "Span",
    "Step",
    "TaxLine",
    "Tier",
    "Tile",
    "Totals",
    "Treatment",
    "UnitDefinition",
    "UnitMismatch",
    "UnitPrice",
    "Units",
    "Usage",
    "UsageColumns",
    "UsageKind",
    "ValueRefused",
    "Widths",
    "__version__",
    "account_rater",
    "allocate",
    "billed_quantities",
    "cells_of",
    "component_charge",
    "define_units",
    "delimited_reader",
    "divide",
    "divide_columns",
    "exact",
    "exact_text",
    "figure",
    "format_date",
    "format_money",
    "format_number",
    "format_quantity",
    "hookimpl",
    "instants_of",
    "is_erased",
    "line_blocks",
    "measure_rater",
    "median",
    "midnight",
    "personal",
    "portions",
    "price_graduated",
    "rate_by_columns",
    "rate_table_field",
    "read_codes",
    "rejoined",
    "sum_groups",
    "thresholds",
    "tier_findings",
    "timezone",
    "to_places",
    "to_step",
    "usage_charge",
]

_NAMES = {
    "accounts.account": ("Account",),
    "accounts.agreement": ("Agreement",),
    "accounts.assignment": ("Assignment",),
    "accounts.party": ("Address", "Party"),
    "exchange.answer_reader": ("AnswerReader", "AnswerRequest", "AnsweredDocument"),
    "exchange.exporter": ("CheckRequest", "ExportDocument", "ExportLine", "ExportRequest", "Exported", "Exporter", "GivenAnswer"),
    "invoicing.document": ("Buyer", "Document", "Seller"),
    "invoicing.draft": ("DocumentKind", "DraftDocument", "DraftLine", "Note", "TaxLine", "Totals"),
    "invoicing.review": (
        "BilledQuantity",
        "PastDocument",
        "ReviewBatch",
        "ReviewBounds",
        "ReviewCheck",
        "Reviewed",
        "billed_quantities",
        "median",
    ),
    "plugin.hookspecs": ("hookimpl",),
    "rating.account_rater": ("AccountRecords", "AccountRule", "MeasureScale", "account_rater"),
    "rating.charge": ("Charge", "ChargeItem", "ChargeShare", "Origin", "Step"),
    "rating.component_charge": ("component_charge", "usage_charge"),
    "rating.figure": ("ByTerm", "Figure", "figure"),
    "rating.interval_index": ("IntervalIndex",),
    "rating.measure_rater": ("measure_rater",),
    "rating.models_tiered": ("Graduated", "price_graduated"),
    "rating.price_plan": ("Component", "PlanVersion", "Proration", "RoundingPlace"),
    "rating.quantity_rule": ("Billed", "QuantityRule"),
    "rating.rate_table": ("RateTable", "RateTableKind", "RateTableName", "rate_table_field"),
    "rating.rate_table_columns": ("CodedColumn",),
    "rating.rated_columns": ("LineColumns", "RatedColumns"),
    "rating.group": ("AgreementUsage", "BillingGroup", "KeyedUsage", "Tile"),
    "rating.pricing": ("ChargeModel", "Priced", "Pricing"),
    "rating.rater": ("Rater",),
    "rating.rating": ("Measure", "Rating"),
    "rating.shard_twin": ("ShardTwin", "rate_by_columns"),
    "rating.state": ("CarriedState",),
    "rating.tiers": ("Tier", "Widths", "portions", "thresholds", "tier_findings"),
    "rating.usage_columns": ("FieldColumn", "UsageColumns"),
    "receivables.answer": ("Adjustment", "Answer", "AnswerAdjustment", "AnswerItem", "AnswerLine", "AnswerStatus", "Treatment"),
    "taxing.tax": ("LineTax",),
    "usage.columnar.cells": ("CellBlock", "cells_of"),
    "usage.columnar.line_blocks": ("LineBlock", "line_blocks", "rejoined"),
    "usage.columnar.record_columns": ("RecordColumns",),
    "usage.columnar.stamps": ("Instants", "instants_of"),
    "usage.delimited": ("Layout", "delimited_reader"),
    "usage.reader": ("BadRecord", "Coverage", "ReadItem", "ReadRequest", "Reader"),
    "usage.record": ("AnyUsage", "Usage", "UsageKind"),
    "values.clock": ("timezone",),
    "values.codes": ("CodePage", "read_codes"),
    "values.columns": ("Column", "Overflows", "divide_columns", "sum_groups"),
    "values.errors": ("BillingError", "ConfigurationError", "ContractBroken", "InputRefused", "UnitMismatch", "ValueRefused"),
    "values.finding": ("Finding", "Severity"),
    "values.formats": ("format_date", "format_money", "format_number", "format_quantity"),
    "values.money": ("Amount", "Money", "Rounding"),
    "values.number": ("exact", "exact_text"),
    "values.period": ("DateSpan", "Span", "midnight"),
    "values.personal": ("is_erased", "personal"),
    "values.price": ("UnitPrice",),
    "values.quantity": ("Quantity",),
    "values.rounding": ("RoundingMode", "RoundingStep", "allocate", "divide", "to_places", "to_step"),
    "values.unit_definition": ("UnitDefinition",),
    "values.units": ("Units", "define_units"),
}
_MODULE_OF = {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names}

if not TYPE_CHECKING:  # a type checker is to refuse a name that is not listed

    def __getattr__(name: str) -> Any:
        """Return a name when it is first asked for, so that a command waits only for the modules that it needs."""
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            found = getattr(importlib.import_module(_MODULE_OF[name]), name)
        except ModuleNotFoundError as error:
            if error.name != "polars":
                raise
            from billing_framework.values.extras import stand_in  # noqa: PLC0415 - only where the extra is missing

            found = stand_in(name)
        globals()[name] = found
        return found


def __dir__() -> Sequence[str]:
    """Return all names, those too that nobody has asked for yet."""
    return __all__
