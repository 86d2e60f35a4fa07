import pytest

from billing_framework.values.codes import core_codes, read_codes
from billing_framework.values.errors import ConfigurationError

PAGE = '[USAGE02]\ntitle = "t"\nmeaning = "m"\nremedy = "r"\n'


def test_the_core_has_its_catalogue() -> None:
    page = core_codes()["VALUE05"]
    assert (page.code, page.title) == ("VALUE05", "Unknown currency")


def test_pages_come_in_the_order_of_the_file() -> None:
    assert list(read_codes(PAGE + PAGE.replace("USAGE02", "AR01"), source="x")) == ["USAGE02", "AR01"]


@pytest.mark.parametrize(
    "text",
    [
        "no toml",
        PAGE + PAGE,
        PAGE.replace("USAGE02", "Usage2"),
        PAGE.replace('"m"', '""'),
        PAGE + 'more = "x"',
        "[USAGE02]",
        "USAGE02 = 1",
    ],
)
def test_a_faulty_catalogue_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(ConfigurationError, match="plugin/codes.toml: CODE01"):
        read_codes(text, source="plugin/codes.toml")
