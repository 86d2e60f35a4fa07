"""The form of shares: one line of a file, or one command, says what one payer bears."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from billing_framework.accounts.fields import Field, code, day
from billing_framework.accounts.form import Form
from billing_framework.accounts.share import Share
from billing_framework.values.errors import ValueRefused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.number import exact, exact_text


def _percent(text: str) -> Fraction:
    try:
        percent = exact(text)
    except ValueRefused as error:
        raise ValueRefused("ACCOUNT02", f"{text!r} is no percentage", remedy="Write 40, 33.3 or the ratio 100/3") from error
    if not 0 < percent <= 100:
        raise ValueRefused("ACCOUNT02", f"{text!r} is no percentage of a whole", remedy="Write a number above 0, at most 100")
    return percent


def _codes(text: str) -> tuple[str, ...]:
    return tuple(sorted({code(part) for part in text.split()}))


def _build(values: Mapping[str, Any]) -> Share:
    return Share(**values)


def _write(share: Share) -> dict[str, str]:
    texts = {
        "agreement": share.agreement,
        "payer": share.payer,
        "percent": "" if share.percent is None else exact_text(share.percent),
        "codes": " ".join(share.codes),
        "starts_on": share.starts_on.isoformat(),
        "ends_on": "" if share.ends_on is None else share.ends_on.isoformat(),
    }
    return {name: text for name, text in texts.items() if text}


def _rules(share: Share) -> tuple[Finding, ...]:
    if share.ends_on is None or share.ends_on > share.starts_on:
        return ()
    return (
        Finding(
            code="ACCOUNT05",
            severity=Severity.BLOCKING,
            what="the end is not after the start",
            remedy=f"ends_on is the date after the last one; give a date after {share.starts_on.isoformat()}, or leave it empty",
            field="ends_on",
            value=share.ends_on.isoformat(),
        ),
    )


def _key(share: Share) -> str:
    of = f" of {' '.join(share.codes)}" if share.codes else ""
    return f"{share.agreement}/{share.payer}@{share.starts_on.isoformat()}{of}"


SHARE = Form[Share](
    kind="share",
    fields=(
        Field(name="agreement", read=code, help="code of the agreement", required=True),
        Field(name="payer", read=code, help="code of the account that pays", required=True),
        Field(name="percent", read=_percent, help="its percentage, such as 40 or 100/3; empty for who bears the remainder"),
        Field(name="codes", read=_codes, help="charge codes that it shares in, with blanks between; empty for all"),
        Field(name="starts_on", read=day, help="first service date", required=True),
        Field(name="ends_on", read=day, help="the date after the last one; empty while it lasts"),
    ),
    build=_build,
    write=_write,
    rules=_rules,
    key=_key,
)
