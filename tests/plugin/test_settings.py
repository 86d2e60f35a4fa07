"""``billing.toml``: what is read, and how every mistake is told with its place and remedy."""

from datetime import date
from fractions import Fraction
from pathlib import Path

import attrs
import pytest

from billing_framework.plugin.settings import SecretReference, SettingsFile, load_settings, read_settings
from billing_framework.run.deployment import database_url
from billing_framework.values.errors import ConfigurationError
from billing_framework.values.money import Money

GOOD = """
[deployment]
name = "city"
database = "sqlite:///billing.sqlite3"
plugins = ["one", "two"]
currency = "EUR"
locale = "de_DE"
zone = "Europe/Berlin"
maker_checker = true

[holidays.berlin]
dates = [2026-01-01, 2026-03-08]

[review]
largest = ["5000.00 EUR", "600000 JPY"]
factor = "2.5"

[plugin.one]
limit = 3
"""


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "billing.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_good_file_is_typed(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, GOOD)).settings
    assert settings.deployment.plugins == ("one", "two")
    assert settings.deployment.maker_checker
    assert settings.holiday_dates == {"berlin": frozenset({date(2026, 1, 1), date(2026, 3, 8)})}
    assert settings.review.bounds.largest == {"EUR": Money(500_000, "EUR"), "JPY": Money(600_000, "JPY")}
    assert settings.review.factor == Fraction(5, 2)


DATABASE = "sqlite:///billing.sqlite3"
MISTAKES = [
    ("misspelt key", GOOD.replace("maker_checker", "maker_cheker"), "CONFIG02", 9, "deployment.maker_cheker", "maker_checker"),
    ("misspelt table", GOOD.replace("[review]", "[revue]"), "CONFIG02", 14, "revue", "review"),
    ("missing key", GOOD.replace('currency = "EUR"', ""), "CONFIG03", 2, "deployment.currency", "Add currency"),
    ("number for text", GOOD.replace('"city"', "7"), "CONFIG04", 3, "deployment.name", "double quotes"),
    ("text for flag", GOOD.replace("= true", '= "yes"'), "CONFIG04", 9, "deployment.maker_checker", "true or false"),
    ("text for list", GOOD.replace('["one", "two"]', '"one"'), "CONFIG04", 5, "deployment.plugins", "square brackets"),
    ("float", GOOD.replace('"2.5"', "2.5"), "CONFIG04", 16, "review.factor", "double quotes"),
    ("no date", GOOD.replace("2026-03-08", '"March 8"'), "CONFIG04", 12, "holidays.berlin.dates[2]", "2026-07-31"),
    (
        "unknown currency",
        GOOD.replace('"EUR"\nlocale', '"EURO"\nlocale'),
        "VALUE05",
        6,
        "deployment.currency",
        "three capital letters",
    ),
    ("unknown zone", GOOD.replace("Europe/Berlin", "Europe/Berlim"), "VALUE15", 8, "deployment.zone", "Europe/Berlin"),
    ("unknown locale", GOOD.replace("de_DE", "xx_YY"), "CONFIG04", 7, "deployment.locale", "de_CH"),
    ("too many decimals", GOOD.replace("600000 JPY", "6.5 JPY"), "VALUE06", 15, "review.largest[2]", "whole units"),
    ("no table", "deployment = 3\n", "CONFIG04", 1, "deployment", "[header]"),
    ("password", GOOD.replace(DATABASE, "postgresql://u:secret@h/b"), "CONFIG05", 4, "deployment", "env"),
    (
        "hidden password",
        GOOD.replace(DATABASE, "postgresql://h/b?password=x"),
        "CONFIG05",
        4,
        "deployment",
        "env",
    ),
    (
        "two secrets",
        GOOD.replace(f'"{DATABASE}"', '{ env = "A", file = "b" }'),
        "CONFIG04",
        4,
        "deployment.database",
        "env",
    ),
    ("no TOML", GOOD + "\nplugins = [", "CONFIG01", 21, "", "toml.io"),
    ("nested without end", GOOD + "\nx = " + "[" * 100_000, "CONFIG01", 0, "", "nests"),
    ("tables without end", GOOD + "\nx = " + "{a=" * 3_000 + "1" + "}" * 3_000, "CONFIG01", 0, "", "nests"),
    ("thousands of digits", GOOD + "\nx = " + "9" * 5_000, "CONFIG01", 0, "", "Correct"),
    ("misspelt required key", GOOD.replace("currency", "curency"), "CONFIG02", 6, "deployment.curency", "currency"),
    ("factor below one", GOOD.replace('"2.5"', '"-2.5"'), "CONFIG04", 16, "review.factor", "is off"),
    ("doubled key", "[deployment]\nname = 'a'\nname = 'b'\n", "CONFIG01", 3, "", "toml.io"),
    ("no UTF-8", GOOD.encode().replace(b"city", b"c\xeftey"), "CONFIG01", 3, "", "UTF-8"),
]


