"""Commands about mirrors: list what one needs, collect it, prove that all of it is whole."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from stackgen.cli.inputs import print_notes
from stackgen.cli.options import (
    as_json,
    environment,
    environments,
    keys,
    print_json,
    require_signature,
    tools,
    verbose,
)
from stackgen.errors import WorkError
from stackgen.inventory import Needed, inventory
from stackgen.lock import read_lock
from stackgen.mirror import Defect, Demand, IncompleteError, check_signature
from stackgen.mirror import prune as pruned_away
from stackgen.mirror import verify as verified
from stackgen.mirror.given import require_directories
from stackgen.pipeline import collect
from stackgen.project import open_project, read_fitting_lock
from stackgen.spack.downloads import downloads


@click.group()
def mirror() -> None:
    """Collect every file that locked environments need, and check what was collected."""


@mirror.command(short_help="Bring every file of the locks into a mirror.")
@environments
@click.option(
    "-d", "directory", required=True, type=click.Path(path_type=Path), help="The mirror's directory."
)
@click.option(
    "--from",
    "given",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Take files from below this directory, by hash, whatever their names; another kit is one too.",
)
@click.option("--prune", "pruned", is_flag=True, help="Then remove what no environment of the mirror needs.")
@click.option("--sign", metavar="KEY", help="Sign it with GnuPG, by your key of this id or fingerprint.")
@as_json
@verbose
def create(  # noqa: PLR0913 - a parameter for each option
    environments: tuple[Path, ...],
    directory: Path,
    given: tuple[Path, ...],
    sign: str | None,
    *,
    pruned: bool,
    as_json: bool,
    verbose: bool,
) -> None:
    """Bring every file of the locks into a mirror; what is there whole is not fetched again.

    With them comes all that the machine without a network needs: stackgen, Spack, the environments.
    What other environments need stays. Whole is what has its size and was not written to since it was
    last checked here; `stackgen mirror verify` reads everything.
    """
    places = tuple(path.absolute() for path in given)
    require_directories(places)
    projects = tuple(open_project(path) for path in environments)
    names = [project.plan.environment for project in projects]
    work, root = tools(verbose=verbose), directory.absolute()
    try:
        collect(projects, root, work, sign, places, pruned=pruned)
    except IncompleteError as error:
        if as_json:
            print_json({"mirror": str(root), "lacking": [asdict(row) for row in error.lacking]})
        if not given:
            click.echo("note: --from DIR takes files by hash from any directory that has some", err=True)
        raise
    if as_json:
        print_json({"mirror": str(root), "lacking": []})
    else:
        click.echo(f"{root} is complete for {', '.join(names)}")
    locks = [read_lock(project.lock_directory) for project in projects]
    _note(downloads(solved.text for lock in locks for solved in lock.spack))
    for project in projects:
        print_notes(project)


@mirror.command(short_help="Remove what no environment of a mirror needs.")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--without", metavar="ENV", multiple=True, help="Take this environment out of the mirror, by its name."
)
@as_json
@verbose
def prune(directory: Path, without: tuple[str, ...], *, as_json: bool, verbose: bool) -> None:
    """Remove the files that no environment of a mirror needs any more, and what is unfinished."""
    removed = pruned_away(directory.absolute(), without, tools(verbose=verbose).progress)
    if as_json:
        print_json({"removed": list(removed)})
        return
    for path in removed:
        click.echo(f"removed: {path}")
    click.echo(f"{len(removed)} files removed from {directory}", err=True)


@mirror.command("plan", short_help="List what a mirror will need; fetch nothing.")
@environment
@as_json
@verbose
def plan_mirror(environment: Path, *, as_json: bool, verbose: bool) -> None:
    """List every file that a mirror will need for a locked environment; nothing is fetched.

    Each with its hash or commit, patches and resources included, and the packages whose build fetches by
    itself, which no mirror can help.
    """
    project = open_project(environment)
    found = inventory(project.plan, read_fitting_lock(project), tools(verbose=verbose).run)
    if as_json:
        print_json(
            {
                "needed": [asdict(needed) for needed in found.needed],
                "downloads": [{"package": package, "by": by} for package, by in found.downloads],
            }
        )
        return
    for needed in found.needed:
        click.echo(_line(needed))
    sizes = [needed.size for needed in found.needed if needed.size is not None]
    unsized = len(found.needed) - len(sizes)
    known = f"; {len(sizes)} of them have {sum(sizes) / 1e6:.0f} MB" if sizes else ""
    rest = f"; of {unsized} nobody says the size" if unsized else ""
    click.echo(f"{len(found.needed)} files{known}{rest}", err=True)
    _note(found.downloads)


def _note(downloads: tuple[tuple[str, str], ...]) -> None:
    """Say which packages no mirror can help."""
    for package, by in downloads:
        what = f"note: {package} fetches with {by} while it builds: offline it cannot be built as it is"
        click.echo(what, err=True)


def _line(needed: Needed) -> str:
    commit = f"commit {needed.commit}" if needed.commit else "no hash and no commit: its recipe pins nothing"
    known_by = f"sha256 {needed.sha256}" if needed.sha256 else commit
    size = f"{needed.size} bytes" if needed.size is not None else "size not known"
    where = f"  {needed.addresses[0]}" if needed.addresses else ""
    where = "  to be got by hand" if needed.manual else where
    return f"{needed.package} {needed.version}  {needed.kind} {needed.name}  {size}  {known_by}{where}"


_TOLD = 20
"""Defects that are told one by one, of each kind; the others are counted."""


@mirror.command(short_help="Read everything back; name what is not whole, and what is not there.")
@click.argument("directory", type=click.Path(path_type=Path))
@require_signature
@keys
@as_json
@verbose
def verify(
    directory: Path, keys: Path | None, *, require_signature: bool, as_json: bool, verbose: bool
) -> None:
    """Read everything back; name each missing, altered, unreadable or unknown file.

    Missing is also what a lock in the mirror needs and the mirror never had.
    """
    work = tools(verbose=verbose)
    demand = Demand(required=require_signature, keys=keys)
    check_signature(directory.absolute(), demand, work.run, work.progress)
    defects = verified(directory.absolute(), work.progress)
    if as_json:
        print_json([asdict(defect) for defect in defects])
    else:
        for line in _told(defects):
            click.echo(line)
    if defects:
        raise WorkError(
            f"{directory} is not whole",
            "copy it again, or, where there is a network, "
            f"`stackgen mirror create ENV.yaml -d {directory}` mends what is needed; remove what is unknown",
        )
    click.echo(f"{directory} is whole", err=as_json)


def _told(defects: tuple[Defect, ...]) -> Iterator[str]:
    """A line for each of the first defects of a kind, and how many more there are."""
    for kind in dict.fromkeys(defect.kind for defect in defects):
        those = [defect for defect in defects if defect.kind == kind]
        yield from map(str, those[:_TOLD])
        if len(those) > _TOLD:
            yield f"{kind}: {len(those) - _TOLD} files more; --json names all {len(those)}"
