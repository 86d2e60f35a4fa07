"""Every hook of the framework, in the order of a run. A plugin implements the ones it needs with `hookimpl`.

Offers are plural nouns: called once when a deployment opens; they return frozen, named values, and a name that two plugins
offer is an error that names both. Moments are verbs: called per batch, never per row. None means "nothing" everywhere.
Plugins are asked in the order in which ``billing.toml`` names them. What they return is checked again before it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from billing_framework.exchange.answer_reader import AnswerReader
    from billing_framework.exchange.exporter import Exporter
    from billing_framework.invoicing.draft import DraftDocument, Note
    from billing_framework.invoicing.review import ReviewCheck
    from billing_framework.rating.pricing import ChargeModel
    from billing_framework.rating.rate_table import RateTableKind
    from billing_framework.rating.rater import Rater
    from billing_framework.usage.reader import Reader
    from billing_framework.usage.record import UsageKind
    from billing_framework.values.codes import CodePage
    from billing_framework.values.unit_definition import UnitDefinition

PROJECT = "billing_framework"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def billing_settings() -> type | None:
    """Offer the class of the plugin's own settings.

    Called once when the deployment opens, before every other hook of the plugin. The table ``[plugin.NAME]`` of
    ``billing.toml`` is structured into the returned frozen attrs class; a misspelt key is an error with its line. The instance
    is handed to the plugin's raters as ``group.settings``, to its readers as ``request.settings`` and to its review checks as
    ``batch.settings``. None: the plugin has no settings.

    Example:
        import attrs
        from billing_framework import hookimpl

        @attrs.frozen(kw_only=True)
        class Settings:
            rollover_limit: int = 2

        @hookimpl
        def billing_settings():
            return Settings
    """


@hookspec
def billing_codes() -> Sequence[CodePage] | None:
    """Offer the pages of the codes that the plugin's findings and errors bear.

    Called once when the deployment opens. Each code appears with its meaning and remedy in the reference and in
    ``billing plugin show``. A code of the core or of another plugin is a clash. None: the plugin has no codes of its own.

    Example:
        from billing_framework import CodePage, hookimpl

        @hookimpl
        def billing_codes():
            return [CodePage(code="PARK01", title="Gate unknown", meaning="The gate is not in the plan.", remedy="Add the gate.")]
    """


@hookspec
def billing_units() -> Sequence[UnitDefinition] | None:
    """Offer units of the trade.

    Called once when the deployment opens; the definitions of all plugins make one registry, which yields exact factors
    between units of one dimension and refuses the rest. None: the units of the core are enough.

    Example:
        from billing_framework import UnitDefinition, hookimpl

        @hookimpl
        def billing_units():
            return [UnitDefinition("parking_shift", "8 * hour")]
    """


@hookspec
def billing_usage_kinds() -> Sequence[UsageKind] | None:
    """Offer kinds of usage records.

    Called once when the deployment opens. From the attrs class of each kind the core derives the table, the checks of every
    record, the reference documentation and the columns. Exactly one rater must rate each kind. None: no kinds.

    Example:
        import attrs
        from billing_framework import UsageKind, hookimpl

        @attrs.frozen(kw_only=True)
        class Stay:
            minutes: int
            gate: str = ""

        @hookimpl
        def billing_usage_kinds():
            return [UsageKind(name="stay", title="A parked car, from entry to exit", body=Stay)]
    """


@hookspec
def billing_readers() -> Sequence[Reader] | None:
    """Offer file formats.

    Called once when the deployment opens; ``billing usage intake FILE --format NAME`` finds the reader by its name. A reader
    yields records, unreadable records, findings and coverage one by one, and never holds the file in memory. None: no formats.

    Example:
        from datetime import UTC, datetime
        import attrs
        from billing_framework import Reader, Span, Usage, hookimpl

        @attrs.frozen(kw_only=True)
        class Stay:
            minutes: int

        def read_stays(stream, request):
            for number, line in enumerate(stream, start=1):
                ticket, car, minutes, left = line.decode().split()
                yield Usage(kind="stay", source=request.source, external_id=ticket, subject=car, line=number,
                            span=Span.at(datetime.fromisoformat(left).astimezone(UTC)), body=Stay(minutes=int(minutes)))

        @hookimpl
        def billing_readers():
            return [Reader(format="stays", title="Exit tickets", kinds=("stay",), read=read_stays)]
    """


@hookspec
def billing_raters() -> Sequence[Rater] | None:
    """Offer raters: what turns usage records of some kinds into measures that plan components price, or into charges.

    Called once when the deployment opens. The rater's function is later called once per billing group and run, and again when
    a line is explained; it must be pure. Each kind has one rater; two are a clash. None: the plugin rates nothing.

    Example:
        from billing_framework import Rater, Rating, hookimpl

        def rate(group):
            keys = [record.key for agreement in group.agreements for record in agreement.records]
            return Rating(unpriced={key: "parking is free this year" for key in keys})

        @hookimpl
        def billing_raters():
            return [Rater(name="free_parking", kinds=("stay",), rate=rate)]
    """


@hookspec
def billing_rate_tables() -> Sequence[RateTableKind] | None:
    """Offer kinds of rate tables: dated tables of prices, loaded from CSV files, that components of a price plan may name.

    Called once when the deployment opens. A kind's name begins with the name of its plugin and a full stop. The row class says
    which columns a file has; `rate_table_field` in a model's parameters names the table, `usage.table(code, on)` finds its
    version in rating. None: no rate tables.

    Example:
        from fractions import Fraction
        import attrs
        from billing_framework import RateTableKind, RateTableName, hookimpl, rate_table_field

        @attrs.frozen(kw_only=True)
        class ZonePrice:
            zone: str
            price: Fraction

        @attrs.frozen(kw_only=True)
        class ByZone:
            prices: RateTableName = rate_table_field("example.zones")

        @hookimpl
        def billing_rate_tables():
            return [RateTableKind(name="example.zones", title="Prices by zone", row=ZonePrice, key=("zone",), prices=("price",))]
    """


@hookspec
def billing_charge_models() -> Sequence[ChargeModel] | None:
    """Offer ways of pricing that components of a price plan may name.

    Called once when the deployment opens. A model's name begins with the name of its plugin and a full stop. Its function is
    later called once per component and tile; it must be pure. None: the charge models of the core are enough.

    Example:
        import attrs
        from billing_framework import ChargeModel, Priced, hookimpl

        @attrs.frozen(kw_only=True)
        class Free:
            reason: str = ""

        @hookimpl
        def billing_charge_models():
            return [ChargeModel(name="example.free", title="Costs nothing", params=Free, price=lambda pricing: Priced())]
    """


@hookspec
def billing_documents_drafted(documents: Sequence[DraftDocument]) -> Sequence[Note] | None:
    """Add printed notes to the drafts of a batch.

    Called once per saved batch of drafts (a shard, or an edited draft alone), after taxes and totals are fixed and before
    review; called again with the same drafts it must return the same notes. Each note names its document; notes are the only
    addition, and a note for a document that is not in the batch stops the run. None: no notes.

    Args:
        documents: the drafts; they must not be changed.

    Example:
        from billing_framework import Note, hookimpl

        @hookimpl
        def billing_documents_drafted(documents):
            return [Note(kind="estimate", text="Estimated", document=draft.key) for draft in documents if draft.is_estimated]
    """


@hookspec
def billing_review_checks() -> Sequence[ReviewCheck] | None:
    """Offer checks that hold drafts for an officer, with the evidence.

    Called once when the deployment opens. A check's function is later called once per batch of drafts with the history of
    their accounts, and returns findings. None: the checks of the core are enough.

    Example:
        from billing_framework import ReviewCheck, hookimpl

        @hookimpl
        def billing_review_checks():
            return [ReviewCheck(name="example.nothing_odd", title="Nothing is odd", check=lambda batch: [])]
    """


@hookspec
def billing_exporters() -> Sequence[Exporter] | None:
    """Offer file formats in which issued documents leave.

    Called once when the deployment opens; ``billing invoice export NUMBER --format NAME`` finds the exporter by its name, and
    ``billing file check FILE --format NAME`` its check. Both are pure: the same documents, settings and options at the same
    instant make the same bytes. None: no formats.

    Example:
        from billing_framework import Exported, Exporter, hookimpl

        def write_totals(documents, request):
            rows = [f"{one.number};{one.document.content.totals.payable}" for one in documents]
            return Exported(data=" ".join(rows).encode())

        @hookimpl
        def billing_exporters():
            return [Exporter(format="totals", title="Number and total", suffix=".txt", write=write_totals)]
    """


@hookspec
def billing_answer_readers() -> Sequence[AnswerReader] | None:
    """Offer formats in which third parties answer documents: what they pay, reduce, refuse, and leave to others.

    Called once when the deployment opens; ``billing answer import FILE --format NAME`` finds the reader by its name. The reader
    says what the file says and classifies its codes; whether it adds up, and what is booked, is the core's. None: no formats.

    Example:
        from datetime import date
        from billing_framework import Answer, AnswerItem, AnswerReader, AnswerStatus, Money, hookimpl

        def read_slips(stream, request):
            for line in stream:
                trace, number, paid, on = line.decode().split()
                money = Money.of(paid, request.currency)
                item = AnswerItem(key=number, document=number, status=AnswerStatus.ANSWERED, billed=money, paid=money)
                yield Answer(payer="town", trace=trace, money=money, paid_on=date.fromisoformat(on), items=(item,))

        @hookimpl
        def billing_answer_readers():
            return [AnswerReader(format="slips", title="Payment slips of the town", read=read_slips)]
    """
