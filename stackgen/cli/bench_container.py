"""The command that measures what a container costs."""

from pathlib import Path
from typing import get_args

import click

from stackgen.bench.contained import contained, desk
from stackgen.bench.keeping import keep
from stackgen.bench.overhead import Training, overheads, overheads_table
from stackgen.bench.results import Job
from stackgen.bench.starts import starts, starts_table
from stackgen.cli.bench_options import BATCH, CLASSIFIERS, absolute, output, print_kept, rounds
from stackgen.cli.options import as_json, environment, prefix, tools, verbose
from stackgen.lock import Json
from stackgen.project import open_project


@click.command(name="container")
@environment
@click.argument("framework")
@rounds
@click.option(
    "--job",
    "jobs",
    type=click.Choice(get_args(Job)),
    multiple=True,
    help="What is trained, may be given several times; resnet50 and alexnet where not given.",
)
@click.option(
    "--batch", type=click.IntRange(min=1), help="Samples of a step; resnet50 16, alexnet 64, gan 8."
)
@click.option("--steps", type=click.IntRange(min=2), default=10, show_default=True, help="Timed steps.")
@click.option("--warmup", type=click.IntRange(min=1), default=3, show_default=True, help="Steps before.")
@click.option("--small", is_flag=True, help="Small pictures, only for trying it out.")
@output
@prefix
@as_json
@verbose
def measure_container(  # noqa: PLR0913, PLR0917 - one argument an option
    environment: Path,
    framework: str,
    rounds: int,
    jobs: tuple[Job, ...],
    batch: int | None,
    steps: int,
    warmup: int,
    output: Path | None,
    prefix: str | None,
    *,
    small: bool,
    as_json: bool,
    verbose: bool,
) -> None:
    """Measure what a framework's container costs: training with and without it, and its start.

    Of one lock, in turn, on this machine; nothing else should run on it.
    """
    project, work = open_project(environment, prefix), tools(verbose=verbose)
    both = contained(project, framework, absolute(output), work)
    trainings = [
        Training(job=job, batch=batch or BATCH[job], steps=steps, warmup=warmup, small=small)
        for job in jobs or CLASSIFIERS
    ]
    with desk(both.image) as home:
        begun = starts(both, rounds, home)
        trained = overheads(both, trainings, rounds, home) if both.outside.kind else None
    shown = [*([overheads_table(trained)] if trained else []), starts_table(begun)]
    told: dict[str, Json] = {"training": trained.json if trained else None, "start": begun.json}
    print_kept(shown, [keep(both.outside, "container", told)], as_json=as_json)
