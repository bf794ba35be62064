"""What cannot be measured is refused before anything runs, in one line that says what to do."""

from pathlib import Path

import pytest
import yaml

from stackgen import files
from stackgen.bench.mpirun import launcher
from stackgen.bench.results import Size
from stackgen.bench.runs import Ask, Here
from stackgen.bench.scaling import here, queue, queued_sizes
from stackgen.bench.subject import Subject, subjects
from stackgen.bench.training import train
from stackgen.errors import InputError
from stackgen.lock import Lock, inputs, lock_tree
from stackgen.progress import Silent
from stackgen.project import Project, Tools, open_project
from stackgen.release import LOCK, InstalledFramework, Release
from stackgen.run import Command, Outcome

SLURM = {
    "kind": "slurm",
    "partitions": {
        "test": {"nodes": "1..16", "cores": 48},
        "general": {"nodes": "16..768", "cores": 48, "default": True},
    },
}


def never(command: Command) -> Outcome:
    raise AssertionError(command)


TOOLS = Tools(run=never, progress=Silent())


def project(directory: Path, scheduler: dict[str, object]) -> Project:
    system = {
        "name": "Box",
        "os": "debian12",
        "glibc": "2.36",
        "target": "x86_64_v3",
        "nodes": {"sockets": 2, "cores": 48},
        "scheduler": scheduler,
    }
    environment = {
        "name": "lab",
        "release": 1,
        "system": "box",
        "prefix": str(directory / "hpai"),
        "frameworks": {
            "pytorch": {"version": "2.13.0", "from": "wheels", "python": "3.11", "features": ["ddp"]},
            "six": {"version": "1.17.0", "from": "wheels", "python": "3.11"},
        },
    }
    files.write(directory / "systems/box.yaml", yaml.safe_dump(system))
    files.write(directory / "lab.yaml", yaml.safe_dump(environment))
    return open_project(directory / "lab.yaml")


def publish(made: Project, **packages: str) -> None:
    def framework(name: str, version: str) -> InstalledFramework:
        return InstalledFramework(
            name=name,
            module=name,
            version=version,
            prefix=f"{made.prefix}/pythons/{name}",
            python="3.11",
            packages={name: version, **packages},
            settings={},
        )

    release = Release(
        name="1",
        environment="lab",
        system="Box",
        namespace="hpai",
        request="0" * 64,
        frameworks=(framework("pytorch", "2.13.0"), framework("six", "1.17.0")),
    )
    files.write(made.prefix / "releases/1/release.json", release.model_dump_json())
    nothing = Lock(environment="lab", inputs=inputs(made.plan) | {"frameworks": {}})
    files.write_tree(lock_tree(nothing).below(LOCK), made.prefix / "releases/1")


@pytest.fixture
def lab(tmp_path: Path) -> Project:
    made = project(tmp_path, SLURM)
    publish(made)
    return made


def subject(made: Project) -> Subject:
    (found,) = subjects(made, "pytorch", None, TOOLS)
    return found


def refusal(error: pytest.ExceptionInfo[InputError]) -> str:
    return str(error.value)


def test_what_is_not_published_is_not_measured(tmp_path: Path):
    made = project(tmp_path, SLURM)
    with pytest.raises(InputError) as error:
        list(subjects(made, None, None, TOOLS))
    said = f"release 1 is not published in {tmp_path}/hpai; run `stackgen build {tmp_path}/lab.yaml`"
    assert refusal(error) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("six", "there is no program to measure six with; name one of pytorch"),
        ("pytorhc", "release 1 has no framework pytorhc; did you mean pytorch?"),
    ],
)
def test_frameworks_that_cannot_be_measured(lab: Project, name: str, said: str):
    with pytest.raises(InputError) as error:
        list(subjects(lab, name, None, TOOLS))
    assert refusal(error) == said


def test_without_a_name_all_are_measured_that_can_be(lab: Project):
    assert [one.framework.name for one in subjects(lab, None, None, TOOLS)] == ["pytorch"]
    names = [one.framework.name for one in subjects(lab, None, None, TOOLS, importing=True)]
    assert names == ["pytorch", "six"]


@pytest.mark.parametrize(
    ("partition", "nodes", "said"),
    [
        ("tset", (1,), "there is no partition tset; did you mean test?"),
        (
            "test",
            (4, 32),
            "test takes jobs of 1 to 16 nodes, not of 32; give other --nodes, or another --partition",
        ),
        (
            None,
            (4,),
            "general takes jobs of 16 to 768 nodes, not of 4; give other --nodes, or another --partition",
        ),
    ],
)
def test_jobs_that_no_partition_takes(lab: Project, partition: str | None, nodes: tuple[int, ...], said: str):
    with pytest.raises(InputError) as error:
        queue(subject(lab), partition, nodes, "", "")
    assert refusal(error) == said


def test_more_ranks_than_a_node_has_cores(lab: Project):
    place = queue(subject(lab), "test", (2,), "", "")
    assert queued_sizes(place, (4, 2, 4), None) == (
        Size(nodes=2, ranks_per_node=2),
        Size(nodes=4, ranks_per_node=2),
    )
    with pytest.raises(InputError) as error:
        queued_sizes(place, (2,), 49)
    said = "49 ranks do not fit on the 48 cores of a node of test; give fewer --ranks-per-node"
    assert refusal(error) == said


def test_a_project_that_jobs_have_to_name(tmp_path: Path):
    made = project(tmp_path, {**SLURM, "account": "required"})
    publish(made)
    with pytest.raises(InputError) as error:
        queue(subject(made), "test", (1,), "", "")
    assert refusal(error) == "jobs here have to name a project; give --account"


def test_a_scheduler_without_job_scripts(tmp_path: Path):
    made = project(tmp_path, {"kind": "pbs"})
    publish(made)
    with pytest.raises(InputError) as error:
        queue(subject(made), None, (1,), "", "")
    what = "there are no job scripts for the scheduler of Box: pbs"
    assert refusal(error) == f"{what}; --ranks 1,2 measures on this machine alone"


def test_horovod_without_an_mpi_to_start_it(tmp_path: Path):
    made = project(tmp_path, SLURM)
    publish(made, horovod="0.28.1")
    with pytest.raises(InputError) as error:
        here(subject(made), (1, 2), launcher(subject(made)))
    what = "no mpirun of the toolchain's MPI is found here, and pytorch has Horovod"
    assert refusal(error) == f"{what}; install that MPI's programs, or measure by the scheduler"


def test_samples_that_ranks_cannot_share(lab: Project, tmp_path: Path):
    ask = Ask(job="gan", mode="strong", batch=8, steps=2, warmup=1, small=True)
    sizes = (Size(nodes=1, ranks_per_node=1), Size(nodes=1, ranks_per_node=3))
    with pytest.raises(InputError) as error:
        list(train(subject(lab), ask, sizes, Here(launcher=(), threads=1), tmp_path, again=False))
    what = "--strong: 8 samples a step cannot be shared among 3 ranks"
    assert refusal(error) == f"{what}; give a --batch that is a multiple"
