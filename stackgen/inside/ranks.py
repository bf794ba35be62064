"""What launchers and schedulers tell a process of its rank: for Python 3.6, no effects.

What is known of each launcher was recorded from real ones (Slurm 22.05, Open MPI 4.1, MPICH 4.0) or is as
documented: https://slurm.schedmd.com/srun.html#SECTION_OUTPUT-ENVIRONMENT-VARIABLES,
https://docs.open-mpi.org/en/main/tuning-apps/environment-var.html,
https://www.ibm.com/docs/en/spectrum-lsf/10.1.0?topic=variables-environment-variable-reference,
https://cpe.ext.hpe.com/docs/24.11/pals/index.html
"""

import re
from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

ONE_NODE = "127.0.0.1"
"""Where the ranks of a single node meet, whatever that node is called."""

_LISTS = ("PBS_NODEFILE", "LSB_DJOB_HOSTFILE")


class Ranks(NamedTuple):
    """One rank among several, as its launcher numbers them."""

    rank: int
    size: int
    local_rank: int
    local_size: int
    nodes: Tuple[str, ...]
    """In the order of the ranks; nothing where that is not known."""
    places: Tuple[int, ...]
    """By rank, the index of its node; nothing where that is not known."""
    job: str
    """Tells this run from others on the same nodes; the same for all of its ranks."""


def ranks(environ: Mapping[str, str]) -> Optional[Ranks]:
    """What the innermost launcher says, of a rank that is alone, too; None where this is no rank."""
    for read in (_jsrun, _open_mpi, _hydra, _pals, _slurm):
        found = read(environ)
        if found is not None:
            sound = 0 <= found.rank < found.size and 0 <= found.local_rank < found.local_size
            # One alone meets itself, and is no cluster for TensorFlow.
            whole = found if found.size > 1 else found._replace(nodes=(ONE_NODE,), places=())
            return whole if sound else None
    return None


def hosts(text: str) -> List[str]:
    """The names in a node list of Slurm's: `n[1-3,07-09],a-[1-2]b[3-4]`; nothing where it cannot be read."""
    found: List[str] = []
    for part in re.findall(r"(?:[^,\[\]]|\[[^\[\]]*\])+", text):
        names = [""]
        for plain, ranges in re.findall(r"([^\[\]]+)|\[([^\[\]]*)\]", part):
            ends = [plain] if plain else _numbers(ranges)
            names = [name + end for name in names for end in ends]
        found += [name.strip() for name in names]
    return found


def counts(text: str) -> List[int]:
    """Slurm's numbers of tasks by node: `2(x3),1` is 2, 2, 2, 1."""
    found: List[int] = []
    for part in text.split(","):
        match = re.match(r"^([0-9]{1,9})(?:\(x([0-9]{1,6})\))?$", part.strip())
        if not match:
            return []
        found += [int(match.group(1))] * int(match.group(2) or 1)
    return found


def _slurm(environ: Mapping[str, str]) -> Optional[Ranks]:
    """A task of `srun`. A batch script has SLURM_PROCID as well, but it is no step."""
    rank, local = _number(environ, "SLURM_PROCID"), _number(environ, "SLURM_LOCALID")
    size = _number(environ, "SLURM_STEP_NUM_TASKS")
    if rank is None or local is None or size is None or "SLURM_STEP_ID" not in environ:
        return None
    nodes = tuple(hosts(environ.get("SLURM_STEP_NODELIST", "")))
    tasks = counts(environ.get("SLURM_STEP_TASKS_PER_NODE", ""))
    own = _number(environ, "SLURM_NODEID") or 0
    fits = len(tasks) == len(nodes) and sum(tasks) == size and own < len(tasks)
    places = _placed(tasks, environ) if fits else ()
    if not places or places[rank if rank < size else 0] != own:
        places = ()
    first_is_known = rank > 0 or own == 0
    return Ranks(
        rank=rank,
        size=size,
        local_rank=local,
        local_size=tasks[own] if fits else len(environ.get("SLURM_GTIDS", "0").split(",")),
        nodes=_meeting(nodes) if first_is_known else (),
        places=places,
        job="{}.{}".format(environ.get("SLURM_JOB_ID", ""), environ["SLURM_STEP_ID"]),
    )


