"""Makes the distribution of a new plugin: a copy of the template, with its names replaced; it runs and is tested at once."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from billing_framework.values.codes import core_codes
from billing_framework.values.errors import InputRefused

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST_NAME = 40
_LONGEST_PREFIX = 10
_LEFT_OUT = frozenset({"__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache"})


def template_folder() -> Path:
    """Return the folder of the template: inside the installed package, or in the repository that it is run from."""
    packaged = Path(__file__).parent / "_template"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "plugins" / "_template"


def new_plugin(name: str, folder: Path) -> tuple[Path, ...]:
    """Write the distribution of a plugin called `name` into `folder`, and return the paths of its files below it.

    Args:
        name: the plugin's name in ``billing.toml``, in snake_case, such as ``cloud_storage``.
        folder: the folder of the distribution; it must not exist, or be empty.

    Raises:
        InputRefused: ``PLUGIN12`` for a name that cannot be a module's, ``PLUGIN13`` where the folder is in use.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or len(name) > _LONGEST_NAME:
        raise InputRefused(
            "PLUGIN12",
            f"{name[:60]!r} is no name for a plugin",
            remedy=f"Use at most {_LONGEST_NAME} small letters, digits and single underscores, such as cloud_storage",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputRefused("PLUGIN13", f"{folder} is in use", remedy="Name a folder that does not exist yet")
    words = _words(name)
    template = template_folder()
    written = []
    for source in sorted(_files(template)):
        relative = Path(_replaced(source.relative_to(template).as_posix(), words))
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_replaced(source.read_text(encoding="utf-8"), words), encoding="utf-8")
        written.append(relative)
    return tuple(written)


def _files(template: Path) -> Iterator[Path]:
    for path in template.rglob("*"):
        if path.is_file() and not _LEFT_OUT & set(path.parts) and path.suffix != ".pyc":
            yield path


def _words(name: str) -> Mapping[str, str]:
    """Return the names of the template and what each becomes."""
    return {
        "new_trade": name,
        "new-trade": name.replace("_", "-"),
        "New trade": name.replace("_", " ").capitalize(),
        "NEWTRADE": _prefix(name),
    }


def _prefix(name: str) -> str:
    """Return the letters of the plugin's codes, which must not be those of the core."""
    letters = re.sub("[^a-z]", "", name).upper()[:_LONGEST_PREFIX].ljust(2, "X")
    taken = {code[:-2] for code in core_codes()}
    return letters if letters not in taken else f"X{letters}"[:_LONGEST_PREFIX]


def _replaced(text: str, words: Mapping[str, str]) -> str:
    for old, new in words.items():
        text = text.replace(old, new)
    return text
