"""Acts on runs and documents that change what customers are asked for are done for a reason, which is kept."""

from __future__ import annotations

from billing_framework.values.errors import InputRefused

PRINTED = "which is printed on the credit note"


def needs_reason(reason: str, act: str, kept: str = "for those who audit the run") -> None:
    """Refuse an act without a reason.

    Args:
        reason: the reason that was given.
        act: what is to be done, such as ``cancelling``.
        kept: what the reason is for, as the remedy tells it.

    Raises:
        InputRefused: ``RUN14``.
    """
    if not reason.strip():
        raise InputRefused("RUN14", f"{act} needs a reason", remedy=f"Say why with --reason, {kept}")
