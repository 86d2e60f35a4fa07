"""Files of switches: what becomes of each line, and what refuses a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from billing_telecom_usage.formats.asterisk import ASTERISK
from billing_telecom_usage.formats.freeswitch import FREESWITCH
from billing_telecom_usage.formats.mapped import MAPPED
from billing_telecom_usage.kinds import Direction
from billing_telecom_usage.numbers import NumberClass, NumberPlan
from billing_telecom_usage.settings import ColumnMapping, RepeatedHour, Source, Start, TelecomSettings

from billing_framework import BadRecord, Finding, InputRefused, RoundingMode, Usage, ValueRefused

Read = Callable[..., list[Any]]
TIMES = ("2026-06-10 12:00:00", "2026-06-10 12:00:05", "2026-06-10 12:01:06")


def asterisk(
    src: str = "493023125100",
    dst: str = "4989231250",
    times: tuple[str, str, str] = TIMES,
    lengths: tuple[object, object] = (66, 61),
    tail: str = ',"id-1",""',
    clid: str = '"""Ring, Ada"" <100>"',
) -> str:
    stamps = ",".join(f'"{one}"' if one else "" for one in times)
    head = f'"","{src}","{dst}","ctx",{clid},"PJSIP/a","PJSIP/b","Dial","x,60,tr"'
    return f'{head},{stamps},{lengths[0]},{lengths[1]},"ANSWERED","DOCUMENTATION"{tail}\n'


def settings(**source: Any) -> TelecomSettings:
    return TelecomSettings(source={"test": Source(**source)})


def one(items: list[Any]) -> Any:
    (item,) = items
    return item


def test_a_line_of_asterisk_is_a_call(read: Read) -> None:
    item = one(read(ASTERISK, asterisk().encode(), zone="Europe/Berlin"))

    assert isinstance(item, Usage)
    assert (item.external_id, item.subject, item.start.isoformat()) == ("id-1", "493023125100", "2026-06-10T10:00:00+00:00")
    assert item.span.seconds == 66
    body = item.body
    assert (body.b_number, body.b_class, body.billed_seconds) == ("4989231250", NumberClass.INTERNATIONAL, 61)
    assert body.answered_at.isoformat() == "2026-06-10T10:00:05+00:00"
    assert body.is_answered


@pytest.mark.parametrize(
    ("tail", "options", "name"),
    [
        ("", {}, "2026-06-10 12:00:00/493023125100/4989231250/PJSIP/a/PJSIP/b"),
        (',"id-7"', {}, "id-7"),
        (',"note"', {"seventeenth": "userfield"}, "2026-06-10 12:00:00/493023125100/4989231250/PJSIP/a/PJSIP/b"),
        (',"id-7","note","peer","linked","3"', {}, "id-7/3"),
        (',"id-7","peer","linked","3"', {}, "id-7/3"),
    ],
)
def test_the_id_of_a_record_by_the_columns_that_are_written(tail: str, options: dict[str, str], name: str, read: Read) -> None:
    assert one(read(ASTERISK, asterisk(tail=tail).encode(), **options)).external_id == name


def test_the_id_may_be_named_by_settings(read: Read) -> None:
    named = settings(record_id=("uniqueid", "dstchannel"))
    assert one(read(ASTERISK, asterisk().encode(), settings=named)).external_id == "id-1/PJSIP/b"
    with pytest.raises(InputRefused, match="TEL07.*no column 'uid'"):
        read(ASTERISK, asterisk().encode(), settings=settings(record_id=("uid",)))


def test_a_cut_last_line_is_told_and_kept(read: Read) -> None:
    whole = asterisk() + asterisk(tail=',"id-2",""')
    for cut in (40, len(asterisk()) + 90):
        *_, last = read(ASTERISK, whole.encode()[:cut] if cut > 100 else (asterisk() + whole[:cut]).encode())
        assert isinstance(last, BadRecord)
        assert last.findings[0].code == "TEL02"
        assert last.raw.startswith('"","4930')


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [
        (asterisk(dst="s"), "TEL03", "called"),
        (asterisk(dst="00498923"), "TEL03", "called"),
        (asterisk(src="anonymous"), "TEL03", "caller"),
        (asterisk(times=("yesterday", *TIMES[1:])), "TEL04", "start"),
        (asterisk(times=("", *TIMES[1:])), "TEL04", "start"),
        (asterisk(times=("2026-06-10 12:00:00", "2026-06-10 11:00:00", TIMES[2])), "TEL04", "answer"),
        (asterisk(times=("2026-06-10 12:00:00", TIMES[1], "2026-06-10 11:00:00")), "TEL04", "end"),
        (asterisk(times=("2026-03-29 02:30:00", "", "")), "TEL04", "start"),
        (asterisk(times=("0001-01-01 00:00:00", "", "")), "TEL04", "start"),
        (asterisk(lengths=(66, "-1")), "TEL05", "billed"),
        (asterisk(lengths=("1e3", 61)), "TEL05", "duration"),
        (asterisk(lengths=(66, 99999999)), "TEL05", "billed"),
        (asterisk(tail=',"",""'), "TEL06", ""),
        (asterisk(tail=""), "TEL02", ""),
        ('"a\n', "TEL02", ""),
    ],
)
def test_a_bad_record_is_told_with_its_place_and_kept(line: str, code: str, field: str, read: Read) -> None:
    good, bad = read(ASTERISK, (asterisk() + line).encode(), zone="Europe/Berlin")

    assert isinstance(good, Usage)
    assert isinstance(bad, BadRecord)
    assert (bad.line, bad.raw) == (2, line.rstrip("\n"))
    finding = bad.findings[0]
    assert (finding.code, finding.field, finding.line) == (code, field, 2)
    assert finding.remedy


