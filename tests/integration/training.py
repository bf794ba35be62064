"""A site whose users train on four nodes: the environment, built offline, and who works there."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from cluster import Cluster, Finished
from desk import Desk
from pages import PATH, Shell, login

from stackgen import host
from stackgen.errors import StackgenError
from stackgen.plan import Platform
from stackgen.platforms import Target
from stackgen.progress import Silent
from stackgen.run import LoggedRunner, Outcome
from stackgen.site import Site
from stackgen.wheels import Question, offers

ENVIRONMENTS = Path(__file__).parents[2] / "environments"
CPU_BUILD = "2.13.0+cpu"
# The far side of the gap: no network but its own loopback.
OFFLINE = ("unshare", "--net", "sh", "-c", 'ip link set dev lo up && exec "$@"', "sh")
PATIENCE = 900
"""Seconds for a job that takes half a minute on a machine that does nothing else."""

HOROVOD = """\
import os, sys
import numpy
import tensorflow as tf
import horovod.tensorflow as hvd

hvd.init()
tf.random.set_seed(hvd.rank())
weights = tf.Variable(tf.random.normal((8, 1)))
hvd.broadcast_variables([weights], root_rank=0)
truth, losses = tf.reshape(tf.range(8.0), (8, 1)), []
for step in range(int(sys.argv[1])):
    if os.environ.get("DIES") == str(hvd.rank()) and step == 5:
        os._exit(9)  # or Horovod would tell the others, which fail before this one has ended
    inputs = tf.random.normal((32, 8))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((inputs @ weights - inputs @ truth) ** 2)
    (gradient,) = hvd.DistributedGradientTape(tape).gradient(loss, [weights])
    weights.assign_sub(0.1 * gradient)
    losses.append(float(loss))
    if os.environ.get("SAYS") and hvd.rank() == 0:
        print("step", step, flush=True)
print(hvd.rank(), "of", hvd.size(), "learns" if losses[-1] < losses[0] / 100 else losses, flush=True)
"""
"""A user's own program over Horovod, with the number of its steps."""

DDP = """\
import os
import torch
from torch import distributed, nn

distributed.init_process_group("gloo")
rank = distributed.get_rank()
torch.manual_seed(rank)
model = nn.parallel.DistributedDataParallel(nn.Linear(8, 1))
optimizer, losses = torch.optim.SGD(model.parameters(), lr=0.1), []
for step in range(60):
    inputs = torch.randn(32, 8)
    loss = ((model(inputs) - inputs.sum(1, keepdim=True)) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
learns = "learns" if losses[-1] < losses[0] / 100 else losses
print(rank, "of", distributed.get_world_size(), learns, "with", torch.get_num_threads(), flush=True)
distributed.barrier()
distributed.destroy_process_group()
os._exit(0)  # what is left of Gloo at Python's end aborts one process in ten
"""
"""One over PyTorch's own distribution."""

FENCE = """\
import ctypes, os, sys, time

class Process(ctypes.Structure):
    _fields_ = [("namespace", ctypes.c_char * 256), ("rank", ctypes.c_uint32)]

pmix, me, come = ctypes.CDLL("libpmix.so.2"), Process(), sys.argv[1]
assert pmix.PMIx_Init(ctypes.byref(me), None, ctypes.c_size_t(0)) == 0
if me.rank == 1:
    time.sleep(3)  # in which a rank that does not wait has gone on
    open(come, "w").close()
assert pmix.PMIx_Fence(None, ctypes.c_size_t(0), None, ctypes.c_size_t(0)) == 0
print(me.rank, os.path.exists(come), flush=True)
pmix.PMIx_Finalize(None, ctypes.c_size_t(0))
"""
"""Ranks that meet at a fence without data, the second one late: whether it has come, as each goes on."""


@dataclass(frozen=True)
class TrainingSite:
    """A published release on the cluster, and a user with a directory."""

    cluster: Cluster
    desk: Desk

    @property
    def prefix(self) -> Path:
        """What the release lies below."""
        return self.desk.directory / "hpai"

    @property
    def release(self) -> Path:
        """The release that is current."""
        return self.prefix / "releases/2026.11"

    def user(self, script: str, *, environment: Mapping[str, str] | None = None) -> Outcome:
        """What a user does in a login shell where the site's profile has put its modules."""
        home = self.desk.directory / "user"
        home.mkdir(exist_ok=True)
        return self.cluster.run(
            ("bash", "-lc", f"module use {self.prefix}/current/modules/Core\n{script}"),
            directory=home,
            environment={"HOME": str(home), "USER": "root", **(environment or {})},
            timeout=PATIENCE,
        )

    def shell(self, place: Path) -> Shell:
        """Where one types whose login shells read what the site's profile does."""
        made = login(place, "you", USER="root", **self.cluster.environment)
        profile = f"PATH={PATH}\n. {self.prefix}/current/profile.sh\n"
        (made.home / ".bash_profile").write_text(profile)
        return Shell(made.argv, made.environment, made.home, {str(self.prefix): "/site/hpai"})

    def job(self, script: str, *arguments: str, options: tuple[str, ...] = ()) -> Finished:
        """How a generated job script ends that is submitted from an empty environment."""
        number = self.cluster.submit(
            self.release / "jobs" / script, arguments, options=options, directory=self.desk.directory
        )
        return self.cluster.finished(number, PATIENCE)


def require_cpu_build(index: Site) -> None:
    """Skip where this machine is not the one that the environments are for, or there is no such PyTorch."""
    system = host.detect()
    if (system.os, system.architecture) != ("debian12", "x86_64"):
        pytest.skip("the environment is for Debian 12 on x86_64")
    target = Target(platform=Platform(architecture="x86_64", glibc=system.glibc), python="3.11")
    question = Question(where="tests", target=target, requirements=(f"torch=={CPU_BUILD}",))
    try:
        offers(question, index, LoggedRunner(Silent()))
    except StackgenError as error:
        pytest.skip(f"there is no CPU build of PyTorch to be had: {error}")


def seen(output: str) -> dict[str, object]:
    """What rank 0 of a release's own check has printed, without what is different every time."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    assert len(lines) == 1, output
    return {name: value for name, value in json.loads(lines[0]).items() if name != "parameters"}


def learned(output: str) -> list[str]:
    """What the ranks of a user's program have printed, among what frameworks tell of themselves."""
    return sorted(line for line in output.splitlines() if re.match(r"\d+ of \d+ ", line))


def write_environment(desk: Desk, *, kept: bool) -> Path:
    """The environment of the README with PyTorch's CPU build and with kernels, and the system of the cluster.

    What takes long to compile is only there where it is `kept` for the next time: Horovod for PyTorch, and
    mpi4py, which other tests build and run.
    """
    text = (ENVIRONMENTS / "training.yaml").read_text()
    text = text.replace("version: 2.13.0\n", f"version: {CPU_BUILD}\n")
    text = text.replace("features: [ddp]", "features: [horovod, mpi4py, ddp]" if kept else "features: [ddp]")
    text = text if kept else text.replace("[horovod, mpi4py, ddp]", "[horovod, ddp]")
    text = text.replace("\nmodules:", "\nnotebooks: true\n\nmodules:")
    desk.write("systems/small-cluster.yaml", (ENVIRONMENTS / "systems/small-cluster.yaml").read_text())
    return desk.write("training.yaml", text)
