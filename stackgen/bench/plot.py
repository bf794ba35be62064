"""A scaling plot as SVG: both axes logarithmic, so that linear scaling is a straight line; pure.

Written by hand: the plot is two axes and a few lines, and a plotting library is larger than stackgen.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 720, 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 50, 50
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's, which all eyes can tell apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Speed-up over nodes, both above 0."""

    title: str
    points: tuple[tuple[float, float], ...]
    faint: bool = False
    """For comparison only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """From values to pixels, by powers of two."""

    low: int
    high: int
    start: float
    end: float

    def at(self, value: float) -> float:
        share = (math.log2(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    @property
    def ticks(self) -> list[int]:
        return list(range(self.low, self.high + 1))


def _axis(values: Iterable[float], start: float, end: float) -> _Axis:
    logs = [math.log2(value) for value in values]
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    return _Axis(low=low, high=max(high, low + 1), start=start, end=end)


def plot(title: str, lines: Sequence[Line], nodes: str = "nodes") -> str:
    """The SVG of speed-ups; nothing but the title where there are no points."""
    points = [point for line in lines for point in line.points]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="12">\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>\n'
        f'<text x="{_LEFT}" y="28" font-size="16">{escape(title)}</text>\n'
    )
    if not points:
        return head + "</svg>\n"
    x = _axis((nodes for nodes, _ in points), _LEFT, _WIDTH - _RIGHT)
    y = _axis((speed for _, speed in points), _HEIGHT - _BOTTOM, _TOP)
    parts = [*_grid(x, y, nodes)]
    for number, line in enumerate(lines):
        parts += _line(line, _COLOURS[number % len(_COLOURS)], x, y, number)
    return head + "\n".join(parts) + "\n</svg>\n"


def _grid(x: _Axis, y: _Axis, nodes: str) -> Iterable[str]:
    for tick in x.ticks:
        at = x.at(2.0**tick)
        yield _stroke((at, y.start), (at, y.end), "#ddd")
        yield f'<text x="{at:.1f}" y="{y.start + 18:.1f}" text-anchor="middle">{2.0**tick:g}</text>'
    for tick in y.ticks:
        at = y.at(2.0**tick)
        yield _stroke((x.start, at), (x.end, at), "#ddd")
        yield f'<text x="{x.start - 8:.1f}" y="{at + 4:.1f}" text-anchor="end">{2.0**tick:g}</text>'
    middle = (x.start + x.end) / 2
    yield f'<text x="{middle:.1f}" y="{_HEIGHT - 12}" text-anchor="middle">{escape(nodes)}</text>'
    yield f'<text x="{x.start - 56:.1f}" y="{y.end - 8:.1f}">speed-up</text>'


def _stroke(start: tuple[float, float], end: tuple[float, float], colour: str) -> str:
    (x1, y1), (x2, y2) = start, end
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _line(line: Line, colour: str, x: _Axis, y: _Axis, number: int) -> Iterable[str]:
    if not line.points:
        return
    dashes = ' stroke-dasharray="6 4"' if line.faint else ""
    places = [(x.at(nodes), y.at(speed)) for nodes, speed in line.points]
    joined = " ".join(f"{left:.1f},{top:.1f}" for left, top in places)
    yield f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'
    if not line.faint:
        yield from (f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="{colour}"/>' for a, b in places)
    top = _TOP + 14 + 18 * number
    yield _stroke((_LEFT + 10, top - 4), (_LEFT + 34, top - 4), colour).replace("/>", f"{dashes}/>")
    yield f'<text x="{_LEFT + 40}" y="{top}">{escape(line.title)}</text>'
