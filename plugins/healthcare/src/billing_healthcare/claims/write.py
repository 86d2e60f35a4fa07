"""The writer of professional claims (837P, 005010X222A1): one hierarchy per billing provider, one claim per subscriber loop."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from operator import attrgetter

from billing_healthcare.claims.claim import Claim, ClaimLine, LinePaid, OtherPayer
from billing_healthcare.coverage import Coverage
from billing_healthcare.kinds import Encounter
from billing_healthcare.remittance.remittance import Adjustment
from billing_healthcare.settings import HealthcareSettings
from billing_healthcare.x12.segment import Delimiters
from billing_healthcare.x12.write import Envelope, SegmentWriter, amount, day, interchange

VERSION = "005010X222A1"
CLAIMS_PER_SET = 5000
_TRIPLETS_PER_SEGMENT = 6


def write_claims(
    claims: Sequence[Claim], settings: HealthcareSettings, created_at: datetime, *, control: int, delimiters: Delimiters
) -> tuple[bytes, SegmentWriter]:
    """Return a file of claims, and the writer with what could not be written.

    Args:
        claims: the claims, in order.
        settings: who sends, who bills.
        created_at: instant that the file bears.
        control: number of the interchange.
        delimiters: characters that cut the file.
    """
    writer = SegmentWriter(delimiters=delimiters)
    sets = []
    for number, start in enumerate(range(0, len(claims), CLAIMS_PER_SET), start=1):
        writer.lines.clear()
        _header(writer, settings, created_at, f"{control}-{number}")
        _set(writer, claims[start : start + CLAIMS_PER_SET], settings)
        sets.append(("837", tuple(writer.lines)))
    envelope = Envelope(
        sender=settings.submitter_id,
        receiver=settings.receiver_id,
        control=control,
        group="HC",
        version=VERSION,
        usage=settings.usage,
        created_at=created_at,
    )
    return interchange(envelope, sets, delimiters), writer


def _header(writer: SegmentWriter, settings: HealthcareSettings, created_at: datetime, batch: str) -> None:
    writer.subject = "plugin.healthcare"
    writer.add("BHT", "0019", "00", batch, day(created_at.date()), created_at.strftime("%H%M"), "CH")
    writer.add("NM1", "41", "2", settings.submitter, "", "", "", "", "46", settings.submitter_id)
    writer.add("PER", "IC", settings.contact, "TE", settings.phone)
    writer.add("NM1", "40", "2", settings.receiver, "", "", "", "", "46", settings.receiver_id)
    writer.add("HL", "1", "", "20", "1")
    if settings.provider_taxonomy:
        writer.add("PRV", "BI", "PXC", settings.provider_taxonomy)
    writer.add("NM1", "85", "2", settings.provider, "", "", "", "", "XX", settings.provider_npi)
    _address(writer, settings.street, settings.city, settings.region, settings.postcode)
    writer.add("REF", "EI", settings.tax_id)


def _set(writer: SegmentWriter, claims: Iterable[Claim], settings: HealthcareSettings) -> None:
    level = 1
    for claim in claims:
        writer.subject = claim.reference
        is_patient = claim.coverage.is_patient
        level += 1
        writer.add("HL", str(level), "1", "22", "0" if is_patient else "1")
        # The relation stands here only where the patient is the subscriber; otherwise the patient's own loop has it.
        _subscriber(writer, claim.coverage, claim.order)
        _insured(writer, claim.encounter, claim.coverage)
        if is_patient:
            _patient_facts(writer, claim.encounter)
        writer.add("NM1", "PR", "2", claim.payer_name, "", "", "", "", "PI", claim.coverage.payer)
        if not is_patient:
            level += 1
            writer.add("HL", str(level), str(level - 1), "23", "0")
            writer.add("PAT", claim.coverage.relation)
            writer.add("NM1", "QC", "1", claim.encounter.last, claim.encounter.first, claim.encounter.middle)
            _patient_facts(writer, claim.encounter)
        _claim(writer, claim, settings)


def _subscriber(writer: SegmentWriter, coverage: Coverage, order: str, relation: str = "") -> None:
    shown = relation or ("18" if coverage.is_patient else "")
    writer.add("SBR", order, shown, coverage.group, "", "", "", "", "", coverage.filing)


def _insured(writer: SegmentWriter, encounter: Encounter, coverage: Coverage) -> None:
    own = coverage.is_patient
    last, first = (encounter.last, encounter.first) if own else (coverage.last, coverage.first)
    writer.add("NM1", "IL", "1", last, first, encounter.middle if own else "", "", "", "MI", coverage.member)


def _patient_facts(writer: SegmentWriter, encounter: Encounter) -> None:
    _address(writer, encounter.street, encounter.city, encounter.region, encounter.postcode)
    writer.add("DMG", "D8", day(encounter.birth) if encounter.birth else "", encounter.sex.value)


def _address(writer: SegmentWriter, street: str, city: str, region: str, postcode: str) -> None:
    writer.add("N3", street)
    writer.add("N4", city, region, postcode)


def _claim(writer: SegmentWriter, claim: Claim, settings: HealthcareSettings) -> None:
    head = claim.encounter
    place = (head.place, "B", head.frequency)
    writer.add("CLM", claim.reference, amount(claim.charge), "", "", place, "Y", "A", "Y", "Y")
    if head.patient_paid:
        writer.add("AMT", "F5", amount(head.patient_paid))
    if head.authorisation:
        writer.add("REF", "G1", head.authorisation)
    if head.payer_control:
        writer.add("REF", "F8", head.payer_control)
    codes = head.diagnoses.split(":")
    writer.add("HI", *(("ABF" if place else "ABK", code) for place, code in enumerate(codes)))
    if head.referring_npi:
        _provider(writer, "DN", head.referring_npi, head.referring_last, head.referring_first)
    if head.rendering_npi and head.rendering_npi != settings.provider_npi:
        _provider(writer, "82", head.rendering_npi, head.rendering_last, head.rendering_first)
        if head.rendering_taxonomy:
            writer.add("PRV", "PE", "PXC", head.rendering_taxonomy)
    for position, other in enumerate(claim.others):
        _other_payer(writer, claim, other, "PST"[position])
    for number, line in enumerate(claim.lines, start=1):
        _line(writer, claim, line, number)


def _provider(writer: SegmentWriter, role: str, npi: str, last: str, first: str) -> None:
    writer.add("NM1", role, "1" if first else "2", last, first, "", "", "", "XX", npi)


def _other_payer(writer: SegmentWriter, claim: Claim, other: OtherPayer, order: str) -> None:
    _subscriber(writer, other.coverage, order, other.coverage.relation)
    _adjustments(writer, other.adjustments)
    writer.add("AMT", "D", amount(other.paid))
    if other.remaining is not None:
        writer.add("AMT", "EAF", amount(other.remaining))
    writer.add("OI", "", "", "Y", "", "", "Y")
    _insured(writer, claim.encounter, other.coverage)
    writer.add("NM1", "PR", "2", other.name, "", "", "", "", "PI", other.coverage.payer)
    if other.on is not None:
        writer.add("DTP", "573", "D8", day(other.on))


def _line(writer: SegmentWriter, claim: Claim, line: ClaimLine, number: int) -> None:
    body = line.body
    service = ("HC", body.code, *body.modifier_list)
    place = body.place if body.place != claim.encounter.place else ""
    pointers = tuple(body.pointers.split(":"))
    writer.add("LX", str(number))
    writer.add("SV1", service, amount(line.charge), body.measure, amount(body.units), place, "", pointers)
    writer.add("DTP", "472", *_dates(body.served_on, body.last_on))
    writer.add("REF", "6R", body.control)
    if body.drug:
        writer.add("LIN", "", "N4", body.drug)
        quantity = amount(body.drug_quantity) if body.drug_quantity is not None else ""
        writer.add("CTP", "", "", "", quantity, body.drug_unit)
    for answer in line.paid:
        _paid(writer, line, answer, service)


def _paid(writer: SegmentWriter, line: ClaimLine, answer: LinePaid, service: tuple[str, ...]) -> None:
    writer.add("SVD", answer.payer, amount(answer.paid), service, "", amount(line.body.units))
    _adjustments(writer, answer.adjustments)
    writer.add("DTP", "573", "D8", day(answer.on))


def _dates(first: date, last: date) -> tuple[str, str]:
    return ("D8", day(first)) if first == last else ("RD8", f"{day(first)}-{day(last)}")


def _adjustments(writer: SegmentWriter, adjustments: Iterable[Adjustment]) -> None:
    """Write one CAS segment per group code, with up to six reasons."""
    for group, found in itertools.groupby(sorted(adjustments, key=attrgetter("group")), key=attrgetter("group")):
        listed = list(found)
        for start in range(0, len(listed), _TRIPLETS_PER_SEGMENT):
            elements: list[str] = []
            for one in listed[start : start + _TRIPLETS_PER_SEGMENT]:
                elements += [one.reason, amount(one.amount), "" if one.quantity is None else amount(one.quantity)]
            writer.add("CAS", group, *elements)
