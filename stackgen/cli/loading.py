"""How a release is shown to those who will load it."""

from collections.abc import Mapping
from pathlib import Path

import click

from stackgen.inside.launcher.deprecation import Deprecation, sentence_today
from stackgen.receipt import Content


def print_how_to_load(prefix: Path, release: Content) -> None:
    """Print what a user pastes into a new shell; what else there is goes to stderr."""
    first, *others = _modules(release)
    click.echo("in a new login shell:\n", err=True)
    if (cache := prefix / "current/lmod/lmodrc.lua").exists():
        click.echo(f"export LMOD_RC={cache}")
    click.echo(f"module use {prefix / 'current/modules/Core'}")
    click.echo(f"module load {first}")
    if others:
        click.echo(f"\nor instead of {first}: {', '.join(others)}", err=True)


def _modules(release: Content) -> list[str]:
    """What can be loaded, each module once; what is withdrawn only where there is nothing else."""
    gone = [Deprecation(**one) for one in release.get("deprecations", ())]
    known, usable = [], []
    for framework in release["frameworks"]:
        module = f"{release['namespace']}/{framework['module']}"
        known.append(module)
        if not sentence_today(gone, f"{module}/{framework['version']}")[1]:
            usable.append(module)
    return list(dict.fromkeys(usable or known))


def release_summary(release: Content) -> Mapping[str, object]:
    """A release as `--json` prints it."""
    shown = ("name", "module", "version", "python", "prefix")
    frameworks = [{key: framework[key] for key in shown} for framework in release["frameworks"]]
    return {"name": release["name"], "environment": release["environment"], "frameworks": frameworks}
