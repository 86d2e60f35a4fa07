"""The taxes of a document: rounded once per tax and rate, shared to the lines by largest remainder, never recomputed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from graphlib import TopologicalSorter

import attrs

from billing_framework.taxing.exemption import TaxStatus, status_findings, treated
from billing_framework.taxing.tax_rate import TaxPlace, TaxRate
from billing_framework.values.finding import Finding
from billing_framework.values.money import Money, Rounding
from billing_framework.values.rounding import round_ratios


@attrs.frozen(kw_only=True)
class TaxableLine:
    """A line as taxing sees it.

    Attributes:
        key: what it is; unique in the document.
        amount: rounded amount; with the tax where its prices include it, else without.
        category: tax category of its charge.
        charge_code: charge code, which a tax may include or leave out.
        tax_point: date that decides the rate.
        opposes: key of the line that this one takes back to the minor unit; both then bear the same tax with other signs.
    """

    key: str
    amount: Money
    category: str
    charge_code: str = ""
    tax_point: date
    opposes: str = ""


@attrs.frozen(kw_only=True)
class LineTax:
    """One tax's part of one line.

    Attributes:
        code: code of the tax.
        rate: the rate that was applied; code and rate together name the group.
        taxable: the line's part of the tax base.
        tax: the line's share of the tax, fixed when the document is drafted; the shares of a tax sum to its group.
    """

    code: str
    rate: Fraction
    taxable: Money
    tax: Money


@attrs.frozen(kw_only=True)
class TaxedLine:
    """A line with its taxes.

    Attributes:
        key: key of the line.
        net: amount without tax.
        taxes: its part of each tax.
    """

    key: str
    net: Money
    taxes: tuple[LineTax, ...]

    @property
    def tax(self) -> Money:
        """All taxes of the line."""
        return Money.total((part.tax for part in self.taxes), self.net.currency)


@attrs.frozen(kw_only=True)
class TaxGroup:
    """One tax at one rate on one document.

    Attributes:
        rate: the rate as it was applied.
        title: what is printed, in the document's language, without the rate.
        taxable: the base: the sum of the lines' parts.
        tax: the tax: the sum of the lines' shares.
    """

    rate: TaxRate
    title: str
    taxable: Money
    tax: Money

    @property
    def category(self) -> str:
        """Category code of EN 16931."""
        return self.rate.kind.letter


@attrs.frozen(kw_only=True)
class TaxedDocument:
    """The taxes of a document.

    Attributes:
        lines: the lines in order.
        groups: the taxes in order of computing.
        net: sum of the lines.
        tax: sum of the groups.
        gross: `net` + `tax`, never rounded on its own.
        findings: what the document lacks; one that stops holds the account.
    """

    lines: tuple[TaxedLine, ...]
    groups: tuple[TaxGroup, ...]
    net: Money
    tax: Money
    gross: Money
    findings: tuple[Finding, ...] = ()


def tax_document(
    lines: Sequence[TaxableLine], rates: Sequence[TaxRate], status: TaxStatus, *, currency: str, locale: str = "en"
) -> TaxedDocument:
    """Return the taxes of a document.

    The base of a tax is the sum of rounded lines (and of the shares of taxes that it compounds on); the tax is rounded once for
    each rate and shared to the lines by largest remainder, so that a credit of every line is a credit of the document.

    Args:
        lines: the lines, all of `currency`.
        rates: tax rates of the deployment; those that hold at a line's tax point in the customer's place apply.
        status: the customer's place and status.
        currency: ISO 4217 code of the document.
        locale: language of the titles.
    """
    groups, findings = _grouped(lines, rates, status)
    work = _Work(currency=currency, nets=[line.amount for line in lines], parts=[{} for _ in lines], opposites=_opposites(lines))
    for group in groups:
        if group.stated.inclusive:
            work.take_out(group)
    for group in groups:
        if not group.stated.inclusive:
            work.put_on(group)
    findings.extend(status_findings((group.applied for group in groups), status))
    taxed = tuple(
        TaxedLine(key=line.key, net=net, taxes=tuple(parts.values()))
        for line, net, parts in zip(lines, work.nets, work.parts, strict=True)
    )
    summed = tuple(work.summed(group, locale) for group in groups)
    net, tax = Money.total((line.net for line in taxed), currency), Money.total((group.tax for group in summed), currency)
    return TaxedDocument(lines=taxed, groups=summed, net=net, tax=tax, gross=net + tax, findings=tuple(findings))


def _opposites(lines: Sequence[TaxableLine]) -> dict[int, int]:
    """Return the position of each line that takes another back to the minor unit, and that of the other."""
    places = {line.key: place for place, line in enumerate(lines)}
    return {
        place: places[line.opposes]
        for place, line in enumerate(lines)
        if line.opposes in places and line.amount == -lines[places[line.opposes]].amount
    }


@attrs.frozen
class _Group:
    """The lines of one tax at one rate.

    Attributes:
        applied: the rate as the customer's status leaves it.
        stated: the rate as the prices were made with.
        positions: positions of its lines.
    """

    applied: TaxRate
    stated: TaxRate
    positions: list[int]


def _grouped(lines: Sequence[TaxableLine], rates: Sequence[TaxRate], status: TaxStatus) -> tuple[list[_Group], list[Finding]]:
    """Return the groups in order of computing: a tax after all taxes that are part of its base."""
    groups: dict[tuple[object, ...], _Group] = {}
    findings: list[Finding] = []
    known: dict[tuple[object, ...], list[_Group]] = {}
    of_rates: dict[int, _Group] = {}
    for position, line in enumerate(lines):
        like = (line.category, line.charge_code, line.tax_point)
        if like not in known:
            found, problems = applicable(line, rates, status)
            findings.extend(problem for problem in problems if problem.what not in {one.what for one in findings})
            known[like] = []
            for rate in found:
                if id(rate) not in of_rates:
                    applied = treated(rate, status)
                    of_rates[id(rate)] = groups.setdefault(_group_key(applied, rate), _Group(applied, rate, []))
                known[like].append(of_rates[id(rate)])
        for group in known[like]:
            group.positions.append(position)
    order = _order(rates)
    return sorted(groups.values(), key=lambda group: order.index(group.applied.code)), findings


def _order(rates: Sequence[TaxRate]) -> list[str]:
    """Return the codes of taxes in order of computing."""
    under: dict[str, set[str]] = {}
    for rate in rates:
        under.setdefault(rate.code, set()).update(rate.compound_on)
    return list(TopologicalSorter(under).static_order()) if any(under.values()) else list(under)


def _group_key(applied: TaxRate, stated: TaxRate) -> tuple[object, ...]:
    how = (stated.rate, stated.inclusive, stated.gross_up, stated.compound_on, stated.rounding, stated.place)
    return (applied.code, applied.jurisdiction, applied.kind, applied.rate, applied.exemption, *how)


def applicable(line: TaxableLine, rates: Sequence[TaxRate], status: TaxStatus) -> tuple[list[TaxRate], list[Finding]]:
    """Return the rates that hold for a line, at most one of each tax, and what is unclear about them.

    Of several rates of one tax the one of the nearest place wins: a city's over its state's.
    """
    by_code: dict[str, list[TaxRate]] = {}
    for rate in rates:
        if rate.taxes(line.category, line.charge_code) and rate.holds_in(status.jurisdiction) and rate.holds_on(line.tax_point):
            by_code.setdefault(rate.code, []).append(rate)
    found = []
    findings = []
    for code, candidates in by_code.items():
        nearest = max(len(rate.jurisdiction) for rate in candidates)
        winners = [rate for rate in candidates if len(rate.jurisdiction) == nearest]
        found.append(winners[0])
        if len(winners) > 1:
            what = f"{len(winners)} rates of the tax {code!r} hold on {line.tax_point}"
            findings.append(_unclear("TAX02", what, "End the earlier rate by valid_to", status, line))
    if not found:
        where = status.jurisdiction or "a place that the account does not name"
        what = f"no tax rate of the category {line.category!r} holds in {where} on {line.tax_point}"
        findings.append(
            _unclear("TAX01", what, "Load a rate for it; a rate of kind zero or outside says that there is none", status, line)
        )
    if sum(rate.inclusive for rate in found) > 1:
        what = "two taxes are inside one price"
        findings.append(_unclear("TAX08", what, "Let the price include one tax at most", status, line))
    return found, findings


def _unclear(number: str, what: str, remedy: str, status: TaxStatus, line: TaxableLine) -> Finding:
    return Finding(code=number, what=what, remedy=remedy, subject=status.account, field=line.category, value=line.key)


@attrs.define
class _Work:
    """Lines on their way from amounts to nets and taxes.

    Attributes:
        currency: currency of the document.
        nets: amounts of the lines; taxes inside prices are taken out of them one after the other.
        parts: taxes of each line by code.
        opposites: position of each line that takes another back, to the position of that one.
    """

    currency: str
    nets: list[Money]
    parts: list[dict[str, LineTax]]
    opposites: Mapping[int, int]

    def take_out(self, group: _Group) -> None:
        """Take a tax out of the prices that include it: net = round(gross / (1 + rate)), tax = gross - net.

        An exempt customer pays the price without the tax.
        """
        part = 1 / (1 + group.stated.rate)
        grosses = {position: self.nets[position] for position in group.positions}
        nets = self._rounded({position: gross.minor for position, gross in grosses.items()}, part, group.stated)
        for position, net in nets.items():
            tax = grosses[position] - net if group.applied.rate else Money.zero(self.currency)
            self.nets[position] = net
            self._set(position, group, net, tax)

    def put_on(self, group: _Group) -> None:
        """Put a tax on the nets, and on the taxes that it compounds on."""
        bases = {position: self._base(position, group.applied) for position in group.positions}
        taxes = self._rounded({position: base.minor for position, base in bases.items()}, group.applied.factor, group.applied)
        for position, tax in taxes.items():
            self._set(position, group, bases[position], tax)

    def _set(self, position: int, group: _Group, taxable: Money, tax: Money) -> None:
        code = group.applied.code
        self.parts[position][code] = LineTax(code=code, rate=group.applied.rate, taxable=taxable, tax=tax)

    def _base(self, position: int, rate: TaxRate) -> Money:
        if not rate.compound_on:
            return self.nets[position]
        under = (self.parts[position].get(code) for code in rate.compound_on)
        return Money.total((self.nets[position], *(part.tax for part in under if part)), self.currency)

    def _rounded(self, bases: Mapping[int, int], factor: Fraction, rate: TaxRate) -> dict[int, Money]:
        """Return each base times `factor`, rounded where and how the rate says: line by line, or once for their sum.

        Args:
            bases: position to base in minor units.
            factor: what each is multiplied by.
            rate: says where and how it is rounded.
        """
        exact = {position: base * factor.numerator for position, base in bases.items()}
        if rate.place is TaxPlace.LINE:
            minor = {position: rate.rounding.whole(part, factor.denominator) for position, part in exact.items()}
        else:
            minor = self._together(exact, factor.denominator, rate.rounding)
        return {position: Money(part, self.currency) for position, part in minor.items()}

    def _together(self, exact: Mapping[int, int], denominator: int, rounding: Rounding) -> dict[int, int]:
        """Round the sum of parts over `denominator` once and share it back to the lines by largest remainder.

        Lines that take each other back come to nothing together, and so do their shares.
        """
        if not self.opposites:
            parts = round_ratios(rounding.whole(sum(exact.values()), denominator), list(exact.values()), denominator)
            return dict(zip(exact, parts, strict=True))
        pairs = {
            place: other
            for place, other in self.opposites.items()
            if place in exact and other in exact and exact[place] == -exact[other]
        }
        shared = {place: rounding.whole(exact[place], denominator) for place in pairs.values()}
        shared |= {place: -shared[other] for place, other in pairs.items()}
        rest = {place: part for place, part in exact.items() if place not in shared}
        parts = round_ratios(rounding.whole(sum(rest.values()), denominator), list(rest.values()), denominator)
        return shared | dict(zip(rest, parts, strict=True))

    def summed(self, group: _Group, locale: str) -> TaxGroup:
        parts = [self.parts[position][group.applied.code] for position in group.positions]
        return TaxGroup(
            rate=group.applied,
            title=group.applied.title(locale),
            taxable=Money(sum([part.taxable.minor for part in parts]), self.currency),
            tax=Money(sum([part.tax.minor for part in parts]), self.currency),
        )