def _placed(tasks: List[int], environ: Mapping[str, str]) -> Tuple[int, ...]:
    """By rank, the index of its node, as Slurm has dealt them out; nothing where it does not say how."""
    how = re.split("[:,]", environ.get("SLURM_DISTRIBUTION", "block"))[0]
    at_once = {"block": max(tasks), "cyclic": 1, "plane": _number(environ, "SLURM_DIST_PLANESIZE")}.get(how)
    if not at_once:
        return ()
    left, places = list(tasks), []  # type: List[int], List[int]
    while any(left):
        for node, free in enumerate(left):
            dealt = min(free, at_once)
            left[node] -= dealt
            places += [node] * dealt
    return tuple(places)


def _open_mpi(environ: Mapping[str, str]) -> Optional[Ranks]:
    """A process of Open MPI's `mpirun`, or of Spectrum MPI's; under Slurm the step is that of its daemons."""
    numbers = _four(environ, "OMPI_COMM_WORLD_{}", "RANK", "SIZE", "LOCAL_RANK", "LOCAL_SIZE")
    if numbers is None:
        return None
    wanted = _number(environ, "OMPI_MCA_orte_num_nodes")
    by_slot = environ.get("OMPI_MCA_rmaps_base_mapping_policy", "slot").startswith(("slot", "core"))
    nodes = _chosen(numbers, _allocated(environ), wanted)
    nodes = _borne_out(numbers[0], nodes, environ.get("SLURMD_NODENAME", ""))
    run = environ.get("PMIX_NAMESPACE", environ.get("OMPI_MCA_ess_base_jobid", ""))
    return _in_blocks(numbers, nodes if by_slot else nodes[:1], "{}.{}".format(_scheduled(environ), run))


def _hydra(environ: Mapping[str, str]) -> Optional[Ranks]:
    """A process of Hydra's `mpiexec`: MPICH's, Intel's, MVAPICH's."""
    names = "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"
    numbers = _four(environ, "{}", *names)
    if numbers is None:
        return None
    # Slurm's step is then the one of Hydra's own proxies, one a node.
    wanted = _number(environ, "SLURM_STEP_NUM_TASKS")
    nodes = _chosen(numbers, list(reversed(_allocated(environ))), wanted)
    nodes = _borne_out(numbers[0], nodes, environ.get("MPIR_CVAR_CH3_INTERFACE_HOSTNAME", ""))
    return _in_blocks(numbers, nodes, _scheduled(environ))


def _pals(environ: Mapping[str, str]) -> Optional[Ranks]:
    """A process of Cray's PALS, which sets PMI's size as well."""
    names = "PALS_RANKID", "PMI_SIZE", "PALS_LOCAL_RANKID", "PALS_LOCAL_SIZE"
    numbers = _four(environ, "{}", *names) or _four(environ, "{}", names[0], "PALS_SIZE", *names[2:])
    if numbers is None:
        return None
    return _in_blocks(
        numbers, _chosen(numbers, _allocated(environ), None), environ.get("PALS_APID", _scheduled(environ))
    )


def _jsrun(environ: Mapping[str, str]) -> Optional[Ranks]:
    """A process of LSF's `jsrun`; the first host of its jobs has one slot and is where their script runs."""
    numbers = _four(environ, "JSM_NAMESPACE_{}", "RANK", "SIZE", "LOCAL_RANK", "LOCAL_SIZE")
    if numbers is None:
        return None
    slots = lsf_slots(environ)
    names = list(slots)
    several = [name for name in names[1:] if slots[name] > 1]
    launching = bool(several) and slots[names[0]] == 1
    nodes = names[1:] if launching else []
    uniform = numbers[1] == numbers[3] * len(nodes)
    known = (ONE_NODE,) if numbers[1] == numbers[3] else tuple(nodes if uniform else nodes[:1])
    return _in_blocks(numbers, known, _scheduled(environ))


