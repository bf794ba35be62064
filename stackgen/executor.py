"""Where the parts of a build run: on this machine, or on nodes that Slurm gives, a job a part."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from stackgen.errors import InputError, WorkError
from stackgen.run import Command, Outcome

PATIENCE = 20.0
"""Seconds that Slurm's own programs have to give a job back when they are told to end."""
GOES_ON = "run the same command again: what is finished is kept"

_PASSED = ("HOME", "LANG", "LOGNAME", "PATH", "SSL_CERT_FILE", "STACKGEN_SITE", "STACKGEN_SPACK", "USER")
_OURS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
# What users say to srun by variables; all others that begin so describe a job that we may be in ourselves.
_SLURMS = ("ACCOUNT", "CLUSTERS", "CONF", "CONF_SERVER", "CONSTRAINT", "GPUS_PER_NODE", "GRES", "PARTITION")
_SLURMS_TOO = ("QOS", "RESERVATION", "TIMELIMIT", "WCKEY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """This machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slurm:
    """Nodes of a partition; of Slurm's own choice where none is named."""

    partition: str = ""
    nodes: int = 0
    """At once, at most; as many as are useful where 0."""

    def __str__(self) -> str:
        return f"Slurm's partition {self.partition}" if self.partition else "Slurm's default partition"


Executor = Local | Slurm


def executor(text: str, nodes: int = 0) -> Executor:
    """What `--executor TEXT --nodes N` means: `local`, `slurm` or `slurm:PARTITION`; InputError otherwise."""
    kind, colon, partition = text.partition(":")
    if kind == "slurm" and (not colon or re.fullmatch(r"[\w.,-]+", partition)):
        return Slurm(partition=partition, nodes=nodes)
    if text != "local":
        raise InputError.of(*_refusal(kind, text), where="--executor")
    if nodes:
        what = "the number of nodes says nothing where all is built on this machine"
        raise InputError.of(what, "leave it out, or add --executor slurm", where="--nodes")
    return Local()


def _refusal(kind: str, text: str) -> tuple[str, str]:
    if kind == "lsf":
        remedy = "start stackgen itself on a node of the target, as by `bsub -Is stackgen build ENV.yaml`"
        return "builds are spread over nodes by Slurm alone, not by LSF", remedy
    if kind == "slurm":
        return f"`{text}` names no partition", "write slurm, or slurm:PARTITION; `sinfo -s` lists them"
    return f"`{text}` is nothing that builds", "write local, slurm or slurm:PARTITION"


def job_name(environment: str) -> str:
    """What Slurm calls every job of an environment's build."""
    return f"stackgen-{environment}"


def caller_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """What Slurm's programs, and stackgen on a node, are to have of the caller's environment."""
    names = {*_PASSED, *_OURS, *(f"SLURM_{name}" for name in (*_SLURMS, *_SLURMS_TOO))}
    return {"PATH": os.defpath, **{name: text for name, text in environ.items() if name in names}}


def on_node(command: Command, slurm: Slurm, name: str, comment: str) -> Command:
    """The same command as a job of its own: a whole node, its output told as it comes.

    `comment` is how the job is found again by whoever looks for it.
    """
    partition = (f"--partition={slurm.partition}",) if slurm.partition else ()
    words = (
        *("srun", f"--job-name={name}", f"--comment={comment}", *partition),
        *("--nodes=1", "--ntasks=1", "--exclusive", "--mem=0", "--cpu-bind=none", "--mpi=none"),
        *("--export=ALL", "--input=none", "--unbuffered", f"--chdir={command.directory}"),
    )
    return replace(command, argv=(*words, *command.argv), patience=PATIENCE)


def waits(line: str) -> str:
    """The number of a job that has to wait, as a line of srun's tells it; else nothing."""
    found = re.fullmatch(r"srun: job (\d+) queued and waiting for resources", line)
    return found[1] if found else ""


def why_waiting(job: str, directory: Path, environment: Mapping[str, str]) -> Command:
    """The question why a job waits, in a word of Slurm's."""
    words = ("squeue", f"--jobs={job}", "--noheader", "--states=PENDING", "--format=%r")
    return Command(argv=words, environment=environment, directory=directory, timeout=60)


def jobs_named(name: str, directory: Path, environment: Mapping[str, str]) -> Command:
    """The question which of the caller's jobs have this name: lines of number, state and comment."""
    words = ("squeue", f"--user={os.getuid()}", f"--name={name}", "--noheader", "--format=%A|%t|%k")
    return Command(argv=words, environment=environment, directory=directory, timeout=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a job came to an end that was not its program's own."""

    what: str
    """Goes on after `the job 12 on n1`."""
    remedy: str


_ENDINGS = (
    (
        r"DUE TO TIME LIMIT",
        "reached its time limit",
        "allow more, as by SLURM_TIMELIMIT=8:00:00, and " + GOES_ON,
    ),
    (r"NODE FAILURE|Node failure|Communication connection failure", "was lost with its node", GOES_ON),
    (r"oom[-_ ]kill|Out Of Memory", "ran out of memory", "give fewer --jobs, and " + GOES_ON),
    (r"DUE TO PREEMPTION", "had to make room for another job", GOES_ON),
    (r"CANCELLED|Force Terminated|job \d+ has been revoked|Job allocation \d+ has", "was cancelled", GOES_ON),
)


def ending(outcome: Outcome) -> Ending | None:
    """What Slurm says of a job that it has ended itself."""
    for pattern, what, remedy in _ENDINGS:
        if re.search(pattern, outcome.stderr):
            return Ending(what=what, remedy=remedy)
    return None


def refusal(outcome: Outcome, slurm: Slurm) -> WorkError:
    """Why Slurm has not started a job, in its own words where there are no better ones."""
    said, text = tuple(_said(outcome.stderr)), outcome.stderr
    if re.search(r"[Ii]nvalid partition", text):
        what = f"Slurm has no partition {slurm.partition}"
        return WorkError(what, "`sinfo -s` lists those that it has", details=outcome.stderr)
    if re.search(r"contact slurm controller|configuration source|slurm_load_|Connection refused", text):
        remedy = "see `scontrol ping`, and try again; or build here, without --executor"
        return WorkError("Slurm's controller does not answer", remedy, details=outcome.stderr)
    if place := re.search(r"execve\(\): (\S+): No such file", text):
        what = f"{place[1]} is not there on the nodes"
        return WorkError(
            what, "install stackgen on a file system that all nodes share", details=outcome.stderr
        )
    if ended := re.search(r"srun: error: (\S+): task 0: (Exited with exit code \d+|[A-Z][\w ]+)", text):
        remedy = "install it on a file system that all nodes share, with the Python that it runs on"
        said = tuple(line for line in text.splitlines() if not line.startswith("srun: "))
        last = said[-1].strip() if said else ended[2]
        return WorkError(f"stackgen does not start on {ended[1]}: {last}", remedy, details=text)
    words = next((line for line in said if "Unable to allocate" in line), said[-1] if said else "")
    words = words.removeprefix("Unable to allocate resources: ") or f"exit status {outcome.status}"
    remedy = "say what it needs by srun's variables, such as SLURM_ACCOUNT and SLURM_TIMELIMIT"
    return WorkError(f"Slurm starts no job: {words}", remedy, details=outcome.stderr)


def _said(stderr: str) -> Iterator[str]:
    for line in stderr.splitlines():
        if said := re.match(r"(?:srun|slurmstepd|squeue): (?:error: |fatal: )?(.+)", line):
            yield said[1].strip()
