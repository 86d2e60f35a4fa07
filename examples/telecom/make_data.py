"""Makes the call files of this example again, byte for byte: invented calls between numbers set aside for fiction, no chance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

FOLDER = Path(__file__).parent / "data"
BERLIN = ZoneInfo("Europe/Berlin")
FIRST = datetime(2026, 10, 1, 6, 12, 9, tzinfo=UTC)
DIALLED = (
    "03023125440",
    "004420794601",
    "02079",
    "0033199005917",
    "017604069012",
    "0012125550117",
    "089231250",
    "112",
    "23125330",
)


def quoted(*cells: object) -> str:
    """Return a line of cells; text in quotes, numbers without."""
    return ",".join(str(cell) if isinstance(cell, int) else '"' + str(cell).replace('"', '""') + '"' for cell in cells)


def asterisk() -> Iterator[str]:
    """Yield the lines of Asterisk: local time without zone, one call over the change of the clocks, the last line cut off."""
    for number in range(48):
        start = FIRST + timedelta(hours=15 * number, seconds=number * 1117 % 3600)
        yield asterisk_line(
            start, DIALLED[number % len(DIALLED)], number, (number * 397) % 901, caller=103 if number == 30 else 101
        )
    yield asterisk_line(datetime(2026, 9, 30, 9, 1, 2, tzinfo=UTC), "004420794600", 900, 318, caller=101)  # came late
    yield asterisk_line(datetime(2026, 10, 25, 0, 50, 0, tzinfo=UTC), "03023125440", 901, 1196, caller=101)  # the clock goes back
    yield asterisk_line(datetime(2026, 10, 26, 16, 59, 30, tzinfo=UTC), "0892312599", 902, 120, caller=101)  # peak ends at 18:00
    yield asterisk_line(datetime(2026, 10, 27, 9, 0, 0, tzinfo=UTC), "00881612345678", 903, 60, caller=101)  # no rate yet
    yield asterisk_line(datetime(2026, 10, 27, 9, 30, 0, tzinfo=UTC), "s", 904, 44, caller=101)  # no number
    yield asterisk_line(datetime(2026, 10, 31, 20, 0, 0, tzinfo=UTC), "03023125440", 905, 61, caller=101)[:150]


def asterisk_line(start: datetime, dialled: str, number: int, seconds: int, *, caller: int) -> str:
    """Return one line of cdr-csv with 18 columns."""
    answer = start + timedelta(seconds=3 + number % 7) if seconds else None
    end = (answer or start) + timedelta(seconds=seconds or 17)
    stamps = [one.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M:%S") if one else "" for one in (start, answer, end)]
    return quoted(
        "",
        f"030 23125 {caller}",
        dialled,
        "from-internal",
        f'"Desk ""{caller}"", upstairs" <{caller}>',
        f"PJSIP/{caller}-{number:08x}",
        f"PJSIP/carrier-{number:08x}" if seconds else "",
        "Dial",
        f"PJSIP/{dialled}@carrier,60,tr",
        *stamps,
        int((end - start).total_seconds()),
        seconds,
        "ANSWERED" if seconds else "NO ANSWER",
        "DOCUMENTATION",
        f"pbx1-{int(start.timestamp())}.{number}",
        "",
    )


def freeswitch() -> Iterator[str]:
    """Yield the lines of FreeSWITCH, template example, in UTC: calls from the block of numbers of an office."""
    called = ("+493023125440", "4989231257", "33639981234", "447700900123", "+12425550134", "2005")
    for number in range(60):
        start = FIRST + timedelta(hours=11 * number, minutes=number * 7 % 50)
        seconds = number * 211 % 700
        answer = start + timedelta(seconds=6)
        end = answer + timedelta(seconds=seconds)
        shown = answer.strftime("%Y-%m-%d %H:%M:%S") if seconds else ""
        yield ",".join(
            f'"{cell}"'
            for cell in (
                f"Desk {number % 12}",
                f"4930231252{number % 12:02}",
                called[number % len(called)],
                "default",
                start.strftime("%Y-%m-%d %H:%M:%S"),
                shown,
                end.strftime("%Y-%m-%d %H:%M:%S"),
                seconds + 6,
                seconds,
                "NORMAL_CLEARING",
                f"00000000-0000-4000-8000-{number:012}",
                "",
                "",
                "PCMA",
                "PCMA",
            )
        )


def carrier() -> Iterator[str]:
    """Yield the lines of a carrier with columns of its own; one call is delivered twice, one is of a number that nobody has."""
    yield "Ref;Begin;From;To;Seconds;Result;Route"
    for number in range(12):
        start = (FIRST + timedelta(days=13 + number, hours=number)).astimezone(BERLIN)
        caller = "+4917604069099" if number == 7 else "+4917604069007"
        dialled = ("+49 30 23125-440", "+33 1 99 00 12 34", "+1 (876) 555-0145")[number % 3]
        line = (
            f"C{number:05};{start:%d.%m.%Y %H:%M:%S %z};{caller};{dialled};{number * 97 % 400};{'OK' if number % 5 else 'BUSY'};7"
        )
        yield line
        if number == 4:
            yield line


def write(name: str, lines: Iterator[str], *, is_cut: bool = False) -> None:
    """Write one file; where it is cut, its last line has no end."""
    text = "\n".join(lines) + ("" if is_cut else "\n")
    (FOLDER / name).write_bytes(text.encode())


def main() -> None:
    """Write the files into the folder ``data`` beside this script."""
    FOLDER.mkdir(exist_ok=True)
    write("pbx1_Master.csv", asterisk(), is_cut=True)
    write("sip2_Master.csv", freeswitch())
    write("carrier_2026-10.csv", carrier())


if __name__ == "__main__":
    main()
