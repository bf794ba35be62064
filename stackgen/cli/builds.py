"""Commands that make a release: build, test, publish."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stackgen.cli.loading import print_how_to_load, release_summary
from stackgen.cli.options import as_json, environment, prefix, print_json, tools, verbose
from stackgen.receipt import Receipt, recall, remember

if TYPE_CHECKING:
    from stackgen.pipeline import Project, Result

_SANDBOXES = ("bwrap", "unshare", "none")
_STAGES = ("lock", "mirror", "build", "test", "publish")


@click.command()
@environment
@prefix
@click.option("--mirror", type=click.Path(path_type=Path), help="The mirror; PREFIX/mirror where not given.")
@click.option("--offline", is_flag=True, help="Fetch nothing; what is missing is listed by name and hash.")
@click.option(
    "--sandbox",
    type=click.Choice(_SANDBOXES),
    help="How the build is cut off from the network; the best that works where not given.",
)
@click.option(
    "--until", type=click.Choice(_STAGES), default="publish", show_default=True, help="The last stage to run."
)
@as_json
@verbose
def build(  # noqa: PLR0913 - one argument an option
    environment: Path,
    prefix: str | None,
    mirror: Path | None,
    sandbox: str | None,
    until: str,
    *,
    offline: bool,
    as_json: bool,
    verbose: bool,
) -> None:
    """Go the whole way: lock, mirror, build, test, publish.

    What is done already is not done again; an interrupted build goes on where it stopped.
    """
    receipt = recall(environment, prefix) if until == "publish" else None
    if receipt:
        _print_published(receipt, changed=False, as_json=as_json)
        return
    from stackgen.pipeline import BuildOptions, Stage, build_project, open_project
    from stackgen.sandbox import Sandbox

    options = BuildOptions(
        mirror=mirror.absolute() if mirror else None,
        offline=offline,
        sandbox=Sandbox(sandbox) if sandbox else None,
        until=Stage(until),
    )
    project = open_project(environment, prefix)
    result = build_project(project, options, tools(verbose=verbose))
    _remember(environment, prefix, project, result)
    _print_result(project, result, as_json=as_json)


def _remember(environment: Path, option: str | None, project: "Project", result: "Result") -> None:
    if result.release:
        read = (*project.loaded.files, *sorted(project.lock_directory.glob("*.*")))
        remember(environment, option, read, _receipt(project, result))


def _receipt(project: "Project", result: "Result") -> Receipt:
    release = result.release.model_dump(mode="json") if result.release else {}
    return Receipt(prefix=project.prefix, release=release)


def _print_result(project: "Project", result: "Result", *, as_json: bool) -> None:
    if result.release:
        _print_published(_receipt(project, result), changed=result.changed, as_json=as_json)
    elif as_json:
        print_json({"reached": result.reached.value, "changed": result.changed})
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
@as_json
@verbose
def test(environment: Path, prefix: str | None, *, as_json: bool, verbose: bool) -> None:
    """Test the release through its modules, in a clean login shell, as a user would."""
    from stackgen.pipeline import open_project, retest

    report = retest(open_project(environment, prefix), tools(verbose=verbose))
    if as_json:
        click.echo(report.model_dump_json(indent=2))
    else:
        click.echo(f"release {report.release}: {len(report.checks)} checks passed")


@click.command()
@environment
@prefix
@as_json
@verbose
def publish(environment: Path, prefix: str | None, *, as_json: bool, verbose: bool) -> None:
    """Publish the release that was built and has passed its tests."""
    from stackgen.pipeline import open_project, publish_staged

    project = open_project(environment, prefix)
    _print_result(project, publish_staged(project, tools(verbose=verbose)), as_json=as_json)
