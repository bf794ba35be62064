"""A real Slurm of four nodes on this machine, whose daemons end with the process that started them."""

import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import machines
from machines import PATH, Machines

from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, Outcome

NODES = ("n1", "n2", "n3", "n4")
CORES = 4
"""Of a node, as Slurm is told; the machine may have fewer."""

_PROGRAMS = ("slurmctld", "slurmd", "munged", "srun", "mpirun", "setpriv", "unshare", "nsenter", "ip")

_CONFIGURATION = """\
ClusterName=tests
SlurmctldHost={host}({address})
SlurmctldPort={port}
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={directory}/munge.socket
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool/%n
SlurmctldPidFile={directory}/slurmctld.pid
SlurmdPidFile={directory}/slurmd.%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=bf_interval=1,sched_min_interval=0
ReturnToService=2
SlurmdTimeout=20
KillWait=2
MessageTimeout=10
{nodes}
PartitionName=batch Nodes=n[1-4] Default=YES MaxNodes=4 MaxTime=60
PartitionName=debug Nodes=n[1-4] MaxNodes=2 MaxTime=10
PartitionName=small Nodes=n[1-2] MaxNodes=1 MaxTime=30
"""

_NODE = 'mount -t tmpfs tmpfs pmix && exec slurmd -D -N "$1" -f "$PWD/slurm.conf" -L "$PWD/$1.log"'
# PMIx makes a directory of the same name on each node.

_SYSTEM = """\
scheduler:
  kind: slurm
  partitions:
    batch: {{nodes: 1..4, time: "1:00:00", cores: {cores}, default: true}}
    debug: {{nodes: 1..2, time: "0:10:00", cores: {cores}}}
    small: {{nodes: 1, time: "0:30:00", cores: {cores}}}
"""

# Root may run Open MPI here, and a node has more ranks than the machine has cores.
_OPEN_MPI = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
}


class ClusterError(Exception):
    """The cluster does not do what a test needs of it."""


def why_not() -> str:
    """Why this machine can have no cluster, or nothing."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a cluster of its own needs root on Linux"
    missing = [name for name in _PROGRAMS if shutil.which(name, path=PATH) is None]
    if missing:
        return f"not here: {', '.join(missing)} (Debian: slurm-wlm, openmpi-bin, iproute2)"
    return machines.why_not()


@dataclass(frozen=True)
class Finished:
    """How a job ended: Slurm's state, its exit status, and what it wrote."""

    state: str
    status: int
    output: str


