"""Commands about mirrors: collect every file, prove that all are whole."""

from pathlib import Path

import click

from stackgen.cli.options import as_json, environments, print_json, tools, verbose
from stackgen.errors import WorkError
from stackgen.mirror import verify as verified
from stackgen.pipeline import collect
from stackgen.project import open_project


@click.group()
def mirror() -> None:
    """Collect every file that locked environments need, and check what was collected."""


@mirror.command(short_help="Bring every file of the locks into a mirror.")
@environments
@click.option(
    "-d", "directory", required=True, type=click.Path(path_type=Path), help="The mirror's directory."
)
@verbose
def create(environments: tuple[Path, ...], directory: Path, *, verbose: bool) -> None:
    """Bring every file of the locks into a mirror; what is there whole is not fetched again."""
    projects = tuple(open_project(path) for path in environments)
    collected = collect(projects, directory.absolute(), tools(verbose=verbose))
    click.echo(
        f"{collected.root} is complete for {', '.join(project.plan.environment for project in projects)}"
    )


@mirror.command(short_help="Read everything back; name what is not whole.")
@click.argument("directory", type=click.Path(path_type=Path))
@as_json
@verbose
def verify(directory: Path, *, as_json: bool, verbose: bool) -> None:
    """Read everything back; name each missing, altered, unreadable or unknown file."""
    defects = verified(directory.absolute(), tools(verbose=verbose).progress)
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
