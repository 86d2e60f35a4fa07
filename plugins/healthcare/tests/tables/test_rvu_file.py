from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from billing_healthcare.tables.rvu_file import convert, main, write_table

from billing_framework import InputRefused

# The header stands in several rows, as it is published; the codes are made up.
PUBLISHED = """2026 relative values,,,,,,,,,,
Released for tests,,,,,,,,,,
,,,NOT USED,,,,,,,
,,,FOR,,NON-,NON-,,,,
,,STATUS,MEDICARE,WORK,FAC PE,FAC NA,FACILITY,MP,MULT,CONV
HCPCS,DESCRIPTION,CODE,PAYMENT,RVU,RVU,INDICATOR,PE RVU,RVU,PROC,FACTOR
X1001,words that stay behind,A,,1.30,1.62,,0.55,.09,0,33.4009
99999,words of others,A,,1.00,1.00,,1.00,0.10,0,33.4009
D0001,words of others,A,,1.00,1.00,,1.00,0.10,0,33.4009
X2002,"words, with comma",R,,5.10,6.20,NA,3.80,0.75,2,33.4009
\x1a
"""


def test_columns_are_found_by_name_and_licensed_rows_stay_behind(world: Any) -> None:
    converted = convert(PUBLISHED.splitlines(keepends=True), file="rvu.csv")
    text = "".join(write_table(converted))
    assert converted.left_out == 2
    assert "words" not in text
    table = world.table("mpfs_rvu", text)
    assert [(row.hcpcs, row.status_code, str(row.nonfac_pe_rvu), row.nonfac_na_ind) for row in table.rows] == [
        ("X1001", "A", "81/50", ""),
        ("X2002", "R", "31/5", "NA"),
    ]


def test_columns_may_move() -> None:
    moved = "".join(
        ",".join([cells[0], *reversed(cells[1:])]) + "\n"
        for cells in (line.split(",") for line in PUBLISHED.replace(", with", " with").splitlines())
    )
    usual = convert(PUBLISHED.splitlines(keepends=True), file="rvu.csv")
    assert list(convert(moved.splitlines(keepends=True), file="rvu.csv").rows) == list(usual.rows)


def test_licensed_codes_need_a_word_of_the_user(world: Any) -> None:
    converted = convert(PUBLISHED.splitlines(keepends=True), file="rvu.csv", is_licensed=True)
    text = "".join(write_table(converted))
    assert {row.hcpcs for row in world.table("mpfs_rvu", text).rows} == {"X1001", "99999", "D0001", "X2002"}
    read = world.read_table("mpfs_rvu", text.replace("true", "false"))
    assert [finding.code for finding in read.findings] == ["HEALTH30", "HEALTH30"]


@pytest.mark.parametrize(("old", "new"), [("WORK,", "LABOUR,"), ("1.62", "1.6x"), ("X1001", "X"), ("5.10", "")])
def test_what_cannot_be_read_is_refused(old: str, new: str) -> None:
    text = PUBLISHED.replace(old, new)
    if old == "X1001":
        text = "\n".join(text.splitlines()[:6])
    with pytest.raises(InputRefused, match="HEALTH31"):
        convert(text.splitlines(keepends=True), file="rvu.csv")


def test_the_command_writes_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / "rvu.csv", tmp_path / "values.csv"
    source.write_text(PUBLISHED)
    assert main([str(source), str(target)]) == 0
    assert capsys.readouterr().out == "2 rows; 2 rows of licensed codes left out\n"
    assert target.read_text().startswith("hcpcs,")
    assert main([str(tmp_path / "none.csv"), str(target)]) == 2
    assert "none.csv" in capsys.readouterr().err


def test_the_published_sample_loads_and_its_other_rows_are_negative_cases(world: Any, sample: Callable[..., Path]) -> None:
    table = world.table("mpfs_rvu", sample("mpfs_2022_level2.csv").read_bytes())
    assert len(table.rows) == 203
    assert len(world.table("gpci", sample("gpci_2022.csv").read_bytes()).rows) == 112
