"""Make the encounters of November 2026 and what the payers answer: invented people, codes of our own, provider numbers with 99.

python examples/healthcare/make_data.py
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from billing_healthcare.x12.segment import Delimiters
from billing_healthcare.x12.write import Envelope, SegmentWriter, amount, interchange

DATA = Path(__file__).parent / "data"
RENDERING = {"npi": "9900000115", "last": "HOUSE", "first": "GREG", "taxonomy": "207Q00000X"}
ADA = {
    "last": "EXAMPLE",
    "first": "ADA",
    "birth": "1980-01-15",
    "sex": "F",
    "street": "12 ELM STREET",
    "city": "CHICAGO",
    "region": "IL",
    "postcode": "606020001",
}
BEN = {
    "last": "SAMPLE",
    "first": "BEN",
    "birth": "2014-06-30",
    "sex": "M",
    "street": "77 OAK AVENUE",
    "city": "EVANSTON",
    "region": "IL",
    "postcode": "602010001",
}
PARENT = {"relation": "19", "last": "SAMPLE", "first": "BEA", "birth": "1984-02-01", "sex": "F"}


def encounter(
    identifier: str, account: str, patient: dict[str, str], coverage: list[dict[str, str]], **rest: object
) -> dict[str, object]:
    return {
        "encounter": identifier,
        "account": account,
        "place": "11",
        "patient": patient,
        "coverage": coverage,
        "rendering": RENDERING,
        **rest,
    }


ENCOUNTERS = [
    encounter(
        "ENC-5001",
        "PT-1001",
        ADA,
        [{"payer": "NHP01", "member": "NH0001001", "group": "GRP77", "filing": "CI"}],
        diagnoses=["Z00.00", "E11.9"],
        lines=[
            {"code": "X1001", "pointers": [1], "date": "2026-11-03"},
            {"code": "X3001", "units": "2", "pointers": [1, 2], "date": "2026-11-03"},
            {"code": "X7001", "units": "3", "pointers": [2], "date": "2026-11-03"},
        ],
    ),
    encounter(
        "ENC-5002",
        "PT-1002",
        BEN,
        [
            {"payer": "NHP01", "member": "NH0002002", "group": "GRP12", "filing": "CI", **PARENT},
            {"payer": "SM02", "member": "SM778899", "filing": "CI", **PARENT},
        ],
        diagnoses=["S52.501A"],
        lines=[
            {"code": "X2002", "pointers": [1], "date": "2026-11-10"},
            {"code": "X2003", "pointers": [1], "date": "2026-11-10"},
        ],
    ),
    encounter(
        "ENC-5004",
        "PT-1001",
        ADA,
        [{"payer": "NHP01", "member": "NH0001001", "group": "GRP77", "filing": "CI"}],
        diagnoses=["E11.9"],
        lines=[{"code": "X3001", "pointers": [1], "date": "2026-11-24", "charge": "45.00"}],
    ),
]
SELF_PAY = [
    {
        "encounter": "ENC-5003",
        "account": "PT-1003",
        "place": "11",
        "last": "SPECIMEN",
        "first": "CORA",
        "sex": "F",
        "rendering_npi": RENDERING["npi"],
        "diagnoses": "J069",
        "line": line,
        "code": code,
        "pointers": "1",
        "date": "2026-11-17",
    }
    for line, code in ((1, "X1001"), (2, "X3001"))
]

# What a payer says about a line: code, charge, what it pays, and its reasons with their amounts.
Line = tuple[str, str, str, tuple[tuple[str, str, str], ...]]
VISIT: tuple[Line, ...] = (
    ("X1001", "220", "95.77", (("CO", "45", "99.23"), ("PR", "3", "25"))),
    ("X3001", "90", "40.31", (("CO", "45", "39.61"), ("PR", "2", "10.08"))),
    ("X7001", "55.5", "36.75", (("CO", "45", "18.75"),)),
)
LATE: tuple[Line, ...] = (("X3001", "45", "0", (("CO", "29", "45"),)),)
OPERATION: tuple[Line, ...] = (
    ("X2002", "900", "197.54", (("CO", "45", "653.07"), ("PR", "2", "49.39"))),
    ("X2003", "1300", "478.94", (("CO", "45", "501.32"), ("PR", "1", "200"), ("PR", "2", "119.74"))),
)
SECOND: tuple[Line, ...] = (
    ("X2002", "900", "49.39", (("OA", "23", "850.61"),)),
    ("X2003", "1300", "250.61", (("OA", "23", "980.26"), ("PR", "2", "69.13"))),
)
CORRECTED: tuple[Line, ...] = (("X1001", "220", "105.77", (("CO", "45", "99.23"), ("PR", "3", "15"))), *VISIT[1:])


def mirrored(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Return what takes lines back: every amount with the other sign, for the same reasons."""
    return tuple(
        (code, f"-{charge}", amount(-Fraction(paid)), tuple((group, reason, f"-{money}") for group, reason, money in reasons))
        for code, charge, paid, reasons in lines
    )