@pytest.mark.parametrize(
    ("text", "code", "line", "field", "remedy"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_a_mistake_names_its_place_and_remedy(tmp_path: Path, text: str, code: str, line: int, field: str, remedy: str) -> None:
    path = written(tmp_path, text)
    _, findings = read_settings(path)
    found = next((finding for finding in findings if finding.code == code), None)
    assert found is not None, [str(finding) for finding in findings]
    assert found.file == str(path)
    assert found.field.startswith(field)
    assert remedy in found.remedy
    assert found.stops
    assert found.line in (line, 2 if field == "deployment" else line)
    assert "." not in field or found.line == line


def test_all_mistakes_are_told_at_once_and_opening_stops_at_the_first(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace('"city"', "7").replace("factor", "faktor").replace("plugins =", "plugin ="))
    _, findings = read_settings(path)
    assert len(findings) == 3
    with pytest.raises(ConfigurationError, match="2 more, see billing config check"):
        load_settings(path)


def test_a_misspelt_required_key_is_told_before_the_key_that_it_leaves_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"billing\.toml:6: deployment\.curency: CONFIG02 .* Did you mean 'currency'\?"):
        load_settings(written(tmp_path, GOOD.replace("currency", "curency")))


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, b"\xef\xbb\xbf" + GOOD.encode())).settings.deployment.name == "city"


def test_a_missing_file_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--config") as caught:
        load_settings(tmp_path / "nothing.toml")
    assert caught.value.code == "CONFIG08"


def secret_file(tmp_path: Path, reference: str) -> SettingsFile:
    return load_settings(written(tmp_path, GOOD.replace(f'"{DATABASE}"', reference)))


def test_a_secret_is_revealed_only_by_reference(tmp_path: Path) -> None:
    file = secret_file(tmp_path, '{ env = "CITY_DB" }')
    assert file.settings.deployment.database == SecretReference(env="CITY_DB")
    assert database_url(file.settings, tmp_path, {"CITY_DB": "postgresql://u:p@h/b"}) == "postgresql://u:p@h/b"
    with pytest.raises(ConfigurationError, match="CITY_DB") as caught:
        database_url(file.settings, tmp_path, {})
    assert caught.value.code == "CONFIG06"
    assert "p@h" not in repr(file)


def test_a_secret_that_is_no_text_is_refused_without_being_shown(tmp_path: Path) -> None:
    (tmp_path / "url").write_bytes(b"hunter2\xff")
    with pytest.raises(ConfigurationError, match="CONFIG06") as caught:
        database_url(secret_file(tmp_path, '{ file = "url" }').settings, tmp_path, {})
    assert "hunter2" not in str(caught.value)


def test_a_secret_may_stand_in_a_file_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://u:p@h/b\n", encoding="utf-8")
    file = secret_file(tmp_path, '{ file = "url" }')
    assert database_url(file.settings, tmp_path, {}) == "postgresql://u:p@h/b"


def test_a_relative_sqlite_path_starts_at_the_folder_of_the_settings(tmp_path: Path) -> None:
    file = load_settings(written(tmp_path, GOOD))
    assert database_url(file.settings, tmp_path, {}) == f"sqlite:///{tmp_path}/billing.sqlite3"


@attrs.frozen(kw_only=True)
class Limits:
    limit: int = 1
    word: str = ""


def test_the_table_of_a_plugin_is_typed_by_its_class(tmp_path: Path) -> None:
    file = load_settings(written(tmp_path, GOOD))
    assert file.typed_plugin("one", Limits) == (Limits(limit=3), [])
    assert file.typed_plugin("two", Limits) == (Limits(), [])


@pytest.mark.parametrize(
    ("line", "code", "remedy"),
    [("limt = 3", "CONFIG02", "limit"), ('limit = "3"', "CONFIG04", "without quotes"), ("word = 1.5", "CONFIG04", "quotes")],
)
def test_a_mistake_in_the_table_of_a_plugin_names_its_line(tmp_path: Path, line: str, code: str, remedy: str) -> None:
    file = load_settings(written(tmp_path, GOOD.replace("limit = 3", line)))
    _, findings = file.typed_plugin("one", Limits)
    assert [(finding.code, finding.line) for finding in findings] == [(code, 19)]
    assert remedy in findings[0].remedy


def test_a_table_for_a_plugin_that_is_not_enabled_is_a_finding(tmp_path: Path) -> None:
    file = load_settings(written(tmp_path, GOOD.replace('["one", "two"]', '["two"]')))
    assert [(finding.code, finding.line) for finding in file.unused_tables()] == [("CONFIG07", 18)]


def test_a_plugin_without_settings_refuses_keys(tmp_path: Path) -> None:
    file = load_settings(written(tmp_path, GOOD))
    _, findings = file.typed_plugin("one", None)
    assert [(finding.code, finding.line) for finding in findings] == [("CONFIG02", 19)]
