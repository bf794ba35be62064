"""Commands about what is published: list it, go back, use it without Lmod."""

import os
from contextlib import suppress
from pathlib import Path

import click
from click.core import ParameterSource

from stackgen.cli.loading import print_how_to_load, release_summary
from stackgen.cli.options import as_json, place, print_json, tools
from stackgen.cli.prefixes import prefix_at
from stackgen.errors import InputError, StackgenError, WorkError
from stackgen.inside.launcher.deprecation import sentence_today
from stackgen.model.base import near
from stackgen.pipeline import roll_back
from stackgen.publish import current_release, place_of
from stackgen.publish import releases as published_releases
from stackgen.release import InstalledFramework, Release
from stackgen.run import become
from stackgen.shell import shell_environment


def _release_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """What a shell offers for RELEASE."""
    place = context.params.get("place")
    if place:
        with suppress(StackgenError, OSError):
            names = [entry.release.name for entry in published_releases(prefix_at(place))]
            return [name for name in names if name.startswith(incomplete)]
    return []


@click.command()
@place
@as_json
def releases(place: Path, *, as_json: bool) -> None:
    """List the releases below a prefix; `*` marks the current one."""
    listed = published_releases(prefix_at(place))
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
@click.argument("release", required=False, shell_complete=_release_names)
def rollback(place: Path, release: str | None) -> None:
    """Make the release before the current one, or RELEASE, the current one.

    Nothing is removed: running jobs go on, and `rollback` with a name goes forward again.
    """
    prefix = prefix_at(place)
    now = roll_back(prefix, release, tools(verbose=False))
    click.echo(f"release {now.name} is current", err=True)
    print_how_to_load(prefix, now.model_dump())


class _WithCommand(click.Command):
    """A command whose options end where the words of another command begin: at the second argument."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _separated(args))


def _separated(words: list[str]) -> list[str]:
    """The words with `--` before the second that is neither an option nor the value of `--prefix`."""
    arguments = 0
    for position, word in enumerate(words):
        if word == "--":
            break
        if not word.startswith("-") and words[position - 1 : position] != ["--prefix"]:
            arguments += 1
        if arguments == 2:
            return [*words[:position], "--", *words[position:]]
    return words


@click.command(cls=_WithCommand, options_metavar="[--prefix ENV.yaml|PREFIX]")
@click.argument("framework")
@click.option(
    "--prefix",
    "place",
    metavar="ENV.yaml|PREFIX",
    envvar="STACKGEN_PREFIX",
    type=click.Path(path_type=Path),
    help="Where the release is, or the environment file that says so; STACKGEN_PREFIX where not given.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def shell(context: click.Context, framework: str, place: Path | None, command: tuple[str, ...]) -> None:
    """Open a shell with FRAMEWORK's environment, as its module would give; for machines without Lmod.

    With COMMAND, run that instead of a shell; all words after it are its own.
    """
    prefix = _users_prefix(context, place)
    release = current_release(prefix)
    if release is None:
        raise InputError.of(f"nothing is published in {prefix}", "run `stackgen build` on an environment")
    chosen = _framework(release, framework.removeprefix(f"{release.namespace}/"))
    module = chosen.loaded_as(release.namespace)
    told, withdrawn = sentence_today([one.told for one in release.deprecations], module)
    if withdrawn:
        raise WorkError(told)
    if told:
        click.echo(told, err=True)
    words = command or (os.environ.get("SHELL") or "/bin/sh",)
    place_of_release = str(place_of(prefix.absolute(), release.name))
    become(words, shell_environment(release.namespace, chosen, place_of_release, os.environ))


def _users_prefix(context: click.Context, place: Path | None) -> Path:
    if place is None:
        raise InputError.of("no prefix is named", "give --prefix, or set STACKGEN_PREFIX")
    given = context.get_parameter_source("place")
    if given == ParameterSource.ENVIRONMENT and not place.exists():
        raise InputError.of(
            f"STACKGEN_PREFIX names {place}, which is not there", "correct it, or give --prefix"
        )
    return prefix_at(place)


def _framework(release: Release, name: str) -> InstalledFramework:
    for entry in release.frameworks:
        if name in {entry.name, entry.module, f"{entry.module}/{entry.version}"}:
            return entry
    known = [entry.name for entry in release.frameworks]
    raise InputError.of(
        f"release {release.name} has no framework {name}", near(name, known, f"it has {', '.join(known)}")
    )
