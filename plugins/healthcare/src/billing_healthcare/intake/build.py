"""From the texts of a file to the records of an encounter: every field is checked, and all that is wrong is told at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import attrs

from billing_framework import AnyUsage, DateSpan, Finding, ReadRequest, Severity, Usage, ValueRefused, exact, timezone
from billing_healthcare.coverage import MOST_PAYERS, Coverage, make_coverage, write_coverages
from billing_healthcare.kinds import (
    CODE,
    ENCOUNTER,
    MODIFIER,
    MOST_MODIFIERS,
    MOST_POINTERS,
    PLACE,
    SERVICE_LINE,
    Encounter,
    ServiceLine,
    Sex,
)
from billing_healthcare.x12.number import is_npi
from billing_healthcare.x12.segment import Delimiters
from billing_healthcare.x12.write import unwritable

MOST_LINES = 50
MOST_DIAGNOSES = 12
_DIAGNOSIS = re.compile(r"[A-Z][A-Z0-9]{2,6}", re.ASCII)
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,29}", re.ASCII)


@attrs.define(kw_only=True)
class EncounterBuilder:
    """Builds the records of one encounter and collects what is wrong with it.

    Attributes:
        request: what the reader was told.
        line: line of the file where the encounter begins.
        findings: what is wrong; no record may be used where there is any. Values of the patient are never repeated.
        notes: what stops nothing but should be known before the encounter is billed.
        identifier: the encounter's identifier, as far as it is known.
    """

    request: ReadRequest
    line: int
    findings: list[Finding] = attrs.field(factory=list)
    notes: list[Finding] = attrs.field(factory=list)
    identifier: str = ""

    def records(
        self, head: Mapping[str, str], coverages: Sequence[object], diagnoses: Sequence[str], lines: Sequence[Mapping[str, str]]
    ) -> tuple[AnyUsage, ...]:
        """Return the record of the encounter and those of its lines, or nothing where a finding stands against them.

        Args:
            head: the fields of the encounter as texts, with ``account`` and ``encounter``.
            coverages: tables of the payers in order.
            diagnoses: diagnosis codes in order, with or without decimal point.
            lines: the fields of each line as texts.
        """
        self.identifier = self.matched(_IDENTIFIER, head.get("encounter", ""), "encounter", "up to 30 letters and digits")
        account = head.get("account", "")
        if not account:
            self.wrong("account", "the patient's account is missing", "Name the account")
        codes = [
            self.matched(_DIAGNOSIS, code.replace(".", ""), "diagnoses", "a diagnosis code", shown=False) for code in diagnoses
        ]
        if len(codes) > MOST_DIAGNOSES:
            self.wrong("diagnoses", f"there are more than {MOST_DIAGNOSES} diagnoses", "Keep the most important ones")
        if not 1 <= len(lines) <= MOST_LINES:
            what = f"the encounter has {len(lines)} service lines"
            self.wrong("lines", what, f"Give 1 to {MOST_LINES}; split a longer one into encounters with identifiers of their own")
        payers = self._coverages(coverages)
        encounter = self._encounter(head, payers, codes)
        services = [self._service(number, line, encounter, len(codes)) for number, line in enumerate(lines, start=1)]
        numbers = [service.number for service in services]
        if len(set(numbers)) < len(numbers):
            self.wrong("line", "two service lines bear the same number", "Number each line once")
        if self.findings:
            return ()
        self._note_unwritable(encounter, payers)
        encounter = attrs.evolve(encounter, lines=len(services))
        first = min(service.served_on for service in services)
        last = max(service.last_on for service in services)
        made = [self._usage(ENCOUNTER.name, self.identifier, account, (first, last), encounter)]
        for service in services:
            dates = (service.served_on, service.last_on)
            made.append(self._usage(SERVICE_LINE.name, f"{self.identifier}/{service.number}", account, dates, service))
        return tuple(made)

    def _usage(self, kind: str, external_id: str, account: str, dates: tuple[date, date], body: object) -> AnyUsage:
        span = DateSpan(dates[0], dates[1] + timedelta(days=1)).instants(timezone(self.request.zone))
        return Usage(
            kind=kind,
            source=self.request.source,
            external_id=external_id,
            subject=account,
            span=span,
            body=body,
            line=self.line,
        )

    def _note_unwritable(self, encounter: Encounter, payers: Sequence[Coverage]) -> None:
        """Note the fields that no file of claims can hold as they are; an encounter without a payer makes no claim."""
        texts = {name: getattr(encounter, name) for name in _CLAIMED} if payers else {}
        for number, payer in enumerate(payers, start=1):
            texts |= {f"coverage {number} {field.name}": getattr(payer, field.name) for field in attrs.fields(Coverage)}
        for name, value in texts.items():
            if isinstance(value, str) and unwritable(value, Delimiters()):
                self.notes.append(
                    Finding(
                        code="HEALTH09",
                        severity=Severity.INFORMATION,
                        what=f"{name} holds a character that a file of claims cannot hold: a delimiter, or no printable ASCII",
                        remedy="Its claim cannot be exported: take it in corrected under another identifier, and leave this one"
                        " out of the bill by billing run edit --defer",
                        file=self.request.file,
                        line=self.line,
                        field=name,
                        subject=self.identifier,
                    )
                )

    def _coverages(self, given: Sequence[object]) -> list[Coverage]:
        made = []
        if len(given) > MOST_PAYERS:
            self.wrong("coverage", f"there are more than {MOST_PAYERS} payers", "Give the first three")
        for one in given:
            try:
                made.append(make_coverage(one))
            except ValueRefused as error:
                self.wrong("coverage", error.what, error.remedy)
        return made

    def _encounter(self, head: Mapping[str, str], coverages: Sequence[Coverage], diagnoses: Sequence[str]) -> Encounter:
        text = {field.name: head.get(field.name, "") for field in attrs.fields(Encounter)}
        for name in ("rendering_npi", "referring_npi"):
            self._npi(text[name], name)
        if not text["last"]:
            self.wrong("last", "the patient has no last name", "Give the name")
        if text["sex"] and text["sex"] not in {sex.value for sex in Sex}:
            self.wrong("sex", "the sex is none of F, M, U", "Use one of F, M, U")
        frequency = text["frequency"] or "1"
        if frequency not in {"1", "7"}:
            what = f"the claim frequency {frequency!r} is unknown"
            self.wrong("frequency", what, "Use 1 original or 7 replacement; what was wrong altogether is credited")
            frequency = "1"
        if frequency == "7" and not text["payer_control"]:
            self.wrong("payer_control", "a replacement names no earlier claim", "Give the payer's number of the claim")
        rest: dict[str, Any] = {name: value for name, value in text.items() if value and name not in _TYPED}
        return Encounter(
            **rest,
            encounter=self.identifier,
            place=self.matched(PLACE, text["place"], "place", "two digits", instead="00"),
            last=text["last"],
            birth=self.day(text["birth"], "birth", shown=False) if text["birth"] else None,
            sex=Sex(text["sex"]) if text["sex"] in {sex.value for sex in Sex} else Sex.UNKNOWN,
            diagnoses=":".join(diagnoses),
            coverage=write_coverages(coverages),
            frequency=frequency,
            patient_paid=self.number(text["patient_paid"], "patient_paid") or Fraction(0),
        )

    def _service(self, place: int, line: Mapping[str, str], encounter: Encounter, diagnoses: int) -> ServiceLine:
        at = f"line {place} "
        number = line.get("line", "") or str(place)
        if not (number.isascii() and number.isdigit() and 0 < int(number) < 1000):
            self.wrong("line", f"{at}has no number from 1 to 999", "Number the lines from 1", number)
            number = str(place)
        served_on = self.day(line.get("date", ""), f"{at}date") or date(2000, 1, 1)
        through = self.day(line["through"], f"{at}through") if line.get("through") else None
        if through is not None and through < served_on:
            self.wrong("through", f"{at}ends before it begins", "Correct the dates")
            through = None
        units = self.number(line.get("units", "") or "1", f"{at}units")
        if units is not None and units <= 0:
            self.wrong("units", f"{at}has no units above zero", "Give the units", line.get("units", ""))
        return ServiceLine(
            encounter=self.identifier,
            number=int(number),
            code=self.matched(CODE, line.get("code", ""), f"{at}code", "a procedure code", instead="0"),
            modifiers=":".join(self._listed(line.get("modifiers", ""), at)),
            units=units or Fraction(1),
            measure=self._choice(line.get("measure", "") or "UN", f"{at}measure", ("UN", "MJ")),
            charge=self.number(line.get("charge", ""), f"{at}charge"),
            pointers=":".join(self._pointers(line.get("pointers", ""), at, diagnoses)),
            served_on=served_on,
            served_through=through if through != served_on else None,
            place=self.matched(PLACE, line["place"], f"{at}place", "two digits", instead="00") if line.get("place") else "",
            renderer=encounter.rendering_npi,
            drug=line.get("drug", ""),
            drug_quantity=self.number(line.get("drug_quantity", ""), f"{at}drug_quantity"),
            drug_unit=line.get("drug_unit", ""),
        )

    def _listed(self, text: str, at: str) -> list[str]:
        parts = [part for part in text.split(":") if part]
        found = [self.matched(MODIFIER, part, f"{at}modifiers", "two letters or digits", instead="00") for part in parts]
        if len(found) > MOST_MODIFIERS:
            self.wrong("modifiers", f"{at}has more than {MOST_MODIFIERS} modifiers", "Keep the four that matter for payment")
        return found[:MOST_MODIFIERS]

    def _pointers(self, text: str, at: str, diagnoses: int) -> list[str]:
        found = [part for part in text.split(":") if part]
        if len(found) > MOST_POINTERS:
            self.wrong("pointers", f"{at}points to more than {MOST_POINTERS} diagnoses", "Keep four", text, code="HEALTH13")
        sound = [part for part in found if part.isascii() and part.isdigit() and 1 <= int(part) <= diagnoses]
        for part in found:
            if part not in sound:
                what = f"{at}points to diagnosis {part}, the encounter has {diagnoses}"
                self.wrong("pointers", what, "Point to a diagnosis by its number", part, code="HEALTH13")
        return [str(int(part)) for part in sound[:MOST_POINTERS]]

    def _npi(self, text: str, field: str) -> None:
        if text and not is_npi(text):
            self.wrong(field, "the check digit of the provider identifier is wrong", "Correct the number", text, code="HEALTH12")

    def _choice(self, text: str, field: str, allowed: tuple[str, ...]) -> str:
        if text not in allowed:
            self.wrong(field, f"{field} is none of {', '.join(allowed)}", "Use one of them", text)
        return text

    def matched(
        self, pattern: re.Pattern[str], text: str, field: str, wanted: str, *, shown: bool = True, instead: str = ""
    ) -> str:
        """Return a text that a pattern describes; tell where it does not, and return what stands in its place until then."""
        if pattern.fullmatch(text):
            return text
        self.wrong(field, f"{field} is not {wanted}", "Correct it at its source", text if shown else "")
        return instead

    def day(self, text: str, field: str, *, shown: bool = True) -> date | None:
        """Return an ISO date; tell where it is none."""
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.wrong(field, f"{field} is no date", "Write it as 2026-11-02", text if shown else "")
            return None

    def number(self, text: str, field: str) -> Fraction | None:
        """Return an exact number that is not negative, None where the text is empty; tell where it is none."""
        if not text:
            return None
        try:
            found = exact(text)
        except ValueRefused:
            found = Fraction(-1)
        if found < 0:
            self.wrong(field, f"{field} is no number from zero up", "Write it as 12.50", text)
            return None
        return found

    def wrong(self, field: str, what: str, remedy: str, value: str = "", *, code: str = "HEALTH11") -> None:
        """Note what is wrong."""
        self.findings.append(
            Finding(
                code=code,
                what=what,
                remedy=remedy,
                file=self.request.file,
                line=self.line,
                field=field,
                value=value,
                subject=self.identifier,
            )
        )


_TYPED = frozenset({"encounter", "place", "last", "birth", "sex", "diagnoses", "coverage", "frequency", "patient_paid", "lines"})
_CLAIMED = (
    *("last", "first", "middle", "street", "city", "region", "postcode", "authorisation", "payer_control"),
    *("rendering_last", "rendering_first", "rendering_taxonomy", "referring_last", "referring_first"),
)
