"""Workload (b): 15-minute values of one month of interval meters, billed by time of use in tiers with demand."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.workloads.offices import PERIOD, SEED, Customers, Usage, Workload

_A_DAY = 96
_BLOCK = 100


def metering(size: int = 28_800_000, *, seed: int = SEED) -> Workload:
    """Return the workload.

    Args:
        size: intervals; a meter has 2,880 of them in the month.
        seed: seed of the values.
    """
    meters = max(size // (_A_DAY * PERIOD.days), 1)
    return Workload(
        name="metering",
        size=meters * _A_DAY * PERIOD.days,
        unit="intervals",
        customers=Customers(
            count=meters, currency="AUD", country="AU", zone="Australia/Brisbane", plan="intervals", subject=point
        ),
        usage=Usage(format="nem12", source="market", records=meters * PERIOD.days),
        write_usage=partial(write_days, meters=meters, seed=seed),
    )


def point(place: int) -> str:
    """Return the name of the usage point at a place."""
    return f"QB{place:08d}"


def write_days(path: Path, *, meters: int, seed: int) -> None:
    """Write the NEM12 file: per meter a 200 record, then one 300 record of 96 values for each day.

    Args:
        path: where to.
        meters: number of meters.
        seed: seed of the values.
    """
    random = np.random.default_rng(seed)
    days = [(PERIOD.start + timedelta(days=number)).strftime("%Y%m%d") for number in range(PERIOD.days)]
    heads = [f"300,{day},".encode() for day in days]
    with path.open("wb") as file:
        file.write(b"100,NEM12,202610010600,BENCHMDP,BENCH\n")
        for first in range(0, meters, _BLOCK):
            count = min(_BLOCK, meters - first)
            texts = _values(random, count * len(days))
            for meter in range(count):
                file.write(f"200,{point(first + meter)},E1,1,E1,N1,M{first + meter:07d},kWh,15,\n".encode())
                for day, head in enumerate(heads):
                    file.write(head + texts[meter * len(days) + day] + b"A,,,20261001053000,20261001060000\n")
        file.write(b"900\n")


def _values(random: np.random.Generator, days: int) -> list[bytes]:
    """Return the text of so many days of values, each ``d.ddd,``: a base, an evening peak, and noise."""
    hour = np.arange(_A_DAY) / 4
    shape = 150 + 350 * np.exp(-(((hour - 18.5) / 2) ** 2))
    watts = (shape * random.uniform(0.4, 2.5, size=(days, 1)) * random.uniform(0.7, 1.3, size=(days, _A_DAY))).astype(np.int64)
    watts = np.minimum(watts, 9_999)
    text = np.empty((days, _A_DAY, 6), dtype=np.uint8)
    text[:, :, 0] = watts // 1_000 + ord("0")
    text[:, :, 1] = ord(".")
    text[:, :, 2] = watts // 100 % 10 + ord("0")
    text[:, :, 3] = watts // 10 % 10 + ord("0")
    text[:, :, 4] = watts % 10 + ord("0")
    text[:, :, 5] = ord(",")
    return [row.tobytes() for row in text]
