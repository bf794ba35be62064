"""Commands about mirrors: list what one needs, collect it, prove that all of it is whole."""

from dataclasses import asdict
from pathlib import Path

import click

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
from stackgen.environments import spack_environments
from stackgen.errors import WorkError
from stackgen.inventory import Needed, inventory
from stackgen.mirror import Demand, check_signature
from stackgen.mirror import verify as verified
from stackgen.pipeline import collect
from stackgen.project import open_project, read_fitting_lock


@click.group()
def mirror() -> None:
    """Collect every file that locked environments need, and check what was collected."""


@mirror.command(short_help="Bring every file of the locks into a mirror.")
@environments
@click.option(
    "-d", "directory", required=True, type=click.Path(path_type=Path), help="The mirror's directory."
)
@click.option("--sign", metavar="KEY", help="Sign it with GnuPG, by your key of this id or fingerprint.")
@verbose
def create(environments: tuple[Path, ...], directory: Path, sign: str | None, *, verbose: bool) -> None:
    """Bring every file of the locks into a mirror; what is there whole is not fetched again.

    With them comes all that the machine without a network needs: stackgen, Spack, the environments.
    """
    projects = tuple(open_project(path) for path in environments)
    collected = collect(projects, directory.absolute(), tools(verbose=verbose), sign)
    click.echo(
        f"{collected.root} is complete for {', '.join(project.plan.environment for project in projects)}"
    )
    for project in projects:
        if spack_environments(project.plan):
            what = f"note: {project.file.name}: wheels alone: what Spack is to build is not collected yet"
            click.echo(f"{what}; `stackgen mirror plan {project.file.name}` lists it", err=True)


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
    for package, by in found.downloads:
        click.echo(
            f"note: {package} fetches with {by} while it builds: offline it cannot be built as it is",
            err=True,
        )


def _line(needed: Needed) -> str:
    commit = f"commit {needed.commit}" if needed.commit else "no hash and no commit: its recipe pins nothing"
    known_by = f"sha256 {needed.sha256}" if needed.sha256 else commit
    size = f"{needed.size} bytes" if needed.size is not None else "size not known"
    where = f"  {needed.addresses[0]}" if needed.addresses else ""
    return f"{needed.package} {needed.version}  {needed.kind} {needed.name}  {size}  {known_by}{where}"


@mirror.command(short_help="Read everything back; name what is not whole.")
@click.argument("directory", type=click.Path(path_type=Path))
@require_signature
@keys
@as_json
@verbose
def verify(
    directory: Path, keys: Path | None, *, require_signature: bool, as_json: bool, verbose: bool
) -> None:
    """Read everything back; name each missing, altered, unreadable or unknown file."""
    work = tools(verbose=verbose)
    demand = Demand(required=require_signature, keys=keys)
    check_signature(directory.absolute(), demand, work.run, work.progress)
    defects = verified(directory.absolute(), work.progress)
    if as_json:
        print_json(
            [
                {"path": defect.path, "kind": defect.kind, "needed_by": list(defect.needed_by)}
                for defect in defects
            ]
        )
    else:
        for defect in defects:
            click.echo(str(defect))
    if defects:
        raise WorkError(
            f"{directory} is not whole",
            f"`stackgen mirror create ENV.yaml -d {directory}` mends what is needed; remove what is unknown",
        )
    click.echo(f"{directory} is whole", err=as_json)
