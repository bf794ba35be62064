"""Engines of ipyparallel as ranks of a job, for notebooks: `from NAMESPACE_engines import Cluster`."""

import json
import os
import subprocess
import sys
from typing import Any, List, Optional

import ipyparallel
from ipyparallel.cluster.launcher import EngineLauncher, LocalProcessLauncher
from traitlets import Integer, Unicode, default

from stackgen.inside.launcher.offer import Offer, ranks_on_node

RELEASE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
WAITED = 600
"""Seconds that a job may wait for its nodes, where the notebook says nothing else."""


class EnginesError(RuntimeError):
    """Why no engines can be started, and what to do."""


class Engines(LocalProcessLauncher, EngineLauncher):
    """Engines that are the ranks of one job, as the release's own launcher starts them."""

    _is_asked_to_stop = False

    def find_args(self) -> List[str]:
        """The command of the job."""
        return [*self.words([]), "--", sys.executable, engine_program(), *self.engine_args]

    def words(self, more: List[str]) -> List[str]:
        """The launcher, and what is asked for."""
        cluster = self.parent
        asked = {
            "partition": cluster.partition,
            "account": cluster.account,
            "time": cluster.time,
            "reservation": cluster.reservation,
            "nodes": str(cluster.nodes),
            "ranks": str(self.n // cluster.nodes),
            "gpus": "" if cluster.gpus is None else str(cluster.gpus),
            "cores": "" if cluster.cores is None else str(cluster.cores),
        }
        options = ["--{}={}".format(name, value) for name, value in sorted(asked.items()) if value]
        return [launcher_program(), "run", *more, *options]

    def start(self, n: int) -> Any:
        """Start as many; EnginesError where the launcher refuses them."""
        self.n = n
        if n < 1 or n % self.parent.nodes:
            text = "{} engines cannot be shared evenly by {} nodes; choose another n= or nodes="
            raise EnginesError(text.format(n, self.parent.nodes))
        command = [*self.words(["--dry-run"]), "--", sys.executable]
        tried = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if tried.returncode:
            raise EnginesError(tried.stdout.decode("utf-8", "replace").strip())
        return super().start()

    async def stop(self) -> None:
        """End the job."""
        self._is_asked_to_stop = True
        await super().stop()

    def notify_stop(self, data: Any) -> Any:
        """Tell of an end; one that was asked for is no failure, whatever the scheduler makes of it."""
        return super().notify_stop(dict(data, exit_code=0) if self._is_asked_to_stop else data)


class Cluster(ipyparallel.Cluster):
    """A cluster of ipyparallel's with its engines on nodes, asked for as by `run` of the launcher."""

    nodes = Integer(help="nodes; each has as many engines as the others").tag(to_dict=True)
    partition = Unicode(help="the partition").tag(to_dict=True)
    account = Unicode(help="who pays").tag(to_dict=True)
    time = Unicode(help="hours, or HH:MM:SS").tag(to_dict=True)
    reservation = Unicode(help="a reservation of yours").tag(to_dict=True)
    gpus = Integer(None, allow_none=True, help="GPUs of each node").tag(to_dict=True)
    cores = Integer(None, allow_none=True, help="cores for each engine").tag(to_dict=True)
    engine_timeout = Integer(WAITED, help="seconds to wait for all engines").tag(config=True)

    def __init__(self, **asked: Any) -> None:
        """What is said wins over what is usual: engines on nodes, and a controller that these can reach."""
        if os.path.isdir("/.stackgen"):
            raise EnginesError("a kernel in a container starts no jobs; choose the one without a container")
        if not {"engines", "engine_launcher_class"} & set(asked):
            asked["engines"] = Engines
        asked.setdefault("controller_ip", "*")
        super().__init__(**asked)

    @default("nodes")
    def _usual_nodes(self) -> int:
        """All of the job that we are in, or else one."""
        found = os.environ.get("SLURM_JOB_NUM_NODES", "")
        return int(found) if found.isdigit() else 1

    @default("n")
    def _usual_number(self) -> int:
        """One a GPU, else one a socket, as the launcher has it."""
        queue = queue_asked(self.partition)
        gpus = self.gpus if self.gpus is not None else queue.gpus if queue else 0
        return int(self.nodes) * (ranks_on_node(queue, gpus) if queue else 1)


def queue_asked(name: str) -> Optional[Offer]:
    """A partition, or else the usual one; None where the launcher is to say what is wrong."""
    with open(os.path.join(RELEASE, "share", "launcher.json"), encoding="utf-8") as stream:
        told = json.load(stream)["queues"]
    queues = [Offer(**{field: one[field] for field in Offer._fields}) for one in told]
    name = name or os.environ.get("SLURM_PARTITION", "")
    fitting = [queue for queue in queues if (queue.name == name if name else queue.default)]
    return fitting[0] if fitting else queues[0] if len(queues) == 1 and not name else None


def launcher_program() -> str:
    """The launcher of the release that this file belongs to."""
    with open(os.path.join(RELEASE, "share", "launcher.json"), encoding="utf-8") as stream:
        return os.path.join(RELEASE, "bin", json.load(stream)["namespace"])


def engine_program() -> str:
    """What each rank runs."""
    return os.path.join(RELEASE, "share", "notebooks", "engine.py")
