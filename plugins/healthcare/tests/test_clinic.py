"""A clinic on a real database: encounters in, claims out, answers booked, the rest left to patients, no name in the clear."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner

from billing_framework import Money
from billing_framework.cli.main import cli

Make = Callable[..., Any]
EXAMPLE = Path(__file__).parents[3] / "examples" / "healthcare"
CANARIES = ("EXAMPLE", "NH0001001", "12 ELM STREET", "SAMPLE", "BEA", "E119", "S52501A", "1980-01-15")
TABLES = {
    "charges": ("charge_master", "2026-01-01"),
    "relative-values": ("mpfs_rvu", "2026-01-01"),
    "localities": ("gpci", "2026-01-01"),
    "conversion-factors": ("conversion_factor", "2025-01-01"),
    "northfield-drugs": ("fee_schedule", "2026-01-01"),
}


def load_module() -> Any:
    spec = importlib.util.spec_from_file_location("clinic_data", EXAMPLE / "make_data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DATA = load_module()


@attrs.frozen
class Clinic:
    """A deployment of the example, worked on by its commands."""

    folder: Path

    def run(self, *words: str, exit_code: int = 0) -> str:
        done = CliRunner().invoke(cli, [*words, "--config", str(self.folder / "billing.toml"), "--actor", "ada"])
        assert done.exit_code == exit_code, done.output
        return done.output

    def answer(self, *claims: Any, trace: str = "EFT0041", recovered: str = "0", exit_code: int = 0, **replaced: str) -> str:
        content = DATA.remittance(DATA.NORTHFIELD, trace, "20261218", claims, recovered)
        for change in replaced.values():
            old, new = change.encode().split(b" -> ")
            assert old in content
            content = content.replace(old, new, 1)
        file = self.folder / f"{trace}.835"
        file.write_bytes(content)
        return self.run("answer", "import", str(file), "--format", "x12_835", exit_code=exit_code)

    def balances(self) -> dict[str, Fraction]:
        found = json.loads(self.run("ledger", "balance", "--json"))
        return {row["code"]: _dollars(row["debit"]) - _dollars(row["credit"]) for row in found["lines"]}

    def open(self, account: str) -> Money:
        text = self.run("payment", "open", account, "--on", "2026-12-31")
        found = re.findall(r"balance of \S+ on \S+: (-?[\d.]+) USD", text)
        return Money.of(found[0], "USD") if found else Money.zero("USD")


def _dollars(text: str) -> Fraction:
    return Fraction(text.removesuffix(" USD"))


@pytest.fixture(scope="module")
def billed(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    """The example, billed for November."""
    folder = tmp_path_factory.mktemp("clinic")
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    clinic = Clinic(folder)
    (folder / "personal.key").write_text("11" * 32)
    clinic.run("db", "upgrade")
    clinic.run("book", "load", str(folder / "book.toml"))
    for code, (kind, start) in TABLES.items():
        words = ("--code", code, "--kind", f"healthcare.{kind}", "--version", "2026", "--valid-from", start)
        clinic.run("rate-table", "load", str(folder / "tables" / f"{code}.csv"), *words)
    clinic.run("plan", "load", *(str(path) for path in sorted((folder / "plans").glob("*.toml"))))
    clinic.run("tax", "load", str(folder / "taxes.toml"))
    clinic.run("period", "open", "LAKESIDE", "2026-01", "--through", "2026-12")
    for noun, file in (("party", "parties"), ("account", "accounts"), ("agreement", "agreements"), ("assignment", "assignments")):
        clinic.run(noun, "import", str(folder / f"{file}.csv"))
    clinic.run("usage", "intake", str(folder / "data" / "encounters_2026-11.jsonl"), "--format", "encounter_json")
    clinic.run("usage", "intake", str(folder / "data" / "self_pay_2026-11.csv"), "--format", "encounter_csv")
    words = ("--book", "LAKESIDE", "--cycle", "monthly:1", "--period", "2026-11", "--as-of", "2026-12-01")
    clinic.run("run", "start", *words)
    clinic.run("run", "approve")
    clinic.run("run", "post")
    return clinic


@pytest.fixture
def clinic(billed: Clinic, tmp_path: Path) -> Clinic:
    """A copy of it for one test."""
    shutil.copytree(billed.folder, tmp_path / "clinic")
    return Clinic(tmp_path / "clinic")


FIRST = ("CL-2026-000001.1", "1", "NH-ICN-1", DATA.VISIT)
DENIED = ("CL-2026-000001.2", "4", "NH-ICN-2", DATA.LATE)
SURGERY = ("CL-2026-000002", "1", "NH-ICN-3", DATA.OPERATION)
REVERSED = ("CL-2026-000001.1", "22", "NH-ICN-1", DATA.mirrored(DATA.VISIT))
CORRECTED = ("CL-2026-000001.1", "1", "NH-ICN-1", DATA.CORRECTED)


def test_claims_of_issued_documents_pass_the_judge(clinic: Clinic, judge: Make) -> None:
    out = clinic.folder / "claims.x12"
    words = ("CL-2026-000001", "CL-2026-000002", "--format", "x12_837p", "--out", str(out))
    clinic.run("invoice", "export", *words, "--option", "control=7")
    assert judge(out.read_bytes()) == []
    assert "no findings" in clinic.run("file", "check", str(out), "--format", "x12_837p")
    assert out.read_bytes().count(b"CLM*") == 3


def test_a_document_of_a_patient_is_no_claim(clinic: Clinic) -> None:
    words = ("CL-2026-000003", "--format", "x12_837p", "--out", str(clinic.folder / "none.x12"))
    assert "HEALTH40" in clinic.run("invoice", "export", *words, exit_code=1)
    assert not (clinic.folder / "none.x12").exists()


def test_parties_sum_to_the_charge_in_any_order_of_posting(clinic: Clinic, tmp_path: Path) -> None:
    shutil.copytree(clinic.folder, tmp_path / "other")
    other = Clinic(tmp_path / "other")
    clinic.answer(FIRST, DENIED, SURGERY, recovered="10")
    other.answer(SURGERY, trace="EFT0042")
    other.answer(DENIED, FIRST, trace="EFT0043", recovered="10")
    assert clinic.balances() == other.balances()
    accounts = ("C-1001", "C-1002", "P-1001", "P-1002", "S-1002")
    assert [clinic.open(code) for code in accounts] == [other.open(code) for code in accounts]
    assert [str(clinic.open(code)) for code in accounts] == ["45.00 USD", "0.00 USD", "35.08 USD", "0.00 USD", "369.13 USD"]


def test_posting_twice_is_posting_once(clinic: Clinic) -> None:
    clinic.answer(FIRST, DENIED, SURGERY, recovered="10")
    before = clinic.balances()
    assert "known already" in clinic.answer(FIRST, DENIED, SURGERY, recovered="10")
    assert clinic.balances() == before


def test_a_denial_is_billed_to_nobody(clinic: Clinic) -> None:
    clinic.answer(DENIED)
    assert clinic.open("C-1001") == Money.of("410.50", "USD")
    assert clinic.open("P-1001") == Money.zero("USD")


def test_a_reversal_restores_the_ledger(clinic: Clinic) -> None:
    before = clinic.balances()
    clinic.answer(FIRST)
    # A payment cannot be negative: what is taken back is carried forward (FB), and nothing is paid.
    clinic.answer(REVERSED, trace="EFT0052", recovered="-172.83", wo="WO:OVERPAY0007 -> FB:FORWARD1")
    after = clinic.balances()
    assert clinic.open("C-1001") == Money.of("410.50", "USD")
    assert clinic.open("P-1001") == Money.zero("USD")
    # Nothing is left of both but the money that came, and that the plan will keep from the next payment.
    left = {code: money for code, money in after.items() if money != before.get(code, 0)}
    assert left == {"1000": Fraction("172.83"), "2410": Fraction("-172.83")}
    assert clinic.answer(CORRECTED, trace="EFT0053").count("1 booked") == 1
    assert clinic.open("P-1001") == Money.of("25.08", "USD")


def test_a_claim_that_does_not_balance_waits_and_the_others_are_booked(clinic: Clinic) -> None:
    said = clinic.answer(FIRST, SURGERY, bad="CAS*CO*45*99.23 -> CAS*CO*45*99.24", exit_code=1)
    assert "ANSWER02" in said
    assert clinic.open("C-1001") == Money.of("410.50", "USD")
    assert clinic.open("S-1002") == Money.of("369.13", "USD")
    assert clinic.balances()["2100"] == Fraction("-172.83")


def test_a_file_that_does_not_balance_is_refused(clinic: Clinic) -> None:
    before = clinic.balances()
    assert "ANSWER04" in clinic.answer(FIRST, SURGERY, bad="BPR*I*849.31 -> BPR*I*849.32", exit_code=1)
    assert clinic.balances() == before


def test_an_unknown_claim_waits_with_its_money(clinic: Clinic) -> None:
    stranger = ("ENC1001", "1", "X-1", DATA.VISIT)
    assert "ANSWER05" in clinic.answer(stranger, exit_code=1)
    assert clinic.balances()["2100"] == Fraction("-172.83")


def test_the_next_payer_is_asked_only_when_the_first_has_answered(clinic: Clinic, judge: Make) -> None:
    out = clinic.folder / "second.x12"
    words = ("CL-2026-000002", "--format", "x12_837p", "--option", "payer=SM02", "--out", str(out))
    assert "HEALTH43" in clinic.run("invoice", "export", *words, exit_code=1)
    clinic.answer(SURGERY)
    clinic.run("invoice", "export", *words)
    assert judge(out.read_bytes()) == []
    assert b"AMT*EAF*369.13~" in out.read_bytes()


def test_no_name_of_a_patient_is_in_the_clear(clinic: Clinic) -> None:
    bad = '{"encounter": "ENC-9", "account": "PT-1001", "patient": {"last": "CANARY", "birth": "CANARY"}, "lines": []}\n'
    (clinic.folder / "bad.jsonl").write_text(bad)
    said = clinic.run("usage", "intake", str(clinic.folder / "bad.jsonl"), "--format", "encounter_json", exit_code=1)
    clinic.answer(FIRST, DENIED, SURGERY)
    said += clinic.run("usage", "suspense") + clinic.run("invoice", "show", "CL-2026-000001")
    said += clinic.run("explain", "CL-2026-000001/1") + clinic.run("audit", "list")
    stored = b"".join(path.read_bytes() for path in clinic.folder.glob("billing.sqlite3*"))
    # Three or four letters turn up in ciphertext by chance; each person has a longer name beside them.
    assert [name for name in (*CANARIES, "CANARY") if len(name) > 5 and name.encode() in stored] == []
    assert [name for name in (*CANARIES, "CANARY") if name in said] == []


def test_every_line_is_explained_by_replay(clinic: Clinic) -> None:
    for line in ("CL-2026-000001/1", "CL-2026-000001/4", "CL-2026-000002/2", "CL-2026-000003/1"):
        assert "proven" in clinic.run("explain", line)


def test_a_statement_shows_only_what_is_the_patient_s_and_after_all_payers(clinic: Clinic) -> None:
    out = clinic.folder / "statement.txt"
    words = ("--format", "patient_statement", "--out", str(out))
    assert "HEALTH43" in clinic.run("invoice", "export", "CL-2026-000001", *words, exit_code=1)
    clinic.answer(FIRST, DENIED, SURGERY)
    assert "SM02 has not answered" in clinic.run("invoice", "export", "CL-2026-000002", *words, exit_code=1)
    clinic.run("invoice", "export", "CL-2026-000001", *words)
    text = out.read_text(encoding="utf-8")
    # charge, paid, not asked for, yours: the contract's reduction and the denied test are nobody's debt here
    assert re.findall(r"X\d{4} +([\d. ]+)", text) == [
        "220.00        95.77          99.23        25.00",
        "90.00        40.31          39.61        10.08",
        "55.50        36.75          18.75         0.00",
        "45.00         0.00          45.00         0.00",
    ]
    assert "Your part: 35.08 USD" in text
    assert clinic.open("P-1001") == Money.of("35.08", "USD")
    (clinic.folder / "second.835").write_bytes(DATA.REMITTANCES["second_mutual.835"])
    clinic.run("answer", "import", str(clinic.folder / "second.835"), "--format", "x12_835")
    clinic.run("invoice", "export", "CL-2026-000002", "CL-2026-000003", *words)
    text = out.read_text(encoding="utf-8")
    assert "Answered by NORTHFIELD HEALTH PLAN\nAnswered by SECOND MUTUAL" in text
    assert "Your part: 69.13 USD" in text
    assert "Your part: 159.00 USD" in text  # who has no plan pays the document itself


NEXT_MONTH = ("--book", "LAKESIDE", "--cycle", "monthly:1", "--period", "2026-12", "--as-of", "2027-01-01")


def late(identifier: str, *lines: dict[str, Any]) -> str:
    return json.dumps({**DATA.ENCOUNTERS[0], "encounter": identifier, "lines": list(lines)}) + "\n"


def test_a_late_encounter_is_on_the_next_claim_and_one_that_goes_on_waits(clinic: Clinic) -> None:
    visit = {"code": "X1001", "pointers": [1], "date": "2026-11-28"}
    content = late("ENC-6001", visit) + late("ENC-6002", visit, {**visit, "date": "2027-01-02"})
    (clinic.folder / "late.jsonl").write_text(content)
    clinic.run("usage", "intake", str(clinic.folder / "late.jsonl"), "--format", "encounter_json")
    clinic.run("period", "open", "LAKESIDE", "2027-01")
    clinic.run("run", "start", *NEXT_MONTH)
    said = clinic.run("run", "review")
    assert "its encounter is not here as a whole" in said
    clinic.run("run", "approve")
    clinic.run("run", "post")
    shown = clinic.run("invoice", "show", "CL-2027-000001")
    assert "2026-11-28/2026-11-28" in shown
    assert "total  220.00 USD" in shown


def test_a_reviewer_edits_a_line_and_the_claim_says_so(clinic: Clinic, judge: Make) -> None:
    visit = {"code": "X1001", "pointers": [1], "date": "2026-12-03"}
    (clinic.folder / "more.jsonl").write_text(late("ENC-7001", visit, {**visit, "code": "X3001"}))
    clinic.run("usage", "intake", str(clinic.folder / "more.jsonl"), "--format", "encounter_json")
    clinic.run("period", "open", "LAKESIDE", "2027-01")
    clinic.run("run", "start", *NEXT_MONTH)
    run = "LAKESIDE.2026-12-01.monthly-1.1"
    words = ("run", "edit", run, "C-1001", "--record", "ENC-7001/2", "--reason", "two tests were done")
    clinic.run(*words, "--set", "units=2", "--set", "modifiers=59")
    clinic.run("run", "approve")
    clinic.run("run", "post")
    out = clinic.folder / "edited.x12"
    clinic.run("invoice", "export", "CL-2027-000001", "--format", "x12_837p", "--out", str(out))
    assert judge(out.read_bytes()) == []
    assert b"SV1*HC:X3001:59*90*UN*2***1~" in out.read_bytes()
    assert "proven" in clinic.run("explain", "CL-2027-000001/2")


def test_who_is_erased_can_be_claimed_no_more_and_still_be_proven(clinic: Clinic) -> None:
    clinic.run("personal-data", "erase", "subject:PT-1001", "--reason", "asked for in writing")
    words = ("CL-2026-000001", "--format", "x12_837p", "--out", str(clinic.folder / "gone.x12"))
    assert "HEALTH40" in clinic.run("invoice", "export", *words, exit_code=1)
    assert "proven" in clinic.run("explain", "CL-2026-000001/1")
