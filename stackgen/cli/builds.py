"""Commands that make a release: build, test, publish."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stackgen.cli.loading import print_how_to_load, release_summary
from stackgen.cli.options import (
    as_json,
    environment,
    executor,
    keys,
    nodes,
    prefix,
    print_json,
    require_signature,
    tools,
    verbose,
)
from stackgen.receipt import Receipt, recall, remember

if TYPE_CHECKING:
    from stackgen.pipeline import Result
    from stackgen.project import Project
    from stackgen.release import Release

_SANDBOXES = ("bwrap", "unshare", "none")
_STAGES = ("lock", "mirror", "build", "test", "publish")


@click.command()
@environment
@prefix
@click.option(
    "--mirror",
    type=click.Path(path_type=Path),
    help="The mirror; PREFIX/mirror where not given, or offline the kit that ENV.yaml lies in.",
)
@click.option("--offline", is_flag=True, help="Fetch nothing; what is missing is listed by name and hash.")
@click.option(
    "--sandbox",
    type=click.Choice(_SANDBOXES),
    help="How the build is cut off from the network; the best that works where not given.",
)
@click.option(
    "--until", type=click.Choice(_STAGES), default="publish", show_default=True, help="The last stage to run."
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    help="A directory of packages that Spack has built: taken from it, and put there when finished. It is not"
    " signed: name none that others write to.",
)
@click.option(
    "--scratch",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where Spack compiles, such as a local disk, of each node where there are several; below the prefix"
    " where not given.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="Compilers at once; as many as processors and memory allow where not given.",
)
@executor
@nodes
@require_signature
@keys
@as_json
@verbose
def build(  # noqa: PLR0913, PLR0917 - one argument an option
    environment: Path,
    prefix: str | None,
    mirror: Path | None,
    sandbox: str | None,
    until: str,
    cache: Path | None,
    scratch: Path | None,
    jobs: int | None,
    executor: str,
    nodes: int | None,
    *,
    keys: Path | None,
    offline: bool,
    require_signature: bool,
    as_json: bool,
    verbose: bool,
) -> None:
    """Go the whole way: lock, mirror, build, test, publish.

    What is done already is not done again; an interrupted build goes on where it stopped.
    """
    from stackgen.executor import executor as read_executor

    where = read_executor(executor, nodes or 0)
    if scratch and executor == "local" and not scratch.is_dir():
        raise click.BadParameter(f"Directory '{scratch}' does not exist.", param_hint="'--scratch'")
    receipt = recall(environment, prefix) if until == "publish" else None
    if receipt:
        _print_published(receipt, changed=False, as_json=as_json)
        return
    from stackgen.mirror import Demand
    from stackgen.pipeline import BuildOptions, Stage, build_project
    from stackgen.project import open_project
    from stackgen.sandbox import Sandbox

    options = BuildOptions(
        mirror=mirror.absolute() if mirror else None,
        offline=offline,
        signature=Demand(required=require_signature, keys=keys),
        sandbox=Sandbox(sandbox) if sandbox else None,
        until=Stage(until),
        cache=cache.absolute() if cache else None,
        scratch=scratch.resolve() if scratch else None,
        jobs=jobs or 0,
        executor=where,
    )
    project = open_project(environment, prefix)
    result = build_project(project, options, tools(verbose=verbose))
    if result.release:
        _remember(environment, prefix, project, _receipt(project, result.release))
    _print_result(project, result, as_json=as_json)


def _remember(environment: Path, option: str | None, project: "Project", receipt: Receipt) -> None:
    from stackgen.oci import context_files
    from stackgen.store import tree_below

    scripts = (framework.about.site_verify for framework in project.plan.frameworks)
    locked = tuple(project.lock_directory.rglob("*"))
    beside = project.file.parent
    in_images = [path for one in project.plan.containers for path in context_files(one, beside)]
    below = project.plan.extends
    read = (
        *project.loaded.files,
        *((below.directory / "release.json",) if below else ()),
        *(project.file.parent / script for script in scripts if script),
        *(path for path in locked if path.is_file()),
        *(path for path in in_images if path.is_file()),
    )
    listed = (
        project.lock_directory,
        *sorted({path.parent for path in in_images if path.is_file()}),
        *(path for path in locked if path.is_dir()),
        *tree_below(project.prefix).glob("linux-*"),  # the packages that Spack has installed
    )
    remember(environment, option, read, listed, receipt)


def _receipt(project: "Project", release: "Release") -> Receipt:
    return Receipt(prefix=project.prefix, release=release.model_dump(mode="json"))


def _print_result(project: "Project", result: "Result", *, as_json: bool) -> None:
    if result.release:
        receipt = _receipt(project, result.release)
        _print_published(receipt, changed=result.switched, as_json=as_json)
    elif as_json:
        print_json({"reached": result.reached.value})
    else:
        click.echo(f"done, up to the stage {result.reached}", err=True)


def _print_published(receipt: Receipt, *, changed: bool, as_json: bool) -> None:
    if as_json:
        print_json({"reached": "publish", "changed": changed, "release": release_summary(receipt.release)})
        return
    done = "is published" if changed else "is published already: nothing to do"
    click.echo(f"release {receipt.release['name']} {done}", err=True)
    print_how_to_load(receipt.prefix, receipt.release)


@click.command()
@environment
@prefix
@executor
@as_json
@verbose
def test(environment: Path, prefix: str | None, executor: str, *, as_json: bool, verbose: bool) -> None:
    """Test the release through its modules, in a clean login shell, as a user would."""
    from stackgen.executor import executor as read_executor
    from stackgen.pipeline import refuse_failures, test_release
    from stackgen.project import open_project

    where = read_executor(executor)
    work = tools(verbose=verbose)
    project = open_project(environment, prefix)
    report = test_release(project, work, where)
    if as_json:
        click.echo(report.model_dump_json(indent=2))
    refuse_failures(project, report, work.progress)
    click.echo(f"release {report.release}: {len(report.checks)} checks passed", err=as_json)


@click.command()
@environment
@prefix
@as_json
@verbose
def publish(environment: Path, prefix: str | None, *, as_json: bool, verbose: bool) -> None:
    """Publish the release that was built and has passed its tests."""
    from stackgen.pipeline import publish_release
    from stackgen.project import open_project

    project = open_project(environment, prefix)
    _print_result(project, publish_release(project, tools(verbose=verbose)), as_json=as_json)
