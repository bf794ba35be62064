"""Commands that measure a published release on its machine."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click

from stackgen.bench.collectives import collectives, collectives_table
from stackgen.bench.keeping import keep
from stackgen.bench.kernels import kernels, kernels_table
from stackgen.bench.mpirun import launcher, ranks_here
from stackgen.bench.peers import peer
from stackgen.bench.results import Job, Mode, Size
from stackgen.bench.runs import Ask, Place
from stackgen.bench.scaling import Scaled, here, queue, queued_sizes, scale
from stackgen.bench.startup import startup, startup_table
from stackgen.bench.subject import Subject, subjects
from stackgen.bench.table import comparison, table
from stackgen.cli.bench_container import measure_container
from stackgen.cli.bench_options import BATCH, Counts, absolute, framework, mirror, output, print_kept, rounds
from stackgen.cli.options import as_json, environment, prefix, print_json, tools, verbose
from stackgen.errors import InputError, WorkError
from stackgen.lock import Json
from stackgen.project import Project, open_project


@click.group()
def bench() -> None:
    """Measure a published release on its machine, through its modules."""


bench.add_command(measure_container)


@bench.command()
@environment
@framework
@click.option("--nodes", type=Counts(), metavar="N,N...", help="The jobs of the table; 1,2 where not given.")
@click.option("-p", "--partition", help="Where the jobs run; the system's usual one where not given.")
@click.option("--ranks-per-node", type=click.IntRange(min=1), help="As in the job scripts where not given.")
@click.option("--ranks", type=Counts(), metavar="N,N...", help="Start ranks on this machine instead.")
@click.option("--job", type=click.Choice(get_args(Job)), default="gan", show_default=True)
@click.option(
    "--weak/--strong",
    "weak",
    default=True,
    help="Each rank has its batch, as in what is published (weak); or all share that of the smallest job.",
)
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    help="Samples of one rank in a step; gan 8, resnet50 16, alexnet 64.",
)
@click.option("--steps", type=click.IntRange(min=2), default=20, show_default=True, help="Timed steps.")
@click.option("--warmup", type=click.IntRange(min=1), default=5, show_default=True, help="Steps before.")
@click.option("--small", is_flag=True, help="A small network, only for trying it out.")
@click.option("--account", default="", help="The project that the jobs are charged to.")
@click.option("--time", default="", help="The longest that a job may take, as the scheduler takes it.")
@click.option("--again", is_flag=True, help="Measure also what was measured before.")
@output
@prefix
@as_json
@verbose
def scaling(  # noqa: PLR0913, PLR0917 - one argument an option
    environment: Path,
    framework: str | None,
    nodes: tuple[int, ...] | None,
    partition: str | None,
    ranks_per_node: int | None,
    ranks: tuple[int, ...] | None,
    job: Job,
    batch: int | None,
    steps: int,
    warmup: int,
    account: str,
    time: str,
    output: Path | None,
    prefix: str | None,
    *,
    weak: bool,
    small: bool,
    again: bool,
    as_json: bool,
    verbose: bool,
) -> None:
    """Train a fixed network on more and more nodes, and print how the time of an epoch falls.

    What was measured before is not measured again; jobs that an interrupted run has left in the queue are
    waited for.
    """
    project, work = open_project(environment, prefix), tools(verbose=verbose)
    mode: Mode = "weak" if weak else "strong"
    ask = Ask(job=job, mode=mode, batch=batch or BATCH[job], steps=steps, warmup=warmup, small=small)
    found = tuple(subjects(project, framework, absolute(output), work))
    if ranks is not None and (nodes or partition or ranks_per_node):
        raise InputError.of("--ranks starts ranks on this machine", "leave out what is for the scheduler")
    local = ranks or (1, 2) if ranks or _unscheduled(project, nodes) else None
    made = []
    for subject in found:
        place, sizes = _placed(subject, local, nodes or (1, 2), partition, ranks_per_node, account, time)
        made.append(scale(subject, ask, sizes, place, again=again))
    _print_scaled(made, as_json=as_json)


@bench.command(name="kernels")
@environment
@framework
@rounds
@click.option("--ranks", type=click.IntRange(min=1), default=2, show_default=True, help="Of an all-reduce.")
@click.option("--small", is_flag=True, help="Small kernels, only for trying it out.")
@mirror
@output
@prefix
@as_json
@verbose
def measure_kernels(  # noqa: PLR0913, PLR0917 - one argument an option
    environment: Path,
    framework: str | None,
    rounds: int,
    ranks: int,
    mirror: Path | None,
    output: Path | None,
    prefix: str | None,
    *,
    small: bool,
    as_json: bool,
    verbose: bool,
) -> None:
    """Measure matrix products, convolutions and all-reduces of a framework as delivered.

    Against the wheel as pip installs it, bare MPI, and what the machine itself can do, all in turn.
    """
    project, work = open_project(environment, prefix), tools(verbose=verbose)
    shown: list[str] = []
    kept: list[dict[str, Json]] = []
    for subject in tuple(subjects(project, framework, absolute(output), work)):
        with peer(subject, absolute(mirror)) as other:
            rates = kernels(subject, other, rounds, small=small)
            sums = collectives(subject, other, ranks_here(subject, ranks), rounds, small=small)
        shown += [kernels_table(rates), collectives_table(sums)]
        kept.append(keep(subject, "kernels", {"kernels": rates.json, "collectives": sums.json}))
    print_kept(shown, kept, as_json=as_json)


@bench.command(name="startup")
@environment
@framework
@rounds
@mirror
@output
@prefix
@as_json
@verbose
def measure_startup(  # noqa: PLR0913, PLR0917 - one argument an option
    environment: Path,
    framework: str | None,
    rounds: int,
    mirror: Path | None,
    output: Path | None,
    prefix: str | None,
    *,
    as_json: bool,
    verbose: bool,
) -> None:
    """Measure how long a framework's import takes, and how many files it opens."""
    project, work = open_project(environment, prefix), tools(verbose=verbose)
    shown: list[str] = []
    kept: list[dict[str, Json]] = []
    for subject in tuple(subjects(project, framework, absolute(output), work, importing=True)):
        with peer(subject, absolute(mirror)) as other:
            made = startup(subject, other, rounds)
        shown.append(startup_table(made))
        kept.append(keep(subject, "startup", made.json))
    print_kept(shown, kept, as_json=as_json)


