"""Price plans: named, effective-dated versions of components; a loaded version never changes."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import date
from typing import Any

import attrs

from billing_framework.values.money import HALF_UP, Rounding


class RoundingPlace(enum.Enum):
    """Where exact amounts become payable: each ``LINE``, the sum of each ``COMPONENT``, or the whole ``DOCUMENT``.

    Under the last two the rounded sum is shared to the lines by largest remainder, so the printed parts always sum up.
    """

    LINE = "line"
    COMPONENT = "component"
    DOCUMENT = "document"


class Proration(enum.Enum):
    """How a monthly price or tier becomes a part.

    ``ACTUAL_DAYS`` days over the days of the month, ``FIXED_30`` days over 30, ``FIXED_DAYS`` days over the plan's
    ``fixed_days``, ``THIRTY_360`` by 30/360 day count, ``NONE`` always in full.
    """

    ACTUAL_DAYS = "actual_days"
    FIXED_30 = "fixed_30"
    FIXED_DAYS = "fixed_days"
    THIRTY_360 = "30_360"
    NONE = "none"


class Correction(enum.Enum):
    """What happens to later documents that read a state that a rebill changed.

    ``CASCADE`` rebills them too, ``ADJUST_NEXT`` puts the difference on the next bill, ``HOLD`` lists them and waits for
    an officer.
    """

    CASCADE = "cascade"
    ADJUST_NEXT = "adjust_next"
    HOLD = "hold"


class LateUsage(enum.Enum):
    """What a run does about usage that came, was corrected or was deleted after its period was billed.

    ``LIST`` leaves it to ``billing usage late`` and an officer. ``DELTA`` bills the difference on the next bill, in lines of its
    own with the service dates of that period. ``CREDIT_REBILL`` holds the account until the run's documents are credited and
    billed anew, all in one command. ``HOLD`` holds the account until an officer has decided. Carried kinds need none of it:
    their late records go on the next bill by themselves.
    """

    LIST = "list"
    DELTA = "delta"
    CREDIT_REBILL = "credit_rebill"
    HOLD = "hold"


@attrs.frozen(kw_only=True)
class Component:
    """One rule of a plan: it prices measures, the calendar, or other charges by a charge model.

    Attributes:
        code: unique in the plan version.
        titles: locale (``en``, ``de``) to printed description; ``en`` must be there.
        model: name of the charge model, of the core (``graduated``) or of a plugin (``utility_metering.tiered_tou``).
        params: the model's own parameters, already checked and structured into its attrs class.
        charge_code: code that the book maps to a revenue account.
        tax_category: tax category of its charges.
        measure: name of the measure that it prices, or empty.
    """

    code: str
    titles: Mapping[str, str]
    model: str
    params: Any
    charge_code: str
    tax_category: str
    measure: str = ""

    def title(self, locale: str) -> str:
        """Return the description in the language of `locale`, else in English."""
        language = locale.replace("-", "_").split("_", maxsplit=1)[0]
        return self.titles.get(locale) or self.titles.get(language) or self.titles["en"]


@attrs.frozen(kw_only=True)
class PlanVersion:
    """One version of a price plan.

    Attributes:
        code: code of the plan; agreements name it.
        version: label of the version, unique in the plan.
        valid_from: first service date that it prices.
        valid_to: the date after the last, or None for open end.
        currency: ISO 4217 code; agreements of accounts with another currency cannot use it.
        components: the rules, in the order in which they are priced.
        rounding: mode and grid by which amounts become payable.
        rounding_place: where they do.
        proration: default of the components.
        fixed_days: days of a month under ``FIXED_DAYS``.
        correction: what a rebill does to later documents that read changed state.
        late_usage: what a run does about usage that came after its period was billed.
        late_usage_days: how many days before a run's period a billed period may have ended for that; older usage is only told.
        supersedes: label of the version that this one corrects, or empty.
        reason: why it corrects it.
        sha256: hex digest of the file's bytes.
        source: the text of the file, so that the version can be shown and replayed.
    """

    code: str
    version: str
    valid_from: date
    valid_to: date | None = None
    currency: str
    components: tuple[Component, ...]
    rounding: Rounding = HALF_UP
    rounding_place: RoundingPlace = RoundingPlace.LINE
    proration: Proration = Proration.ACTUAL_DAYS
    fixed_days: int = 30
    correction: Correction = Correction.HOLD
    late_usage: LateUsage = LateUsage.LIST
    late_usage_days: int = 365
    supersedes: str = ""
    reason: str = ""
    sha256: str = ""
    source: str = ""

    @property
    def name(self) -> str:
        """Return ``code@version``, which pins a charge to its prices."""
        return f"{self.code}@{self.version}"
