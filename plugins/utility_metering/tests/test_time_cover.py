from billing_utility_metering.time_cover import TimeCover
from hypothesis import given
from hypothesis import strategies as st

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)), max_size=12)


@given(SPANS, st.integers(0, 60), st.integers(1, 30))
def test_cover_and_gaps_agree_with_a_set_of_seconds(spans: list[tuple[int, int]], start: int, length: int) -> None:
    cover, seconds = TimeCover(), set[int]()
    for begin, size in spans:
        own = set(range(begin, begin + size))
        assert cover.overlaps(begin, begin + size) == bool(own & seconds)
        assert cover.add(begin, begin + size) == (not own & seconds)
        seconds |= own
    assert {second for begin, end in cover.spans() for second in range(begin, end)} == seconds
    assert all(end < begin for (_, end), (begin, _) in zip(cover.spans(), list(cover.spans())[1:], strict=False))
    gaps = {second for begin, end in cover.gaps(start, start + length) for second in range(begin, end)}
    assert gaps == set(range(start, start + length)) - seconds
