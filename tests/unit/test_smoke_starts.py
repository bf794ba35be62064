"""Who starts the two ranks by which a release is tested; the start is a fake that ends at once."""

import json
import os
import tempfile
from pathlib import Path

import pytest
from small_jobs import frameworks

from stackgen import files
from stackgen.model import Environment, System
from stackgen.mpi import Flavour, Mpi
from stackgen.plan import Plan, plan
from stackgen.progress import Silent
from stackgen.run import LoggedRunner, Outcome
from stackgen.smoke.ranks import RankTrial
from stackgen.smoke.session import Caller
from stackgen.smoke.trial import VERIFY

SYSTEM = {
    "name": "Grid",
    "os": "debian12",
    "glibc": "2.36",
    "target": "x86_64_v3",
    "compilers": [{"spec": "gcc@12.2.0", "prefix": "/usr"}],
    "pythons": [{"version": "3.11", "prefix": "/usr"}],
}
TOLD = Outcome(status=0, stdout='{"ranks": 2, "backend": "ring", "parameters": "5a"}\n', stderr="")
SILENT = Outcome(status=0, stdout="", stderr="")
DDP, HOROVOD = ("2 ranks: ddp on tensorflow", "2 ranks: horovod on tensorflow")


class Starts:
    """Keeps the words that it is to start, and gives what ranks tell that agree; rank 1 tells nothing."""

    def __init__(self) -> None:
        self.words: list[list[str]] = []

    def __call__(self, caller: Caller, *words: str, limit: float) -> Outcome:
        self.words.append(list(words))
        return SILENT if "RANK=1" in words else TOLD


def planned(features: tuple[str, ...], mpi: Mpi | None) -> Plan:
    framework = {"from": "wheels", "version": "2.15.1", "python": "3.11", "features": list(features)}
    asked = {"name": "e", "release": "1", "system": "grid", "prefix": "/opt/e"}
    asked |= {"toolchain": {"mpi": mpi.spec} if mpi else {}, "frameworks": {"tensorflow": framework}}
    return plan(Environment.model_validate(asked), System.model_validate(SYSTEM))


def told(start: Starts, *features: str, mpi: Mpi | None = None, slurm: bool = False) -> dict[str, str]:
    """What is told of TensorFlow with these features: the checks of ranks, and their faults or ways."""
    asked = planned(features, mpi)
    with tempfile.TemporaryDirectory() as scratch:
        trial = RankTrial(
            framework=frameworks(asked)[0],
            planned=asked.wheels[0],
            mpi=mpi,
            slurm=slurm,
            scratch=Path(scratch),
            verify=VERIFY,
            start=start,
            run=LoggedRunner(Silent()),
        )
        caller = Caller(home=Path(scratch))
        return {one.name: one.detail for one in trial.checks(caller) if "ranks" in one.name}


@pytest.fixture
def open_mpi(tmp_path: Path) -> Mpi:
    """One with a launcher, and with nothing to compile by."""
    files.write(tmp_path / "bin/mpirun", "", 0o755)
    return Mpi(spec="openmpi@4.1.4", flavour=Flavour.OPEN_MPI, prefix=tmp_path)


def test_without_an_mpi_they_are_plain_processes_that_are_told_where_they_meet():
    start = Starts()
    assert told(start, "ddp") == {DDP: "equal over ring"}
    settings = [dict(word.split("=", 1) for word in words[1:] if "=" in word) for words in start.words]
    assert [words[-2:] for words in start.words] == [["python", _script("ddp")]] * 2
    assert {one["RANK"] for one in settings} == {"0", "1"}
    assert {(one["WORLD_SIZE"], one["LOCAL_WORLD_SIZE"]) for one in settings} == {("2", "2")}
    assert len({(one["MASTER_ADDR"], one["MASTER_PORT"]) for one in settings}) == 1
    tasks = [json.loads(one["TF_CONFIG"]) for one in settings]
    assert {str(task["task"]["index"]) for task in tasks} == {"0", "1"}
    assert tasks[0]["cluster"] == tasks[1]["cluster"]
    assert len(set(tasks[0]["cluster"]["worker"])) == 2


def test_horovod_over_gloo_alone_is_started_by_its_own_launcher():
    start = Starts()
    assert told(start, "gloo") == {HOROVOD: "equal over ring"}
    launcher = ["horovodrun", "--gloo", "-np", "2", "-H", "localhost:2"]
    assert start.words == [["env", "OMP_NUM_THREADS=1", *launcher, "python", _script("horovod")]]


def test_where_there_is_an_mpi_its_launcher_starts_them(open_mpi: Mpi):
    start = Starts()
    assert told(start, "horovod", "ddp", mpi=open_mpi).keys() == {HOROVOD, DDP}
    begin = [*open_mpi.start_here(os.getuid()), "-n", "2", "python"]
    assert [words[3:] for words in start.words] == [[*begin, _script(name)] for name in ("horovod", "ddp")]
    assert {words[2].split("=")[0] for words in start.words} == {"MASTER_PORT"}


def test_an_mpi_without_a_launcher_is_started_by_slurm(tmp_path: Path, monkeypatch):
    cray, start = Mpi(spec="cray-mpich@8.1", flavour=Flavour.CRAY, prefix=tmp_path), Starts()
    files.write(tmp_path / "slurm/srun", "", 0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "slurm"))
    assert told(start, "horovod", mpi=cray, slurm=True) == {HOROVOD: "equal over ring"}
    srun = [str(tmp_path / "slurm/srun"), "--ntasks=2", "--time=10", "--kill-on-bad-exit=1"]
    assert start.words[0][3:] == [*srun, "python", _script("horovod")]


def test_where_nobody_can_start_them_it_is_said(tmp_path: Path):
    cray, start = Mpi(spec="cray-mpich@8.1", flavour=Flavour.CRAY, prefix=tmp_path), Starts()
    what = f"{tmp_path} has no mpirun, and there is no srun here: test on a node that has one of them"
    assert told(start, "horovod", mpi=cray) == {HOROVOD: what}


def _script(name: str) -> str:
    return str(VERIFY / f"ranks_{name}_tensorflow.py")
