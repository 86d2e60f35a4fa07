"""``billing run``: the cycle run from start to posting."""

from __future__ import annotations

import click

from billing_framework.cli.verbs_by_file import VerbFile, VerbsByFile

FILES = {
    "start": VerbFile("run_start_verb", "Draft the bills of a period, or go on where an earlier start was cut off."),
    "due": VerbFile(
        "run_cycle_verbs",
        "Draft the bills of all cycles whose last period has ended, each in a run of its own, or go on with these runs.",
    ),
    "catch-up": VerbFile("run_cycle_verbs", "Draft the oldest missed period of every account."),
    "off-cycle": VerbFile(
        "run_cycle_verbs",
        "Draft a bill of one account over other dates than those of its cycle, with all that are billed together with it.",
    ),
    "final-bill": VerbFile(
        "run_cycle_verbs",
        "Draft the last bill of an account whose agreements have all ended, up to the day on which the last one did.",
    ),
    "status": VerbFile("run_status_verb", "Tell how far a run has come."),
    "resume": VerbFile("run_resume_verb", "Go on with a run that was cut off, drafting or posting."),
    "review": VerbFile(
        "run_review_verb", "Show totals, held accounts with their evidence, control totals, stale drafts and late usage."
    ),
    "report": VerbFile("run_figures_verbs", "Show a run in figures."),
    "diff": VerbFile("run_figures_verbs", "Compare two runs over the same dates."),
    "list": VerbFile("run_show_verbs", "List the runs, newest first."),
    "show": VerbFile("run_show_verbs", "Show a run with its accounts, or the draft of one account."),
    "edit": VerbFile("run_draft_verbs", "Change a draft."),
    "hold": VerbFile("run_draft_verbs", "Keep an account out of the approval until it is released."),
    "release": VerbFile("run_held_verbs", "Let held drafts pass as they are."),
    "retry": VerbFile("run_held_verbs", "Draft held accounts again, after their data or a plugin were mended."),
    "late": VerbFile("run_late_verbs", "Show the late usage that the drafts of a run were made with."),
    "rebill-late": VerbFile(
        "run_late_verbs",
        "Credit and bill anew all documents that wait for it in a run, then start the run again to draft their accounts.",
    ),
    "approve": VerbFile("run_approve_verb", "Approve a run."),
    "post": VerbFile("run_post_verb", "Post an approved run, or go on where an earlier call was cut off."),
    "cancel": VerbFile("run_cancel_verbs", "Cancel a run, or what is left of one that is posted in part."),
    "purge": VerbFile("run_cancel_verbs", "Remove a rehearsal with its drafts."),
}


@click.group(cls=VerbsByFile, files=FILES)
def run() -> None:
    """Bill a cycle: start, review, approve, post.

    RUN is the code of a run or its end. The help of each command says which run it means where none is named.

    Example:
      billing run start --book US --cycle monthly:1 --period 2026-07
      billing run review
      billing run approve
      billing run post
    """
