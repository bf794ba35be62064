"""The test of several ranks: that they find each other, train alike, and all run on one MPI."""

import json
import os
import re
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackgen import files
from stackgen.combinations import ON_MPI
from stackgen.jobs.checks import check_names
from stackgen.lock import Lock
from stackgen.model import Feature
from stackgen.mpi import Mpi, flavour
from stackgen.native import toolchain_mpi
from stackgen.plan import FrameworkPlan, Plan, SpackPlan
from stackgen.release import Check, InstalledFramework, closure_of
from stackgen.run import Command, Outcome, Runner
from stackgen.smoke import checks
from stackgen.smoke.session import Caller

RANKS, LIMIT = 2, 300.0
"""How many are started, and the seconds that they may take."""

_PROBE = (
    "int MPI_Initialized(int *);\nint stackgen_probe(void) { int flag; return MPI_Initialized(&flag); }\n"
)
_FAULT = re.compile(r"^rank \S+: .+", re.M)
# As Open MPI, Slurm and MPICH tell it, among much else.
_ENDED = re.compile(
    r"^.*(?: process rank \d+ .* exited on signal |error: .*\btask \d|WITH THE EXIT STRING: ).*", re.M
)
_SPEAKER = re.compile(r"^(?:\[\d+\]<std(?:out|err)>:|RuntimeError: (?=Horovod detected ))", re.M)
"""What `horovodrun` puts before each line of a rank, and what makes its own end look like the cause."""
_STATUS = re.compile(r"Process name: (?:\[\[\d+,\d+\],(?=\d+\]))?(\d+)\]?\s+Exit code: +(\d+)")