def test_an_unanswered_call_to_no_number_is_a_record(read: Read) -> None:
    item = one(read(ASTERISK, asterisk(dst="s", times=(TIMES[0], "", TIMES[2]), lengths=(66, 0)).encode()))

    assert (item.body.b_number, item.body.b_class, item.body.is_answered) == ("s", NumberClass.OTHER, False)


def test_another_encoding_refuses_the_line_or_is_named(read: Read) -> None:
    content = (asterisk() + asterisk(clid='"Jürgen"', tail=',"id-2",""')).encode("latin-1")
    _, bad = read(ASTERISK, content)

    assert bad.findings[0].code == "TEL02"
    assert all(isinstance(item, Usage) for item in read(ASTERISK, content, settings=settings(encoding="latin-1")))


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b"", {}),
        (b"\x00\x01\x02\n", {}),
        (b"a,b,c\n", {}),
        (asterisk().encode(), {"seventeenth": "clid"}),
    ],
)
def test_what_is_no_file_of_asterisk_is_refused_whole(content: bytes, options: dict[str, str], read: Read) -> None:
    with pytest.raises(InputRefused, match="TEL0[17]") as refused:
        read(ASTERISK, content, **options)
    assert refused.value.place.startswith("file")


def test_an_unknown_encoding_is_refused(read: Read) -> None:
    with pytest.raises(InputRefused, match="TEL01"):
        read(ASTERISK, asterisk().encode(), settings=settings(encoding="ebcdic-9"))


REPEATED = ("2026-10-25 02:20:00", "2026-10-25 02:20:05", "2026-10-25 02:21:06")


@pytest.mark.parametrize(
    ("times", "lengths", "rule", "start"),
    [
        (REPEATED, (66, 61), RepeatedHour.FIRST, "2026-10-25T00:20:00+00:00"),
        (REPEATED, (66, 61), RepeatedHour.SECOND, "2026-10-25T01:20:00+00:00"),
        (
            ("2026-10-25 02:50:00", "2026-10-25 02:50:05", "2026-10-25 02:10:00"),
            (1200, 1195),
            RepeatedHour.SECOND,
            "2026-10-25T00:50:00+00:00",
        ),
        (
            ("2026-10-25 02:50:00", "2026-10-25 02:50:05", "2026-10-25 03:10:00"),
            (1200, 1195),
            RepeatedHour.FIRST,
            "2026-10-25T01:50:00+00:00",
        ),
        (
            ("2026-10-25 02:50:00", "2026-10-25 02:50:05", "2026-10-25 03:10:00"),
            (4800, 4795),
            RepeatedHour.SECOND,
            "2026-10-25T00:50:00+00:00",
        ),
    ],
)
def test_the_repeated_hour_is_told_by_end_and_duration_else_by_rule(
    times: tuple[str, str, str], lengths: tuple[int, int], rule: RepeatedHour, start: str, read: Read
) -> None:
    content = asterisk(times=times, lengths=lengths).encode()
    item, *told = read(ASTERISK, content, zone="Europe/Berlin", settings=settings(repeated_hour=rule))

    assert item.start.isoformat() == start
    assert [finding.code for finding in told] == (["TEL08"] if times == REPEATED else [])


def test_the_repeated_hour_may_be_left_in_suspense(read: Read) -> None:
    rule = settings(repeated_hour=RepeatedHour.SUSPEND)
    item = one(read(ASTERISK, asterisk(times=REPEATED).encode(), zone="Europe/Berlin", settings=rule))

    assert item.findings[0].code == "TEL04"


def freeswitch(uuid: str = "u-1", answer: str = "2026-06-10 12:00:05", billed: str = "61") -> str:
    cells = (
        "Ada",
        "+49 30 23125-100",
        "004989231250",
        "default",
        TIMES[0],
        answer,
        TIMES[2],
        "66",
        billed,
        "NORMAL_CLEARING",
        uuid,
    )
    return ",".join(f'"{cell}"' for cell in (*cells, "", "acc", "PCMA", "PCMA")) + "\n"


def test_freeswitch_by_template(read: Read) -> None:
    plan = settings(numbers=NumberPlan(international=("00",)), direction=Direction.INCOMING)
    item = one(read(FREESWITCH, freeswitch().encode(), settings=plan))

    assert (item.external_id, item.subject, item.body.a_number) == ("u-1", "4989231250", "493023125100")
    assert (item.body.account_code, item.body.disposition) == ("acc", "NORMAL_CLEARING")
    unanswered = one(read(FREESWITCH, freeswitch(answer="", billed="0").encode(), settings=plan))
    assert not unanswered.body.is_answered
    with pytest.raises(InputRefused, match="TEL01"):
        read(FREESWITCH, freeswitch().encode(), template="asterisk")
    with pytest.raises(InputRefused, match="TEL07"):
        read(FREESWITCH, freeswitch().encode(), template="sql")


