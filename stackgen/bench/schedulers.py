"""What is said to a scheduler of jobs, to submit, watch and ask after them, and what it answers; pure."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stackgen.bench.results import Size

PENDING, RUNNING = "waits", "runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A job to be submitted."""

    name: str
    size: Size
    cores: int
    """Of each rank; 0 leaves it to the script."""
    script: Path
    words: tuple[str, ...]
    log: Path
    account: str
    time: str
    """As the scheduler takes it; empty leaves it to the script."""


class Scheduler(Protocol):
    """The words of one scheduler."""

    def submit(self, order: Order) -> tuple[str, ...]:
        """What submits a job."""
        ...

    def number(self, output: str) -> str:
        """The job's number in what submitting has printed; empty where there is none."""
        ...

    def watch(self, jobs: tuple[str, ...]) -> tuple[str, ...]:
        """What lists the jobs that have not ended."""
        ...

    def living(self, output: str) -> dict[str, str]:
        """Whether each waits or runs, by number, in what `watch` has printed."""
        ...

    def ask(self, job: str) -> tuple[str, ...]:
        """What tells how a job has ended."""
        ...

    def ending(self, output: str) -> str:
        """How it has ended, in words; empty where the scheduler does not know any more."""
        ...

    def cancel(self, job: str) -> tuple[str, ...]:
        """What ends a job."""
        ...


class Slurm:
    """https://slurm.schedmd.com/squeue.html and its neighbours."""

    def submit(self, order: Order) -> tuple[str, ...]:
        """Options win over the lines of the script."""
        return (
            *("sbatch", "--parsable", f"--job-name={order.name}", f"--nodes={order.size.nodes}"),
            f"--ntasks-per-node={order.size.ranks_per_node}",
            *((f"--cpus-per-task={order.cores}",) if order.cores else ()),
            *((f"--account={order.account}",) if order.account else ()),
            *((f"--time={order.time}",) if order.time else ()),
            *(f"--output={order.log}", str(order.script), *order.words),
        )

    def number(self, output: str) -> str:
        """`123`, or `123;cluster`."""
        found = re.match(r"\d+", output.strip())
        return found[0] if found else ""

    def watch(self, jobs: tuple[str, ...]) -> tuple[str, ...]:
        """Those that have ended are left out, or an error where all have."""
        return ("squeue", "--noheader", "--format=%A %T", f"--jobs={','.join(jobs)}")

    def living(self, output: str) -> dict[str, str]:
        """A job and its state in each line."""
        pairs = (line.split() for line in output.splitlines() if len(line.split()) == 2)
        return {job: PENDING if state == "PENDING" else RUNNING for job, state in pairs}

    def ask(self, job: str) -> tuple[str, ...]:
        """Slurm remembers ended jobs for some minutes."""
        return ("scontrol", "--oneliner", "show", "job", job)

    def ending(self, output: str) -> str:
        """The state, the exit status where there is one, and Slurm's reason."""
        told = dict(re.findall(r"\b(JobState|Reason|ExitCode)=(\S+)", output))
        state = told.get("JobState", "").lower().replace("_", " ")
        status = told.get("ExitCode", "0:0").partition(":")[0]
        reason = told.get("Reason", "None")
        more = [f"exit status {status}"] if status != "0" else []
        more += [reason] if reason not in {"None", "NonZeroExitCode"} else []
        return ", ".join([state, *more]) if state else ""

    def cancel(self, job: str) -> tuple[str, ...]:
        """Waiting or running."""
        return ("scancel", job)


class Lsf:
    """https://www.ibm.com/docs/en/spectrum-lsf; seen by nobody but its documentation yet."""

    def submit(self, order: Order) -> tuple[str, ...]:
        """Options win over the lines of the script; the ranks of a node are the script's."""
        return (
            *("bsub", "-J", order.name, "-nnodes", str(order.size.nodes)),
            *(("-P", order.account) if order.account else ()),
            *(("-W", order.time) if order.time else ()),
            *("-o", str(order.log), str(order.script), *order.words),
        )

    def number(self, output: str) -> str:
        """`Job <123> is submitted to queue <batch>.`"""
        found = re.search(r"Job <(\d+)>", output)
        return found[1] if found else ""

    def watch(self, jobs: tuple[str, ...]) -> tuple[str, ...]:
        """With a state each."""
        return ("bjobs", "-noheader", "-o", "jobid stat", *jobs)

    def living(self, output: str) -> dict[str, str]:
        """A job and its state in each line."""
        pairs = (line.split() for line in output.splitlines() if len(line.split()) == 2)
        return {
            job: PENDING if state == "PEND" else RUNNING
            for job, state in pairs
            if state not in {"DONE", "EXIT", "ZOMBI"}
        }

    def ask(self, job: str) -> tuple[str, ...]:
        """Its state, exit status and reason."""
        return ("bjobs", "-noheader", "-o", "stat exit_code exit_reason delimiter='|'", job)

    def ending(self, output: str) -> str:
        """All that LSF says."""
        state, _, rest = output.strip().partition("|")
        more = [part for part in rest.split("|") if part and part != "-"]
        known = {"EXIT": "failed", "DONE": "completed"}
        return ", ".join([known.get(state, state.lower()), *more]) if state else ""

    def cancel(self, job: str) -> tuple[str, ...]:
        """Waiting or running."""
        return ("bkill", job)


SCHEDULERS: dict[str, Scheduler] = {"slurm": Slurm(), "lsf": Lsf()}
