"""`batch`: the user's own script, submitted as it is, byte for byte."""

import os
import shlex
import sys
import tempfile
from typing import Dict, List, Optional, Sequence

from stackgen.inside.launcher.asking import ASKED, Asked, Job, asked_for, job_of
from stackgen.inside.launcher.description import Site, queue_named
from stackgen.inside.launcher.lsf import lsf_batch
from stackgen.inside.launcher.running import become, require_controller, require_program, require_scheduler
from stackgen.inside.launcher.slurm import slurm_batch
from stackgen.inside.launcher.times import clocked, lsf_time
from stackgen.inside.launcher.words import LauncherError, options_help, parsed, shown, tell

BATCH_HELP = """\
usage: {0} batch [options] SCRIPT [arguments]

Submit a job script as it is and print the number of the job; without SCRIPT, what comes by the input.
Lines of the script that begin with #SBATCH or #BSUB hold; options that are given here win over them.

{1}

  {0} batch job.sh
  {0} batch -N 4 -t 12 job.sh train.py --epochs 3"""
_MARKS = {"slurm": "#SBATCH", "lsf": "#BSUB"}
_PARTITION = {"slurm": ("-p", "--partition"), "lsf": ("-q",)}
_ACCOUNT = {"slurm": ("-A", "--account"), "lsf": ("-P",)}


def batch(site: Site, words: Sequence[str]) -> None:
    """Become the scheduler's command that submits a script."""
    found, script = parsed(words, ASKED)
    require_scheduler(site, script)
    content = _content(script)
    own = directives(content, _MARKS[site.scheduler])
    asked = asked_for(found)
    named = asked.partition or directive(own, _PARTITION[site.scheduler])
    given = _given(site, asked, named, own)
    by_input = not script or (site.scheduler == "lsf" and len(script) == 1)
    command = (slurm_batch if site.scheduler == "slurm" else lsf_batch)(given, [] if by_input else script)
    tell(shown(command) + (" < " + shlex.quote(script[0]) if by_input and script else ""))
    if "dry-run" in found:
        return
    require_program(site, command[0])
    require_controller(site)
    if by_input:
        _put_into_input(content)
    become(command)


def _content(script: Sequence[str]) -> bytes:
    """The bytes of the script."""
    if not script:
        if sys.stdin.isatty():
            raise LauncherError("no script is given; name one, such as job.sh")
        return sys.stdin.buffer.read()
    try:
        with open(script[0], "rb") as stream:
            return stream.read()
    except OSError as error:
        raise LauncherError(f"cannot read the script {script[0]}: {error.strerror}") from None


def _put_into_input(content: bytes) -> None:
    """Let a program that we become read this."""
    with tempfile.TemporaryFile() as stream:
        stream.write(content)
        stream.seek(0)
        os.dup2(stream.fileno(), 0)


def directives(content: bytes, mark: str) -> List[str]:
    """The options that a script gives itself, up to its first command."""
    words = []  # type: List[str]
    for line in content.decode("utf-8", "replace").splitlines():
        if line.startswith(mark + " "):
            try:
                words += shlex.split(line[len(mark) :], comments=True)
            except ValueError:  # it is for the scheduler to complain
                continue
        elif line.strip() and not line.startswith("#"):
            break
    return words


def directive(own: Sequence[str], names: Sequence[str]) -> Optional[str]:
    """The value of an option among a script's own; the last one holds."""
    value = None
    for index, word in enumerate(own):
        for name in names:
            if word == name and index + 1 < len(own):
                value = own[index + 1]
            elif name.startswith("--") and word.startswith(name + "="):
                value = word[len(name) + 1 :]
            elif not name.startswith("--") and word.startswith(name) and len(word) > 2 and word[1] != "-":
                value = word[2:]
    return value


def _given(site: Site, asked: Asked, named: Optional[str], own: Sequence[str]) -> List[str]:
    """What is said on the command line: what was given, and what another name for a partition stands for."""
    names = {queue.name for queue in site.queues}
    if asked.partition is None and named not in names:
        default = [queue.name for queue in site.queues if queue.default]
        if named is not None or not default:  # a partition that we do not know: the scheduler may
            return _written(site, asked, None, {})
        named = default[0]
    queue = queue_named(site, named)
    payer = asked.account or directive(own, _ACCOUNT[site.scheduler])
    job = job_of(site, asked._replace(partition=named, account=payer), os.environ)
    wanted = {name for name, value in asked._asdict().items() if value}
    if queue.name != queue.queue:  # in this name there is more than a partition
        wanted |= {"partition", "nodes", "gpus"} | ({"cores"} if queue.cores_per_gpu[0] else set())
    elif asked.cores and queue.cores_per_gpu[0]:
        wanted.add("gpus")
    return _written(site, asked, job, dict.fromkeys(wanted, True))


def _written(site: Site, asked: Asked, job: Optional[Job], wanted: Dict[str, bool]) -> List[str]:
    """The options in the scheduler's words."""
    if job is None:
        wanted = {name: bool(value) for name, value in asked._asdict().items()}
    nodes, ranks, gpus, cores, seconds = (
        (job.nodes, job.ranks, job.gpus, job.cores, job.seconds)
        if job
        else (asked.nodes, asked.ranks, asked.gpus, asked.cores, asked.seconds)
    )
    kind, queue = (job.queue.kind, job.queue.queue) if job else ("partition", asked.partition)
    slurm = (
        ("partition", f"--{kind}={queue}"),
        ("nodes", f"--nodes={nodes}"),
        ("ranks", f"--ntasks-per-node={ranks}"),
        ("gpus", f"--gres={site.gpus}:{gpus}"),
        ("cores", f"--cpus-per-task={cores}"),
        ("seconds", f"--time={clocked(seconds or 0)}"),
        ("account", f"--account={asked.account}"),
        ("reservation", f"--reservation={asked.reservation}"),
    )
    each = nodes if site.launch[0] == "jsrun" else (nodes or 1) * (ranks or 1)
    lsf = (
        ("partition", f"-q {queue}"),
        ("nodes", "{} {}".format("-nnodes" if site.launch[0] == "jsrun" else "-n", each)),
        ("seconds", f"-W {lsf_time(seconds or 0)}"),
        ("account", f"-P {asked.account}"),
        ("reservation", f"-U {asked.reservation}"),
    )
    if site.scheduler == "slurm":
        words = [text for name, text in slurm if wanted.get(name)]
    else:
        words = [word for name, text in lsf if wanted.get(name) for word in text.split(" ", 1)]
    options = job.queue.options if job and wanted.get("partition") else ()
    return [*words, *options, *asked.options]


def batch_help(site: Site) -> str:
    """How it is used."""
    return BATCH_HELP.format(site.namespace, options_help(ASKED))
