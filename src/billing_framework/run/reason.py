"""What takes back, gives up, pays out, or changes what customers are asked for is done for a reason, which is kept."""

from __future__ import annotations

from billing_framework.values.errors import InputRefused

AUDITED = "it stands in the audit trail"
PRINTED = "it is printed on the credit note"


def needs_reason(reason: str, act: str, *, code: str = "ACCOUNT16", kept: str = AUDITED) -> None:
    """Refuse an act without a reason.

    Args:
        reason: the reason that was given.
        act: what is to be done, such as ``a refund`` or ``cancelling``.
        code: code of the refusal: ``ACCOUNT16`` for what stands on file or is owed, ``RUN14`` for runs and documents, others for
            usage and personal data.
        kept: what becomes of the reason, as the remedy tells it.

    Raises:
        InputRefused: under the code.
    """
    if not reason.strip():
        raise InputRefused(code, f"{act} needs a reason", remedy=f'Say why with --reason "..."; {kept}')
