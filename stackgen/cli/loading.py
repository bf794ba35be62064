"""How a release is shown to those who will load it."""

from collections.abc import Mapping
from pathlib import Path

import click

from stackgen.receipt import Content


def print_how_to_load(prefix: Path, release: Content) -> None:
    """Print what a user pastes into a new shell; what else there is goes to stderr."""
    first, *others = (f"{release['namespace']}/{framework['module']}" for framework in release["frameworks"])
    click.echo("in a new login shell:\n", err=True)
    if (cache := prefix / "current/lmod/lmodrc.lua").exists():
        click.echo(f"export LMOD_RC={cache}")
    click.echo(f"module use {prefix / 'current/modules/Core'}")
    click.echo(f"module load {first}")
    if others:
        click.echo(f"\nor instead of {first}: {', '.join(others)}", err=True)


def release_summary(release: Content) -> Mapping[str, object]:
    """A release as `--json` prints it."""
    shown = ("name", "module", "version", "python", "prefix")
    frameworks = [{key: framework[key] for key in shown} for framework in release["frameworks"]]
    return {"name": release["name"], "environment": release["environment"], "frameworks": frameworks}