def _unscheduled(project: Project, nodes: tuple[int, ...] | None) -> bool:
    system = project.plan.system
    if system.scheduler.kind == "none" and nodes:
        remedy = "--ranks 1,2 starts ranks on this machine"
        raise InputError.of(f"the system {system.name} has no scheduler that --nodes could ask", remedy)
    return system.scheduler.kind == "none"


def _placed(  # noqa: PLR0913, PLR0917 - what the options say
    subject: Subject,
    local: tuple[int, ...] | None,
    nodes: tuple[int, ...],
    partition: str | None,
    ranks_per_node: int | None,
    account: str,
    time: str,
) -> tuple[Place, Sequence[Size]]:
    if local:
        return here(subject, local, launcher(subject))
    place = queue(subject, partition, nodes, account, time)
    return place, queued_sizes(place, nodes, ranks_per_node)


def _print_scaled(made: list[Scaled], *, as_json: bool) -> None:
    if as_json:
        print_json([one.json for one in made])
    else:
        for one in made:
            click.echo(f"{one.title}\n\n{table(one.rows)}\n")
        if any(one.json["published"] for one in made):
            click.echo(comparison())
    for one in made:
        click.echo(f"kept in {one.directory}: table.json, plot.svg", err=True)
    if failed := [one.title for one in made if one.failed]:
        raise WorkError(f"not all jobs were measured: {'; '.join(failed)}", "the same command tries again")
