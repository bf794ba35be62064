"""`stackgen bench` on four nodes of a real Slurm, with a real PyTorch and a small network."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cluster import Cluster
from desk import Desk
from training import CPU_BUILD, require_cpu_build

from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, Outcome
from stackgen.site import Site

pytestmark = pytest.mark.network

SYSTEM = Path(__file__).parents[2] / "environments/systems/small-cluster.yaml"
ENVIRONMENT = f"""\
name: scales
release: 1
system: small-cluster
prefix: ~/hpai
frameworks:
  pytorch: {{version: {CPU_BUILD}, from: wheels, python: 3.11, requires: [numpy], features: [ddp]}}
"""
SMALL = ("--small", "--steps", "3", "--warmup", "1", "--batch", "2", "--ranks-per-node", "1")


@pytest.fixture(scope="module")
def site(index: Site, slurm: Cluster, shared_desk: Desk) -> Desk:
    """The desk of an admin whose release of PyTorch is published."""
    require_cpu_build(index)
    shared_desk.write("systems/small-cluster.yaml", SYSTEM.read_text())
    shared_desk.write("scales.yaml", ENVIRONMENT)
    _stackgen(shared_desk, slurm, "build", "scales.yaml")
    return shared_desk


def _stackgen(desk: Desk, cluster: Cluster, *words: str, status: int = 0) -> Outcome:
    environment = {**desk.environment(), **cluster.environment, "PATH": os.environ["PATH"]}
    words = (sys.executable, "-m", "stackgen", *words)
    command = Command(argv=words, environment=environment, directory=desk.directory, timeout=1200)
    outcome = LoggedRunner(Silent())(command)
    assert outcome.status == status, outcome.stdout + outcome.stderr
    return outcome


def test_training_is_measured_through_the_job_scripts_and_not_twice(site: Desk, slurm: Cluster):
    words = ("bench", "scaling", "scales.yaml", "--nodes", "1,2", *SMALL)
    outcome = _stackgen(site, slurm, *words, "--json")
    (table,) = json.loads(outcome.stdout)
    assert [(row["nodes"], row["ranks"], row["reason"]) for row in table["rows"]] == [(1, 1, ""), (2, 2, "")]
    first, second = (run["result"] for run in table["runs"])
    assert (first["hosts"], second["hosts"], len(second["seconds"])) == (1, 2, 3)
    assert (second["distribution"], second["versions"]) == ("own", {"torch": CPU_BUILD})
    kept = site.directory / "home/hpai/bench/1/scaling/pytorch/gan-weak-small"
    assert json.loads((kept / "table.json").read_text()) == table
    assert (kept / "plot.svg").read_text().startswith("<svg ")
    again = _stackgen(site, slurm, *words)
    assert [line for line in again.stderr.splitlines() if "job " in line] == []
    assert again.stdout.splitlines()[2].split() == [
        *("nodes", "ranks", "s/epoch", "linear", "s", "speed-up", "efficiency", "spread")
    ]


def begun(site: Desk, slurm: Cluster) -> tuple[subprocess.Popen[str], str]:
    """A bench whose job takes hours, and the number of that."""
    words = (sys.executable, "-m", "stackgen", "bench", "scaling", "scales.yaml", "--nodes", "1")
    steps = ("--small", "--steps", "100000", "--ranks-per-node", "1", "--partition", "small")
    command = ("env", *(f"{name}={text}" for name, text in slurm.environment.items()), *words, *steps)
    bench = site.started(*command)
    deadline = time.monotonic() + 300
    while not (
        job := slurm.run(("squeue", "--noheader", "--format=%A", "--name=bench-pytorch")).stdout.strip()
    ):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return bench, job


def test_a_cancelled_job_is_a_line_with_its_reason(site: Desk, slurm: Cluster):
    bench, job = begun(site, slurm)
    slurm.run(("scancel", job))
    output, _ = bench.communicate(timeout=300)
    assert bench.returncode == 1
    (line,) = [line for line in output.splitlines() if "failed" in line]
    assert line.startswith(f"1 node, 1 rank: failed: job {job}: cancelled")


def test_a_job_that_an_interrupted_run_has_left_is_cancelled_where_another_is_asked_for(
    site: Desk, slurm: Cluster
):
    bench, job = begun(site, slurm)
    order = site.directory / "home/hpai/bench/1/scaling/pytorch/gan-weak-small/1x1.order.json"
    deadline = time.monotonic() + 300
    while not order.exists() or json.loads(order.read_text())["number"] != job:  # not yet written down
        assert time.monotonic() < deadline
        time.sleep(0.2)
    bench.terminate()
    bench.communicate(timeout=300)
    outcome = _stackgen(site, slurm, "bench", "scaling", "scales.yaml", "--nodes", "1", *SMALL)
    assert f"cancelling job {job}, which would leave another result\n" in outcome.stderr
    assert slurm.finished(int(job)).state == "CANCELLED"


def test_a_job_that_slurm_refuses_is_a_line_too(site: Desk, slurm: Cluster):
    words = ("bench", "scaling", "scales.yaml", "--nodes", "1", "--time", "soon", "--again", *SMALL)
    outcome = _stackgen(site, slurm, *words, status=1)
    (line,) = [line for line in outcome.stdout.splitlines() if "failed" in line]
    assert line == "1 node, 1 rank: failed: not submitted: sbatch: error: Invalid --time specification"
