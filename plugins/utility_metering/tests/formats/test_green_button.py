from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import pytest
from billing_utility_metering.formats.green_button import GREEN_BUTTON
from billing_utility_metering.kinds import Flow, is_estimate, runs

from billing_framework import BadRecord, Coverage, Finding, InputRefused, Usage

Read = Callable[..., list[Any]]
Kind = TypeVar("Kind")
AT = int(datetime(2026, 1, 5, 5, tzinfo=UTC).timestamp())


def of(items: list[Any], kind: type[Kind]) -> list[Kind]:
    return [item for item in items if isinstance(item, kind)]


def reading(number: int, value: object = 5, *, seconds: int = 3600) -> str:
    return (
        f"<IntervalReading><timePeriod><duration>{seconds}</duration><start>{AT + number * 3600}</start></timePeriod>"
        f"<value>{value}</value></IntervalReading>"
    )


def feed(
    *readings: str, declared: int = 86_400, uom: int = 72, power: int = 0, extra: str = "", flow: int = 1, behaviour: int = 4
) -> bytes:
    return f"""<?xml version="1.0"?>{extra}<feed xmlns="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi">
    <entry><link rel="self" href="C/7/UsagePoint/1"/><content><e:UsagePoint/></content></entry>
    <entry><link rel="self" href="/a/C/7/UsagePoint/1/MeterReading/m"/><link rel="related" href="ReadingType/1"/>
      <content><e:MeterReading/></content></entry>
    <entry><link rel="self" href="ReadingType/1"/><content><e:ReadingType>
      <e:accumulationBehaviour>{behaviour}</e:accumulationBehaviour><e:flowDirection>{flow}</e:flowDirection><e:intervalLength>3600</e:intervalLength>
      <e:powerOfTenMultiplier>{power}</e:powerOfTenMultiplier><e:uom>{uom}</e:uom></e:ReadingType></content></entry>
    <entry><updated>2026-01-09T00:00:00Z</updated>
      <link rel="self" href="C/7/UsagePoint/1/MeterReading/m/IntervalBlock/1"/><content>
      <IntervalBlock xmlns="http://naesb.org/espi"><interval><duration>{declared}</duration><start>{AT}</start></interval>
      {"".join(readings)}</IntervalBlock></content></entry></feed>""".encode()


@pytest.mark.parametrize(
    ("name", "point", "days", "intervals", "total", "expected"),
    [
        ("test_usage_data_01.xml", "9B6C7066/5446AF3F", 1, 96, 93_846, 96),
        ("test_usage_data_1.xml", "9B6C7066/5446AF3F", 5, 480, 511_688, 480),
        ("sample_greenbutton_data.xml", "9b6c7063/01", 16, 362, 291_018, 744),
    ],
)
def test_the_samples_of_others_give_the_published_sums(
    name: str, point: str, days: int, intervals: int, total: int, expected: int, read: Read, sample: Callable[[str], Path]
) -> None:
    items = read(GREEN_BUTTON, sample(f"greenbutton/{name}"))
    usages = of(items, Usage)
    assert {usage.subject for usage in usages} == {point}
    assert len(usages) == days
    assert sum(sum(usage.body.values) for usage in usages) == total
    assert {(usage.body.unit, usage.body.flow, usage.body.scale) for usage in usages} == {("Wh", Flow.DELIVERED, 0)}
    coverage = of(items, Coverage)[-1]
    assert (coverage.expected, coverage.received) == (expected, intervals)
    assert not of(items, BadRecord)


def test_a_block_that_declares_a_month_and_holds_half_leaves_a_gap(read: Read, sample: Callable[[str], Path]) -> None:
    items = read(GREEN_BUTTON, sample("greenbutton/sample_greenbutton_data.xml"))
    (coverage,) = of(items, Coverage)
    assert [str(gap) for gap in coverage.missing] == ["2011-01-16T10:00:00+00:00/2011-02-01T08:00:00+00:00"]
    assert [(finding.code, finding.stops) for finding in of(items, Finding)] == [("UTIL09", True)]
    assert len(of(items, Usage)[-1].body.missing) == 22


def test_the_summary_of_a_longer_period_is_told_and_its_filler_dates_are_not(read: Read, sample: Callable[[str], Path]) -> None:
    items = read(GREEN_BUTTON, sample("greenbutton/test_usage_data_01.xml"))
    summary, _ = of(items, Coverage)
    assert (summary.expected, summary.received) == (1244, 96)
    assert [(finding.code, finding.stops) for finding in of(items, Finding)] == [("UTIL09", False)]
    assert list(runs(of(items, Usage)[0].body.qualities)) == [("8", 1), ("7", 1), ("?", 94)]


