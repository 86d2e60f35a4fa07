from __future__ import annotations

import hashlib
import time
from datetime import date
from decimal import Inexact, getcontext, localcontext
from fractions import Fraction

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.rating.charge_models import core_models
from billing_framework.rating.figure import ByTerm
from billing_framework.rating.plan_check import check_plan, known_measures, stopping
from billing_framework.rating.plan_diff import diff
from billing_framework.rating.plan_file import params_by_model, parse_plan, read_plan
from billing_framework.rating.price_plan import Correction, PlanVersion, Proration, RoundingPlace
from billing_framework.rating.rater import Rater
from billing_framework.rating.rating import Rating
from billing_framework.values.errors import InputRefused
from billing_framework.values.finding import Finding
from billing_framework.values.money import Rounding
from billing_framework.values.rounding import RoundingMode

PARAMS = params_by_model(core_models())
MODELS = {model.name: model for model in core_models()}

GOOD = """schema = 1

[plan]
code = "residential"
version = "2026-07"
valid_from = 2026-07-01
currency = "USD"
rounding = { place = "component", mode = "half_even", step_minor = 5 }
proration = "fixed_days"
fixed_days = 28
correction = "cascade"
supersedes = "2026-06"
reason = "The ordinance came into force later"

[[component]]
code = "service"
title = { en = "Service charge", de = "Grundpreis" }
model = "recurring"
charge_code = "service.fixed"
tax_category = "standard"
price = { term = "meter", values = { "5/8" = "12.70" } }

[[component]]
code = "energy"
title = { en = "Energy" }
model = "graduated"
charge_code = "energy"
tax_category = "standard"
measure = "energy"
unit = "kWh"
tiers = [
    { to = "400", price = "0.10" },
    { price = "100/3" },
]

[[component]]
code = "rider"
title = { en = "Rider" }
model = "percentage"
charge_code = "rider"
tax_category = "standard"
percent = "-2.5"
of = ["energy"]
"""


def read(text: str) -> tuple[Finding, ...]:
    return read_plan(text.encode(), file="plan.toml", params=PARAMS).findings


def checked(text: str, **given: object) -> list[Finding]:
    plan = parse_plan(text.encode(), file="plan.toml", params=PARAMS)
    return list(check_plan(plan, models=MODELS, file="plan.toml", **given))  # type: ignore[arg-type]


