"""Conditions that most rows fulfil, by which SQLite, which knows nothing of how many rows there are, is not to look for any."""

from __future__ import annotations

from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Likely(FunctionElement[bool]):
    """A condition that most rows fulfil."""

    inherit_cache = True
    type = sa.Boolean()

    def self_group(self, against: object = None) -> Self:  # noqa: ARG002  its name is SQLAlchemy's
        """Return the condition as it is: SQLite finds no index for one that is compared with 1."""
        return self


def likely(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return a condition that narrows less than the others beside it, so that the index of one of these is the better one."""
    return _Likely(condition)


@compiles(_Likely, "sqlite")
def _as_hint(element: _Likely, compiler: SQLCompiler, **options: Any) -> str:
    return f"likely({compiler.process(element.clauses, **options)})"


@compiles(_Likely, "postgresql")
def _as_it_is(element: _Likely, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)})"
