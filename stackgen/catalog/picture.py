"""The hierarchy as a picture: what is there from the start, and what each MPI opens; pure.

As narrow as a telephone: the width of a letter of a monospaced font is known, so no text leaves its box.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from stackgen.catalog.values import Level

WIDTH = 400
LETTER, LINE = 7.3, 19
"""Pixels of a letter and of a line, at 12 pixels of any monospaced font."""
_PAD, _GAP, _INDENT, _HEAD = 12, 26, 28, 24
_MOST = 60
"""Modules that a box shows; the list below the picture has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A line of text at a place."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A level of the hierarchy."""

    x: float
    y: float
    width: float
    height: float
    title: Text
    lines: tuple[Text, ...]
    arrow: tuple[float, float, float] | None
    """From where a line goes down, how far, and to where it goes right; None for what is open already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Boxes below each other."""

    width: int
    height: float
    boxes: tuple[Box, ...]


def picture(frameworks: Sequence[str], levels: Sequence[Level]) -> Picture:
    """Core with the frameworks at the top; below it, indented, what each MPI opens."""
    core, *others = levels
    first = _box("Core: there from the start", [*frameworks, *core.modules], 0, 1, None)
    boxes, bottom = [first], first.y + first.height
    for level in others:
        y = boxes[-1].y + boxes[-1].height + _GAP
        title = f"after: module load {level.name}"
        boxes.append(_box(title, level.modules, _INDENT, y, (_INDENT / 2, bottom, y + 22)))
    return Picture(width=WIDTH, height=boxes[-1].y + boxes[-1].height + 1, boxes=tuple(boxes))


def _box(
    title: str, modules: Sequence[str], x: float, y: float, arrow: tuple[float, float, float] | None
) -> Box:
    width = WIDTH - x - 1
    fitting = int((width - 2 * _PAD) / LETTER)
    more = [f"and {len(modules) - _MOST} more"] if len(modules) > _MOST else []
    lines = wrapped([*modules[:_MOST], *more] or ["nothing"], fitting)
    top = y + _PAD + _HEAD
    return Box(
        x=x + 0.5,
        y=y,
        width=width,
        height=_PAD * 2 + _HEAD + LINE * len(lines) - 4,
        title=Text(x=x + _PAD, y=y + _PAD + 11, text=_short(title, fitting)),
        lines=tuple(
            Text(x=x + _PAD, y=top + 10 + LINE * number, text=line) for number, line in enumerate(lines)
        ),
        arrow=arrow,
    )


def wrapped(words: Sequence[str], fitting: int) -> list[str]:
    """The words in lines of at most so many letters, three spaces between them."""
    lines = [""]
    for word in (_short(word, fitting) for word in words):
        joined = f"{lines[-1]}   {word}".strip()
        if len(joined) > fitting and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = joined
    return lines


def _short(word: str, fitting: int) -> str:
    return word if len(word) <= fitting else f"{word[: fitting - 1]}…"
