"""Workload (a): calls of one month, priced by prefix, 60/6, by peak and off-peak, with included minutes, each call listed.

Of a million rows 5,000 are exact duplicates and 100 bear an identifier that another row has with other content.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.workloads.offices import PERIOD, SEED, Customers, Usage, Workload
from billing_framework.rating.rate_table_file import RateTableHeader

_HOME = "49"
_ZONES = ("1", "20", "27", "30", "31", "33", "34", "39", "41", "43", "44", "45", "46", "48", "52", "55", "61", "81", "86", "91")
_CHUNK = 250_000
_FIRST = datetime(PERIOD.start.year, PERIOD.start.month, PERIOD.start.day, tzinfo=UTC)
_AT_HOME = 0.8
_ROW_OF_DUPLICATE = 200
_ROW_OF_CONFLICT = 10_000


def telecom(size: int = 1_000_000, *, accounts: int = 0, prefixes: int = 40_000, seed: int = SEED) -> Workload:
    """Return the workload.

    Args:
        size: rows of the file.
        accounts: number of accounts; by default one per 20 rows.
        prefixes: number of prefixes in the deck, two rows each.
        seed: seed of everything.
    """
    count = accounts or max(size // 20, 1)
    known = prefix_list(prefixes, seed)
    return Workload(
        name="telecom",
        size=size,
        unit="records",
        customers=Customers(count=count, currency="EUR", country="DE", zone="Europe/Berlin", plan="calls", subject=caller),
        usage=Usage(format="mapped_csv", source="switch", records=size),
        write_usage=partial(write_calls, size=size, accounts=count, prefixes=known, seed=seed),
        rate_table=(_HEADER, deck(known, seed)),
    )


_HEADER = RateTableHeader(
    code="retail", version="2026", kind="telecom_usage.deck", valid_from=PERIOD.start.replace(month=1), currency="EUR"
)


def caller(place: int) -> str:
    """Return the number of the account at a place."""
    return f"4930{place:08d}"


def prefix_list(count: int, seed: int) -> list[str]:
    """Return `count` different prefixes of one to nine digits: each zone whole, the rest below them, a third of it at home."""
    random = np.random.default_rng(seed)
    found = dict.fromkeys((_HOME, *_ZONES))
    while len(found) < count:
        heads = random.choice([_HOME, *_ZONES], size=count, p=[0.35, *([0.65 / len(_ZONES)] * len(_ZONES))])
        lengths = random.integers(2, 7, size=count)
        tails = random.integers(0, 10**6, size=count)
        for head, length, tail in zip(heads, lengths, tails, strict=True):
            if len(found) < count:
                found.setdefault(f"{head}{tail:06d}"[: len(head) + int(length)])
    return list(found)


def deck(prefixes: list[str], seed: int) -> bytes:
    """Return the deck: two rows for each prefix, off-peak and peak, all 60/6."""
    random = np.random.default_rng(seed + 1)
    prices = random.integers(50, 9_000, size=len(prefixes)).tolist()
    heads = (_HOME, *_ZONES)
    lines = ["prefix,destination,rate_per_min,connect_fee,initial_s,increment_s,period"]
    for prefix, price in zip(prefixes, prices, strict=True):
        zone = next(head for head in heads if prefix.startswith(head))
        kind = "mobile" if int(prefix[-1]) % 2 else "fixed"
        for surcharge, period in ((0, ""), (price // 3, "peak")):
            lines.append(f"{prefix},Zone {zone} {kind},0.{price + surcharge:05d},0.0000,60,6,{period}")
    return ("\n".join(lines) + "\n").encode()


def write_calls(path: Path, first: int = 0, count: int = 0, *, size: int, accounts: int, prefixes: list[str], seed: int) -> None:
    """Write rows of the file of calls, in the order of their starts, as a switch writes them.

    Args:
        path: where to.
        first: first row.
        count: number of rows; all from the first on where 0.
        size: rows of the whole month.
        accounts: number of callers.
        prefixes: prefixes that are called.
        seed: seed of the rows.
    """
    random = np.random.default_rng([seed, first])
    last = first + count if count else size
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write("id,caller,called,start,duration,billed,result\n")
        for start in range(first, last, _CHUNK):
            file.writelines(_rows(random, start, min(_CHUNK, last - start), size, accounts=accounts, prefixes=prefixes))


def _rows(random: np.random.Generator, first: int, count: int, size: int, *, accounts: int, prefixes: list[str]) -> Iterator[str]:
    # Up to two million rows no two calls start in one second, so that the order in which minutes are used up is beyond doubt.
    starts = (np.arange(first, first + count) * (PERIOD.days * 86_400 - 7_200) // size).tolist()
    callers = random.integers(0, accounts, size=count).tolist()
    # Four calls in five stay at home; abroad few prefixes are called often, as everywhere.
    home = np.array([place for place, prefix in enumerate(prefixes) if prefix.startswith(_HOME)])
    abroad = np.array([place for place, prefix in enumerate(prefixes) if not prefix.startswith(_HOME)])
    often = np.minimum(random.zipf(1.3, size=count), len(abroad)) - 1
    places = np.where(random.random(count) < _AT_HOME, random.choice(home, size=count), abroad[often]).tolist()
    tails = random.integers(10**8, 10**9, size=count).tolist()
    lengths = np.minimum(random.exponential(150, size=count).astype(np.int64) + 1, 7_000).tolist()
    rings = random.integers(2, 30, size=count).tolist()
    row = ""
    for place in range(count):
        number = first + place
        if number % _ROW_OF_DUPLICATE == _ROW_OF_DUPLICATE - 1 and row:
            yield row
            continue
        told = number - 2 if number % _ROW_OF_CONFLICT == _ROW_OF_CONFLICT // 2 and place > 1 else number
        start = _FIRST + timedelta(seconds=starts[place])
        length = lengths[place]
        row = (
            f"C{told:010d},{caller(callers[place])},{prefixes[places[place]]}{str(tails[place])[:6]},"
            f"{start:%Y-%m-%dT%H:%M:%SZ},{length + rings[place]},{length},OK\n"
        )
        yield row
