"""Makes the meter files of this example again, byte for byte: invented households, exact integers, no chance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

FOLDER = Path(__file__).parent / "data"
MONTH = [date(2026, 7, 1) + timedelta(days=number) for number in range(31)]
BRISBANE = timezone(timedelta(hours=10))
HALF_HOURS = 48


def watt_hours(day: date, half_hour: int, *, size: int, seed: int) -> int:
    """Return what a household used in one half hour: more in the evening, a little different every day."""
    hour = half_hour // 2
    base = 95 if hour < 6 else 240 if hour < 9 else 170 if hour < 16 else 430 if hour < 21 else 200
    wobble = (day.toordinal() * 37 + half_hour * 101 + seed * 59) % 83
    return (base + wobble) * size // 10


def nem12() -> Iterator[str]:
    """Yield the lines of a NEM12 file of July for three meters; the second has a day with estimated hours."""
    yield "100,NEM12,202608010600,HARBOURMDP,HARBOUR"
    for number, size in ((1, 9), (2, 12), (3, 6)):
        yield f"200,QB0000000{number},E1,1,E1,N1,HL{number:05},kWh,30,"
        for day in MONTH:
            values = [watt_hours(day, half_hour, size=size, seed=number) for half_hour in range(HALF_HOURS)]
            texts = ",".join(f"{value // 1000}.{value % 1000:03}" for value in values)
            estimated = number == 2 and day.day == 14
            yield f"300,{day:%Y%m%d},{texts},{'V' if estimated else 'A'},,,{day + timedelta(days=1):%Y%m%d}041500,"
            if estimated:
                yield "400,1,20,A,,"
                yield "400,21,28,S14,,"
                yield "400,29,48,A,,"
    yield "900"


SELF = "https://harbour.example/espi/1_1/resource"
POINT = f"{SELF}/RetailCustomer/77/UsagePoint/5"


def entry(name: str, own: str, up: str, content: str, *related: str) -> str:
    """Return one entry of the feed."""
    links = "".join(f'<link rel="related" href="{link}"/>' for link in related)
    return (
        f'<entry><id>urn:harbour:{name}</id><link rel="self" href="{own}"/><link rel="up" href="{up}"/>{links}'
        f"<content>{content}</content><updated>2026-08-01T00:00:00Z</updated></entry>"
    )


def reading(start: datetime, value: int) -> str:
    """Return one hour of a block."""
    seconds = int((start - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    period = f"<timePeriod><duration>3600</duration><start>{seconds}</start></timePeriod>"
    return f"<IntervalReading>{period}<value>{value}</value></IntervalReading>"


def green_button() -> Iterator[str]:
    """Yield a Green Button file of July: one usage point, hourly energy in Wh, one block a day."""
    espi = 'xmlns="http://naesb.org/espi"'
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<feed xmlns="http://www.w3.org/2005/Atom">'
    point = f"<UsagePoint {espi}><ServiceCategory><kind>0</kind></ServiceCategory></UsagePoint>"
    local = f"{SELF}/LocalTimeParameters/1"
    yield entry("point", POINT, f"{SELF}/RetailCustomer/77/UsagePoint", point, f"{POINT}/MeterReading", local)
    zone = (
        f"<LocalTimeParameters {espi}><dstEndRule>FFFFFFFF</dstEndRule><dstOffset>0</dstOffset>"
        "<dstStartRule>FFFFFFFF</dstStartRule><tzOffset>36000</tzOffset></LocalTimeParameters>"
    )
    yield entry("time", local, f"{SELF}/LocalTimeParameters", zone)
    meter = f"{POINT}/MeterReading/1"
    kind = f"{SELF}/ReadingType/1"
    yield entry("meter", meter, f"{POINT}/MeterReading", f"<MeterReading {espi}/>", f"{meter}/IntervalBlock", kind)
    facts = (
        f"<ReadingType {espi}><accumulationBehaviour>4</accumulationBehaviour><commodity>1</commodity>"
        "<defaultQuality>17</defaultQuality><flowDirection>1</flowDirection><intervalLength>3600</intervalLength><kind>12</kind>"
        "<powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom></ReadingType>"
    )
    yield entry("type", kind, f"{SELF}/ReadingType", facts)
    for day in MONTH:
        midnight = datetime(day.year, day.month, day.day, tzinfo=BRISBANE)
        hours = [
            reading(midnight + timedelta(hours=hour), sum(watt_hours(day, 2 * hour + half, size=8, seed=5) for half in (0, 1)))
            for hour in range(24)
        ]
        start = int((midnight - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
        interval = f"<interval><duration>86400</duration><start>{start}</start></interval>"
        block = f"<IntervalBlock {espi}>{interval}{''.join(hours)}</IntervalBlock>"
        yield entry(f"block-{day.day}", f"{meter}/IntervalBlock/{day.day}", f"{meter}/IntervalBlock", block)
    yield "</feed>"


def gas_reads() -> Iterator[str]:
    """Yield a file of register reads: the month's first and last, with a rollover of the five dials between them."""
    yield "point,meter,register,read_at,value,unit,quality"
    yield "GAS-4711,G88123,1,2026-07-01,99987.0,m3,actual"
    yield "GAS-4711,G88123,1,2026-08-01,34.5,m3,actual"


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, lines in (
        ("nem12_2026-07.csv", nem12()),
        ("green_button_2026-07.xml", green_button()),
        ("gas_reads_2026-08-01.csv", gas_reads()),
    ):
        (FOLDER / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
