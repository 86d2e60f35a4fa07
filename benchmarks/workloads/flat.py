"""Workload (c): subscriptions at one price a month, with two taxes and without usage."""

from __future__ import annotations

from benchmarks.workloads.offices import Customers, Workload


def flat(size: int = 100_000) -> Workload:
    """Return the workload.

    Args:
        size: number of subscriptions, one per account.
    """
    return Workload(
        name="flat",
        size=size,
        unit="subscriptions",
        customers=Customers(count=size, currency="USD", country="US", zone="UTC", plan="subscription"),
    )
