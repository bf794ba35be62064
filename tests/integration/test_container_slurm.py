"""Ranks in containers: by mpirun, by srun with PMIx, by the launcher and by job scripts, on a real Slurm."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import images
import pytest
import yaml
from cluster import Cluster
from images import Box, ended
from machines import wait

from stackgen import files
from stackgen.containers import Entrance, command_tree
from stackgen.images import Bind
from stackgen.jobs import check_tree, job_tree, launcher_tree
from stackgen.model import Environment, System
from stackgen.modules import module_tree
from stackgen.plan import Plan, plan
from stackgen.release import InstalledFramework
from stackgen.run import Outcome

PYTHON = Path("/usr/bin/python3").resolve()
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
OF_THE_MACHINE = (*(f"/usr/lib/{PYTHON.name}", str(LIBRARIES)), "/usr/share/openmpi", "/etc/openmpi")
"""What the image has no copy of: its files would be the same."""

SUM = f"""\
import ctypes, os
mpi = ctypes.CDLL("{LIBRARIES}/libmpi.so.40", mode=ctypes.RTLD_GLOBAL)
mpi.MPI_Init(None, None)
world = ctypes.byref(ctypes.c_char.in_dll(mpi, "ompi_mpi_comm_world"))
rank, size, total = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
mpi.MPI_Comm_rank(world, ctypes.byref(rank))
mpi.MPI_Comm_size(world, ctypes.byref(size))
mine = ctypes.c_int(rank.value + 1)
kind, sum_ = (ctypes.c_char.in_dll(mpi, name) for name in ("ompi_mpi_int", "ompi_mpi_op_sum"))
words = ctypes.byref(mine), ctypes.byref(total), 1, ctypes.byref(kind), ctypes.byref(sum_), world
assert mpi.MPI_Allreduce(*words) == 0
inside = os.path.isdir("/.stackgen")
place = f"{{rank.value}} of {{size.value}} on {{os.uname().nodename}}"
print(f"rank {{place}}: {{total.value}} {{inside}}\\n", end="", flush=True)
mpi.MPI_Finalize()
"""


@dataclass(frozen=True)
class Desk:
    """A user of the cluster with a release of one framework, which is in a container."""

    cluster: Cluster
    release: Path
    box: Box

    def __call__(self, *words: str, **environment: str) -> Outcome:
        return self.cluster.run((str(self.release / "bin/hpai"), *words), environment=environment)

    @property
    def loaded(self) -> dict[str, str]:
        """What the module does to PATH."""
        return {"PATH": f"{self.release}/containers/tool/bin:{images.PATH}"}

    def program(self, text: str, name: str = "program.py") -> str:
        path = self.cluster.directory / name
        path.write_text(text)
        return str(path)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image with a Python, whose library is this machine's, as is MPI's."""
    if reason := images.why_not() or ("" if LIBRARIES.is_dir() else "another processor"):
        pytest.skip(reason)
    place = tmp_path_factory.mktemp("image")
    images.root_file_system(place / "root")
    images.copied(PYTHON, place / "root")
    for directory in OF_THE_MACHINE:
        (place / "root" / directory.lstrip("/")).mkdir(parents=True, exist_ok=True)
    return images.squashed(place / "root", place / "python.sqfs")


