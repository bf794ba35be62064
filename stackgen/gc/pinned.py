"""Releases that the admin keeps, whatever else is true of them: `releases/.pins.json`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from stackgen import files
from stackgen.errors import InputError, WorkError
from stackgen.model.base import Strict, near
from stackgen.model.scalars import Line, ReleaseName


class _Pins(Strict):
    format: Literal[1] = 1
    pins: dict[ReleaseName, Line] = {}  # noqa: RUF012 - pydantic copies it


def _file(prefix: Path) -> Path:
    return prefix / "releases/.pins.json"


def pins(prefix: Path) -> Mapping[str, str]:
    """Why each pinned release is; WorkError where that cannot be read, for then nothing is to be removed."""
    try:
        return _Pins.model_validate_json(_file(prefix).read_bytes()).pins
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        remedy = "correct it, or remove it and pin again"
        raise WorkError(f"{_file(prefix)} cannot be read", remedy, details=str(error)) from None


def pin(prefix: Path, known: Iterable[str], add: Iterable[str], drop: Iterable[str], why: str) -> None:
    """Pin releases that are there, and unpin others; the caller holds the prefix."""
    before, names = dict(pins(prefix)), list(known)
    for release in add:
        if release not in names:
            remedy = near(release, names, f"name one of {', '.join(names)}")
            raise InputError.of(f"there is no release {release} in {prefix}", remedy)
        before[release] = why
    for release in drop:
        if release not in before:
            told = f"pinned are {', '.join(before)}" if before else "none is"
            raise InputError.of(f"release {release} is not pinned", told)
        del before[release]
    try:
        text = _Pins(pins=before).model_dump_json(indent=2)
    except ValidationError as error:
        what = f"{why!r} says not why: {error.errors()[0]['msg']}"
        raise InputError.of(what, "say it in one plain line") from None
    files.write(_file(prefix), text + "\n")
