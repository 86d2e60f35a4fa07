"""Issued documents leave on the ways that the settings list: each with its own state, tried again, and the same bytes always."""

from __future__ import annotations

import email
import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.policy import SMTP
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa

from billing_framework.plugin.delivery_settings import DeliverySettings
from billing_framework.run.correct.credit import credit_document
from billing_framework.run.deliver import outbox as outbox_act
from billing_framework.run.deliver.files import Made, put
from billing_framework.run.deliver.outbox import deliver, outbox_counts, retry
from billing_framework.run.deliver.taken_letters import TakenLetters
from billing_framework.run.master.customer_change import change
from billing_framework.run.prove.export import export
from billing_framework.storage.billing.tables import outbox
from billing_framework.storage.delivery_rows import deliveries
from billing_framework.storage.engine import Database
from billing_framework.storage.master.master_kind import PARTIES
from billing_framework.storage.outbox import Event, put_events
from billing_framework.values.errors import InputRefused, NotFound, Refused, ValueRefused
from tests.grown import grown_once
from tests.scenarios.office import Office

ARCHIVE = DeliverySettings(name="archive", way="page", folder="archive", retry_minutes=10, most_tries=3)
LETTERS = DeliverySettings(
    name="letters", way="mail", folder="mail", kinds=("invoice",), sender="Machines Inc. <bills@machines.example>"
)


def office_with(database: Database, folder: Path, *ways: DeliverySettings) -> Office:
    """An office in this folder with two invoices of June that are posted and not delivered."""
    office = posted(database, *ways)
    office.deployment = attrs.evolve(office.deployment, folder=folder)
    return office


@grown_once
def posted(database: Database, *ways: DeliverySettings) -> Office:
    office = Office.of(database, deliveries=ways)
    for code in ("C1", "C2"):
        office.customer(code, f"drill-{code}")
    office.bill("2026-06")
    return office


def states(office: Office) -> list[str]:
    with office.deployment.database.read() as connection:
        return [f"{one.document} {one.step} {one.state} {one.tries}" for one in deliveries(connection)]


def test_every_document_goes_every_way_that_takes_it(database: Database, tmp_path: Path) -> None:
    office = office_with(database, tmp_path, ARCHIVE, LETTERS)
    change(office.deployment, PARTIES, "P-C1", {"email": "one@example.org"}, reason="told")
    change(office.deployment, PARTIES, "P-C2", {"email": "two@example.org"}, reason="told")
    credit_document(office.deployment, "INV-2026-000002", reason="not ours")
    for folder in ("archive", "mail"):
        (tmp_path / folder).mkdir()
    assert outbox_counts(office.deployment) == {"archive": {"waiting": 3}, "letters": {"waiting": 2}}
    report = deliver(office.deployment)
    assert (report.planned, report.done, report.failed) == (5, 5, ())
    assert report.counts == {"archive": {"done": 3}, "letters": {"done": 2}}
    assert sorted(path.name for path in (tmp_path / "archive").iterdir()) == [
        "CN-2026-000001.html",
        "INV-2026-000001.html",
        "INV-2026-000002.html",
    ]
    letter = email.message_from_bytes((tmp_path / "mail/new/INV-2026-000001.eml").read_bytes(), policy=SMTP)
    assert (letter["To"], letter["Subject"]) == ("one@example.org", "Machines Inc.: INV-2026-000001")
    (page,) = letter.iter_attachments()
    assert page.get_content().replace("\r\n", "\n") == (tmp_path / "archive/INV-2026-000001.html").read_text()
    assert deliver(office.deployment).done == 0


def test_what_fails_is_tried_again_by_the_clock_and_then_waits_for_an_officer(database: Database, tmp_path: Path) -> None:
    office = office_with(database, tmp_path, ARCHIVE)
    report = deliver(office.deployment)
    assert [one.error[:10] for one in report.failed] == ["DELIVERY01"] * 2
    assert deliver(office.deployment).failed == ()  # not due yet
    office.clock.advance(timedelta(minutes=10))
    assert len(deliver(office.deployment).failed) == 2
    office.clock.advance(timedelta(minutes=10))
    assert deliver(office.deployment).failed == ()  # the wait has doubled
    office.clock.advance(timedelta(minutes=10))
    assert len(deliver(office.deployment).failed) == 2
    office.clock.advance(timedelta(days=30))
    assert deliver(office.deployment).failed == ()
    assert states(office) == ["INV-2026-000001 archive failed 3", "INV-2026-000002 archive failed 3"]

    (tmp_path / "archive").mkdir()
    assert len(retry(office.deployment, reason="the disk is back", documents=["INV-2026-000001"])) == 1
    assert deliver(office.deployment).done == 1
    assert states(office) == ["INV-2026-000001 archive done 1", "INV-2026-000002 archive failed 3"]
    with pytest.raises(NotFound, match="DELIVERY07"):
        retry(office.deployment, reason="again", documents=["INV-2026-000001"])
    assert len(retry(office.deployment, reason="the disk is back", all_failed=True)) == 1
    assert deliver(office.deployment).done == 1


