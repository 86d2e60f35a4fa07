"""Parking: exit tickets become started half hours, which a price plan bills."""

import attrs

from billing_framework import Layout, Rater, Reader, RoundingMode, UsageKind, delimited_reader, divide, hookimpl, measure_rater


@attrs.frozen(kw_only=True)
class Stay:
    """A parked car, from entry to exit."""

    minutes: int = attrs.field(validator=attrs.validators.ge(0))

    @property
    def half_hours(self) -> int:
        """Half hours begun."""
        return divide(self.minutes, 30, RoundingMode.UP)


STAY = UsageKind(name="stay", title="A parked car, from entry to exit", body=Stay)
TICKETS = Layout(kind=STAY, columns={"external_id": "ticket", "subject": "plate", "start": "entered", "minutes": "minutes"})


@hookimpl
def billing_usage_kinds() -> list[UsageKind]:
    return [STAY]


@hookimpl
def billing_readers() -> list[Reader]:
    return [delimited_reader("tickets", "Exit tickets as CSV", TICKETS)]


@hookimpl
def billing_raters() -> list[Rater]:
    return [measure_rater("stay", "half_hours", "half_hour", "parked")]