def _in_blocks(numbers: Tuple[int, int, int, int], nodes: Tuple[str, ...], job: str) -> Ranks:
    """Ranks of which each node has equally many, one after the other, where the own numbers bear that out."""
    rank, size, local_rank, local_size = numbers
    even = local_size > 0 and len(nodes) * local_size == size and rank % local_size == local_rank
    places = tuple(other // local_size for other in range(size)) if even else ()
    return Ranks(rank, size, local_rank, local_size, nodes, places, job)


def _chosen(
    numbers: Tuple[int, int, int, int], lists: List[List[str]], wanted: Optional[int]
) -> Tuple[str, ...]:
    """The first list of nodes that has as many as there must be; nothing where there is none."""
    size, local_size = numbers[1], numbers[3]
    if size == local_size:
        return (ONE_NODE,)
    if wanted is None and local_size and size % local_size == 0:
        wanted = size // local_size
    return next((tuple(nodes) for nodes in lists if len(nodes) == wanted), ())


def _borne_out(rank: int, nodes: Tuple[str, ...], here: str) -> Tuple[str, ...]:
    """The nodes, but for rank 0 where it knows that it is not on the first of them."""
    if rank or not here or nodes[:1] == (ONE_NODE,):
        return nodes
    return nodes if nodes and nodes[0].split(".")[0] == here.split(".", maxsplit=1)[0] else ()


def _meeting(nodes: Tuple[str, ...]) -> Tuple[str, ...]:
    return (ONE_NODE,) if len(nodes) == 1 else nodes


def _allocated(environ: Mapping[str, str]) -> List[List[str]]:
    """The lists of nodes that a scheduler gives: of the job, and of a step of Slurm's."""
    names = ("SLURM_JOB_NODELIST", "SLURM_STEP_NODELIST")
    lists = [hosts(environ[name]) for name in names if environ.get(name)]
    lists += [list(_counted(_lines(environ[name]))) for name in _LISTS if environ.get(name)]
    return [nodes for nodes in [*lists, list(lsf_slots(environ))] if nodes]


def lsf_slots(environ: Mapping[str, str]) -> Dict[str, int]:
    """LSF's hosts in order, with their slots."""
    words = environ.get("LSB_MCPU_HOSTS", "").split()
    if words and len(words) % 2 == 0 and all(word.isdigit() for word in words[1::2]):
        return dict(zip(words[::2], map(int, words[1::2])))
    file = environ.get("LSB_DJOB_HOSTFILE", "")
    return _counted((_lines(file) if file else []) or environ.get("LSB_HOSTS", "").split())


def _counted(names: List[str]) -> Dict[str, int]:
    found: Dict[str, int] = {}
    for name in names:
        found[name] = found.get(name, 0) + 1
    return found


def _lines(path: str) -> List[str]:
    try:
        with open(path) as file:
            return file.read().split()
    except (OSError, ValueError):
        return []


def _scheduled(environ: Mapping[str, str]) -> str:
    names = ("SLURM_JOB_ID", "LSB_JOBID", "PBS_JOBID")
    index = environ.get("LSB_JOBINDEX", "0")
    return next((environ[name] for name in names if environ.get(name)), "") + ("." + index) * (index != "0")


def _four(environ: Mapping[str, str], form: str, *names: str) -> Optional[Tuple[int, int, int, int]]:
    found = [_number(environ, form.format(name)) for name in names]
    known = [number for number in found if number is not None]
    return (known[0], known[1], known[2], known[3]) if len(known) == 4 else None


def _number(environ: Mapping[str, str], *names: str) -> Optional[int]:
    texts = (environ.get(name, "") for name in names)
    return next((int(text) for text in texts if re.match("^[0-9]{1,9}$", text)), None)


def _numbers(ranges: str) -> List[str]:
    """What Slurm's brackets hold: `1-3,07-09`."""
    found: List[str] = []
    for part in ranges.split(","):
        match = re.match(r"^\s*(\d+)(?:-(\d+))?\s*$", part)
        if match:
            first, last = match.group(1), match.group(2) or match.group(1)
            found += [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
    return found
