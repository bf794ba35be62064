"""Commands about what is asked for: write it, check it, generate from it."""

from pathlib import Path
from typing import Literal, get_args

import click

from stackgen import files, host
from stackgen.cli.options import as_json, environment, environments, prefix, print_json
from stackgen.cli.questions import ask
from stackgen.config import schema as schema_text
from stackgen.errors import Fault, InputError
from stackgen.lock import Json
from stackgen.ondemand import ondemand_notes
from stackgen.plan import FrameworkPlan, WheelsPlan, is_exact, notes, source_notes
from stackgen.project import Project, fitting_lock, generate_unlocked, open_project, read_fitting_lock
from stackgen.project import generate as generated
from stackgen.release import installed
from stackgen.starter import starter

Kind = Literal["environment", "system"]
_KINDS: tuple[Kind, ...] = get_args(Kind)


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path("environments/my.yaml"))
@click.option("--yes", is_flag=True, help="Ask nothing, take the defaults.")
def init(file: Path, *, yes: bool) -> None:
    """Write a first environment file, asking little.

    FILE is environments/my.yaml where not given; a file that is there is never overwritten. The schemas for
    editors are put beside it.
    """
    if file.exists():
        raise InputError.of(f"{file} exists already", "name another file")
    files.write(file, starter(ask(file, quiet=yes)))
    for kind in _KINDS:
        schema_file = file.parent / "schema" / f"{kind}.json"
        if not schema_file.exists():
            files.write(schema_file, schema_text(kind))
    open_project(file)  # what is wrong with it, such as a system that is not supported, is told now
    click.echo(f"{file} is written; next: stackgen build {file}")


@click.command()
@environments
@prefix
@as_json
def check(environments: tuple[Path, ...], prefix: str | None, *, as_json: bool) -> None:
    """Read environments and report every fault, each with its place."""
    projects, faults = _opened(environments, prefix)
    if as_json:
        print_json({"faults": [_fault_json(fault) for fault in faults]})
    if faults:
        raise InputError(*faults)
    for project in projects:
        names = ", ".join(map(_named, project.plan.frameworks))
        click.echo(f"{project.file.name}: good: {names} for {_machine(project)}", err=as_json)
        print_notes(project)
        print_faults(project, _lacking(project))


def _lacking(project: Project) -> tuple[Fault, ...]:
    """What its Open OnDemand will not get, where there is one and a lock that tells."""
    lock = fitting_lock(project) if project.plan.system.ondemand else None
    return ondemand_notes(project.plan, installed(project.plan, lock)) if lock else ()


def _opened(paths: tuple[Path, ...], prefix: str | None) -> tuple[list[Project], list[Fault]]:
    projects: list[Project] = []
    faults: list[Fault] = []
    for path in paths:
        try:
            projects.append(open_project(path, prefix))
        except InputError as error:
            faults.extend(error.faults)
    return projects, faults


def _named(framework: FrameworkPlan) -> str:
    python = (
        f" on a Python {framework.python} by Spack"
        if isinstance(framework, WheelsPlan) and framework.builds_python
        else ""
    )
    return f"{framework.name} {framework.about.version}{python}"


def _machine(project: Project) -> str:
    return host.spoken(project.plan.system.name)


def print_notes(project: Project) -> None:
    """Tell what of an environment nobody has built yet."""
    exact = [one for one in project.plan.wheels if is_exact(one.about.version)]
    untested = [note for one in exact for note in source_notes(one, project.plan.system, one.about.version)]
    print_faults(project, (*notes(project.loaded.environment), *untested))


def print_faults(project: Project, notes: tuple[Fault, ...]) -> None:
    """Tell what is no reason to stop, each at its place in the environment's file."""
    for fault in project.loaded.located(InputError(*notes)).faults:
        click.echo(f"note: {fault}", err=True)


def _fault_json(fault: Fault) -> Json:
    place = fault.place
    return {
        "file": place.file if place else "",
        "line": place.line if place else 0,
        "column": place.column if place else 0,
        "where": fault.where,
        "what": fault.what,
        "remedy": fault.remedy,
    }


@click.command()
@click.argument("kind", type=click.Choice(_KINDS), default="environment")
def schema(kind: Kind) -> None:
    """Print the JSON schema by which editors complete and check the YAML files."""
    click.echo(schema_text(kind), nl=False)


@click.command()
@environment
@prefix
@click.option(
    "-o", "output", required=True, type=click.Path(path_type=Path), help="The directory to write to."
)
def generate(environment: Path, prefix: str | None, output: Path) -> None:
    """Write the files that a build would generate, without building.

    Spack's need no lock, and no Spack: use them by hand with `spack -e DIR/spack/NAME`. The modules need one.
    """
    project = open_project(environment, prefix)
    tree = generate_unlocked(project)
    if project.is_locked or not tree:
        tree |= generated(project, read_fitting_lock(project))
    else:
        click.echo(f"note: no modules without a lock; `stackgen lock {environment}` makes it", err=True)
    files.write_tree(tree, output)
    for path in tree:
        click.echo(output / path)
