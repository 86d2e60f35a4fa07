"""Checks a LEDES 1998B file, whoever wrote it: every fault with its line and field, never only the first."""

from __future__ import annotations

from datetime import date

from billing_framework import CheckRequest, Finding
from billing_legal_timekeeping.codes_in_use import CodesInUse, codes_in_use
from billing_legal_timekeeping.ledes.check_invoice import invoice_findings
from billing_legal_timekeeping.ledes.check_line import LineCheck, line_findings
from billing_legal_timekeeping.ledes.file_lines import read_lines
from billing_legal_timekeeping.ledes.profile import ReceiverProfile, chosen_profile
from billing_legal_timekeeping.tables import CodeSort


def check_1998b(data: bytes, request: CheckRequest) -> tuple[Finding, ...]:
    """Return everything that is wrong with a file, in order of its lines; findings of severity information stop nobody.

    Args:
        data: the bytes of the file.
        request: name of the file and options: ``profile`` chooses the receiver.

    Raises:
        InputRefused: ``LEDES26`` where there is no such profile.
    """
    return findings_for(data, request.file, chosen_profile(request.options, request.settings))


def findings_for(data: bytes, file: str, profile: ReceiverProfile) -> tuple[Finding, ...]:
    """Return everything that one receiver would find wrong with a file, in order of its lines."""
    read = read_lines(data, file=file, charset=profile.charset.value)
    # The shipped sets hold whatever the day is.
    shipped = codes_in_use(profile.code_sets, None, date.max)
    own = {(CodeSort(sort), code): "" for sort, codes in profile.codes.items() for code in codes}
    check = LineCheck(file=file, profile=profile, codes=CodesInUse({**shipped.labels, **own}))
    findings = [*read.findings]
    for item in read.items:
        findings += line_findings(item, check)
    findings += invoice_findings(read.items, check)
    return tuple(sorted(findings, key=lambda finding: finding.line))