def test_the_same_day_from_two_files_has_the_same_identity_and_content(read: Read, sample: Callable[[str], Path]) -> None:
    one = of(read(GREEN_BUTTON, sample("greenbutton/test_usage_data_01.xml")), Usage)
    five = of(read(GREEN_BUTTON, sample("greenbutton/test_usage_data_1.xml")), Usage)
    assert one == five[:1]


def test_days_follow_the_file_s_own_clock_changes(read: Read, data: Path) -> None:
    items = read(GREEN_BUTTON, data / "green_button_hours.xml", zone="Asia/Tokyo")
    saturday, sunday = of(items, Usage)
    assert (len(saturday.body.values), len(sunday.body.values)) == (24, 25)
    assert sunday.span.start.isoformat() == "2026-11-01T04:00:00+00:00"
    assert sunday.slot == "77/5/1/20261101"
    assert (saturday.body.scale, saturday.body.values[:2]) == (3, (100, 101))
    assert list(runs(saturday.body.qualities)) == [("17", 3), ("8", 1), ("17", 20)]
    assert [is_estimate(code) for code, _ in runs(saturday.body.qualities)] == [False, True, False]
    assert of(items, Coverage)[0].received == 49


@pytest.mark.parametrize(("how", "subject"), [("customer_point", "77/5"), ("point", "5"), ("id", "urn:uuid:up")])
def test_the_subject_can_be_chosen(how: str, subject: str, read: Read, data: Path) -> None:
    usages = of(read(GREEN_BUTTON, data / "green_button_hours.xml", subject=how), Usage)
    assert {usage.subject for usage in usages} == {subject}


@pytest.mark.parametrize(
    ("uom", "power", "flow", "expected"),
    [
        (72, 3, 1, (5000, 0, "Wh", Flow.DELIVERED)),
        (72, -2, 19, (5, 2, "Wh", Flow.RECEIVED)),
        (73, 0, 1, (5, 0, "varh", Flow.REACTIVE)),
        (38, 0, 1, (5, 0, "W", Flow.OTHER)),
        (72, 0, 4, (5, 0, "Wh", Flow.OTHER)),
        (42, 0, 0, (5, 0, "m3", Flow.DELIVERED)),
        (169, 0, 1, (5, 0, "therm", Flow.DELIVERED)),
    ],
)
def test_unit_power_of_ten_and_direction_come_from_the_reading_type(
    uom: int, power: int, flow: int, expected: tuple[int, int, str, Flow], read: Read
) -> None:
    (usage,) = of(read(GREEN_BUTTON, feed(reading(0), declared=3600, uom=uom, power=power, flow=flow)), Usage)
    assert (usage.body.values[0], usage.body.scale, usage.body.unit, usage.body.flow) == expected


def test_repeated_readings_count_once_and_contradicting_ones_not_at_all(read: Read) -> None:
    items = read(GREEN_BUTTON, feed(reading(0), reading(0), reading(1, 6), reading(1, 7), reading(2, -4), declared=10_800))
    (usage,) = of(items, Usage)
    assert (usage.body.values, usage.body.missing) == ((5, 0, -4), (1,))
    (bad,) = of(items, BadRecord)
    assert bad.findings[0].code == "UTIL10"
    assert {finding.code: finding.stops for finding in of(items, Finding)} == {"UTIL10": False, "UTIL07": False, "UTIL09": True}


def test_readings_of_another_length_or_off_the_grid_are_bad(read: Read) -> None:
    off_grid = reading(2).replace(f"<start>{AT + 7200}", f"<start>{AT + 7800}")
    items = read(GREEN_BUTTON, feed(reading(0), reading(1, seconds=900), off_grid, reading(3, "4.5"), declared=3600))
    assert [bad.findings[0].code for bad in of(items, BadRecord)] == ["UTIL04", "UTIL14", "UTIL14"]
    assert of(items, Usage)[0].body.values == (5,)


def test_readings_beyond_their_block_count_and_are_told(read: Read) -> None:
    items = read(GREEN_BUTTON, feed(reading(0), reading(1), declared=3600))
    assert of(items, Usage)[0].body.values == (5, 5)
    assert [finding.code for finding in of(items, Finding)] == ["UTIL14"]


