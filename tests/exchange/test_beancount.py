"""The exported ledger, judged by Beancount's own checker; it must also find what we break on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from billing_framework.cli.format_option import write_file
from billing_framework.exchange.beancount import ChainedEntry, account_name, beancount_lines
from billing_framework.ledger.book import Book
from billing_framework.ledger.chart import AccountType, Chart, GlAccount
from billing_framework.ledger.entry import Entry, Posting
from billing_framework.run.correct.credit import credit_document
from billing_framework.run.prove.journal import beancount_file
from billing_framework.run.prove.trial_balance import book_trial_balance
from billing_framework.storage.engine import Database
from billing_framework.values.errors import NotFound
from billing_framework.values.money import Money
from tests.cli.in_office import told
from tests.exchange.beancount_judge import judged
from tests.scenarios.office import Office

BOOK = Book(key='A "quoted" \\ book', name="Stadtwerke\nGöß", currency="EUR")
CHART = Chart.of(
    BOOK.key,
    GlAccount(code="1200.a", name='Due "now"', type=AccountType.ASSET),
    GlAccount(code="umsatz/ö", name="Revenue", type=AccountType.INCOME),
    GlAccount(code="9", name="Unused", type=AccountType.EXPENSE),
    GlAccount(code="3000", name="Capital", type=AccountType.EQUITY),
    GlAccount(code="2000", name="Debt", type=AccountType.LIABILITY),
)


def entry(key: str, minor: int, currency: str = "EUR", day: int = 1, reverses: str | None = None) -> ChainedEntry:
    lines = (
        Posting(gl_account="1200.a", money=Money(minor, currency), account_key="C\t1", document_key='INV-"1"'),
        Posting(gl_account="umsatz/ö", money=Money(-minor, currency), sub_key="deposit"),
    )
    made = Entry(
        key=key,
        effective_on=date(2026, 7, day),
        kind="invoice",
        source="run R1",
        postings=lines,
        reverses=reverses,
        memo="secret",
    )
    return ChainedEntry(batch=day, entry=made)


def written(folder: Path, *entries: ChainedEntry) -> Path:
    file = folder / "book.beancount"
    file.write_text("\n".join(beancount_lines(BOOK, CHART, entries, head="2:ab")) + "\n", encoding="utf-8")
    return file


def interrupted() -> Iterator[bytes]:
    yield b"the first line"
    raise KeyboardInterrupt


def test_odd_names_amounts_and_currencies_pass_the_judge(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        entry("k1", 12_345),
        entry("k2", -1, day=2),
        entry("k3", 500, "JPY", day=3),
        entry("k4", 1_234, "BHD", day=3),
        entry("k5", -12_345, day=31, reverses="k1"),
    )
    assert judged(file) == (0, "")
    text = file.read_text(encoding="utf-8")
    assert "  Assets:1200-2E-a  123.45 EUR\n" in text
    assert "1.234 BHD" in text
    assert "500 JPY" in text
    assert "2026-08-01 balance Assets:1200-2E-a  -0.01 ~ 0 EUR\n" in text
    assert '  reverses: "k1"\n' in text
    assert "secret" not in text


def test_a_book_without_entries_passes_the_judge(tmp_path: Path) -> None:
    assert judged(written(tmp_path)) == (0, "")


@pytest.mark.parametrize(
    ("old", "new"), [("  123.45 EUR", "  123.46 EUR"), ("~ 0 EUR", "~ 0 USD"), ("open Assets", "close Assets")]
)
def test_the_judge_finds_what_was_broken(tmp_path: Path, old: str, new: str) -> None:
    file = written(tmp_path, entry("k1", 12_345), entry("k2", 1))
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert judged(file)[0] != 0


def test_no_two_accounts_have_one_name() -> None:
    codes = ["a", "A", "X-61-", "X.", "X", ".x", "X.x", "-", "X-2D-", "1", "ö", "x", "X--78-", "1-2E-", "1."]
    names = {account_name(GlAccount(code=code, name="n", type=AccountType.ASSET)) for code in codes}
    assert len(names) == len(codes)


def test_a_billed_ledger_passes_the_judge_with_the_balances_of_the_books(database: Database, tmp_path: Path) -> None:
    office = Office.of(database)
    office.customer("C1", "drill")
    office.customer("C2", "saw")
    office.jobs("j1,drill,2026-06-03T08:00:00+00:00,8", "j2,saw,2026-06-04T08:00:00+00:00,1/3")
    office.bill("2026-06")
    credit_document(office.deployment, "INV-2026-000001", reason="goodwill", nets={1: "1.50"})
    lines = list(beancount_file(office.deployment, "MAIN"))
    assert all(line.count(b"\n") == 1 for line in lines)  # it is never whole in memory
    content = b"".join(lines)
    (tmp_path / "main.beancount").write_bytes(content)
    assert judged(tmp_path / "main.beancount") == (0, "")
    text = content.decode()
    for line in book_trial_balance(office.deployment, "MAIN").lines:
        number, currency = str(line.balance).split()
        if line.balance:
            assert f":{line.code}  {number} ~ 0 {currency}" in text
    assert '    customer: "C2"' in text
    assert '    document: "INV-2026-000001"' in text
    out = tmp_path / "again.beancount"
    told(office, "ledger", "export", "--format", "beancount", "--out", str(out))
    assert out.read_bytes() == content
    with pytest.raises(NotFound):
        write_file(out, beancount_file(office.deployment, "NONE"))
    with pytest.raises(KeyboardInterrupt):
        write_file(out, interrupted())
    assert out.read_bytes() == content  # what was there stays until another is complete
    assert [one.name for one in tmp_path.iterdir() if one.suffix == ".part"] == []
