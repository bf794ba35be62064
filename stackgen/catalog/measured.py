"""What `stackgen bench` has left of a release, as tables."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stackgen.bench.table import percent, seconds
from stackgen.catalog.told import read_json
from stackgen.catalog.values import Table
from stackgen.errors import WorkError
from stackgen.release import Release

Json = Mapping[str, Any]


def tables(benches: Sequence[Path], release: Release, framework: str) -> tuple[Table, ...]:
    """What was measured of a framework of this very release, wherever it is kept.

    Each of the directories has the results of a release, or below it those of several. WorkError where a
    file is damaged.
    """
    found: dict[str, Table] = {}
    for bench in benches:
        for directory in (bench / release.name, bench):
            for path in _files(directory, framework):
                value = read_json(path)
                if (value.get("release"), value.get("request")) == (release.name, release.request):
                    found |= {table.title: table for table in _tables(path, value)}
    return tuple(found.values())


def _files(directory: Path, framework: str) -> list[Path]:
    scaling = sorted((directory / "scaling" / framework).glob("*/table.json"))
    others = [directory / kind / f"{framework}.json" for kind in ("kernels", "startup", "container")]
    return [*scaling, *(path for path in others if path.is_file())]


def _tables(path: Path, value: Json) -> list[Table]:
    """The tables of a file, told apart by what is in it."""
    try:
        return [make(value if key in _WHOLE else value[key]) for key, make in _MADE.items() if value.get(key)]
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise WorkError(
            f"{path} is no result of `stackgen bench`", "remove it, or measure again", details=repr(error)
        ) from None


def _scaling(value: Json) -> Table:
    where = "" if value["where"] == "here" else f", partition {value['where']}"
    rows = [
        (
            *(str(row["nodes"]), str(row["ranks"] or "?"), seconds(row["epoch"])),
            "-" if row["speedup"] is None else f"{row['speedup']:.2f}",
            percent(row["efficiency"]),
        )
        for row in value["rows"]
    ]
    failed = tuple(f"{row['nodes']} nodes failed: {row['reason']}" for row in value["rows"] if row["reason"])
    heads = ("nodes", "ranks", "seconds an epoch", "speed-up", "efficiency")
    return Table(title=f"{value['title']}{where}", heads=heads, rows=tuple(rows), notes=failed)


def _kernels(value: Json) -> Table:
    rows = [
        (
            *(str(row["kernel"]), _rate(row["delivered"]), _rate(row["pip"])),
            *(_times(row["ratio"]), percent(row["share"])),
        )
        for row in value["rates"]
    ]
    heads = ("kernel", "delivered", "pip's wheel", "delivered / pip", "of the machine")
    return _table(value, heads, rows)


def _collectives(value: Json) -> Table:
    rows = [
        (
            *(f"{row['way']}, {row['size']} bytes", seconds(row["seconds"]), seconds(row["reference"])),
            _times(row["ratio"]),
        )
        for row in value["messages"]
    ]
    return _table(value, ("all-reduce", "seconds", "reference, seconds", "over the reference"), rows)


def _starts(value: Json) -> Table:
    rows = [
        (
            *(str(row["who"]), seconds(row["warm"]), seconds(row["cold"])),
            "-" if row["opened"] is None else str(row["opened"]),
        )
        for row in value["starts"]
    ]
    heads = ("", "warm, seconds", "cold, seconds", "files opened")
    return _table(value, heads, rows)


def _trainings(value: Json) -> Table:
    rows = [
        (
            *(str(row["title"]), _rate(row["outside"], "samples/s"), _rate(row["inside"], "samples/s")),
            _times(row["ratio"]),
        )
        for row in value["trainings"]
    ]
    return _table(value, ("training", "without the container", "in the container", "ratio"), rows)


def _table(value: Json, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    notes = tuple(str(note) for note in value["notes"])
    return Table(title=str(value["title"]), heads=heads, rows=tuple(rows), notes=notes)


def _rate(value: float | None, unit: str = "op/s") -> str:
    """A rate with three digits that mean something."""
    if value is None:
        return "-"
    for scale, letter in _SCALES:
        if value >= scale:
            return f"{value / scale:.3g} {letter}{unit}"
    return f"{value:.3g} {unit}"


def _times(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


_SCALES = ((1e12, "T"), (1e9, "G"), (1e6, "M"))
_MADE: Mapping[str, Callable[[Json], Table]] = {
    "rows": _scaling,
    "kernels": _kernels,
    "collectives": _collectives,
    "training": _trainings,
    "start": _starts,
    "starts": _starts,
}
"""Who makes a table of a part of a file, by the key that tells of it."""
_WHOLE = frozenset({"rows", "starts"})
"""The keys that stand beside what else such a table has."""
