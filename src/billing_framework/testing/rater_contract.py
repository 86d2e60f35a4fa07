"""The contract of raters as a class of tests, which the tests of a plugin inherit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import attrs
import pytest

from billing_framework.rating.group import BillingGroup
from billing_framework.rating.offers import RatingOffers
from billing_framework.rating.rating import Rating
from billing_framework.rating.shard_twin import LEFT
from billing_framework.testing.checks import CHECKS, content
from billing_framework.testing.faults import COLUMN_FAULTS, FAULTS, TWIN_FAULTS, Fault
from billing_framework.testing.specimen import Bench, Specimen

if TYPE_CHECKING:
    from billing_framework.rating.rated_columns import RatedColumns
    from billing_framework.rating.shard_twin import ShardTwin
    from billing_framework.rating.usage_columns import UsageColumns


class RaterContract:
    """The tests that every rater must pass. Inherit them, and give a fixture `specimen`:

    Example:
        from billing_framework.testing import Figure, RaterContract, Specimen

        class TestParking(RaterContract):
            @pytest.fixture
            def specimen(self):
                return Specimen(plugins=[("parking", billing_parking)], plan=PLAN, records=STAYS,
                                figures=[Figure("parked", "14.40")], period=JULY)

    The figures are worked out by hand. Each check is then tried on the rater itself with faults planted in it: a fault that no
    check notices means that the specimen is too weak, and the test says which fault it was.
    """  # noqa: D415  the summary ends in the example that it announces

    checks: ClassVar[Sequence[str]] = tuple(CHECKS)

    @pytest.fixture
    def bench(self, specimen: Specimen) -> Bench:
        """Return the specimen with its plugins resolved and its plan read."""
        return Bench.of(specimen)

    @pytest.mark.parametrize("check", sorted(CHECKS))
    def test_the_rater_keeps(self, check: str, bench: Bench) -> None:
        """Prove one rule of the contract; see `billing_framework.testing.checks`."""
        _none(CHECKS[check](bench, bench.offers))

    def test_the_specimen_reaches_the_rater(self, bench: Bench) -> None:
        """Prove that the specimen asks something of a rater at all."""
        missing = {
            "no rater of the plugins rates the kinds of the records": bench.raters(),
            "give at least two records": len(bench.specimen.records) > 1,
            "give at least one figure, worked out by hand": bench.specimen.figures,
        }
        _none([what for what, found in missing.items() if not found])

    @pytest.mark.parametrize("fault", FAULTS, ids=str)
    def test_the_contract_notices(self, fault: Fault, bench: Bench) -> None:
        """Prove that a fault planted in this very rater would be noticed."""
        faulty = bench.with_rate(fault.plant)
        if not _noticed(bench, faulty):
            unchanged = content(bench.rated(bench.group(), bench.with_rate(fault.plant))) == content(bench.rated(bench.group()))
            why = "it changes nothing of the result: give records that it would change" if unchanged else "no check notices it"
            pytest.fail(f"planted: {fault}; {why}", pytrace=False)

    @pytest.mark.parametrize("fault", sorted(TWIN_FAULTS))
    def test_the_contract_notices_in_the_twin(self, fault: str, bench: Bench) -> None:
        """Prove that a fault of the columnar twin alone would be noticed, where the rater has one that rates the groups."""
        twins = [rater for rater in bench.offers.raters if rater.twin is not None]
        for rater in twins:
            changed: list[bool] = []

            def faulty(groups: Sequence[BillingGroup], rater: object = rater, changed: list[bool] = changed) -> Sequence[Rating]:
                sound = rater.twin(groups)  # type: ignore[attr-defined]
                found = [rating if rating is LEFT else TWIN_FAULTS[fault](rating) for rating in sound]
                changed.append(found != [*sound])
                return found

            planted = tuple(attrs.evolve(one, rate_columns=faulty) if one is rater else one for one in bench.offers.raters)
            told = CHECKS["twin"](bench, attrs.evolve(bench.offers, raters=planted))
            if any(changed) and not told:
                pytest.fail(f"planted: {fault}; no check notices it", pytrace=False)

    @pytest.mark.parametrize("fault", sorted(COLUMN_FAULTS))
    def test_the_contract_notices_in_the_columns(self, fault: str, bench: Bench) -> None:
        """Prove that a fault of the columns of a columnar twin would be noticed, where the rater has one that prices."""
        for rater in bench.offers.raters:
            shard = rater.shard
            if shard is None:
                continue
            changed: list[bool] = []

            def faulty(given: UsageColumns, shard: ShardTwin = shard, changed: list[bool] = changed) -> RatedColumns:
                sound = shard.rate(given)
                found = COLUMN_FAULTS[fault](sound)
                changed.append(found is not sound)
                return found

            planted = attrs.evolve(rater, shard=attrs.evolve(shard, rate=faulty))
            told = CHECKS["columns"](bench, attrs.evolve(bench.offers, raters=(planted,)))
            if any(changed) and not told:
                pytest.fail(f"planted: {fault}; no check notices it", pytrace=False)


def _noticed(bench: Bench, faulty: RatingOffers) -> bool:
    for check in CHECKS.values():
        try:
            if check(bench, faulty):
                return True
        except Exception:  # noqa: BLE001  a planted fault that makes the check itself fail has been noticed too
            return True
    return False


def _none(problems: Sequence[str]) -> None:
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)
