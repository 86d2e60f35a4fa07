"""Numbers as a switch writes them become E.164 digits."""

from __future__ import annotations

import pytest
from billing_telecom_usage.numbers import Number, NumberClass, NumberPlan, Plain, normalised

from billing_framework import ValueRefused

BERLIN = NumberPlan(country="49", area="30", international=("00",), trunk="0", plain=Plain.NATIONAL, tech_prefixes=("77#",))
NEW_YORK = NumberPlan(country="1", international=("011",), trunk="1", plain=Plain.NATIONAL)
INTERNATIONAL, SHORT, OTHER = NumberClass.INTERNATIONAL, NumberClass.SHORT, NumberClass.OTHER


@pytest.mark.parametrize(
    ("text", "plan", "digits", "kind"),
    [
        ("+49 (30) 23125-100", BERLIN, "493023125100", INTERNATIONAL),
        ("004420794601", BERLIN, "4420794601", INTERNATIONAL),
        ("03023125100", BERLIN, "493023125100", INTERNATIONAL),
        ("23125100", BERLIN, "493023125100", INTERNATIONAL),
        ("77#03023125100", BERLIN, "493023125100", INTERNATIONAL),
        ("112", BERLIN, "112", SHORT),
        ("2001", NEW_YORK, "2001", SHORT),
        ("12125550117", NEW_YORK, "12125550117", INTERNATIONAL),
        ("2125550117", NEW_YORK, "12125550117", INTERNATIONAL),
        ("011 33 1 99 00 59 17", NEW_YORK, "33199005917", INTERNATIONAL),
        ("+2001", NumberPlan(), "2001", INTERNATIONAL),
        ("441632960383520310", NumberPlan(), "441632960383520310", INTERNATIONAL),
        ("0033199005917", NumberPlan(), "0033199005917", OTHER),
        ("00", BERLIN, "00", SHORT),
        ("s", BERLIN, "s", OTHER),
        ("*97", BERLIN, "*97", OTHER),
        ("", BERLIN, "", OTHER),
        ("+", BERLIN, "+", OTHER),
        ("1" * 41, NumberPlan(), "1" * 41, OTHER),
        ("\u0661\u0662\u0663\u0664\u0665\u0666\u0667", NumberPlan(), "\u0661\u0662\u0663\u0664\u0665\u0666\u0667", OTHER),
    ],
)
def test_a_number_by_the_plan_of_its_switch(text: str, plan: NumberPlan, digits: str, kind: NumberClass) -> None:
    assert normalised(text, plan) == Number(digits, kind)


@pytest.mark.parametrize(
    "wrong", [{"country": "+49"}, {"international": ("0o",)}, {"plain": Plain.NATIONAL}, {"short_digits": 16}, {"trunk": "x"}]
)
def test_a_plan_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises((ValueRefused, ValueError)):
        NumberPlan(**wrong)  # type: ignore[arg-type]
