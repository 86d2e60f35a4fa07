"""What commands share that may open personal data: it stays closed unless somebody asks for it and says why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from billing_framework.run.deployment import Deployment
from billing_framework.storage.master.master_kind import MasterKind
from billing_framework.values.personal import REDACTED

Command = TypeVar("Command", bound=Callable[..., Any])


def reveal_options(command: Command) -> Command:
    """Add ``--reveal`` and ``--reason`` to a command that shows what people may not see without a reason."""
    reason = click.option("--reason", default="", metavar="TEXT", help="Why, for the audit trail; needed with --reveal.")
    reveal = click.option("--reveal", is_flag=True, help="Open personal data; the audit trail keeps who read whose, and why.")
    return reveal(reason(command))


def masked(deployment: Deployment, kind: MasterKind[Any], texts: Mapping[str, str], *, reveal: bool = False) -> dict[str, str]:
    """Return the fields of customer data as they are shown: personal ones withheld where the deployment seals them."""
    hidden = kind.personal if deployment.database.vault is not None and not reveal else ()
    return {name: REDACTED if name in hidden and text else text for name, text in texts.items()}
