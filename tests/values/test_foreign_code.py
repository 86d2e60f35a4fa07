"""Whatever a plugin raises is told as its failure; what it refuses by our own errors, and what the user does, is passed on."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from billing_framework.values.errors import ContractBroken, InputRefused
from billing_framework.values.foreign_code import failures_of, refusal_of, told


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
    assert (caught.value.code, caught.value.what, caught.value.place) == (
        "PLUGIN05",
        f"the reader of plugin odd failed: {text}",
        "a.csv",
    )


def test_what_may_be_about_a_person_is_not_told() -> None:
    with pytest.raises(ContractBroken) as caught, failures_of("the reader", hidden=True):
        raise ValueError("Ada Lovelace")
    assert str(caught.value) == "PLUGIN05 the reader failed: ValueError"
    assert caught.value.__cause__ is None


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