def test_readings_without_times_follow_each_other(read: Read) -> None:
    items = read(GREEN_BUTTON, feed(*["<IntervalReading><value>3</value></IntervalReading>"] * 24), zone="America/New_York")
    (usage,) = of(items, Usage)
    assert (usage.body.values, usage.span.seconds) == ((3,) * 24, 86_400)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((b"ReadingType/1", b"ReadingType/2", 1), "UTIL13"),
        ((b"<e:uom>72", b"<e:uom>999", 1), "UTIL06"),
        ((b"<e:powerOfTenMultiplier>0", b"<e:powerOfTenMultiplier>99", 1), "UTIL04"),
        ((b"Behaviour>4", b"Behaviour>3", 1), "UTIL15"),
        ((b"<interval><duration>86400", b"<interval><duration>x", 1), "UTIL04"),
    ],
)
def test_what_cannot_be_understood_is_kept_as_bad(change: tuple[bytes, bytes, int], code: str, read: Read) -> None:
    old, new, count = change
    content = feed(reading(0)).replace(old, new, count)
    if code == "UTIL13":  # with a second type to choose from, the broken link cannot be guessed
        second = b'<entry><link rel="self" href="ReadingType/3"/><content><ReadingType/></content></entry></feed>'
        content = content.replace(b"</feed>", second)
    items = read(GREEN_BUTTON, content)
    assert [bad.findings[0].code for bad in of(items, BadRecord)] == [code]
    assert not of(items, Usage)


@pytest.mark.parametrize(
    "content",
    [
        feed(reading(0), extra='<!DOCTYPE feed [<!ENTITY a "aaaa">]>'),
        feed(reading(0), extra='<!DOCTYPE feed SYSTEM "file:///etc/passwd">'),
        feed(reading(0))[:-200],
        b"<html><body>login</body></html>",
        b"<?xml version='1.0' encoding='no-such'?><feed/>",
        b"point,read_at\n",
        b"<feed>" + b"<a>" * 100,
        feed(reading(0, "9" * 30_000)),
    ],
    ids=["entity", "external", "cut", "html", "encoding", "text", "deep", "long-text"],
)
def test_hostile_or_damaged_files_are_refused(content: bytes, read: Read) -> None:
    with pytest.raises(InputRefused, match="UTIL12") as caught:
        read(GREEN_BUTTON, content)
    assert caught.value.place.startswith("file:")
    with pytest.raises(InputRefused, match="UTIL01"):
        read(GREEN_BUTTON, b"")


def test_money_is_no_quantity(read: Read, sample: Callable[[str], Path]) -> None:
    first = of(read(GREEN_BUTTON, sample("greenbutton/test_usage_data_01.xml")), Usage)[0].body.values[0]
    assert Fraction(first, 1000) == Fraction("0.282")


@pytest.mark.parametrize("name", ["start", "duration"])
def test_a_negative_time_is_a_bad_reading_not_an_absent_one(name: str, read: Read) -> None:
    spoilt = reading(1).replace(f"<{name}>", f"<{name}>-")
    items = read(GREEN_BUTTON, feed(reading(0), spoilt, reading(2), declared=3 * 3600))
    (bad,) = of(items, BadRecord)
    assert bad.findings[0].code == "UTIL04"
    assert [(each.expected, each.received) for each in of(items, Coverage)] == [(3, 2)]


@pytest.mark.parametrize(
    "hostile",
    [b"1" * 3_000_000, b"<feed><entry a='" + b"x" * 3_000_000, b"<feed><!--" + b"x" * 3_000_000],
    ids=["no tag at all", "attribute", "comment"],
)
def test_a_token_without_end_is_refused_before_it_grows(hostile: bytes, read: Read) -> None:
    with pytest.raises(InputRefused, match="UTIL12"):
        read(GREEN_BUTTON, hostile)


def test_a_feed_that_holds_more_than_memory_should_is_refused(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing_utility_metering.formats.espi_feed._LARGEST_FEED", 10_000)
    with pytest.raises(InputRefused, match="in several files"):
        read(GREEN_BUTTON, feed(*(reading(number) for number in range(200))))


@pytest.mark.parametrize(
    "spoilt",
    [
        "<tzOffset>abc</tzOffset>",
        "<tzOffset>999999</tzOffset>",
        "<dstOffset>1e3</dstOffset>",
        "<dstOffset>3600</dstOffset><dstStartRule>zz</dstStartRule>",
    ],
)
def test_local_time_that_cannot_be_used_is_told(spoilt: str, read: Read) -> None:
    entry = f"<entry><content><LocalTimeParameters>{spoilt}</LocalTimeParameters></content></entry></feed>"
    items = read(GREEN_BUTTON, feed(reading(0), declared=3600).replace(b"</feed>", entry.encode()))
    assert [finding.code for finding in of(items, Finding)] == ["UTIL12"]
    assert len(of(items, Usage)) == 1
