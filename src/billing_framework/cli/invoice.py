"""``billing invoice``: documents as they were issued, and their corrections."""

from __future__ import annotations

import click

from billing_framework.cli.verbs_by_file import VerbFile, VerbsByFile

FILES = {
    "list": VerbFile("invoice_show_verbs", "List issued and void documents, oldest first."),
    "show": VerbFile("invoice_show_verbs", "Show a document from what is stored alone."),
    "print": VerbFile("invoice_print_verb", "Write issued documents as pages to print, each as NUMBER.html."),
    "export": VerbFile("invoice_export_verb", "Write issued documents as a file of a format that a plugin offers."),
    "credit": VerbFile("invoice_correct_verbs", "Credit a document in full, or amounts of its lines, without billing anew."),
    "rebill": VerbFile("invoice_correct_verbs", "Bill a document anew."),
}


@click.group(cls=VerbsByFile, files=FILES)
def invoice() -> None:
    """Show documents as they are stored, and correct them.

    Example:
      billing invoice list --account A-1001
      billing invoice show INV-2026-000001
      billing invoice rebill INV-2026-000001 --reason "counted again"
    """
