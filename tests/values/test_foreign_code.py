"""Whatever a plugin raises is told as its failure; what it refuses by our own errors, and what the user does, is passed on."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import Any

import pytest

from billing_framework.values.errors import ContractBroken, InputRefused
from billing_framework.values.foreign_code import failures_of, refusal_of, told


def function_of(module: str, file: str, *lines: str, **names: object) -> Any:
    """Return the function ``call`` of a module that stands in a file."""
    space: dict[str, Any] = {"__name__": module, **names}
    exec(compile("\n    ".join(["def call():", *lines]), file, "exec"), space)  # noqa: S102  lines of this file
    return space["call"]


def raised_by(call: Callable[[], object]) -> BaseException:
    """Return what a function raises, without the line here."""
    try:
        call()
    except KeyError as error:
        return error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
    raise AssertionError


class OwnError(BaseException):
    def __str__(self) -> str:
        raise SystemExit(3)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("odd"), "ValueError: odd"),
        (SystemExit(0), "SystemExit: 0"),
        (OwnError(), "OwnError, whose text cannot be made"),
        (ValueError("half \ud800 and nothing \0"), "ValueError: half \\ud800 and nothing \\0"),
        (ValueError("x" * 10_000), f"ValueError: {'x' * 188}"),
    ],
    ids=["plain", "exit", "without text", "not storable", "endless"],
)
def test_what_an_error_says_can_be_shown_and_stored(error: BaseException, text: str) -> None:
    assert told(error) == text
    with pytest.raises(ContractBroken) as caught, failures_of("the reader of plugin odd", place="a.csv"):
        raise error
    assert (caught.value.code, caught.value.place) == ("PLUGIN05", "a.csv")
    place = "(at tests/values/test_foreign_code.py)"
    assert re.sub(r":\d+\)$", ")", caught.value.what) == f"the reader of plugin odd failed: {text} {place}"


def test_what_may_be_about_a_person_is_not_told() -> None:
    with pytest.raises(ContractBroken) as caught, failures_of("the reader", hidden=True):
        raise ValueError("Ada Lovelace")
    assert re.fullmatch(r"PLUGIN05 the reader failed: ValueError \(at [a-z/_]+\.py:\d+\)", str(caught.value))
    assert caught.value.__cause__ is None


FAILS = ("pass", "raise KeyError('oops')")


@pytest.mark.parametrize(
    ("module", "file", "place"),
    [
        ("billing_odd.rating.reader", "/opt/site/billing_odd/rating/reader.py", " (at billing_odd/rating/reader.py:3)"),
        ("billing_odd.rating", "/opt/site/billing_odd/rating/__init__.py", " (at billing_odd/rating/__init__.py:3)"),
        ("night_parking", "/home/ada/night_parking.py", " (at night_parking.py:3)"),
        ("a.b.c.d", "/d.py", " (at d.py:3)"),
        ("billing_framework.rating.rate", "/opt/site/billing_framework/rating/rate.py", ""),
        ("json.decoder", "/usr/lib/json/decoder.py", ""),
    ],
)
def test_where_code_of_others_raised_it_is_told_without_folders(module: str, file: str, place: str) -> None:
    assert told(raised_by(function_of(module, file, *FAILS))) == f"KeyError: 'oops'{place}"


def test_the_innermost_line_of_the_plugin_is_told_and_not_that_of_what_it_calls() -> None:
    library = function_of("numbers_of_others.core", "/opt/site/numbers_of_others/core.py", *FAILS)
    inner = function_of("billing_odd.sums", "/opt/site/billing_odd/sums.py", "library()", library=library)
    made = function_of("billing_odd.sums", "<attrs generated init billing_odd.Sum>", "inner()", inner=inner)
    outer = function_of("billing_odd.plugin", "/opt/site/billing_odd/plugin.py", "pass", "made()", made=made)
    ours = function_of("billing_framework.rating.rate", "/opt/site/billing_framework/rating/rate.py", "outer()", outer=outer)
    assert told(raised_by(ours)) == "KeyError: 'oops' (at billing_odd/sums.py:2)"


def test_an_error_that_hides_where_it_was_raised_is_told() -> None:
    hiding = type("HidingError", (ValueError,), {"__traceback__": property(lambda _: 1 / 0)})
    fails = function_of("billing_odd", "/opt/site/billing_odd.py", "raise hiding('odd')", hiding=hiding)
    with pytest.raises(ContractBroken, match="HidingError: odd"), failures_of("the reader"):
        fails()


def test_a_refused_value_is_passed_on() -> None:
    error = InputRefused("ODD01", "the column is missing", remedy="Add it")
    assert refusal_of(error) == ("ODD01", "the column is missing", "Add it")
    with pytest.raises(InputRefused), failures_of("the reader"):
        raise error


@pytest.mark.parametrize("code", ["", "x" * 101, "\ud800", 7], ids=["none", "endless", "not storable", "number"])
def test_a_refusal_under_no_sound_code_is_a_failure(code: str) -> None:
    with pytest.raises(ContractBroken, match="the reader failed: InputRefused: "), failures_of("the reader"):
        raise InputRefused(code, "odd")


def test_the_user_is_not_taken_for_a_plugin() -> None:
    with pytest.raises(KeyboardInterrupt), failures_of("the reader"):
        raise KeyboardInterrupt


def test_who_has_read_enough_may_stop() -> None:
    def read() -> Generator[int, None, None]:
        with failures_of("the reader"):
            yield from range(3)

    items = read()
    assert next(items) == 0
    items.close()
