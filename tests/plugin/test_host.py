"""The host: plugins are asked once, in order; every clash and every broken promise is told with its plugin."""

import types
from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import attrs
import pytest

from billing_framework.accounts.account import Account
from billing_framework.exchange.answer_reader import AnswerReader
from billing_framework.exchange.exporter import Exported, Exporter
from billing_framework.invoicing.draft import DraftDocument, Note, draft_document
from billing_framework.invoicing.review import ReviewCheck
from billing_framework.plugin.hookspecs import hookimpl
from billing_framework.plugin.host import Host
from billing_framework.plugin.offers import hook_names
from billing_framework.rating.pricing import ChargeModel, Priced
from billing_framework.rating.rate_table import RateTableKind
from billing_framework.rating.rater import Rater
from billing_framework.rating.rating import Rating
from billing_framework.usage.reader import Reader
from billing_framework.usage.record import UsageKind
from billing_framework.values.codes import CodePage
from billing_framework.values.errors import ConfigurationError, ContractBroken, NotFound
from billing_framework.values.period import DateSpan
from billing_framework.values.unit_definition import UnitDefinition


@attrs.frozen(kw_only=True)
class Stay:
    minutes: int


@attrs.frozen(kw_only=True)
class Limits:
    limit: int = 1


@attrs.frozen(kw_only=True)
class Fee:
    hours: int
    price: Fraction


STAY = UsageKind(name="stay", title="A stay", body=Stay)


def plugin(**hooks: Callable[..., Any]) -> types.ModuleType:
    made = types.ModuleType("plugin")
    for name, function in hooks.items():
        setattr(made, name, hookimpl(function))
    return made


def rater(name: str = "parking", *kinds: str) -> Rater:
    return Rater(name=name, kinds=kinds or ("stay",), rate=lambda _: Rating())


def reader(name: str = "tickets", *kinds: str) -> Reader:
    return Reader(format=name, title="Tickets", kinds=kinds or ("stay",), read=lambda *_: iter(()))


def check(name: str) -> ReviewCheck:
    return ReviewCheck(name=name, title="Odd", check=lambda _: [])


def exporter(name: str = "tickets") -> Exporter:
    return Exporter(format=name, title="Tickets", suffix=".txt", write=lambda *_: Exported())


def model(name: str) -> ChargeModel:
    return ChargeModel(name=name, title="Free", params=Limits, price=lambda _: Priced())


def parking() -> types.ModuleType:
    return plugin(
        billing_settings=lambda: Limits,
        billing_codes=lambda: [CodePage(code="PARK01", title="t", meaning="m", remedy="r")],
        billing_units=lambda: [UnitDefinition("shift", "8 * hour")],
        billing_usage_kinds=lambda: [STAY],
        billing_readers=lambda: [reader()],
        billing_raters=lambda: [rater()],
        billing_rate_tables=lambda: [
            RateTableKind(name="parking.fees", title="Fees", row=Fee, key=("hours",), prices=("price",))
        ],
        billing_charge_models=lambda: [model("parking.free")],
        billing_review_checks=lambda: [check("parking.odd")],
        billing_documents_drafted=lambda documents: [Note("information", "Drive safely", draft.key) for draft in documents],
        billing_exporters=lambda: [exporter()],
        billing_answer_readers=lambda: [AnswerReader(format="slips", title="Slips", read=lambda *_: iter(()))],
    )


def test_everything_that_a_plugin_offers_is_found_by_name() -> None:
    host = Host.build([("parking", parking())], settings={"parking": {"limit": 5}})
    assert host.kinds == {"stay": STAY}
    assert host.readers["tickets"].title == "Tickets"
    assert host.rater_of_kind["stay"] is host.raters["parking"]
    assert "parking.free" in host.charge_models
    assert "graduated" in host.charge_models
    assert host.units.factor("shift", "minute") == 480
    assert host.codes["PARK01"].remedy == "r"
    assert host.review_checks[-1].name == "parking.odd"
    assert host.settings_of_rater("parking") == Limits(limit=5)
    assert host.rate_tables["parking.fees"].row is Fee
    assert host.exporter("tickets")[1] == Limits(limit=5)
    assert host.answer_reader("slips")[1] == Limits(limit=5)
    assert host.plugins[0].hooks == hook_names()


