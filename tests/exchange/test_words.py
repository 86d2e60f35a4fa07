import re
from importlib import resources
from pathlib import Path

import pytest

from billing_framework.exchange import words
from billing_framework.exchange.words import catalogue, languages, words_of

ENGLISH = catalogue("en")
SOURCES = [file.read_text(encoding="utf-8") for file in Path(words.__file__).parent.rglob("*") if file.suffix in (".py", ".j2")]


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_two_languages_are_shipped() -> None:
    assert languages() == ("de", "en")


@pytest.mark.parametrize("language", languages())
def test_a_catalogue_has_every_word_with_the_same_placeholders(language: str) -> None:
    own = catalogue(language)
    assert list(own) == list(ENGLISH)
    assert own["language"] == language
    assert {key: placeholders(text) for key, text in own.items()} == {key: placeholders(text) for key, text in ENGLISH.items()}
    assert all(text.strip() for text in own.values())


def test_every_word_is_used() -> None:
    prefixes = ("title_", "number_", "total_", "unit_")  # these are completed by the kind, the sum or the unit
    unused = [
        key
        for key in ENGLISH
        if key != "language" and not key.startswith(prefixes) and not any(re.search(rf"\b{key}\b", text) for text in SOURCES)
    ]
    assert unused == []


def test_a_locale_has_the_words_of_its_language_or_english_ones() -> None:
    assert words_of("de_AT") is catalogue("de")
    assert words_of("de-CH") is catalogue("de")
    assert words_of("ja_JP") is ENGLISH


def test_the_catalogues_and_templates_belong_to_the_package() -> None:
    folder = resources.files("billing_framework.exchange")
    assert (folder / "templates" / "invoice.html.j2").is_file()
    assert (folder / "languages" / "en.toml").is_file()
