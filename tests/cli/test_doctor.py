"""What `stackgen doctor` tells of training on several nodes: MPI, the scheduler, munge."""

import json
import os
import sys
from pathlib import Path

import pytest
from cluster import Cluster

from stackgen.doctor import Finding, examine
from stackgen.progress import Silent
from stackgen.run import LoggedRunner

SLURM = ("sbatch", "srun", "squeue", "sinfo", "scontrol", "scancel")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Look at a machine of these programs alone, each a shell script of the given lines, and apt-get."""

    def look(**lines: str) -> dict[str, Finding]:
        for name, text in {"apt-get": "", **lines}.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        found = examine(LoggedRunner(Silent()))
        return {one.name: one for one in found if one.name in {"mpi", "scheduler", "munge"}}

    return look


def told(findings: dict[str, Finding]) -> list[str]:
    return [f"{one.name} {one.state}: {one.found} -> {one.remedy}" for one in findings.values()]


def test_a_machine_that_has_nothing(programs):
    assert told(programs()) == [
        "mpi optional: no MPI here; only training over MPI, as with Horovod or mpi4py, needs one"
        " -> apt-get install openmpi-bin libopenmpi-dev",
        "scheduler optional: neither Slurm nor LSF; only jobs, and training on several nodes, need one"
        " -> apt-get install slurm-client",
    ]


def test_programs_that_tell_their_versions(programs):
    answers = dict.fromkeys(SLURM, "")
    answers["scontrol"] = "echo 'Slurmctld(primary) at n1 is UP'"
    answers["sinfo"] = "echo slurm 23.11.4"
    answers["srun"] = (
        "printf 'MPI plugin types are...\\n\\tnone\\n\\tpmix\\nspecific pmix plugin versions: pmix_v4\\n'"
    )
    mpi = {"mpiexec": "printf 'HYDRA build details:\\n    Version:   4.0.2\\n'", "mpicc": ""}
    assert told(programs(**answers, **mpi, munge="")) == [
        f"mpi good: Hydra 4.0.2, {os.environ['PATH']}/mpiexec -> ",
        "scheduler good: Slurm 23.11.4; srun starts MPI by none, pmix -> ",
        "munge good: munged answers -> ",
    ]


def test_what_is_there_in_part(programs):
    partly = programs(sbatch="", srun="", squeue="", sinfo="", mpirun="echo mpirun 5.0.3")
    assert told(partly) == [
        f"mpi optional: mpirun 5.0.3, {os.environ['PATH']}/mpirun;"
        " no mpicc, so nothing can be built on it -> apt-get install openmpi-bin libopenmpi-dev",
        "scheduler optional: Slurm, but not its scontrol, scancel -> apt-get install slurm-client",
    ]


def test_daemons_that_do_not_answer(programs):
    answers = dict.fromkeys(SLURM, "")
    answers["scontrol"] = "echo 'Slurmctld(primary) at n1 is DOWN'; exit 1"
    findings = programs(**answers, munge="echo 'munge: Error: Failed to access' >&2; exit 6")
    assert told(findings)[1:] == [
        "scheduler optional: Slurm, whose slurmctld does not answer (Slurmctld(primary) at n1 is DOWN)"
        " -> start it, or let SLURM_CONF name the configuration of one that runs",
        "munge optional: munged does not answer -> start it, with the key that the other nodes have",
    ]


def test_lsf(programs):
    findings = programs(bsub="")
    assert findings["scheduler"].found.startswith("LSF, ")


def test_a_real_slurm(slurm: Cluster):
    outcome = slurm.run((sys.executable, "-m", "stackgen", "doctor", "--json"))
    findings = {one["name"]: one for one in json.loads(outcome.stdout)}
    assert findings["scheduler"]["state"] == "good"
    assert findings["scheduler"]["found"].startswith("Slurm ")
    assert "pmix" in findings["scheduler"]["found"]
    assert findings["mpi"]["state"] == "good"
