from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from billing_framework.taxing.tax_file import parse_tax_rates, read_tax_rates
from billing_framework.taxing.tax_rate import TaxKind, TaxPlace
from billing_framework.values.errors import InputRefused
from billing_framework.values.rounding import RoundingMode

GOOD = """schema = 1

[[tax]]
code = "vat"
title = { en = "VAT", de = "USt" }
jurisdiction = "DE"
category = "standard"
percent = "19"
valid_from = 2021-01-01
rounding = { place = "line", mode = "half_even", step_minor = 1 }

[[tax]]
code = "vat"
title = { en = "VAT" }
jurisdiction = "DE"
category = "export"
percent = "0"
kind = "export"
valid_from = 2021-01-01
exemption = "VATEX-EU-G"

[[tax]]
code = "levy"
title = { en = "Levy" }
category = "standard"
percent = "2.5"
gross_up = true
compound_on = ["vat"]
excluding = ["fuel"]
valid_from = 2021-01-01
"""


def test_a_good_file_is_read_whole() -> None:
    vat, export, levy = parse_tax_rates(GOOD.encode(), file="taxes.toml")
    assert (vat.code, vat.rate, vat.place, vat.rounding.mode) == ("vat", Fraction(19, 100), TaxPlace.LINE, RoundingMode.HALF_EVEN)
    assert (vat.title("de_DE"), vat.valid_from, vat.valid_to) == ("USt", date(2021, 1, 1), None)
    assert (export.kind, export.kind.letter, export.exemption) == (TaxKind.EXPORT, "G", "VATEX-EU-G")
    assert (levy.factor, levy.compound_on, levy.excluding) == (Fraction(1, 39), ("vat",), ("fuel",))


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ('percent = "19"', "percent = 19.0", "TAX13", 8),
        ("jurisdiction", "juristiction", "TAX11", 6),
        ('category = "standard"\npercent = "19"', 'percent = "19"', "TAX12", 3),
        ("schema = 1", "schema = 9", "TAX14", 1),
        ("[[tax]]", "[[tax", "TAX10", 3),
        ('percent = "0"', 'percent = "1"', "TAX06", 13),
        ('percent = "19"', 'percent = "-19"', "TAX06", 4),
        ('percent = "2.5"', 'percent = "100"', "TAX06", 23),
        ('exemption = "VATEX-EU-G"\n', "", "TAX03", 13),
        ('category = "export"', 'category = "standard"', "TAX02", 13),
        ('compound_on = ["vat"]', 'compound_on = ["vta"]', "TAX07", 23),
        ('percent = "19"', 'percent = "19"\ncompound_on = ["levy"]', "TAX07", 4),
        ("gross_up = true", "gross_up = true\ninclusive = true", "TAX08", 23),
        ("valid_from = 2021-01-01", "valid_from = 2021-01-01\nvalid_to = 2020-01-01", "TAX09", 4),
        ('{ en = "VAT", de = "USt" }', '{ de = "USt" }', "TAX12", 4),
    ],
)
def test_what_is_wrong_names_its_place(old: str, new: str, code: str, line: int) -> None:
    read = read_tax_rates(GOOD.replace(old, new, 1).encode(), file="taxes.toml")
    assert read.rates == ()
    assert code in [finding.code for finding in read.findings], read.findings
    found = next(finding for finding in read.findings if finding.code == code)
    assert found.file == "taxes.toml"
    assert found.remedy
    assert found.line == line


def test_a_refused_file_raises_for_callers_that_want_rates() -> None:
    with pytest.raises(InputRefused, match=r"taxes.toml:8: tax\[1\].percent: TAX13"):
        parse_tax_rates(GOOD.replace('"19"', "19.0").encode(), file="taxes.toml")


def test_dated_rates_that_follow_each_other_are_good() -> None:
    text = GOOD.replace("valid_from = 2021-01-01\nrounding", "valid_from = 2021-01-01\nvalid_to = 2027-01-01\nrounding", 1)
    text += '[[tax]]\ncode = "vat"\ntitle = { en = "VAT" }\njurisdiction = "DE"\ncategory = "standard"\n'
    text += 'percent = "20"\nvalid_from = 2027-01-01\n'
    assert len(parse_tax_rates(text.encode(), file="taxes.toml")) == 4