def test_the_core_alone_has_its_own_models_checks_codes_and_units() -> None:
    host = Host.build()
    assert {"recurring", "graduated", "percentage"} <= host.charge_models.keys()
    assert host.review_checks
    assert "PLUGIN02" in host.codes
    assert host.kinds == {}


def test_each_offer_is_asked_for_once() -> None:
    asked: list[str] = []
    Host.build(
        [("one", plugin(billing_usage_kinds=lambda: asked.append("kinds"), billing_readers=lambda: asked.append("readers")))]
    )
    assert sorted(asked) == ["kinds", "readers"]


def test_plugins_are_asked_in_their_order_whatever_pluggy_thinks() -> None:
    first = plugin(billing_review_checks=lambda: [check("b")])
    second = types.ModuleType("second")
    function = hookimpl(lambda: [check("a")], tryfirst=True)
    vars(second)["billing_review_checks"] = function
    host = Host.build([("first", first), ("second", second)])
    assert [found.name for found in host.review_checks][-2:] == ["b", "a"]


CLASHES = [
    ("kinds", {"billing_usage_kinds": lambda: [STAY]}, "UsageKind 'stay'"),
    ("readers", {"billing_readers": lambda: [reader()]}, "Reader 'tickets'"),
    ("raters", {"billing_raters": lambda: [rater()]}, "Rater 'parking'"),
    ("two raters of one kind", {"billing_raters": lambda: [rater("other")]}, "'stay' is rated by 'parking'"),
    (
        "checks",
        {"billing_review_checks": lambda: [ReviewCheck(name="parking.odd", title="", check=lambda _: [])]},
        "'parking.odd'",
    ),
    ("codes", {"billing_codes": lambda: [CodePage(code="PARK01", title="t", meaning="m", remedy="r")]}, "'PARK01'"),
    ("units", {"billing_units": lambda: [UnitDefinition("shift", "9 * hour")]}, "'shift'"),
]


@pytest.mark.parametrize(("hooks", "what"), [row[1:] for row in CLASHES], ids=[row[0] for row in CLASHES])
def test_a_clash_names_both_plugins(hooks: dict[str, Callable[..., Any]], what: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Host.build([("parking", parking()), ("garage", plugin(**hooks))])
    assert caught.value.code == "PLUGIN02"
    assert what in caught.value.what
    assert "'parking'" in caught.value.what
    assert "'garage'" in caught.value.what


def test_a_code_of_the_core_cannot_be_taken() -> None:
    taken = plugin(billing_codes=lambda: [CodePage(code="USAGE02", title="t", meaning="m", remedy="r")])
    with pytest.raises(ConfigurationError, match="'core' and 'parking'"):
        Host.build([("parking", taken)])


@pytest.mark.parametrize("name", ["core", "parking"])
def test_a_plugin_name_is_taken_once(name: str) -> None:
    with pytest.raises(ConfigurationError, match="taken") as caught:
        Host.build([("parking", plugin()), (name, plugin())])
    assert caught.value.code == "PLUGIN01"


def no_readers() -> list[Reader]:
    return []


def test_a_hook_that_does_not_exist_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigurationError, match="billing_readers") as caught:
        Host.build([("parking", plugin(billing_reader=no_readers))])
    assert caught.value.code == "PLUGIN03"


def test_an_argument_that_a_hook_does_not_give_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="parking") as caught:
        Host.build([("parking", plugin(billing_readers=lambda settings: settings))])
    assert caught.value.code == "PLUGIN03"


def test_a_forgotten_mark_is_told_because_the_hook_would_never_be_called() -> None:
    unmarked = types.ModuleType("unmarked")
    vars(unmarked)["billing_readers"] = list
    with pytest.raises(ConfigurationError, match="@hookimpl") as caught:
        Host.build([("parking", unmarked)])
    assert caught.value.code == "PLUGIN03"


BROKEN = [
    ("no sequence", {"billing_readers": lambda: 3}),
    ("text", {"billing_readers": lambda: "tickets"}),
    ("wrong class", {"billing_readers": lambda: [STAY]}),
    ("settings no class", {"billing_settings": lambda: {"limit": 1}}),
    ("model without prefix", {"billing_charge_models": lambda: [model("free")]}),
]


