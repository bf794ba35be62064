"""The command that removes what nobody needs any more, and what an admin says of it."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click

from stackgen import files
from stackgen.cli.options import as_json, print_json, tools
from stackgen.gc import Choice, Collected, Thing, all_releases, collect, pin
from stackgen.jobs.script import counted
from stackgen.lock import Json
from stackgen.publish import find_spider
from stackgen.registered import open_register as open_to_all
from stackgen.standing import register_for

_MANY = 5
"""Things of one kind that are named one by one where they are kept."""
_FOR_EVER = 36_500
"""Days; no calendar goes on for as long as some write for it."""
_NAMELESS = "publication", "left over"
"""What nobody knows by name."""


@click.command()
@click.argument("prefix", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Remove nothing; list what would go, with its size.")
@click.option("--keep", type=click.IntRange(min=0), default=0, help="Keep the newest N releases besides.")
@click.option(
    "--kept-for",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Keep what was current as long as this; as long as the longest job of its system where not given.",
)
@click.option(
    "--pin", "pinned", multiple=True, metavar="RELEASE", help="Keep a release until it is unpinned."
)
@click.option("--why", default="by the admin", help="Why it is pinned, for whoever reads that.")
@click.option("--unpin", "unpinned", multiple=True, metavar="RELEASE", help="Keep it no longer.")
@click.option("--open-register", is_flag=True, help="Let users say what of theirs stands on a release.")
@click.option(
    "--register",
    "theirs",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Say so for a user's stack or virtual environment.",
)
@as_json
def gc(  # noqa: PLR0913, PLR0917 - one argument an option
    prefix: Path,
    keep: int,
    kept_for: float | None,
    pinned: tuple[str, ...],
    why: str,
    unpinned: tuple[str, ...],
    theirs: Path | None,
    *,
    dry_run: bool,
    open_register: bool,
    as_json: bool,
) -> None:
    """Remove the releases, and what they stood on, that nobody needs.

    Never the current one and the one before, a pinned one, what running processes use, or what a registered
    stack or virtual environment of a user stands on.
    """
    work = tools(verbose=False)
    known = all_releases(prefix)
    if pinned or unpinned:
        with files.exclusive(prefix, work.progress):
            pin(prefix, [one.release.name for one in known], pinned, unpinned, why)
        for release in pinned:
            click.echo(f"release {release} is kept until `stackgen gc {prefix} --unpin {release}`", err=True)
    if open_register:
        _open(prefix, known[-1].release.namespace)
    if theirs:
        for line in register_for(prefix, theirs):
            click.echo(line, err=True)
    if pinned or unpinned or open_register or theirs:
        return
    period = None if kept_for is None else timedelta(days=min(_FOR_EVER, kept_for))
    choice = Choice(keep=keep, kept_for=period)
    spider = find_spider(work.run, work.progress)
    found = collect(prefix, choice, work.run, work.progress, spider, dry=dry_run)
    if as_json:
        print_json(_json(found))
        return
    _print(found, dry=dry_run)


def _open(prefix: Path, namespace: str) -> None:
    place = open_to_all(prefix.absolute())
    told = f"builds and `{namespace} venv` of users leave there what they stand on"
    click.echo(f"{place} is open: {told}", err=True)


def _print(found: Collected, *, dry: bool) -> None:
    for line in (*_kept(found), *_going(found, "removes" if dry else "removed")):
        click.echo(line)
    for line in found.told:
        click.echo(f"note: {line}", err=True)
    if found.unseen and os.geteuid():
        others = f"{found.unseen} processes of others could not be looked at"
        click.echo(f"note: {others}; run it as root, and what they use is kept", err=True)
    total = _bytes(sum(found.sizes.values()))
    if not found.sizes:
        click.echo("nothing to remove: somebody needs all of it", err=True)
    else:
        click.echo(f"{total} would come free; nothing is removed" if dry else f"{total} came free", err=True)


def _kept(found: Collected) -> Iterator[str]:
    for thing in found.things:
        if thing.kept and thing.kind == "release":
            yield f"kept     {_named(thing)}  {'; '.join(thing.kept)}"
    for kind in ("framework", "image", "package"):
        ones = [thing for thing in found.things if thing.kind == kind and thing.kept]
        own = [thing for thing in ones if not thing.kept[0].startswith("release ")]
        yield from (f"kept     {_named(thing)}  {'; '.join(thing.kept)}" for thing in own[:_MANY])
        if more := len(own[_MANY:]):
            yield f"kept     {counted(more, f'other {kind}')}"
        if rest := len(ones) - len(own):
            yield f"kept     {counted(rest, kind)} of these releases"


def _going(found: Collected, done: str) -> Iterator[str]:
    for thing in found.things:
        if not thing.kept and thing.kind not in _NAMELESS:
            yield f"{done}  {_named(thing)}  {_bytes(found.sizes[thing.path])}"
    for kind in _NAMELESS:
        sizes = [found.sizes[thing.path] for thing in found.things if thing.kind == kind and not thing.kept]
        if sizes:
            yield f"{done}  {kind:<11}  {len(sizes)} of them  {_bytes(sum(sizes))}"


def _named(thing: Thing) -> str:
    return f"{thing.kind:<11}  {thing.name}"


def _bytes(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1000:.0f} kB"


def _json(found: Collected) -> dict[str, Json]:
    return {
        "things": [
            {
                "kind": thing.kind,
                "path": str(thing.path),
                "kept": list(thing.kept),
                "bytes": found.sizes.get(thing.path, 0),
            }
            for thing in found.things
        ],
        "notes": list(found.told),
    }
