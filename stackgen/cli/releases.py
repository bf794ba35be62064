"""Commands about what is published: list it, go back, use it without Lmod."""

import os
from pathlib import Path

import click

from stackgen.cli.loading import print_how_to_load, release_summary
from stackgen.cli.options import as_json, place, print_json, tools
from stackgen.errors import InputError
from stackgen.model.base import near
from stackgen.pipeline import open_project, roll_back
from stackgen.publish import current_release
from stackgen.publish import releases as published_releases
from stackgen.release import InstalledFramework, Release
from stackgen.shell import shell_environment


def _prefix_at(place: Path) -> Path:
    """The prefix that a directory is, or that an environment file names."""
    return place.absolute() if place.is_dir() else open_project(place).prefix


@click.command()
@place
@as_json
def releases(place: Path, *, as_json: bool) -> None:
    """List the releases below a prefix; `*` marks the current one."""
    listed = published_releases(_prefix_at(place))
    if as_json:
        print_json(
            [{**release_summary(entry.release.model_dump()), "current": entry.current} for entry in listed]
        )
        return
    for entry in listed:
        frameworks = ", ".join(
            f"{framework.module} {framework.version}" for framework in entry.release.frameworks
        )
        broken = f"  NOT WHOLE: {', '.join(entry.missing)} is gone" if entry.missing else ""
        mark = "*" if entry.current else " "
        click.echo(f"{mark} {entry.release.name:<12} {entry.published:<20} {frameworks}{broken}")
    if not listed:
        click.echo("nothing is published here", err=True)


@click.command()
@place
@click.argument("release", required=False)
def rollback(place: Path, release: str | None) -> None:
    """Make the release before the current one, or RELEASE, the current one.

    Nothing is removed: running jobs go on, and `rollback` with a name goes forward again.
    """
    prefix = _prefix_at(place)
    now = roll_back(prefix, release, tools(verbose=False))
    click.echo(f"release {now.name} is current", err=True)
    print_how_to_load(prefix, now.model_dump())


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("framework")
@click.option(
    "--prefix",
    "place",
    metavar="ENV.yaml|PREFIX",
    envvar="STACKGEN_PREFIX",
    required=True,
    type=click.Path(path_type=Path),
    help="Where the release is, or the environment file that says so; STACKGEN_PREFIX where not given.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def shell(framework: str, place: Path, command: tuple[str, ...]) -> None:
    """Open a shell with FRAMEWORK's environment, as its module would give; for machines without Lmod.

    With COMMAND, run that instead of a shell.
    """
    prefix = _prefix_at(place)
    release = current_release(prefix)
    if release is None:
        raise InputError.of(f"nothing is published in {prefix}", "run `stackgen build` on an environment")
    chosen = _framework(release, framework.removeprefix(f"{release.namespace}/"))
    words = command or (os.environ.get("SHELL", "/bin/sh"),)
    environment = shell_environment(release.namespace, chosen, os.environ)
    try:
        os.execvpe(words[0], words, environment)  # noqa: S606 - the user's own command, in place of this one
    except OSError as error:
        raise InputError.of(f"{words[0]} cannot be started: {error.strerror}") from None


def _framework(release: Release, name: str) -> InstalledFramework:
    for entry in release.frameworks:
        if name in {entry.name, entry.module, f"{entry.module}/{entry.version}"}:
            return entry
    known = [entry.name for entry in release.frameworks]
    raise InputError.of(
        f"release {release.name} has no framework {name}", near(name, known, f"it has {', '.join(known)}")
    )
