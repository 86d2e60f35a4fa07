"""Files of settings and prices: TOML text becomes frozen attrs values, or findings that name file, line, key, value and remedy.

Strict on purpose: an unknown key, a number where text belongs or a float where exactness matters is never guessed at.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import attrs
import cattrs

from billing_framework.values.errors import BillingError
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.structuring import Problem, problems_of, strict_converter

T = TypeVar("T")
KeyPath = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_PART = re.compile(r'"([^"]*)"|\'([^\']*)\'|([^.\s]+)')
_PLACE_IN_MESSAGE = re.compile(r"\s*\(at line (\d+), column \d+\)$")


@attrs.frozen
class TomlFloat:
    """A bare decimal of a TOML file, kept as its text so that it can be refused with its place."""

    text: str


@attrs.frozen
class Codes:
    """The codes of the findings about one kind of file.

    Attributes:
        unreadable: no UTF-8 text or no TOML.
        unknown_key: a key that does not exist.
        missing_key: a required key is not there.
        bad_value: a value of the wrong type, out of its range, or unknown.
    """

    unreadable: str
    unknown_key: str
    missing_key: str
    bad_value: str


def read_toml(content: bytes, file: str, codes: Codes) -> tuple[str, dict[str, Any], list[Finding]]:
    """Return the text, the parsed tables (empty where that failed) and the findings of a TOML file; floats become `TomlFloat`."""
    try:
        text = content.decode("utf-8-sig")  # editors on Windows put a byte order mark before the text
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return "", {}, [_unreadable(codes, file, line, "the file is not UTF-8 text", "Save it as UTF-8")]
    try:
        return text, tomllib.loads(text, parse_float=TomlFloat), []
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _PLACE_IN_MESSAGE.search(message)
        line = int(place.group(1)) if place else text.count("\n") + 1
        what = f"the file is not TOML: {_PLACE_IN_MESSAGE.sub('', message)}"
        return text, {}, [_unreadable(codes, file, line, what, "Correct the syntax; see https://toml.io")]
    except RecursionError:
        return (
            text,
            {},
            [_unreadable(codes, file, 0, "lists or tables are nested too deeply", "No such file nests more than a few")],
        )
    except ValueError as error:  # a date that is none, a number of thousands of digits
        return text, {}, [_unreadable(codes, file, 0, f"a value cannot be read: {error}", "Correct the value")]


def _unreadable(codes: Codes, file: str, line: int, what: str, remedy: str) -> Finding:
    return Finding(code=codes.unreadable, severity=Severity.BLOCKING, what=what, remedy=remedy, file=file, line=line)


def structure(
    cls: type[T],
    table: object,
    *,
    file: str,
    text: str,
    codes: Codes,
    at: KeyPath = (),
    converter: cattrs.Converter | None = None,
) -> tuple[T | None, list[Finding]]:
    """Return `table` as an instance of the attrs class `cls`, or None and every problem found.

    Args:
        cls: frozen attrs class; its field names are the allowed keys.
        table: the parsed table.
        file: name of the file, for messages.
        text: its text, in which the lines are looked up.
        codes: codes of the findings.
        at: keys that lead to `table` in the file.
        converter: a copy of `strict_converter` that knows more types; by default that one itself.
    """
    try:
        return (converter or strict_converter()).structure(table, cls), []
    except Exception as error:  # noqa: BLE001  cattrs wraps whatever a class's own checks raise; each becomes a finding
        # A misspelt required key is both unknown and missing; its spelling is what the reader wants to see first.
        problems = sorted(problems_of(error), key=lambda problem: problem.kind != "unknown")
        return None, [_finding(_narrowed(problem, table), file, text, codes, at) for problem in problems]


def _narrowed(problem: Problem, table: object) -> Problem:
    """Return the problem with the key that a check of the whole table speaks about, where its words leave no doubt."""
    found: Any = table
    for part in problem.path:
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):  # the place is not in the table, so nothing there can be looked at
            return problem
    if problem.kind != "bad" or problem.value or not isinstance(found, Mapping):
        return problem
    quoted = [key for key, value in found.items() if isinstance(value, str) and repr(value) in problem.what]
    words = set(re.findall(r"\w+", problem.what))
    named = quoted if len(quoted) == 1 else [key for key in found if key in words]
    return attrs.evolve(problem, path=(*problem.path, named[0])) if len(named) == 1 else problem


def _finding(problem: Problem, file: str, text: str, codes: Codes, at: KeyPath) -> Finding:
    path = (*at, *problem.path)
    code = problem.code or {"unknown": codes.unknown_key, "missing": codes.missing_key}.get(problem.kind, codes.bad_value)
    return Finding(
        code=code,
        severity=Severity.BLOCKING,
        what=problem.what,
        remedy=problem.remedy,
        file=file,
        line=line_of(text, path),
        field=dotted(path),
        value=problem.value,
    )


def dotted(path: Iterable[str | int]) -> str:
    """Return a key path as people write it: ``component[2].price``."""
    shown = ""
    for part in path:
        shown += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if shown else part
    return shown


def line_of(text: str, path: Sequence[str | int]) -> int:
    """Return the 1-based line of the deepest part of `path` that the text shows, 0 where none does.

    A search, not a parser: it follows table headers and keys at the start of lines, which is how such files are written.
    """
    here: tuple[str | int, ...] = ()
    best_line, best_depth = 0, 0
    counts: dict[tuple[str | int, ...], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            here = _header_path(header.group(1) == "[[", _parts(header.group(2)), counts)
            found = here
        elif "=" in line and not line.lstrip().startswith("#"):
            found = (*here, *_parts(line.split("=", 1)[0]))
        else:
            continue
        depth = _common(found, path)
        if depth == len(found) and depth > best_depth:
            best_line, best_depth = number, depth
    return best_line


def _header_path(is_array: bool, parts: list[str], counts: dict[tuple[str | int, ...], int]) -> tuple[str | int, ...]:  # noqa: FBT001
    path: tuple[str | int, ...] = ()
    for position, part in enumerate(parts):
        path = (*path, part)
        last = position == len(parts) - 1
        if last and is_array:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _parts(dotted_key: str) -> list[str]:
    return ["".join(match.groups(default="")) for match in _PART.finditer(dotted_key)]


def _common(left: Sequence[str | int], right: Sequence[str | int]) -> int:
    depth = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        depth += 1
    return depth


def raise_first(findings: Sequence[Finding], error: type[BillingError], hint: str = "") -> None:
    """Raise `error` for the first finding, saying how many more there are; do nothing where there is none.

    Args:
        findings: what is wrong.
        error: class of the error to raise.
        hint: how to see all of them, for example a command.
    """
    if not findings:
        return
    first = findings[0]
    place = ": ".join(part for part in (f"{first.file}:{first.line}" if first.line else first.file, first.field) if part)
    value = f" ({first.value!r})" if first.value else ""
    more = f"; {len(findings) - 1} more" + (f", see {hint}" if hint else "") if len(findings) > 1 else ""
    raise error(first.code, first.what + value + more, place=place, remedy=first.remedy)


def table_at(tables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the sub-table `name`, empty where it is not there or is no table (which structuring reports)."""
    value = tables.get(name, {})
    return value if isinstance(value, Mapping) else {}
