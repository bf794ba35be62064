"""The prefix that a command is about."""

from pathlib import Path

from stackgen.errors import InputError


def prefix_at(place: Path) -> Path:
    """The prefix that a directory is, or that an environment file names."""
    if place.is_dir():
        return place.absolute()
    if place.suffix != ".yaml" and not place.exists():
        raise InputError.of(
            f"{place} is not there", "name the prefix that holds the releases, or an environment file"
        )
    from stackgen.project import open_project

    return open_project(place).prefix
