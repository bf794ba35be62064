"""A real Slurm of four nodes on this machine, whose daemons end with the process that started them.

Each node is namespaces of its own (processes, mounts, host name), so that killing its first process is what
losing a machine is, and PMIx's files of one node are not in another's way. The nodes share the network.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, Outcome

NODES = ("n1", "n2", "n3", "n4")
CORES = 4
"""Of a node, as Slurm is told; the machine may have fewer."""

_PROGRAMS = ("slurmctld", "slurmd", "munged", "srun", "mpirun", "setpriv", "unshare")
_PATIENCE = 60
"""Seconds that daemons have to come up."""

# Killed with their parent, and all that they start with them.
_DAEMON = ("setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", "--mount-proc")

_CONFIGURATION = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
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
SlurmdTimeout=10
KillWait=2
MessageTimeout=10
{nodes}
PartitionName=batch Nodes=n[1-4] Default=YES MaxNodes=4 MaxTime=60
PartitionName=debug Nodes=n[1-4] MaxNodes=2 MaxTime=10
PartitionName=small Nodes=n[1-2] MaxNodes=1 MaxTime=30
"""

_NODE = """\
set -e
hostname "$1"
mount --bind hosts /etc/hosts
mount -t tmpfs tmpfs pmix
slurmd -D -N "$1" -f "$PWD/slurm.conf" -L "$PWD/$1.log" &
wait
"""

_SYSTEM = """\
scheduler:
  kind: slurm
  partitions:
    batch: {{nodes: 1..4, time: "1:00:00", cores: {cores}}}
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
    missing = [name for name in _PROGRAMS if shutil.which(name, path=_PATH) is None]
    if missing:
        return f"not here: {', '.join(missing)} (Debian: slurm-wlm, openmpi-bin)"
    tried = subprocess.run((*_DAEMON, "--uts", "true"), capture_output=True, text=True, check=False)
    return f"no namespaces: {tried.stderr.strip()}" if tried.returncode else ""


_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Finished:
    """How a job ended: Slurm's state, its exit status, and what it wrote."""

    state: str
    status: int
    output: str


@dataclass(frozen=True)
class Cluster:
    """Four nodes, a controller and three partitions; `environment` leads Slurm's programs there."""

    directory: Path
    _daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

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
        around = {"PATH": _PATH, "HOME": str(self.directory), "LANG": "C.UTF-8"}
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
        self._kill(name)

    def start_node(self, name: str) -> None:
        """Have a node, and wait until jobs may use it."""
        self._start(name, ("--uts", "sh", "-c", _NODE, "sh", name))

    def stop_controller(self) -> None:
        """Leave users without slurmctld; jobs go on."""
        self._kill("slurmctld")

    def start_controller(self) -> None:
        """Have slurmctld, with what it knew."""
        conf, log = self.directory / "slurm.conf", self.directory / "slurmctld.log"
        self._start("slurmctld", ("sh", "-c", f"slurmctld -D -f {conf} -L {log} & wait"))

    def ready(self) -> None:
        """Wait until every node may be used; ClusterError with the logs where one is not."""
        deadline = time.monotonic() + _PATIENCE
        while (states := self.states()) != dict.fromkeys(NODES, "idle"):
            if time.monotonic() > deadline:
                raise ClusterError(f"{states}\n{self._logs()}")
            time.sleep(0.2)

    def start(self) -> None:
        """Have all daemons."""
        self._configure()
        key, socket_, log = (self.directory / f"munge.{part}" for part in ("key", "socket", "log"))
        files = f"--key-file={key} --socket={socket_} --log-file={log}"
        files += f" --pid-file={self.directory}/munge.pid --seed-file={self.directory}/munge.seed"
        self._start("munged", ("sh", "-c", f"munged --force --foreground {files} & wait"))
        deadline = time.monotonic() + _PATIENCE
        while not socket_.exists():
            if time.monotonic() > deadline:
                raise ClusterError(self._logs())
            time.sleep(0.05)
        self.start_controller()
        for name in NODES:
            self.start_node(name)
        self.ready()

    def stop(self) -> None:
        """Have nothing left."""
        for name in tuple(self._daemons):
            self._kill(name)

    def _configure(self) -> None:
        controller, *ports = _free_ports(1 + len(NODES))
        nodes = "\n".join(
            f"NodeName={name} NodeAddr=127.0.0.1 Port={port} CPUs={CORES} RealMemory=2000"
            for name, port in zip(NODES, ports, strict=True)
        )
        host = socket.gethostname()
        conf = _CONFIGURATION.format(directory=self.directory, host=host, controller=controller, nodes=nodes)
        (self.directory / "slurm.conf").write_text(conf)
        (self.directory / "mpi.conf").write_text(f"PMIxCliTmpDirBase={self.directory}/pmix\n")
        (self.directory / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        names = f"127.0.0.1 localhost {host} {' '.join(NODES)}\n"
        (self.directory / "hosts").write_text(names)
        (self.directory / "munge.key").write_bytes(os.urandom(128))
        (self.directory / "munge.key").chmod(0o400)
        for name in ("pmix", "state", *(f"spool/{name}" for name in NODES)):
            (self.directory / name).mkdir(parents=True)

    def _start(self, name: str, words: tuple[str, ...]) -> None:
        with (self.directory / f"{name}.started.log").open("ab") as log:
            self._daemons[name] = subprocess.Popen(
                (*_DAEMON, *words),
                cwd=self.directory,
                env={"PATH": _PATH, "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _kill(self, name: str) -> None:
        process = self._daemons.pop(name)
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.wait()

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


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens at, below those that connections are given."""
    found: list[int] = []
    for port in random.sample(range(10_000, 30_000), 1_000):
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise ClusterError("no free ports")