def test_a_way_that_fails_keeps_no_other_back(database: Database, tmp_path: Path) -> None:
    office = office_with(database, tmp_path, LETTERS, ARCHIVE)
    for folder in ("archive", "mail"):
        (tmp_path / folder).mkdir()
    report = deliver(office.deployment)
    assert report.done == 2
    assert {one.error[:10] for one in report.failed} == {"DELIVERY02"}


def test_a_process_that_dies_after_writing_writes_the_same_bytes_again(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = office_with(database, tmp_path, ARCHIVE, LETTERS)
    change(office.deployment, PARTIES, "P-C1", {"email": "one@example.org"}, reason="told")
    for folder in ("archive", "mail"):
        (tmp_path / folder).mkdir()

    def dies(*_: object) -> None:
        raise SystemExit(137)

    with monkeypatch.context() as patched:
        patched.setattr(outbox_act, "_note", dies)
        with pytest.raises(SystemExit):
            deliver(office.deployment)
    files = {path: path.read_bytes() for path in tmp_path.rglob("INV*") if path.is_file()}
    assert len(files) == 3
    office.clock.advance(timedelta(hours=5))
    assert deliver(office.deployment).done == 3
    assert {path: path.read_bytes() for path in tmp_path.rglob("INV*") if path.is_file()} == files


def test_a_file_of_an_exporter_is_delivered_and_what_the_exporter_refuses_is_told(database: Database, tmp_path: Path) -> None:
    rows = DeliverySettings(name="rows", way="export", folder="rows", format="document_lines", kinds=("invoice",))
    strange = DeliverySettings(name="other", way="export", folder="rows", format="document_lines", options={"colour": "red"})
    office = office_with(database, tmp_path, rows, strange)
    (tmp_path / "rows").mkdir()
    report = deliver(office.deployment)
    assert report.done == 2
    assert {one.error.split()[0] for one in report.failed} == {"EXPORT02"}, [one.error for one in report.failed]
    files = sorted((tmp_path / "rows").iterdir())
    assert [file.name for file in files] == ["INV-2026-000001.csv", "INV-2026-000002.csv"]
    alone = export(office.deployment, "document_lines", numbers=["INV-2026-000002"], created_at=office.clock.now())
    assert files[1].read_bytes() == alone.data
    assert b"INV-2026-000001" not in alone.data


def test_two_who_deliver_at_once_write_each_file_whole_and_leave_nothing_beside_it(tmp_path: Path) -> None:
    made = [Made(name=f"INV-{number}.html", data=b"x" * 200_000 + str(number).encode()) for number in range(20)]
    for folder in ("plain", "mail"):
        (tmp_path / folder).mkdir()

    def deliver_all() -> set[str]:
        return {put(tmp_path / folder, one, as_mail=folder == "mail") for one in made for folder in ("plain", "mail")}

    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(deliver_all) for _ in range(4)]
    assert {frozenset(one.result()) for one in results} == {frozenset(f"{at}{one.name}" for one in made for at in ("", "new/"))}
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert left == sorted(f"{at}/{one.name}" for one in made for at in ("plain", "mail/new"))
    assert all((tmp_path / "plain" / one.name).read_bytes() == one.data for one in made)


def test_another_file_is_never_written_over(database: Database, tmp_path: Path) -> None:
    office = office_with(database, tmp_path, ARCHIVE)
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive/INV-2026-000001.html").write_text("somebody's notes")
    report = deliver(office.deployment)
    assert [one.error[:10] for one in report.failed] == ["DELIVERY04"]
    assert (tmp_path / "archive/INV-2026-000001.html").read_text() == "somebody's notes"


