"""Makes the files of this example again, byte for byte: invented readings and calls, no chance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

BRISBANE = timezone(timedelta(hours=10))
FOLDER = Path(__file__).parent / "data"
JULY = [date(2026, 7, 1) + timedelta(days=number) for number in range(31)]
DIALLED = ("0755501020", "001133199005917", "0255501001", "001112125550117", "55501030", "106")


def nem12() -> Iterator[str]:
    """Yield the lines of a NEM12 file of July for one meter."""
    yield "100,NEM12,202608010600,HARBOURMDP,HARBOUR"
    yield "200,QB00000001,E1,1,E1,N1,HL00001,kWh,30,"
    for day in JULY:
        values = ",".join(
            f"0.{120 + (day.toordinal() * 37 + half * 101) % 83 + (180 if half > 34 else 0):03}" for half in range(48)
        )
        yield f"300,{day:%Y%m%d},{values},A,,,{day + timedelta(days=1):%Y%m%d}041500,"
    yield "900"


def asterisk() -> Iterator[str]:
    """Yield the lines of an Asterisk file of July, in local time."""
    for number in range(36):
        start = datetime(2026, 7, 1, 8, 5, 11, tzinfo=BRISBANE) + timedelta(hours=19 * number, seconds=number * 97)
        seconds = number * 173 % 600
        answer = start + timedelta(seconds=4)
        end = answer + timedelta(seconds=seconds)
        caller, dialled = f"0755501{number % 10:03}", DIALLED[number % len(DIALLED)]
        texts = ("", caller, dialled, "home", f'"Home" <{caller}>', f"PJSIP/a-{number}", f"PJSIP/b-{number}", "Dial", dialled)
        quoted = ",".join('"' + text.replace('"', '""') + '"' for text in texts)
        shown = [f'"{one:%Y-%m-%d %H:%M:%S}"' for one in (start, answer, end)]
        stamps = f"{shown[0]},{shown[1] if seconds else ''},{shown[2]}"
        outcome = "ANSWERED" if seconds else "BUSY"
        yield f'{quoted},{stamps},{seconds + 4},{seconds},"{outcome}","DOCUMENTATION","home-{number}",""'


def main() -> None:
    """Write the files into the folder ``data`` beside this script."""
    FOLDER.mkdir(exist_ok=True)
    for name, lines in (("nem12_2026-07.csv", nem12()), ("calls_2026-07.csv", asterisk())):
        (FOLDER / name).write_bytes("".join(f"{line}\n" for line in lines).encode())


if __name__ == "__main__":
    main()