@pytest.mark.parametrize("hooks", [row[1] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_wrong_answer_breaks_the_contract(hooks: dict[str, Callable[..., Any]]) -> None:
    with pytest.raises(ContractBroken, match="parking") as caught:
        Host.build([("parking", plugin(**hooks))])
    assert caught.value.code == "PLUGIN04"
    assert caught.value.exit_code == 70


def test_a_plugin_that_fails_is_named_with_its_hook() -> None:
    with pytest.raises(ContractBroken, match="billing_readers of plugin parking failed: ZeroDivisionError") as caught:
        Host.build([("parking", plugin(billing_readers=lambda: 1 // 0))])
    assert caught.value.code == "PLUGIN05"


@pytest.mark.parametrize(
    "hooks", [{"billing_readers": lambda: [reader("x", "stey")]}, {"billing_raters": lambda: [rater("x", "stey")]}]
)
def test_a_kind_that_nobody_offers_is_told_with_the_nearest(hooks: dict[str, Callable[..., Any]]) -> None:
    with pytest.raises(ConfigurationError, match="'stay'") as caught:
        Host.build([("parking", plugin(billing_usage_kinds=lambda: [STAY], **hooks))])
    assert caught.value.code == "PLUGIN09"


def test_an_unknown_format_offers_the_nearest() -> None:
    with pytest.raises(NotFound, match="'tickets'") as caught:
        Host.build([("parking", parking())]).reader("ticket")
    assert caught.value.code == "PLUGIN07"


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="limit"):
        Host.build([("parking", parking())], settings={"parking": {"limits": 5}})


ACCOUNT = Account(code="A1", party="P1", book="B", currency="USD")
JULY = DateSpan(date(2026, 7, 1), date(2026, 8, 1))


def draft(key: int) -> DraftDocument:
    return draft_document(
        key=key, account=ACCOUNT, period=JULY, issue_on=JULY.end, due_on=JULY.end, charges=(), nets=(), line_taxes=(), taxes=()
    )


def drafted(function: Callable[..., Any]) -> tuple[Note, ...]:
    return Host.build([("parking", plugin(billing_documents_drafted=function))]).documents_drafted([draft(2), draft(1)])


def test_notes_come_in_the_order_of_the_documents() -> None:
    notes = drafted(lambda documents: [Note("legal", f"n{one.key}", one.key) for one in reversed(documents)])
    assert [note.document for note in notes] == [2, 1]


def no_notes(documents: Sequence[DraftDocument]) -> None:
    assert documents


def a_note_for_a_stranger(documents: Sequence[DraftDocument]) -> list[Note]:
    return [Note("legal", "x", 99 + documents[0].key)]


def test_no_plugin_no_note() -> None:
    assert Host.build().documents_drafted([draft(1)]) == ()
    assert drafted(no_notes) == ()


@pytest.mark.parametrize(
    ("function", "code"),
    [
        (a_note_for_a_stranger, "PLUGIN08"),
        (lambda documents: documents, "PLUGIN04"),
        (lambda documents: documents[5], "PLUGIN05"),
        (lambda documents: object.__setattr__(documents[0], "currency", "EUR"), "PLUGIN08"),
    ],
    ids=["stranger", "not a note", "fails", "changes a draft"],
)
def test_what_a_moment_may_not_do_stops_the_batch(function: Callable[..., Any], code: str) -> None:
    with pytest.raises(ContractBroken, match="parking") as caught:
        drafted(function)
    assert caught.value.code == code


def fees(name: str = "parking.fees", **changed: Any) -> RateTableKind:
    return RateTableKind(**{"name": name, "title": "Fees", "row": Fee, "key": ("hours",), "prices": ("price",), **changed})


@pytest.mark.parametrize(
    ("kind", "code", "named"),
    [
        (fees("fees"), "PLUGIN04", "parking.fees"),
        (fees(prices=("fee",)), "PLUGIN11", "'fee'"),
        (fees(key=("hour",)), "PLUGIN11", "'hours'"),
        (fees(key=()), "PLUGIN11", "no key"),
        (fees(row=attrs.make_class("Open", {"hours": attrs.field(type=int)}), prices=()), "PLUGIN11", "can be changed"),
        (fees(row=attrs.make_class("Odd", {"hours": attrs.field(type=float)}, frozen=True), prices=()), "PLUGIN11", "float"),
    ],
)
def test_a_rate_table_kind_that_cannot_be_is_refused(kind: RateTableKind, code: str, named: str) -> None:
    with pytest.raises(ContractBroken) as caught:
        Host.build([("parking", plugin(billing_rate_tables=lambda: [kind]))])
    assert caught.value.code == code
    assert named in str(caught.value)