Claim = tuple[str, str, str, tuple[Line, ...]]
"""Our reference, status, the payer's number, and its lines."""


def remittance(payer: str, trace: str, paid_on: str, claims: tuple[Claim, ...], recovered: str = "0") -> bytes:
    """Return a remittance as its payer would send it."""
    paid = sum((Fraction(line[2]) for claim in claims for line in claim[3]), Fraction(0)) - Fraction(recovered)
    out = SegmentWriter()
    bank = ("01", "071000013", "DA", "1234567", "1369999999", "", "01", "071999999", "DA", "40012345")
    out.add("BPR", "I", amount(paid), "C", "ACH", "CCP", *bank, paid_on)
    out.add("TRN", "1", trace, "1369999999" if payer == "NORTHFIELD HEALTH PLAN" else "1368888888")
    out.add("N1", "PR", payer)
    out.add("N3", "1 PAYER WAY")
    out.add("N4", "SPRINGFIELD", "IL", "62701")
    out.add("PER", "BL", "REMITTANCE DESK", "TE", "2175550100")
    out.add("N1", "PE", "LAKESIDE CLINIC", "XX", "9900000107")
    out.add("REF", "TJ", "363999999")
    out.add("LX", "1")
    for reference, status, control, lines in claims:
        charge, answered = (amount(sum((Fraction(line[place]) for line in lines), Fraction(0))) for place in (1, 2))
        moved = sum((Fraction(money) for line in lines for group, _, money in line[3] if group == "PR"), Fraction(0))
        patient = "" if status == "22" or not moved else amount(moved)
        out.add("CLP", reference, status, charge, answered, patient, "12", control, "11", "1")
        out.add("NM1", "QC", "1", "EXAMPLE", "PATIENT", "", "", "", "MI", "NH0001001")
        for code, billed, money, reasons in lines:
            out.add("SVC", ("HC", code), billed, money, "", "1" if Fraction(money) else "0")
            out.add("DTM", "472", "20261103")
            for group in dict.fromkeys(reason[0] for reason in reasons):
                own = [part for reason in reasons if reason[0] == group for part in (reason[1], reason[2], "")]
                out.add("CAS", group, *own)
    if Fraction(recovered):
        out.add("PLB", "9900000107", "20261231", ("WO", "OVERPAY0007"), recovered)
    envelope = Envelope(
        sender="DEMOCH",
        receiver="LAKESIDE",
        control=int(trace[-4:]),
        group="HP",
        version="005010X221A1",
        created_at=datetime(2026, 12, 20, 12, tzinfo=UTC),
        in_header=False,
    )
    return interchange(envelope, [("835", out.lines)], Delimiters())


NORTHFIELD = "NORTHFIELD HEALTH PLAN"
REMITTANCES = {
    "northfield_1.835": remittance(
        NORTHFIELD,
        "EFT0041",
        "20261218",
        (
            ("CL-2026-000001.1", "1", "NH-ICN-1", VISIT),
            ("CL-2026-000001.2", "4", "NH-ICN-2", LATE),
            ("CL-2026-000002", "1", "NH-ICN-3", OPERATION),
        ),
        recovered="10",
    ),
    "second_mutual.835": remittance("SECOND MUTUAL", "EFT0900", "20261220", (("CL-2026-000002", "2", "SM-ICN-7", SECOND),)),
    "northfield_2.835": remittance(
        NORTHFIELD,
        "EFT0052",
        "20261222",
        (("CL-2026-000001.1", "22", "NH-ICN-1", mirrored(VISIT)), ("CL-2026-000001.1", "1", "NH-ICN-1", CORRECTED)),
    ),
}


def main() -> None:
    """Write all files."""
    DATA.mkdir(exist_ok=True)
    for name, content in REMITTANCES.items():
        (DATA / name).write_bytes(content)
    (DATA / "encounters_2026-11.jsonl").write_text("".join(json.dumps(one) + "\n" for one in ENCOUNTERS))
    with (DATA / "self_pay_2026-11.csv").open("w", newline="") as file:
        sheet = csv.DictWriter(file, list(SELF_PAY[0]), lineterminator="\n")
        sheet.writeheader()
        sheet.writerows(SELF_PAY)


if __name__ == "__main__":
    main()
