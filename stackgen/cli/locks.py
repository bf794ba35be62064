"""Commands about what an environment resolves to: lock it, compare it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from stackgen.cli.inputs import print_faults, print_notes
from stackgen.cli.options import as_json, environments, print_json, tools, verbose
from stackgen.lock import Json, Lock, LockedFile
from stackgen.lock_changes import Change, difference, packages_at
from stackgen.lock_faults import lock_notes
from stackgen.project import Project, fitting_lock, lock_project, open_project


@click.command()
@environments
@click.option("--upgrade", is_flag=True, help="Look for newer versions even where the lock fits.")
@as_json
@verbose
def lock(environments: tuple[Path, ...], *, upgrade: bool, as_json: bool, verbose: bool) -> None:
    """Resolve every framework for the system, and write ENV.lock beside ENV.yaml.

    A lock that fits what the file asks for stays as it is, unless --upgrade is given.
    """
    work = tools(verbose=verbose)
    summaries: dict[str, Json] = {}
    for project in [open_project(path, renewed=upgrade) for path in environments]:
        known = None if upgrade else fitting_lock(project)
        if known is None:
            print_notes(project)
        locked = known or lock_project(project, work)
        if known is None:
            print_faults(project, lock_notes(project.plan, locked))
        summaries[project.plan.environment] = _lock_json(locked)
        if not as_json:
            for line in _lines(project, locked):
                click.echo(line)
            done = "fits; --upgrade looks for newer versions" if known else "is written"
            click.echo(f"{project.lock_directory} {done}")
    if as_json:
        print_json(summaries)


def _lock_json(locked: Lock) -> Json:
    wheels: dict[str, Json] = {
        wheels.framework: {
            "packages": {package.name: package.version for package in wheels.packages},
            "bytes": sum(file.size for file in wheels.files),
        }
        for wheels in locked.wheels
    }
    spack: dict[str, Json] = {solved.name: {"spack": dict(solved.packages)} for solved in locked.spack}
    base: dict[str, Json] = {
        "base": {
            "packages": {deb.package: deb.version for deb in locked.images.base},
            "bytes": sum(deb.file.size for deb in locked.images.base),
        }
    }
    images: dict[str, Json] = {image.framework: {"image": image.digest} for image in locked.images.images}
    return wheels | spack | images | (base if locked.images.base else {})


def _lines(project: Project, locked: Lock) -> Iterator[str]:
    planned = {framework.name: framework for framework in project.plan.wheels}
    for wheels in locked.wheels:
        found = planned.get(wheels.framework)
        what = f" {wheels.version(found.package)}" if found else ", beside its image,"
        packages = f"{len(wheels.packages)} packages, {_size(wheels.files)}"
        yield f"{wheels.framework}{what} for Python {wheels.python}: {packages}"
    for image in locked.images.images:
        layers = f"{len(image.layers)} layers, {_size(image.files)}"
        yield f"{image.framework} stands on {image.reference or 'an image'}: {layers}"
    if locked.images.base:
        packages = f"{len(locked.images.base)} packages, {_size(deb.file for deb in locked.images.base)}"
        yield f"base of the images: {packages}"
    for solved in locked.spack:
        yield f"{solved.name} by Spack: {len(solved.roots)} specs, {len(solved.packages)} packages"


def _size(files: Iterable[LockedFile]) -> str:
    return f"{sum(file.size for file in files) / 1e6:.0f} MB"


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@as_json
def diff(old: Path, new: Path, *, as_json: bool) -> None:
    """List the packages added, removed and changed between two locks or releases.

    OLD and NEW are lock directories, environment files or directories of releases.
    """
    changes = difference(packages_at(old), packages_at(new))
    if as_json:
        print_json(
            [{"framework": c.framework, "package": c.package, "old": c.old, "new": c.new} for c in changes]
        )
        return
    for change in changes:
        click.echo(_change_line(change))
    if not changes:
        click.echo("no difference")


def _change_line(change: Change) -> str:
    if change.old and change.new:
        return f"{change.framework}: {change.package} {change.old} -> {change.new}"
    return f"{change.framework}: {change.kind} {change.package} {change.new or change.old}"
