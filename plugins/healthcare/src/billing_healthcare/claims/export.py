"""The exporter of professional claims: issued documents in, one 837P file out, or every reason why not."""

from __future__ import annotations

from collections.abc import Sequence

from billing_framework import ExportDocument, Exported, Exporter, ExportRequest, Finding
from billing_healthcare.claims.check import check_claims
from billing_healthcare.claims.complete import claim_problems, sender_findings
from billing_healthcare.claims.document import claims_of
from billing_healthcare.claims.write import write_claims
from billing_healthcare.settings import HealthcareSettings
from billing_healthcare.x12.segment import Delimiters

_MOST_CONTROL = 999_999_999


def export_claims(documents: Sequence[ExportDocument], request: ExportRequest) -> Exported:
    """Return the claims of documents as one file, or nothing where one of them lacks what a claim needs.

    Args:
        documents: issued documents to payers.
        request: instant, settings and options; ``control`` is the number of the interchange, by default made of the instant.
    """
    settings = request.settings if isinstance(request.settings, HealthcareSettings) else HealthcareSettings()
    found = claims_of(documents, settings.payers, request.options.get("payer", ""))
    findings = [*sender_findings(settings), *found.findings]
    findings += [problem for claim in found.claims for problem in claim_problems(claim)]
    control = request.options.get("control", str(int(request.created_at.timestamp()) % _MOST_CONTROL + 1))
    if not (control.isascii() and control.isdigit() and 0 < int(control) <= _MOST_CONTROL):
        what = f"the control number {control!r} is none from 1 to {_MOST_CONTROL}"
        findings.append(Finding(code="HEALTH40", what=what, remedy="Give a number that was not used before", field="control"))
    if not found.claims and not findings:
        findings.append(Finding(code="HEALTH40", what="there is no claim to write", remedy="Name documents to payers"))
    if any(finding.stops for finding in findings):
        return Exported(findings=tuple(findings))
    data, writer = write_claims(found.claims, settings, request.created_at, control=int(control), delimiters=Delimiters())
    findings += writer.findings
    return Exported(findings=tuple(findings)) if writer.findings else Exported(data=data, findings=tuple(findings))


X12_837P = Exporter(
    format="x12_837p",
    title="Professional claims (837P, 005010X222A1)",
    suffix=".x12",
    write=export_claims,
    check=check_claims,
    options={
        "control": "number of the interchange, 1 to 999999999; by default made of the instant",
        "payer": "the payer that is asked, where it is not the first: its identifier in the coverage",
    },
)