COLUMNS = {"caller": "from", "called": "to", "start": "when", "billed": "ms", "disposition": "end", "direction": "way"}


def mapped(text: str, read: Read, **more: Any) -> list[Any]:
    mapping = ColumnMapping(**{"columns": COLUMNS, "record_id": ("id",), "delimiter": ";", "per_second": 1000, **more})
    return read(MAPPED, text.encode(), settings=settings(mapping=mapping, start=Start.ANSWER), zone="Europe/Berlin")


def test_any_columns_by_mapping(read: Read) -> None:
    text = (
        "id;when;from;to;ms;end;way;cost\n"
        "1;2026-06-10T12:00:00;493023125100;4989231250;60001;ok;;9\n"
        "2;2026-06-10T12:00:00+05:00;493023125100;4989231250;1000;busy;outgoing;9\n"
        "3;2026-06-10T12:00:00;493023125100;4989231250;1;ok;incoming;9\n"
        "4;2026-06-10T12:00:00;493023125100;4989231250;1;ok;sideways;9\n"
    )
    first, busy, incoming, wrong = mapped(text, read, answered=("ok",))

    assert (first.body.billed_seconds, first.start.isoformat()) == (61, "2026-06-10T10:00:00+00:00")
    assert (busy.body.is_answered, busy.start.isoformat()) == (False, "2026-06-10T07:00:00+00:00")
    assert incoming.subject == "4989231250"
    assert wrong.findings[0].code == "TEL05"


def test_columns_by_number_and_times_by_format(read: Read) -> None:
    columns = {"caller": "2", "called": "3", "start": "1", "billed": "4"}
    text = "1781092800,493023125100,4989231250,9.5\n"
    mapping = ColumnMapping(columns=columns, record_id=("1", "2"), header=False, time_format="epoch")
    for rounding, seconds in ((RoundingMode.UP, 10), (RoundingMode.DOWN, 9)):
        item = one(read(MAPPED, text.encode(), settings=settings(mapping=mapping, subseconds=rounding)))
        assert (item.external_id, item.body.billed_seconds) == ("1781092800/493023125100", seconds)
        assert item.start.isoformat() == "2026-06-10T12:00:00+00:00"


def test_versions_and_deletions_by_mapping(read: Read) -> None:
    text = (
        "id;when;from;to;ms;end;way;no;state\n"
        "1;2026-06-10T12:00:00;493023125100;4989231250;60000;ok;;0;\n"
        "1;2026-06-10T12:00:00;493023125100;4989231250;30000;ok;;1;C\n"
        "1;2026-06-10T12:00:00;493023125100;4989231250;30000;ok;;2;D\n"
        "2;2026-06-10T12:00:00;493023125100;4989231250;30000;ok;;x;\n"
    )
    columns = {**COLUMNS, "version": "no", "deleted": "state"}
    first, second, deleted, wrong = mapped(text, read, columns=columns, deletion="D")

    assert [(one.external_id, one.slot, one.version, one.deleted) for one in (first, second, deleted)] == [
        ("1/0", "1", 0, False),
        ("1/1", "1", 1, False),
        ("1/2", "1", 2, True),
    ]
    assert (first.body.billed_seconds, second.body.billed_seconds, deleted.body) == (60, 30, None)
    assert (wrong.findings[0].code, wrong.findings[0].field) == ("TEL05", "version")


def test_a_mapping_that_does_not_fit_the_file_is_refused(read: Read) -> None:
    with pytest.raises(InputRefused, match="no mapping of columns"):
        read(MAPPED, b"a\n")
    for text, what in (
        ("id;when;from;to;ms;end\n", "no column 'way'"),
        ("id;when;from;to;ms;end;way;way\n", "is there twice"),
        ('"id\n', "TEL01"),
    ):
        with pytest.raises(InputRefused, match=what):
            mapped(text, read)


@pytest.mark.parametrize(
    "wrong",
    [
        {"columns": {**COLUMNS, "calller": "x"}},
        {"columns": {"caller": "a", "called": "b", "start": "c"}},
        {"columns": {"caller": "a", "called": "b", "billed": "c"}},
        {"record_id": ()},
        {"header": False},
        {"columns": {**COLUMNS, "deleted": "gone"}},
    ],
)
def test_wrong_mappings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueRefused, match="TEL07"):
        ColumnMapping(**{"columns": COLUMNS, "record_id": ("id",), **wrong})


def test_a_finding_is_told_once_for_a_file(read: Read) -> None:
    items = read(ASTERISK, (asterisk(times=REPEATED) * 3).encode(), zone="Europe/Berlin")
    (told,) = [item for item in items if isinstance(item, Finding)]

    assert told.what.startswith("3 calls begin in an hour that occurs twice")
