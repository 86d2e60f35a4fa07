"""Asks the plugins for notes on drafts, in one question each for the whole batch; one that fails stops only single drafts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from billing_framework.invoicing.digest import DocumentTexts, document_digest, document_texts
from billing_framework.invoicing.draft import DraftDocument, Note
from billing_framework.plugin.host import Host
from billing_framework.values.call_watch import CallWatch, PluginOverran
from billing_framework.values.errors import BillingError, ContractBroken
from billing_framework.values.finding import Finding
from billing_framework.values.foreign_code import MEND, refusal_of


@attrs.frozen(kw_only=True)
class Noted:
    """What the plugins said about a batch of drafts.

    Attributes:
        notes: key of a document to the notes on it, in order of the plugins.
        failed: key of a document to why nothing can be said about it; its account is held.
        texts: key of a document to what it says without their notes, as far as that had to be known.
    """

    notes: Mapping[int, Sequence[Note]]
    failed: Mapping[int, Finding]
    texts: Mapping[int, DocumentTexts]


def notes_on(drafts: Sequence[DraftDocument], host: Host, watch: CallWatch) -> Noted:
    """Return the notes of all plugins on the drafts.

    A plugin that fails, names strangers or changes a draft is asked again draft by draft: those at which it fails are held with
    a finding that names it, and the others get its notes.

    Args:
        drafts: the drafts of a batch.
        host: the plugins.
        watch: who is told of each call.
    """
    plugins = host.noting_plugins if drafts else ()
    texts = {draft.key: document_texts(draft) for draft in drafts} if plugins else {}
    question = _Question(host=host, watch=watch, digests={key: said.digest for key, said in texts.items()})
    notes: dict[int, list[Note]] = {}
    for plugin in plugins:
        for note in question.asked(plugin, [draft for draft in drafts if draft.key not in question.failed]):
            notes.setdefault(note.document, []).append(note)
    return Noted(notes=notes, failed=question.failed, texts=texts)


@attrs.frozen(kw_only=True)
class _Question:
    """The question for notes, as it is put to each plugin.

    Attributes:
        host: the plugins.
        watch: who is told of each call.
        digests: key of each draft to the digest that it had before any plugin saw it.
        failed: what is held until now.
    """

    host: Host
    watch: CallWatch
    digests: Mapping[int, str]
    failed: dict[int, Finding] = attrs.field(factory=dict)

    def asked(self, plugin: str, drafts: Sequence[DraftDocument]) -> Sequence[Note]:
        """Return the notes of one plugin, and enter in `failed` the drafts that it cannot be asked about."""
        try:
            return self.watch.call(plugin, "billing_documents_drafted", lambda: self.host.notes_of(plugin, drafts, self.digests))
        except (BillingError, PluginOverran) as error:
            if len(drafts) == 1:
                self.failed[drafts[0].key] = _failure(plugin, error, drafts[0])
                return ()
            for draft in drafts:
                if document_digest(draft) != self.digests[draft.key]:
                    self.failed[draft.key] = _failure(plugin, error, draft)
        return [note for draft in drafts if draft.key not in self.failed for note in self.asked(plugin, [draft])]


def _failure(plugin: str, error: BaseException, draft: DraftDocument) -> Finding:
    refused = refusal_of(error)
    told = refused.what if refused else f"billing_documents_drafted of plugin {plugin} {error}"
    return Finding(
        code=refused.code if refused else "PLUGIN05",
        what=told if plugin in told else f"plugin {plugin}: {told}",
        remedy=refused.mend if refused and not isinstance(error, ContractBroken) else MEND,
        subject=draft.account,
    )