def test_what_was_delivered_is_kept_by_the_database(database: Database, tmp_path: Path) -> None:
    office = office_with(database, tmp_path, ARCHIVE)
    (tmp_path / "archive").mkdir()
    deliver(office.deployment, limit=1)
    assert [one.split(" ", 1)[1] for one in states(office)] == ["archive done 1", "archive waiting 0"] or states(office)
    for statement in ("UPDATE outbox_delivery SET state = 'failed', done_at = NULL", "DELETE FROM outbox_delivery"):
        with pytest.raises(Refused, match="DELIVERY06"), database.begin() as connection:
            connection.exec_driver_sql(statement)


def test_without_a_way_nothing_is_delivered(database: Database, tmp_path: Path) -> None:
    office = office_with(database, tmp_path)
    with pytest.raises(InputRefused, match="DELIVERY05"):
        deliver(office.deployment)


@pytest.mark.parametrize(
    "fields",
    [
        {"way": "pigeon"},
        {"way": "mail"},
        {"way": "export"},
        {"way": "page", "format": "lines_csv"},
        {"way": "page", "kinds": ("receipt",)},
        {"way": "page", "most_tries": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueRefused, match="CONFIG04"):
        DeliverySettings(**{"name": "one", "folder": "x", **fields})  # type: ignore[arg-type]


def test_books_may_give_the_same_number_to_documents_of_their_own(database: Database, tmp_path: Path) -> None:
    office = office_with(database, tmp_path)
    events = [Event(topic="document.issued", book=book, key="INV-2026-000009", payload={}) for book in ("NORTH", "SOUTH")]
    with database.begin() as connection:
        put_events(connection, office.deployment.clock.now(), events)
        assert connection.execute(sa.select(sa.func.count()).where(outbox.c.key == "INV-2026-000009")).scalar() == 2


def test_what_killed_deliveries_were_writing_is_removed_after_an_hour(database: Database, tmp_path: Path) -> None:
    office = office_with(database, tmp_path, ARCHIVE, LETTERS)
    now = office.clock.now().timestamp()
    ours, theirs = ".INV-2026-000001.html.0123456789abcdef.part", [".INV.html.part", "0123456789abcdef.part", ".bashrc"]
    for folder in ("archive", "mail/tmp", "mail/new"):
        (tmp_path / folder).mkdir(parents=True)
        for name, age in ((ours, 7200), (ours.replace("0", "f"), 60), *((name, 7200) for name in theirs)):
            file = tmp_path / folder / name
            file.write_text("<html", encoding="utf-8")
            os.utime(file, (now - age, now - age))
    deliver(office.deployment)
    for folder, left in (("archive", False), ("mail/tmp", False), ("mail/new", True)):
        names = {path.name for path in (tmp_path / folder).iterdir()}
        assert (ours in names) == left
        assert {ours.replace("0", "f"), *theirs} <= names


def test_what_mail_programs_have_taken_is_looked_at_again_only_where_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Path] = []
    listed = Path.iterdir

    def noted(folder: Path) -> Iterator[Path]:
        looks.append(folder)
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", noted)
    clock = itertools.count(step=2_000_000_000)
    monkeypatch.setattr("billing_framework.run.deliver.taken_letters.monotonic_ns", lambda: next(clock))
    taken = TakenLetters()
    for number in range(20):
        letter = Made(name=f"INV-{number}.eml", data=b"x")
        assert put(tmp_path, letter, as_mail=True, taken=taken) == f"new/INV-{number}.eml"
    assert looks == [tmp_path / "cur"] * 2  # once more when the folder had stood for a while
    (tmp_path / "new/INV-7.eml").rename(tmp_path / "cur/INV-7.eml:2,S")
    os.utime(tmp_path / "cur", (2_000_000_000, 2_000_000_000))
    assert put(tmp_path, Made(name="INV-7.eml", data=b"x"), as_mail=True, taken=taken) == "cur/INV-7.eml"
    assert put(tmp_path, Made(name="INV-8.eml", data=b"x"), as_mail=True, taken=taken) == "new/INV-8.eml"
    assert not (tmp_path / "new/INV-7.eml").exists()


def test_a_folder_that_was_just_changed_is_looked_at_for_every_letter(tmp_path: Path) -> None:
    taken = TakenLetters()
    for number in range(5):
        letter = Made(name=f"INV-{number}.eml", data=b"x")
        assert put(tmp_path, letter, as_mail=True, taken=taken) == f"new/{letter.name}"
        (tmp_path / "new" / letter.name).rename(tmp_path / "cur" / f"{letter.name}:2,")
        assert put(tmp_path, letter, as_mail=True, taken=taken) == f"cur/{letter.name}"
