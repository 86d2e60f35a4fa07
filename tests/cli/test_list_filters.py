"""Lists by a name that there is not refuse it, with what there is; by a name that has nothing yet they are empty."""

from __future__ import annotations

import pytest

from tests.cli.in_office import told
from tests.cli.test_run_and_invoice import office
from tests.scenarios.office import Office

__all__ = ["office"]


@pytest.mark.parametrize(
    ("verb", "known", "unknown", "says"),
    [
        (("run", "list", "--book"), "MAIN", "MIAN", "BOOK08 there is no book 'MIAN'. Did you mean 'MAIN'?"),
        (("payment", "list", "--book"), "MAIN", "MIAN", "BOOK08"),
        (("answer", "list", "--book"), "MAIN", "MIAN", "BOOK08"),
        (("account", "list", "--book"), "MAIN", "MIAN", "BOOK08"),
        (("invoice", "list", "--account"), "C1", "C9", "ACCOUNT09 there is no account 'C9'. Known are C1, C2"),
        (("invoice", "list", "--kind"), "invoice", "invioce", "'invioce' is not one of 'invoice'"),
        (("payment", "list", "--account"), "C1", "C9", "ACCOUNT09"),
        (("charge", "list"), "C1", "C9", "ACCOUNT09"),
        (("hold", "list"), "C1", "C9", "ACCOUNT09"),
        (("account", "list", "--parent"), "C1", "C9", "ACCOUNT09"),
        (("account", "list", "--party"), "P-C1", "P-C9", "ACCOUNT09 there is no party 'P-C9'"),
        (("agreement", "list", "--account"), "C1", "C9", "ACCOUNT09"),
        (("agreement", "list", "--plan"), "machine", "machines", "PLAN32 there is no plan 'machines'. Did you mean 'machine'?"),
        (("assignment", "list", "--agreement"), "A-C1", "A-C9", "ACCOUNT09 there is no agreement 'A-C9'"),
        (("share", "list", "--agreement"), "A-C1", "A-C9", "ACCOUNT09"),
        (("plan", "list"), "machine", "machines", "PLAN32"),
        (("usage", "suspense", "--batch"), "1", "99", "USAGE33 there is no batch 99. billing usage batches lists them"),
        (("usage", "suspense", "--subject"), "drill", "dril", "ACCOUNT09 the identifier 'dril' is assigned to no agreement"),
        (("usage", "coverage", "--batch"), "1", "99", "USAGE33"),
        (("usage", "coverage", "--subject"), "drill", "dril", "ACCOUNT09"),
        (("usage", "recycle", "--batch"), "1", "99", "USAGE33"),
        (("usage", "list"), "drill", "dril", "ACCOUNT09"),
    ],
)
def test_a_list_by_what_there_is_not_is_refused(
    office: Office, verb: tuple[str, ...], known: str, unknown: str, says: str
) -> None:
    assert says in " ".join(told(office, *verb, unknown, code=2).split())
    told(office, *verb, known)


def test_a_list_by_a_rate_table_or_a_delivery_or_a_state_that_there_is_not_is_refused(office: Office) -> None:
    assert "TABLE32 there is no rate table 'retail'" in told(office, "rate-table", "list", "retail", code=2)
    assert "DELIVERY07 there is no delivery 'archive'" in told(office, "outbox", "list", "--way", "archive", code=2)
    office.bill("2026-06")
    assert "INVOICE20" in told(office, "outbox", "list", "--document", "INV-2026-000009", code=2)
    assert "(none)" in told(office, "outbox", "list", "--document", "INV-2026-000001")
    assert "(none)" in told(office, "hold", "list", "INV-2026-000001/1")
    assert "'helt' is not one of" in told(office, "run", "show", "--state", "helt", code=2)


def test_an_identifier_whose_records_wait_is_known_though_nothing_bills_it(office: Office) -> None:
    office.jobs("s1,saw,2026-07-03T08:00:00+00:00,4", file="saw.csv")
    assert "(none)" in told(office, "usage", "list", "saw")
    assert "USAGE03" in told(office, "usage", "suspense", "--subject", "saw")
    told(office, "usage", "write-off", "1", "--reason", "a test")
    assert "(none)" in told(office, "usage", "suspense", "--subject", "saw")
