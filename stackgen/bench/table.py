"""Scaling tables as text, and as values for machines; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from stackgen.bench.published import PUBLISHED, Published
from stackgen.bench.results import Row
from stackgen.lock import Json

_HEADS = ("nodes", "ranks", "s/epoch", "linear s", "speed-up", "efficiency", "spread")


def columns(lines: Iterable[Sequence[str]]) -> str:
    """Texts below each other, each column as wide as its widest, to the right."""
    cells = [tuple(line) for line in lines]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells
    )


def table(rows: Sequence[Row]) -> str:
    """The rows below their heads; below them a line for each job that has failed, with its reason."""
    spread = any(row.spread is not None for row in rows)
    heads = _HEADS if spread else _HEADS[:-1]
    text = columns([heads, *(_cells(row)[: len(heads)] for row in rows)])
    failed = [f"{_nodes(row)} failed: {row.reason}" for row in rows if row.epoch is None]
    return "\n".join([text, *failed])


def _cells(row: Row) -> tuple[str, ...]:
    ranks = str(row.ranks) if row.ranks else "?"
    return (
        *(str(row.nodes), ranks, seconds(row.epoch), seconds(row.linear)),
        "-" if row.speedup is None else f"{row.speedup:.2f}",
        *(percent(row.efficiency), percent(row.spread)),
    )


def seconds(value: float | None) -> str:
    """A time with four digits that mean something."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 1000 else f"{value:.4g}"


def percent(share: float | None) -> str:
    """A share of 1 as people read it."""
    return "-" if share is None else f"{100 * share:.1f} %"


def _nodes(row: Row) -> str:
    return (
        f"{row.nodes} node{'' if row.nodes == 1 else 's'}, {row.ranks} rank{'' if row.ranks == 1 else 's'}:"
    )


def comparison(published: Sequence[Published] = PUBLISHED) -> str:
    """The published tables of the same training, with their sources below."""
    sources = list(dict.fromkeys(one.source for one in published))
    parts = [
        f"{one.title} [{sources.index(one.source) + 1}]\n{indented(table(one.rows))}" for one in published
    ]
    notes = "\n".join(f"[{number}] {source}" for number, source in enumerate(sources, start=1))
    return "\n\n".join(["published, of 3DGAN on its own data:", *parts, notes])


def indented(text: str) -> str:
    """Each line two characters further to the right."""
    return "\n".join(f"  {line}" for line in text.splitlines())


def rows_json(rows: Iterable[Row]) -> list[Json]:
    """The rows for machines."""
    return [asdict(row) for row in rows]


def published_json(published: Iterable[Published] = PUBLISHED) -> list[Json]:
    """The published tables for machines."""
    return [{"title": one.title, "source": one.source, "rows": rows_json(one.rows)} for one in published]