@pytest.fixture(scope="module")
def desk(slurm: Cluster, image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    prefix = tmp_path_factory.mktemp("prefix")
    asked = planned(yaml.safe_load(slurm.system_yaml)["scheduler"], prefix)
    release = Path(asked.place)
    framework = InstalledFramework(
        name="tool",
        module="tool",
        version="1.0",
        prefix=str(image.with_suffix("")),
        python="3.11",
        packages={},
        settings={"TOOL_LEVEL": "3"},
        source="container",
        image=str(image),
    )
    container = Entrance(
        name="tool",
        module="hpai/tool",
        namespace=f"test{os.getpid()}",
        image=str(image),
        digest="0123456789ab",
        commands={"python": str(PYTHON), "sh": "/bin/sh"},
        path=("/usr/bin", "/bin"),
        binds=tuple(Bind(source=path, target=path) for path in OF_THE_MACHINE),
        seen=("/tmp",),
    )
    installed = (framework,)
    tree = job_tree(asked, installed) | launcher_tree(asked, installed) | check_tree()
    tree |= module_tree(asked, installed) | command_tree((container,), str(release))
    files.write_tree(tree, release)
    with ended(Box(container, release)) as made:
        yield Desk(slurm, release, made)


def planned(scheduler: dict[str, object], prefix: Path) -> Plan:
    facts = {
        "name": "Lab",
        "os": "debian12",
        "glibc": "2.36",
        "target": "x86_64_v2",
        "nodes": {"count": 4, "sockets": 2, "cores": 4},
        "externals": [{"spec": "openmpi@4.1.4", "prefix": "/usr"}],
        "scheduler": scheduler,
    }
    tool = {"from": "container", "version": "1.0", "image": f"registry.example/tool@sha256:{'1' * 64}"}
    environment = {
        "name": "lab",
        "release": "1",
        "system": "lab",
        "prefix": str(prefix),
        "frameworks": {"tool": {**tool, "python": "3.11"}},
    }
    return plan(Environment.model_validate(environment), System.model_validate(facts))


@pytest.fixture(autouse=True)
def _idle(slurm: Cluster) -> None:
    """All nodes are free, so that jobs get the first ones."""
    slurm.ready()


def test_mpirun_starts_ranks_in_one_container(desk: Desk):
    words = ("mpirun", "-np", "2", "python", desk.program(SUM))
    outcome = desk.cluster.run(words, environment=desk.loaded)
    node = os.uname().nodename
    assert sorted(outcome.stdout.splitlines()) == [f"rank {rank} of 2 on {node}: 3 True" for rank in (0, 1)]
    assert outcome.status == 0


def test_srun_starts_ranks_in_containers_of_several_nodes(desk: Desk):
    words = ("srun", "--mpi=pmix", "-N", "2", "--ntasks-per-node=2", "python", desk.program(SUM))
    outcome = desk.cluster.run(words, environment=desk.loaded)
    assert sorted(outcome.stdout.splitlines()) == [
        *(f"rank {rank} of 4 on n1: 10 True" for rank in (0, 1)),
        *(f"rank {rank} of 4 on n2: 10 True" for rank in (2, 3)),
    ]
    assert outcome.status == 0


def test_the_launcher_runs_a_program_in_the_container_of_a_module(desk: Desk):
    program = (
        "import os, sys\n"
        "told = [os.environ.get(name) for name in ('RANK', 'WORLD_SIZE', 'TOOL_LEVEL', 'HPAI_TOOL_ROOT')]\n"
        "print(*told, os.uname().nodename, os.path.isdir('/.stackgen'), *sys.argv[1:])\n"
    )
    file = desk.program(program, "train.py")
    outcome = desk("run", "-m", "hpai/tool", "-N", "2", "-n", "1", file, "--epochs", "two words")
    assert outcome.status == 0, outcome.stderr
    root = str(Path(desk.box.entrance.image).with_suffix(""))
    assert sorted(outcome.stdout.splitlines()) == [
        f"{rank} 2 3 {root} n{rank + 1} True --epochs two words" for rank in (0, 1)
    ]
    assert outcome.status == 0


def test_a_rank_that_dies_in_its_container_is_told(desk: Desk):
    file = desk.program("import os, time\nif os.environ['RANK'] == '1': os._exit(3)\ntime.sleep(600)\n")
    outcome = desk("run", "-m", "tool", "-N", "2", "-n", "1", file)
    assert outcome.status == 3
    assert "rank 1 of 2 on n2 ended with status 3\n" in outcome.stderr


def test_job_scripts_run_in_containers(desk: Desk):
    file = desk.program("import os\nprint(os.environ['RANK'], os.path.isdir('/.stackgen'))\n", "job.py")
    scripts = desk.release / "jobs/tool/batch"
    job = desk.cluster.submit(scripts / "nodes.sh", (file,), environment={"STACKGEN_CONTAINER_IDLE": "4"})
    done = desk.cluster.finished(job)
    assert (done.state, sorted(done.output.splitlines())) == ("COMPLETED", ["0 True", "1 True"])
    script = desk.cluster.directory / "own.sh"
    script.write_text(
        f"#!/bin/bash\n#SBATCH -N 2\n{desk.release}/bin/hpai run -m tool -n 1 {file} 2>&1 | sort\n"
    )
    done = desk.cluster.finished(int(desk("batch", str(script)).stdout))
    assert done.output.splitlines()[:2] == ["0 True", "1 True"]
    wait(lambda: not [*desk.box.top.glob(f"*-{job}.*")], "what the first job has started is still there")


def test_what_is_told_to_end_has_its_image_until_it_has(desk: Desk):
    """Slurm sends SIGTERM to all of a step, and kills what is left when its patience ends."""
    file = desk.program(
        "import signal, sys, time\n"
        "def end(*_):\n    import this; print('saved', flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\nprint('ready', flush=True)\ntime.sleep(600)\n"
    )
    output = desk.cluster.directory / "ending"
    words = ("srun", "-n", "1", "python", file)
    script = desk.cluster.directory / "ending.sh"
    script.write_text(f"#!/bin/bash\n#SBATCH --output={output}\n{' '.join(words)}\n")
    job = desk.cluster.submit(script, environment=desk.loaded)
    wait(lambda: output.exists() and "ready" in output.read_text(), "the program has not begun")
    desk.cluster.run(("scancel", "--signal=TERM", f"{job}.0"))
    desk.cluster.finished(job)
    assert "saved" in output.read_text().splitlines()
