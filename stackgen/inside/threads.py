"""What settings with placeholders come to where a framework is loaded, in any Python from 3.6 on.

A setting may hold `{threads}`, the cores that a rank has; `{{` and `}}` stand for braces. Module files have
the same rules in Lua: modulefiles/threads.lua.j2.
"""

import re
import string
from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

PLACEHOLDERS = {"threads": "the cores of a rank"}
"""What may stand between braces in a setting, and what it means in a few words."""
LOCAL_RANKS = (
    *("OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_LOCAL_SIZE"),
    *("PALS_LOCAL_SIZE", "JSM_NAMESPACE_LOCAL_SIZE"),
)
"""How launchers tell the ranks of a node: Open MPI, Hydra (MPICH and Intel MPI), MVAPICH2, PALS, jsrun."""


class Processors(NamedTuple):
    """CPUs as Linux counts them."""

    allowed: int
    """Those that this process may run on."""
    online: int
    """Those of the machine."""
    siblings: int
    """Those of one core."""


class UnknownPlaceholderError(ValueError):
    """A setting has braces that are neither a placeholder nor doubled; the message says which."""


def pieces_of_setting(value: str) -> List[Tuple[str, str]]:
    """A setting's value as pairs of text and the placeholder after it, which is empty at the end.

    Raises UnknownPlaceholderError.
    """
    try:
        parsed = list(string.Formatter().parse(value))
    except ValueError:
        raise UnknownPlaceholderError("a brace stands alone") from None
    pieces = []
    for text, name, form, conversion in parsed:
        if name is not None and (name not in PLACEHOLDERS or form or conversion):
            what = name + ("!" + conversion if conversion else "") + (":" + form if form else "")
            raise UnknownPlaceholderError("{" + what + "} is no placeholder")
        pieces.append((text, name or ""))
    return pieces


def expanded(
    settings: Mapping[str, str], environ: Mapping[str, str], processors: Optional[Processors] = None
) -> Dict[str, str]:
    """What is to be set of some settings where nobody has set it; without what is not known there."""
    threads = threads_of_rank(environ, processors)
    known = {"threads": str(threads)} if threads else {}
    values = {name: expanded_setting(value, known) for name, value in settings.items() if name not in environ}
    return {name: value for name, value in values.items() if value is not None}


def expanded_setting(value: str, known: Mapping[str, str]) -> Optional[str]:
    """A setting's value with its placeholders filled; None where one is not known.

    What could not be asked for today, as in a release of an older stackgen, stays as it stands.
    """
    try:
        pieces = pieces_of_setting(value)
    except UnknownPlaceholderError:
        return value
    if not all(name in known for _, name in pieces if name):
        return None
    return "".join(text + known.get(name, "") for text, name in pieces)


def threads_of_rank(environ: Mapping[str, str], processors: Optional[Processors] = None) -> Optional[int]:
    """The cores that a rank has by the job that we are in; None where there is no job, or nobody can say.

    What the user asked for counts, else an even share of what the job has of the node, and never more than
    the affinity mask. Where the number of ranks is still open, a guess would overload the node.
    """
    asked = _count_in(environ, "SLURM_CPUS_PER_TASK")
    ranks = _ranks_of_node(environ)
    if asked:
        # A process elsewhere, such as the shell of an allocation, has a mask that says nothing of the job's.
        is_there = ranks or "SLURM_CPUS_ON_NODE" in environ
        return min(asked, processors.allowed) if processors and is_there else asked
    share = _even_share(environ, ranks, processors) if ranks else None
    known = [number for number in (_threads_told(environ), share) if number]
    return min(known) if known else None


def processors_here() -> Optional[Processors]:
    """What Linux says of this process and its machine; None where it does not."""
    places = (
        ("/proc/self/status", r"Cpus_allowed_list:\s*([0-9,-]+)"),
        ("/sys/devices/system/cpu/online", r"([0-9,-]+)"),
        ("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", r"([0-9,-]+)"),
    )
    counts = [_cpus_listed(path, pattern) for path, pattern in places]
    return Processors(counts[0], counts[1], counts[2] or 1) if counts[0] and counts[1] else None


def _cpus_listed(path: str, pattern: str) -> int:
    """How many CPUs a list in a file names, such as `0-3,8`; 0 where there is none."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            found = re.search(pattern, file.read())
    except OSError:
        return 0
    ranges = re.findall(r"([0-9]+)(?:-([0-9]+))?", found.group(1)) if found else []
    return sum(int(last or first) - int(first) + 1 for first, last in ranges)


def _threads_told(environ: Mapping[str, str]) -> Optional[int]:
    """What PBS and jsrun say of a rank: both fill OMP_NUM_THREADS themselves."""
    if "PBS_JOBID" in environ:
        return _count_in(environ, "OMP_NUM_THREADS") or _count_in(environ, "NCPUS")
    if "JSM_NAMESPACE_LOCAL_SIZE" in environ:
        return _count_in(environ, "OMP_NUM_THREADS")
    return None


def _even_share(environ: Mapping[str, str], ranks: int, processors: Optional[Processors]) -> Optional[int]:
    cpus = _cpus_of_node(environ) or (processors.online if processors else None)
    if not cpus:
        return None
    share = cpus // ranks
    if processors:
        share = min(share, processors.allowed) // processors.siblings
    return max(share, 1)


def _ranks_of_node(environ: Mapping[str, str]) -> Optional[int]:
    """The ranks that share this node; of a job that has not started them yet, those it asked for."""
    for name in LOCAL_RANKS:
        ranks = _count_in(environ, name)
        if ranks:
            return ranks
    if "SLURM_STEP_ID" in environ:
        return _most_in(environ, "SLURM_STEP_TASKS_PER_NODE")
    if "SLURM_NTASKS" in environ or "SLURM_NTASKS_PER_NODE" in environ:
        return _most_in(environ, "SLURM_TASKS_PER_NODE")
    return None


def _cpus_of_node(environ: Mapping[str, str]) -> Optional[int]:
    """The CPUs that the job has of a node; LSF lists them as `host1 40 host2 40`."""
    slurms = _count_in(environ, "SLURM_CPUS_ON_NODE")
    if slurms:
        return slurms
    slots = re.findall(r"[^ ]+ +([0-9]{1,6})(?= |\Z)", environ.get("LSB_MCPU_HOSTS", ""))
    return max(map(int, slots), default=0) or None


def _count_in(environ: Mapping[str, str], name: str) -> Optional[int]:
    """The positive number that a variable holds; None where it holds anything else."""
    text = environ.get(name, "")
    return int(text) or None if re.match(r"[0-9]{1,6}\Z", text) else None


def _most_in(environ: Mapping[str, str], name: str) -> Optional[int]:
    """The most of what Slurm counts by nodes, such as `2(x3),1`; None where it holds anything else."""
    parts = environ.get(name, "").split(",")
    counts = [re.match(r"([0-9]{1,6})(\(x[0-9]{1,6}\))?\Z", part) for part in parts]
    return max(int(count.group(1)) if count else 0 for count in counts) or None if all(counts) else None