def test_a_good_plan_is_read_whole() -> None:
    plan = parse_plan(GOOD.encode(), file="plan.toml", params=PARAMS)
    assert (plan.name, plan.valid_from, plan.valid_to, plan.currency) == ("residential@2026-07", date(2026, 7, 1), None, "USD")
    assert (plan.rounding, plan.rounding_place) == (Rounding(RoundingMode.HALF_EVEN, 5), RoundingPlace.COMPONENT)
    assert (plan.proration, plan.fixed_days, plan.correction) == (Proration.FIXED_DAYS, 28, Correction.CASCADE)
    assert (plan.supersedes, plan.reason) == ("2026-06", "The ordinance came into force later")
    assert plan.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()
    assert plan.source == GOOD
    service, energy, rider = plan.components
    assert service.title("de_CH") == "Grundpreis"
    assert service.title("fr_FR") == "Service charge"
    assert service.params.price == ByTerm("meter", {"5/8": Fraction("12.7")})
    assert energy.params.tiers[1].price == Fraction(100, 3)
    assert rider.params.of == ("energy",)
    assert check_plan(plan, models=MODELS, measures=["energy"]) == ()


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "field", "remedy"),
    [
        ('price = "0.10"', "price = 0.10", "PLAN04", 31, "component[2].tiers[1].price", '"0.1234"'),
        ("step_minor = 5", 'step_minor = "5"', "PLAN04", 8, "plan.rounding.step_minor", "without quotes"),
        ("step_minor = 5", "step_minor = 0", "PLAN12", 8, "plan.rounding.step_minor", "Correct"),
        ("valid_from = 2026-07-01", "valid_from = 2026-07-01T00:00:00Z", "PLAN04", 6, "plan.valid_from", "2026-07-31"),
        ("currency", "curency", "PLAN02", 7, "plan.curency", "'currency'"),
        ('currency = "USD"', 'currency = "USX"', "VALUE05", 7, "plan.currency", "EUR"),
        ('"component"', '"komponent"', "PLAN04", 8, "plan.rounding.place", "'component'"),
        ("measure = ", "mesure = ", "PLAN02", 29, "component[2].mesure", "'measure'"),
        ('model = "graduated"', 'model = "graduatet"', "PLAN05", 26, "component[2].model", "'graduated'"),
        ('unit = "kWh"\n', "", "PLAN03", 23, "component[2].unit", "unit"),
        ('{ en = "Energy" }', '{ de = "Energie" }', "PLAN09", 25, "component[2].title", "en"),
        ('tax_category = "standard"\nprice', "price", "PLAN03", 15, "component[1].tax_category", "tax_category"),
        ('percent = "-2.5"', 'percent = "2,5"', "VALUE01", 42, "component[3].percent", "decimal point"),
        ("schema = 1", "schema = 2", "PLAN17", 1, "schema", "schema = 1"),
        ("[plan]", "[plan]\n[plans]", "PLAN02", 4, "plans", "'plan'"),
        ('code = "residential"', 'code = ""', "VALUE27", 4, "plan.code", "100 letters"),
        ('code = "residential"', 'code = "a@b"', "VALUE27", 4, "plan.code", "100 letters"),
        ('tax_category = "standard"', 'tax_category = "a b"', "VALUE27", 20, "component[1].tax_category", "100 letters"),
        ('{ en = "Energy" }', '{ en = "\\u001b[2J" }', "VALUE28", 25, "component[2].title", "printable"),
        ("[plan]", "[plan", "PLAN01", 3, "", "toml.io"),
    ],
)
def test_what_is_wrong_names_place_and_remedy(old: str, new: str, code: str, line: int, field: str, remedy: str) -> None:
    findings = read(GOOD.replace(old, new, 1))
    found = [finding for finding in findings if finding.code == code]
    assert found, findings
    assert (found[0].file, found[0].line, found[0].field) == ("plan.toml", line, field)
    assert remedy in found[0].remedy
    assert found[0].stops


def test_a_refused_plan_says_how_much_else_is_wrong() -> None:
    text = GOOD.replace('price = "0.10"', "price = 0.10").replace('percent = "-2.5"', "percent = true")
    with pytest.raises(
        InputRefused, match=r"plan.toml:31: component\[2\].tiers\[1\].price: PLAN04 .*; 1 more, see billing plan check"
    ):
        parse_plan(text.encode(), file="plan.toml", params=PARAMS)


def test_an_empty_file_and_other_bytes_are_refused() -> None:
    assert {finding.code for finding in read("")} == {"PLAN03", "PLAN17"}
    assert [finding.code for finding in read_plan(b"\xff\xfe", file="p", params=PARAMS).findings] == ["PLAN01"]
    assert {finding.code for finding in read('schema = 1\nplan = "x"\ncomponent = "y"\n')} == {"PLAN03", "PLAN04"}


@given(st.integers(0, len(GOOD) - 1), st.text(max_size=3), st.integers(0, 3))
def test_a_damaged_file_gives_a_plan_or_findings_and_nothing_else(place: int, put: str, cut: int) -> None:
    damaged = GOOD[:place] + put + GOOD[place + cut :]
    found = read_plan(damaged.encode("utf-8", "surrogatepass"), file="plan.toml", params=PARAMS)
    assert (found.plan is None) == bool(found.findings)


def test_a_hostile_decimal_context_changes_nothing() -> None:
    with localcontext() as context:
        context.prec = 2
        context.traps[Inexact] = True
        plan = parse_plan(GOOD.replace('"0.10"', '"0.123456789012345"').encode(), file="plan.toml", params=PARAMS)
    assert plan.components[1].params.tiers[0].price == Fraction("0.123456789012345")
    assert getcontext().prec == 28


