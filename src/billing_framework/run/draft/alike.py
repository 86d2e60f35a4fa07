"""Drafts of accounts that are billed alike, made from the draft of one of them under stand-in names; see `likeness`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

import attrs

from billing_framework.invoicing.digest import DocumentTexts
from billing_framework.rating.pricing import ChargeModel
from billing_framework.run.draft.bill_input import BillInput, Material
from billing_framework.run.draft.bill_result import BillResult
from billing_framework.run.draft.likeness import (
    FEWEST,
    STAND_INS,
    Names,
    Template,
    in_text,
    is_nameless,
    likeness,
    names_of,
    under,
)

BillEach = Callable[[Sequence[BillInput]], Sequence[BillResult]]
"""Bills manifests by the whole road."""


def bill_alike(
    inputs: Sequence[BillInput], material: Material, models: Mapping[str, ChargeModel], each: BillEach
) -> tuple[BillResult, ...]:
    """Return what `each` returns for the manifests, asking it for few of those that are alike.

    Args:
        inputs: manifests of whole families.
        material: what they name.
        models: charge models by name.
        each: the whole road.
    """
    alike = list(_alike(inputs, material, models))
    shared = {given.account.code for members in alike for given in members[1:]}
    results = {one.account: one for one in each([given for given in inputs if given.account.code not in shared])}
    for first, *others in alike:
        (specimen,) = each([under(first, STAND_INS)])
        pattern = _Pattern.of(specimen)
        if pattern is not None and pattern.filled(names_of(first)) == results[first.account.code]:
            results |= {given.account.code: pattern.filled(names_of(given)) for given in others}
        else:
            results |= {one.account: one for one in each(others)}
    return tuple(results[given.account.code] for given in inputs)


def _alike(inputs: Sequence[BillInput], material: Material, models: Mapping[str, ChargeModel]) -> Iterator[list[BillInput]]:
    """Yield groups of manifests that differ in names only; nobody else is on their documents."""
    concerned = {one for given in inputs for one in (given.payer, *given.bearers.values()) if one != given.account.code}
    groups: dict[Hashable, list[BillInput]] = {}
    for given in inputs:
        key = likeness(given)
        if key is not None and given.account.code not in concerned:
            groups.setdefault(key, []).append(given)
    for members in groups.values():
        if len(members) >= FEWEST and is_nameless(members[0].agreements[0], material, models):
            yield members


@attrs.frozen(kw_only=True)
class _Pattern:
    """A result under the stand-ins, with its texts as templates.

    Attributes:
        result: the result.
        keys: key of the charge of each line.
        titles: title of each heading.
        head: text of the document without its lines.
        lines: text of each line.
    """

    result: BillResult
    keys: tuple[Template, ...]
    titles: tuple[Template, ...]
    head: Template
    lines: tuple[Template, ...]

    @classmethod
    def of(cls, result: BillResult) -> _Pattern | None:
        """Return the pattern of a result; None where there is no draft, or it says more than a draft."""
        draft, texts = result.draft, result.texts
        if draft is None or texts is None or any((result.findings, result.state, result.state_read, result.records)):
            return None
        return cls(
            result=result,
            keys=tuple(Template.of(line.charge_key) for line in draft.lines),
            titles=tuple(Template.of(group.title) for group in draft.groups),
            head=Template.of(texts.head),
            lines=tuple(map(Template.of, texts.lines)),
        )

    def filled(self, names: Names) -> BillResult:
        """Return the result under the names of an account."""
        draft, texts = self.result.draft, self.result.texts
        if draft is None or texts is None:
            raise AssertionError  # a pattern has a draft
        plain = (names.account, names.party, names.agreement, str(names.document))
        written = in_text(names)
        drafted = attrs.evolve(
            draft,
            key=names.document,
            account=names.account,
            lines=tuple(
                attrs.evolve(line, charge_key=key.filled(plain), agreement=names.agreement)
                for line, key in zip(draft.lines, self.keys, strict=True)
            ),
            groups=tuple(
                attrs.evolve(group, agreement=names.agreement, title=title.filled(plain))
                for group, title in zip(draft.groups, self.titles, strict=True)
            ),
        )
        own = (names.account,)
        return attrs.evolve(
            self.result,
            account=names.account,
            payer=names.account,
            bearers=own,
            document=names.document,
            draft=drafted,
            texts=DocumentTexts(self.head.filled(written), tuple(line.filled(written) for line in self.lines), texts.taxes),
            charges=tuple(attrs.evolve(charge, agreement=names.agreement) for charge in self.result.charges),
            members=own,
            keeps=own,
        )