class Cluster:
    """Four nodes, a controller and three partitions; `environment` leads Slurm's programs there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._machines = Machines(directory, NODES)

    @property
    def environment(self) -> dict[str, str]:
        """What the environment of a user must have besides."""
        return {"SLURM_CONF": str(self.directory / "slurm.conf"), **_OPEN_MPI}

    @property
    def system_yaml(self) -> str:
        """What a system's file says of it."""
        return _SYSTEM.format(cores=CORES)

    def run(
        self,
        argv: tuple[str, ...],
        *,
        directory: Path | None = None,
        environment: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> Outcome:
        """Run a program to its end as a user of the login node; nothing else is in its environment."""
        around = {"PATH": PATH, "HOME": str(self.directory), "LANG": "C.UTF-8"}
        return LoggedRunner(Silent())(
            Command(
                argv=("setpriv", "--pdeathsig", "KILL", *argv),
                environment={**around, **self.environment, **(environment or {})},
                directory=directory or self.directory,
                timeout=timeout,
            )
        )

    def submit(
        self,
        script: Path,
        arguments: tuple[str, ...] = (),
        *,
        options: tuple[str, ...] = (),
        directory: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> int:
        """The number of a job that runs a script as it is; ClusterError where Slurm refuses it."""
        argv = ("sbatch", "--parsable", *options, str(script), *arguments)
        outcome = self.run(argv, directory=directory, environment=environment)
        if outcome.status:
            raise ClusterError(outcome.stderr)
        return int(outcome.stdout)

    def finished(self, job: int, timeout: float = 300) -> Finished:
        """How a job ended; one that has not within the time is cancelled, and a ClusterError."""
        deadline = time.monotonic() + timeout
        while (known := self.job(job))["JobState"] in {"PENDING", "RUNNING", "COMPLETING", "CONFIGURING"}:
            if time.monotonic() > deadline:
                self.run(("scancel", str(job)))
                raise ClusterError(
                    f"not finished in {timeout:g} s: {known}\n{_text(known.get('StdOut', ''))}"
                )
            time.sleep(0.2)
        status, number = map(int, known["ExitCode"].split(":"))
        output = _text(known.get("StdOut", ""))
        return Finished(state=known["JobState"], status=status or -number, output=output)

    def job(self, job: int) -> dict[str, str]:
        """What Slurm knows of a job."""
        outcome = self.run(("scontrol", "show", "job", "--oneliner", str(job)))
        if outcome.status:
            raise ClusterError(outcome.stderr)
        return dict(word.split("=", 1) for word in outcome.stdout.split() if "=" in word)

    def states(self) -> dict[str, str]:
        """What Slurm says of each node, such as idle or down*."""
        outcome = self.run(("sinfo", "--noheader", "--Node", "--partition", "batch", "--format", "%N %T"))
        return dict(line.split() for line in outcome.stdout.splitlines())

    def kill_node(self, name: str) -> None:
        """Lose a node with all that runs there."""
        self._machines.kill(name)

    def start_node(self, name: str) -> None:
        """Have a node again; `ready` waits until jobs may use it."""
        self._machines.start(name, ("sh", "-c", _NODE, "sh", name))

    def stop_controller(self) -> None:
        """Leave users without slurmctld; jobs go on."""
        self._machines.kill("slurmctld")

    def start_controller(self) -> None:
        """Have slurmctld, with what it knew."""
        conf, log = self.directory / "slurm.conf", self.directory / "slurmctld.log"
        self._machines.daemon("slurmctld", ("sh", "-c", f"slurmctld -D -f {conf} -L {log} & wait"))

    def ready(self) -> None:
        """Wait until every node may be used; ClusterError with the logs where one is not."""
        try:
            machines.wait(lambda: self.states() == dict.fromkeys(NODES, "idle"), "not ready")
        except TimeoutError:
            raise ClusterError(f"{self.states()}\n{self._logs()}") from None

    def start(self) -> None:
        """Have all daemons."""
        self._machines.connect(socket.gethostname())
        self._configure()
        self._start_munged()
        self.start_controller()
        for name in NODES:
            self.start_node(name)
        self.ready()

    def stop(self) -> None:
        """Have nothing left."""
        self._machines.stop()

    def _start_munged(self) -> None:
        """One for all nodes: they share the file system."""
        at = f"{self.directory}/munge"
        files = f"--key-file={at}.key --socket={at}.socket --log-file={at}.log"
        files += f" --pid-file={at}.pid --seed-file={at}.seed"
        self._machines.daemon("munged", ("sh", "-c", f"munged --force --foreground {files} & wait"))
        machines.wait(Path(f"{at}.socket").exists, "no munged")

    def _configure(self) -> None:
        nodes = "\n".join(
            f"NodeName={name} NodeAddr={self._machines.address(name)} CPUs={CORES} RealMemory=2000"
            for name in NODES
        )
        files = {
            "slurm.conf": _CONFIGURATION.format(
                directory=self.directory,
                host=socket.gethostname(),
                address=self._machines.address(),
                port=_free_port(),
                nodes=nodes,
            ),
            "mpi.conf": f"PMIxCliTmpDirBase={self.directory}/pmix\n",
            "cgroup.conf": "CgroupPlugin=cgroup/v1\n",
        }
        for name, text in files.items():
            (self.directory / name).write_text(text)
        (self.directory / "munge.key").write_bytes(os.urandom(128))
        (self.directory / "munge.key").chmod(0o400)
        for name in ("pmix", "state", *(f"spool/{name}" for name in NODES)):
            (self.directory / name).mkdir(parents=True)

    def _logs(self) -> str:
        logs = sorted(self.directory.glob("*.log"))
        return "\n".join(f"== {log.name}\n{_text(str(log))[-2000:]}" for log in logs)


@contextmanager
def cluster(directory: Path) -> Iterator[Cluster]:
    """A cluster whose files are in a directory of a short path, which nobody else has."""
    made = Cluster(directory)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def _text(path: str) -> str:
    with suppress(OSError):
        return Path(path).read_text(errors="replace")
    return ""


def _free_port() -> int:
    """One for the controller, which takes it on every address of this machine."""
    with socket.socket() as tried:
        tried.bind(("", 0))
        return int(tried.getsockname()[1])