def test_models_that_raters_price_themselves_are_known() -> None:
    rater = Rater(name="calls", kinds=("call",), rate=lambda _group: Rating(), models={"telecom.rated": type(GOOD)})
    assert set(params_by_model(core_models(), [rater])) == {*MODELS, "telecom.rated"}


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ('code = "rider"', 'code = "energy"', "PLAN06", 23),
        ('to = "400", ', "", "PLAN07", 31),
        ('{ price = "100/3" }', '{ to = "400", price = "1" }', "PLAN07", 31),
        ('{ price = "100/3" }', '{ to = "500", price = "1" }', "PLAN07", 31),
        ('of = ["energy"]', 'of = ["energi"]', "PLAN08", 43),
        ('of = ["energy"]', 'of = ["rider"]', "PLAN08", 43),
        ('of = ["energy"]', 'excluding = ["servize"]', "PLAN08", 43),
        ('measure = "energy"\n', "", "PLAN10", 23),
        ('reason = "The ordinance came into force later"\n', "", "PLAN11", 12),
        ('supersedes = "2026-06"', 'supersedes = "2026-07"', "PLAN11", 5),
        ("valid_from = 2026-07-01", "valid_from = 2026-07-01\nvalid_to = 2026-07-01", "PLAN11", 7),
        ('unit = "kWh"', 'unit = "kWh"\naccumulate = "year"\nwidths = { basis = "day" }', "PLAN07", 32),
    ],
)
def test_the_check_of_a_plan(old: str, new: str, code: str, line: int) -> None:
    findings = checked(GOOD.replace(old, new, 1))
    assert (code, line) in [(finding.code, finding.line) for finding in findings], findings
    assert stopping(findings)


def test_the_check_knows_the_measures_of_the_deployment() -> None:
    (finding,) = checked(GOOD, measures=["energi"])
    assert (finding.code, finding.line, finding.remedy) == ("PLAN10", 29, "Did you mean 'energi'?")


def test_measures_of_a_family_and_of_raters_that_do_not_say_them() -> None:
    energy = Rater(name="a", kinds=("a",), rate=lambda _group: Rating(), measures=("energy", "energy.*"))
    silent = Rater(name="b", kinds=("b",), rate=lambda _group: Rating())
    assert checked(GOOD.replace('measure = "energy"', 'measure = "energy.peak"'), measures=known_measures([energy])) == []
    assert [finding.code for finding in checked(GOOD, measures=known_measures([attrs.evolve(energy, measures=("water",))]))] == [
        "PLAN10"
    ]
    assert known_measures([energy, silent]) == frozenset()


def plan_of(text: str) -> PlanVersion:
    return parse_plan(text.encode(), file="plan.toml", params=PARAMS)


def test_the_difference_of_two_versions() -> None:
    new = GOOD.replace('version = "2026-07"', 'version = "2026-10"').replace('"0.10"', '"0.11"')
    new = new.replace('title = { en = "Rider" }', 'title = { en = "Rider", de = "Zuschlag" }').replace("# ", "")
    assert [(one.place, one.before, one.after) for one in diff(plan_of(GOOD), plan_of(new))] == [
        ("plan.version", "2026-07", "2026-10"),
        ("energy.tiers[1].price", "0.1", "0.11"),
        ("rider.titles.de", "", "Zuschlag"),
    ]
    assert diff(plan_of(GOOD), plan_of("# a comment\n" + GOOD)) == ()


def test_a_removed_component_is_a_difference() -> None:
    without = GOOD[: GOOD.rindex("[[component]]")]
    places = [one.place for one in diff(plan_of(GOOD), plan_of(without))]
    assert "rider.percent" in places
    assert all(place.startswith("rider.") for place in places)


def test_a_plan_of_many_components_is_read_in_a_moment() -> None:
    component = """
[[component]]
code = "c{0}"
title = {{ en = "Part" }}
model = "recurring"
charge_code = "part"
tax_category = "standard"
price = "1"
"""
    text = GOOD.partition("[[component]]")[0] + "".join(component.format(number) for number in range(1_000))
    started = time.process_time()
    assert not read(text)
    assert time.process_time() - started < 10
