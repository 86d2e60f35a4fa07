"""Workload (c): subscriptions at one price a month, with two taxes and without usage."""

from __future__ import annotations

from benchmarks.workloads.offices import Customers, Workload


def flat(size: int = 100_000) -> Workload:
    """Return the workload.

    Args:
        size: number of subscriptions, one per account.
    """
    return _subscriptions(size, plan="subscription", plan_file="plan.toml")


def four_lines(size: int = 10_000) -> Workload:
    """Return subscriptions whose bills have four lines, for the comparison with peers.

    Args:
        size: number of accounts.
    """
    return _subscriptions(size, plan="four-lines", plan_file="four_lines.toml")


def _subscriptions(size: int, *, plan: str, plan_file: str) -> Workload:
    return Workload(
        name="flat",
        size=size,
        unit="subscriptions",
        customers=Customers(count=size, currency="USD", country="US", zone="UTC", plan=plan),
        plan_file=plan_file,
    )
