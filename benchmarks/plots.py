"""Plots of the figures as SVG, written by hand: growth, and where the time goes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import attrs

WIDTH, HEIGHT = 760, 360
_LEFT, _TOP, _PANEL, _TALL = 70, 50, 280, 240
_BAR, _GAP, _LABELS = 22, 14, 190
_COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#805ad5", "#b7791f", "#718096")
_TEXT = 'font-family="sans-serif" font-size="12" fill="#1a202c"'


@attrs.frozen(kw_only=True)
class Series:
    """One line of a plot: its name and its points."""

    name: str
    points: tuple[tuple[float, float], ...]


@attrs.frozen(kw_only=True)
class Bar:
    """One bar: its label, its parts in order, and what stands behind it."""

    label: str
    parts: Mapping[str, float]
    note: str = ""


@attrs.frozen(kw_only=True)
class Axis:
    """One axis of a panel: its title, its range, and whether it counts in powers of ten."""

    title: str
    low: float
    high: float
    is_log: bool = False

    def place(self, value: float) -> float:
        """Return where a value lies, from 0 to 1."""
        if self.is_log:
            return (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return the values that bear a mark."""
        if self.is_log:
            return [10.0**power for power in range(round(math.log10(self.low)), round(math.log10(self.high)) + 1)]
        step = _round_step((self.high - self.low) / 5)
        return [self.low + step * number for number in range(int((self.high - self.low) / step + 1e-9) + 1)]


def _round_step(rough: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)


def _log_axis(title: str, values: Sequence[float]) -> Axis:
    low, high = 10.0 ** math.floor(math.log10(min(values))), 10.0 ** math.ceil(math.log10(max(values)))
    return Axis(title=title, low=low, high=high if high > low else low * 10, is_log=True)


def _short(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def growth_plot(by_size: Sequence[Series], by_file: Sequence[Series]) -> str:
    """Return the plot of growth: seconds over records, and the seconds of each further file of one size.

    Args:
        by_size: per step and database, records and seconds.
        by_file: per database, number of the file and its seconds; empty leaves the second panel out.
    """
    points = [point for series in by_size for point in series.points]
    first = _panel(
        0,
        "seconds over records, both in powers of ten",
        by_size,
        _log_axis("records", [x for x, _ in points]),
        _log_axis("seconds", [y for _, y in points]),
    )
    second = []
    if by_file:
        places = [point for series in by_file for point in series.points]
        across = Axis(title="number of the file", low=0, high=max(x for x, _ in places))
        up = Axis(title="seconds", low=0, high=max(y for _, y in places) * 1.1)
        second = _panel(_PANEL + 110, "seconds of intake, file by file", by_file, across, up)
    return _document([*first, *second], HEIGHT + 20 * max(len(by_size), len(by_file)))


def _panel(shift: float, title: str, lines: Sequence[Series], across: Axis, up: Axis) -> list[str]:
    left, bottom = _LEFT + shift, _TOP + _TALL
    parts = [
        f'<text x="{left}" y="{_TOP - 18}" {_TEXT} font-weight="bold">{escape(title)}</text>',
        f'<path d="M{left} {_TOP}V{bottom}H{left + _PANEL}" fill="none" stroke="#4a5568"/>',
        f'<text x="{left + _PANEL / 2}" y="{bottom + 34}" {_TEXT} text-anchor="middle">{escape(across.title)}</text>',
    ]
    for tick in across.ticks():
        x = left + across.place(tick) * _PANEL
        parts.append(f'<text x="{x:.1f}" y="{bottom + 17}" {_TEXT} text-anchor="middle">{_short(tick)}</text>')
    for tick in up.ticks():
        y = bottom - up.place(tick) * _TALL
        parts.append(f'<path d="M{left} {y:.1f}H{left + _PANEL}" stroke="#e2e8f0"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" {_TEXT} text-anchor="end">{_short(tick)}</text>')
    for number, series in enumerate(lines):
        colour = _COLOURS[number % len(_COLOURS)]
        places = [(left + across.place(x) * _PANEL, bottom - up.place(y) * _TALL) for x, y in series.points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        y = bottom + 56 + 20 * number
        parts.append(f'<rect x="{left}" y="{y - 10}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{left + 18}" y="{y}" {_TEXT}>{escape(series.name)}</text>')
    return parts


def bars_plot(title: str, bars: Sequence[Bar], *, mark: float, mark_name: str) -> str:
    """Return horizontal bars of stacked parts with a mark across all of them.

    Args:
        title: what the bars measure.
        bars: the bars from top to bottom.
        mark: value of the mark.
        mark_name: what it says.
    """
    names = list(dict.fromkeys(name for bar in bars for name in bar.parts))
    longest = max(sum(bar.parts.values()) for bar in bars)
    scale = (WIDTH - _LABELS - 110) / longest
    parts = [f'<text x="10" y="24" {_TEXT} font-weight="bold">{escape(title)}</text>']
    for row, bar in enumerate(bars):
        y, x = _TOP + row * (_BAR + _GAP), float(_LABELS)
        parts.append(f'<text x="{_LABELS - 8}" y="{y + 15}" {_TEXT} text-anchor="end">{escape(bar.label)}</text>')
        for name, value in bar.parts.items():
            colour = _COLOURS[names.index(name) % len(_COLOURS)]
            parts.append(
                f'<rect x="{x:.1f}" y="{y}" width="{value * scale:.1f}" height="{_BAR}" fill="{colour}">'
                f"<title>{escape(name)} {value:.2f}</title></rect>"
            )
            x += value * scale
        parts.append(f'<text x="{x + 6:.1f}" y="{y + 15}" {_TEXT}>{escape(bar.note)}</text>')
    bottom = _TOP + len(bars) * (_BAR + _GAP)
    at = _LABELS + mark * scale
    parts.append(f'<path d="M{at:.1f} {_TOP - 8}V{bottom}" stroke="#1a202c" stroke-dasharray="4 3"/>')
    parts.append(f'<text x="{at + 4:.1f}" y="{_TOP - 10}" {_TEXT}>{escape(mark_name)}</text>')
    x = float(_LABELS)
    for name in names:
        colour = _COLOURS[names.index(name) % len(_COLOURS)]
        parts.append(f'<rect x="{x}" y="{bottom + 10}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="{bottom + 20}" {_TEXT}>{escape(name)}</text>')
        x += 40 + 8 * len(name)
    return _document(parts, bottom + 40)


def _document(parts: Sequence[str], height: float) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>', *parts, "</svg>", ""])
