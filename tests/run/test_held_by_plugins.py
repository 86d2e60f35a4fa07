"""What is told of an account that a plugin holds: where it went wrong, and how to bill the account when the plugin is mended."""

from __future__ import annotations

import attrs
import pytest

from billing_framework import Note
from billing_framework.cli.run_start_verb import started
from billing_framework.invoicing.draft import NOTE_KINDS
from billing_framework.plugin.host import Host
from billing_framework.run.review.held import HeldFilter, retry_held
from billing_framework.storage.engine import Database
from tests.run.faulty import VICTIM, faulty_plugin
from tests.run.test_faulty_plugins import office_of, raise_error, rows
from tests.scenarios.office import Office


@pytest.mark.parametrize("by", ["rating", "pricing", "check", "noting"])
def test_an_account_that_a_plugin_holds_is_drafted_again_when_it_is_mended(sqlite_database: Database, by: str) -> None:
    office = office_of(sqlite_database, faulty_plugin(**{by: raise_error}))
    assert office.start("2026-07").counts == {"drafted": 2, "held": 1}
    ((remedy,),) = [[item.finding.remedy for item in row.evidence] for row in rows(office).values() if row.state == "held"]
    assert remedy.endswith("once it is mended, or its version before is back, draft again: billing run retry")
    mended = Office(attrs.evolve(office.deployment, host=Host.build([("faulty", faulty_plugin())])), office.clock)
    again = mended.start("2026-07")
    assert again.run is not None
    assert list(started(again))[-1] == f"  once a plugin that held some is mended: billing run retry {again.run.code}"
    assert retry_held(mended.deployment, "", HeldFilter()).drafted == (VICTIM,)


def test_a_note_of_an_unknown_kind_is_told_with_the_known_ones(sqlite_database: Database) -> None:
    office = office_of(sqlite_database, faulty_plugin(noting=lambda draft: [Note("advert", "Buy more", draft.key)]))
    office.start("2026-07")
    ((item,),) = [row.evidence for row in rows(office).values() if row.state == "held"]
    assert item.finding.code == "INVOICE01"
    assert item.finding.remedy.startswith(f"Known are: {', '.join(NOTE_KINDS)}. Report it to the author of the plugin")
