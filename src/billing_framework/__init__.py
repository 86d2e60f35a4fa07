"""A framework for billing systems: delivered work becomes charges, documents, ledger entries and settled open items.

Everything that a plugin may import stands here, in ``__all__``; whatever is not listed may change without notice.
"""

import importlib
from typing import TYPE_CHECKING, Any

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
from billing_framework.rating.measure_rater import measure_rater
from billing_framework.rating.models_tiered import Graduated, price_graduated
from billing_framework.rating.price_plan import Component, PlanVersion, Proration, RoundingPlace
from billing_framework.rating.quantity_rule import Billed, QuantityRule
from billing_framework.rating.rate_table import RateTable, RateTableKind, RateTableName, rate_table_field
from billing_framework.rating.rater import (
    AgreementUsage,
    BillingGroup,
    ChargeModel,
    KeyedUsage,
    Measure,
    Priced,
    Pricing,
    Rater,
    Rating,
    Tile,
)
from billing_framework.rating.shard_twin import ShardTwin, rate_by_columns
from billing_framework.rating.state import CarriedState
from billing_framework.rating.tiers import Tier, Widths, portions, thresholds, tier_findings
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
from billing_framework.usage.delimited import Layout, delimited_reader
from billing_framework.usage.reader import BadRecord, Coverage, Reader, ReadItem, ReadRequest
from billing_framework.usage.record import AnyUsage, Usage, UsageKind
from billing_framework.values.clock import timezone
from billing_framework.values.codes import CodePage, read_codes
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
from billing_framework.values.units import UnitDefinition, Units, define_units

if TYPE_CHECKING:
    from billing_framework.rating.interval_index import IntervalIndex
    from billing_framework.rating.rate_table_columns import CodedColumn
    from billing_framework.rating.rated_columns import LineColumns, RatedColumns
    from billing_framework.rating.usage_columns import FieldColumn, UsageColumns
    from billing_framework.usage.columnar.cells import CellBlock, cells_of
    from billing_framework.usage.columnar.line_blocks import LineBlock, line_blocks, rejoined
    from billing_framework.usage.columnar.record_columns import RecordColumns
    from billing_framework.usage.columnar.stamps import Instants, instants_of
    from billing_framework.values.columns import Column, Overflows, divide_columns, sum_groups

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


_WITH_NUMPY = {
    "CellBlock": "usage.columnar.cells",
    "CodedColumn": "rating.rate_table_columns",
    "Column": "values.columns",
    "FieldColumn": "rating.usage_columns",
    "Instants": "usage.columnar.stamps",
    "IntervalIndex": "rating.interval_index",
    "LineBlock": "usage.columnar.line_blocks",
    "LineColumns": "rating.rated_columns",
    "Overflows": "values.columns",
    "RatedColumns": "rating.rated_columns",
    "RecordColumns": "usage.columnar.record_columns",
    "UsageColumns": "rating.usage_columns",
    "cells_of": "usage.columnar.cells",
    "divide_columns": "values.columns",
    "instants_of": "usage.columnar.stamps",
    "line_blocks": "usage.columnar.line_blocks",
    "rejoined": "usage.columnar.line_blocks",
    "sum_groups": "values.columns",
}


def __getattr__(name: str) -> Any:
    """Return what needs numpy when it is first asked for, so that a command without columns does not wait for it."""
    if name in _WITH_NUMPY:
        return getattr(importlib.import_module(f"billing_framework.{_WITH_NUMPY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