def mpi_of(plan: Plan, planned: FrameworkPlan, lock: Lock, prefixes: Mapping[str, Path]) -> Mpi | None:
    """The MPI that a framework is to run on, where it is installed; `prefixes` are of Spack's packages."""
    if isinstance(planned, SpackPlan):
        for node in closure_of(planned, lock).nodes:
            if kind := flavour(node.name):
                place = Path(node.prefix) if node.external else prefixes[node.hash]
                return Mpi(spec=f"{node.name}@{node.version}", flavour=kind, prefix=place)
    return toolchain_mpi(plan, lock, prefixes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankTrial:
    """The test of one framework on two ranks of this machine."""

    framework: InstalledFramework
    planned: FrameworkPlan
    mpi: Mpi | None
    slurm: bool
    """Whether the system's jobs are Slurm's."""
    scratch: Path
    """Seen by the ranks, wherever they run."""
    verify: Path
    """Where the scripts lie for them."""
    start: Callable[..., Outcome]
    """Takes a caller, words and a `limit` in seconds, and starts them with the module loaded."""
    run: Runner

    def checks(self, caller: Caller) -> Iterator[Check]:
        """What is promised by the framework's features; nothing where that is nothing for several ranks."""
        for name in check_names(self.planned.about):
            fault, detail = self._met(name, caller)
            title = name.removeprefix("ranks_").replace("_", " on ")
            yield self._check(f"{RANKS} ranks: {title}", fault, detail)
        if {*ON_MPI} & set(self.planned.about.features):
            yield self._check("one MPI", *self._one_mpi(caller))

    def _met(self, name: str, caller: Caller) -> tuple[str, str]:
        """What is wrong with the ranks of a script, or else what they saw."""
        script = str(self.verify / f"{name}.py")
        alone = Feature.HOROVOD not in self.planned.about.features and name.startswith("ranks_horovod")
        if alone:
            words = ("horovodrun", "--gloo", "-np", str(RANKS), "-H", f"localhost:{RANKS}", "python", script)
            return rank_fault(self.start(caller, *_quiet({}), *words, limit=LIMIT))
        if self.mpi is None:
            return self._by_variables(script, caller)
        launcher = self._launcher()
        if not launcher:
            place = self.mpi.prefix
            return (
                f"{place} has no mpirun, and there is no srun here: test on a node that has one of them",
                "",
            )
        port = {"MASTER_PORT": str(_ports(1)[0])}
        return rank_fault(self.start(caller, *_quiet(port), *launcher, "python", script, limit=LIMIT))

    def _launcher(self) -> tuple[str, ...]:
        """What starts two ranks of this MPI here; Slurm where that MPI has no launcher of its own."""
        assert self.mpi
        if start := self.mpi.start_here(os.getuid()):
            return (*start, "-n", str(RANKS))
        srun = shutil.which("srun") if self.slurm else None
        return (srun, f"--ntasks={RANKS}", "--time=10", "--kill-on-bad-exit=1") if srun else ()

    def _by_variables(self, script: str, caller: Caller) -> tuple[str, str]:
        """Ranks as plain processes, told by variables where they meet: no MPI is needed for that."""
        ports = _ports(RANKS)
        workers = [f"127.0.0.1:{port}" for port in ports]

        def variables(rank: int) -> dict[str, str]:
            task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": rank}}
            ranks = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": RANKS, "LOCAL_WORLD_SIZE": RANKS}
            meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": ports[0], "TF_CONFIG": json.dumps(task)}
            return {name: str(value) for name, value in {**ranks, **meeting}.items()}

        def rank(number: int) -> Outcome:
            return self.start(caller, *_quiet(variables(number)), "python", script, limit=LIMIT)

        with ThreadPoolExecutor(RANKS) as pool:
            outcomes = list(pool.map(rank, range(RANKS)))
        # One that has failed keeps the others waiting, and they can only say that.
        return rank_fault(
            max(outcomes, key=lambda one: (one.status not in {0, checks.TIMED_OUT}, one.status))
        )

    def _one_mpi(self, caller: Caller) -> tuple[str, str]:
        if self.mpi is None:
            return "the toolchain names no MPI that is installed, and so none can be meant", ""
        probe, fault = self._probe(self.mpi, caller)
        if fault:
            return fault, ""
        words = ("python", str(self.verify / "one_mpi.py"), str(probe), self.planned.imports)
        outcome = self.start(caller, *words, limit=LIMIT)
        try:
            seen = json.loads(outcome.stdout.splitlines()[-1])
        except (ValueError, IndexError):
            return checks.ending(outcome) or "nothing was seen", ""
        return mpi_fault(seen, self.mpi)

    def _probe(self, mpi: Mpi, caller: Caller) -> tuple[Path, str]:
        """A shared object that this MPI's wrapper has linked, or why there is none."""
        source, probe = self.scratch / "probe.c", self.scratch / "probe.so"
        files.write(source, _PROBE)
        wrapper = mpi.wrapper("c")
        if not wrapper.exists():
            return probe, f"{mpi.spec} has no {wrapper}: install it again"
        argv = (str(wrapper), "-shared", "-fPIC", "-o", str(probe), str(source))
        environment = caller.login
        outcome = self.run(Command(argv=argv, environment=environment, directory=self.scratch, timeout=LIMIT))
        if outcome.status == 0:
            return probe, ""
        line = next((line for line in outcome.stderr.splitlines() if "cannot find" in line), "")
        return probe, f"{wrapper} links nothing: {line or checks.ending(outcome)}: install {mpi.spec} again"

    def _check(self, name: str, fault: str, detail: str = "") -> Check:
        return Check(framework=self.framework.name, name=name, passed=not fault, detail=fault or detail)


def rank_fault(outcome: Outcome) -> tuple[str, str]:
    """What is wrong with ranks that have ended, the one that failed named, or else what rank 0 told."""
    said, complained = (_SPEAKER.sub("", text) for text in (outcome.stdout, outcome.stderr))
    outcome = Outcome(status=outcome.status, stdout=said, stderr=complained)
    if outcome.status:
        return _cause(outcome), ""
    try:
        lines = [line for line in outcome.stdout.splitlines() if line.startswith("{")]
        seen = json.loads(lines[-1])
        ranks = int(seen["ranks"])
    except (ValueError, IndexError, KeyError):
        return "rank 0 told nothing", ""
    if ranks != RANKS or len(lines) > 1:
        what = f"{RANKS} ranks were started, and each took itself for one of {ranks}"
        return f"{what}: they do not run on the MPI of their launcher", ""
    names = {"backend": "", "controller": "", "library": "", "hdf5": "HDF5 "}
    ways = (f" over {what}{str(seen[name]).split(',')[0]}" for name, what in names.items() if seen.get(name))
    how = next(ways, "")
    return "", f"equal{how}" if "parameters" in seen else how.removeprefix(" ")


def _cause(outcome: Outcome) -> str:
    """Why ranks have failed: in the words of one of them, of Python, or of their launcher."""
    if told := _FAULT.search(f"{outcome.stderr}\n{outcome.stdout}"):
        return told[0]
    ending = checks.ending(outcome)
    if checks.ERROR.match(ending):
        return ending
    if status := _STATUS.search(outcome.stderr):
        return f"rank {status[1]} ended with status {status[2]}"
    told = _ENDED.search(f"{outcome.stderr}\n{outcome.stdout}")
    return told[0].strip() if told else ending


def mpi_fault(seen: Mapping[str, Any], mpi: Mpi) -> tuple[str, str]:
    """Where a framework runs on another MPI than the toolchain's, by what `one_mpi.py` saw; or on which."""
    if fault := seen["mpi"].get("fault"):
        return f"{mpi.spec} in {mpi.prefix} cannot be loaded: {fault}: install it again", ""
    meant = seen["mpi"]["from"]
    if not meant:
        return f"{mpi.wrapper('c')} links no MPI", ""
    if not seen["libraries"]:
        return "nothing in it needs an MPI", ""
    strays = (stray for place, found in seen["libraries"].items() if (stray := _stray(place, found, meant)))
    return next(strays, ""), f"{' and '.join(meant)} for {len(seen['libraries'])} libraries"


def _stray(place: str, found: Mapping[str, Any], meant: list[str]) -> str:
    """Why a library of a framework does not run on the MPI that is meant."""
    if fault := found.get("fault"):
        return f"{place} cannot be loaded: {fault}"
    other = " and ".join(found["from"]) or "no MPI"
    return "" if found["from"] == meant else f"{place} runs on {other} instead of {' and '.join(meant)}"


def _quiet(variables: Mapping[str, str]) -> tuple[str, ...]:
    """One thread a rank: a machine that builds may have two processors."""
    return ("env", *(f"{name}={text}" for name, text in {"OMP_NUM_THREADS": "1", **variables}.items()))


def _ports(count: int) -> list[int]:
    """Ports that nobody listens at now."""
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports
