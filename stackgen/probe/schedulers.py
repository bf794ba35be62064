"""What schedulers say of their partitions and nodes, in the words of a system's file."""

import re
from collections import Counter
from typing import Dict, List, Tuple

from stackgen.probe.programs import Programs
from stackgen.probe.reading import Facts, found_in, is_line

_Partitions = Dict[str, Facts]


def scheduler_of(programs: Programs) -> Tuple[Facts, List[str]]:
    """The scheduler with its partitions, and what to remark on; nothing where none is found."""
    for program, asked in (("scontrol", _slurm), ("bqueues", _lsf), ("cqstat", _cobalt), ("qstat", _pbs)):
        if programs.has(program):
            kind, partitions, remarks = asked(programs)
            facts: Facts = {"kind": kind, "partitions": partitions}
            return (facts if partitions or kind == "cobalt" else {}), remarks
    return {}, ["none of scontrol, bqueues, cqstat and qstat is here: no scheduler"]


_Answer = Tuple[str, _Partitions, List[str]]


def _slurm(programs: Programs) -> _Answer:
    partitions, remarks = slurm_partitions(programs("scontrol", "--oneliner", "show", "partition"))
    for name, facts in slurm_shares(programs("sinfo", "--noheader", "--format=%c|%G|%R")).items():
        if name in partitions:
            partitions[name] = dict([*partitions[name].items(), *facts.items()])
    return "slurm", partitions, remarks if partitions else [*remarks, "Slurm's scontrol shows no partitions"]


def slurm_partitions(answer: str) -> Tuple[_Partitions, List[str]]:
    """The partitions in the answer of `scontrol --oneliner show partition`."""
    partitions: _Partitions = {}
    remarks: List[str] = []
    for line in answer.split("\n"):
        name = found_in(r"^PartitionName=(.*?)(?: [A-Z][A-Za-z]*=|$)", line)
        total = int(found_in(r" TotalNodes=([0-9]+)", line) or 0)
        if not is_line(name):
            remarks += ["a partition whose name is no plain line is left out"] if line else []
        elif not total:
            remarks.append("the partition {} has no nodes and is left out".format(name))
        else:
            least = max(int(found_in(r" MinNodes=([0-9]+)", line) or 1), 1)
            most = min(int(found_in(r" MaxNodes=([0-9]+)", line) or total), total)
            partitions[name] = _partition(least, most, found_in(r" MaxTime=([0-9][0-9:-]*)", line))
            if " Default=YES" in line[len("PartitionName=" + name) :]:
                partitions[name]["default"] = True
    return partitions, remarks


def slurm_shares(answer: str) -> _Partitions:
    """What the nodes of each partition have at least: its CPUs, as Slurm counts them, and its GPUs."""
    shares: Dict[str, List[Tuple[int, int]]] = {}
    for line in answer.split("\n"):
        cpus, _, rest = line.strip().partition("|")
        gres, _, name = rest.partition("|")
        number = found_in(r"^([1-9][0-9]{0,5})\+?$", cpus)
        if number:
            shares.setdefault(name, []).append((int(number), _gpus(gres)))
    some_have_gpus = any(gpus for kinds in shares.values() for _, gpus in kinds)
    found: _Partitions = {}
    for name, kinds in shares.items():
        found[name] = {"cores": min(cpus for cpus, _ in kinds)}
        if some_have_gpus:
            found[name]["gpus"] = min(gpus for _, gpus in kinds)
    return found


def _gpus(gres: str) -> int:
    """The GPUs in `gpu:v100:4(S:0-1),gpu:2,nvme:1`."""
    plain = re.sub(r"\(.*?\)", "", gres)
    return sum(int(number) for number in re.findall(r"(?:^|,)gpu(?::[^,:]+)?:([0-9]{1,3})(?=,|$)", plain))


def _partition(least: int, most: int, time: str) -> Facts:
    facts: Facts = {"nodes": "{}..{}".format(least, most) if least < most else str(most)}
    if re.match(r"([0-9]+-)?[0-9]{1,3}:[0-9]{2}(:[0-9]{2})?$", time):
        facts["time"] = time
    return facts


def slurm_nodes(programs: Programs) -> List[Tuple[int, Facts, str]]:
    """How many nodes of each kind Slurm has, what each has, and its GPUs as `gpu:v100:4`."""
    kinds: Counter[str] = Counter()
    for line in sorted(set(programs("sinfo", "--noheader", "--Node", "--format=%N|%X|%Y|%m|%G").split("\n"))):
        node, _, rest = line.partition("|")
        kinds.update([rest] if node and rest.count("|") == 3 else [])
    return [kind for text, count in sorted(kinds.items()) for kind in _node_kind(text, count)]


def _node_kind(text: str, count: int) -> List[Tuple[int, Facts, str]]:
    sockets, cores, megabytes, gres = [re.sub(r"\+$", "", part.strip()) for part in text.split("|")]
    if not (sockets.isdigit() and cores.isdigit() and megabytes.isdigit() and int(sockets) and int(cores)):
        return []
    facts: Facts = {"sockets": int(sockets), "cores": int(sockets) * int(cores)}
    facts["memory"] = "{} GiB".format(max(round(int(megabytes) / 1024), 1))
    return [(count, facts, "" if gres in ("(null)", "") else re.sub(r"\(.*?\)", "", gres))]


def _lsf(programs: Programs) -> _Answer:
    hosts = [line.split() for line in programs("bhosts", "-w").split("\n")[1:]]
    count = len([words for words in hosts if len(words) > 3 and words[3] != "0"])
    partitions = lsf_queues(programs("bqueues", "-l"), count)
    unasked, nothing = (
        "LSF's limits on the number of nodes are not asked: check them",
        "LSF's bqueues shows no queues",
    )
    return "lsf", partitions, [unasked if partitions else nothing]


def lsf_queues(answer: str, hosts: int) -> _Partitions:
    """The queues in the answer of `bqueues -l`, any of which may use all hosts."""
    partitions: _Partitions = {}
    for block in re.split(r"^QUEUE: ", answer, flags=re.MULTILINE)[1:]:
        name, minutes = (
            block.split("\n")[0].strip(),
            found_in(r"RUNLIMIT\s*\n\s*([0-9]+)(?:\.[0-9]+)? min", block),
        )
        if is_line(name):
            partitions[name] = _partition(1, max(hosts, 1), _hours(int(minutes)) if minutes else "")
    return partitions


def _hours(minutes: int) -> str:
    if minutes >= 1000 * 60:
        return "{}-{:02d}:{:02d}:00".format(minutes // 1440, minutes % 1440 // 60, minutes % 60)
    return "{:02d}:{:02d}:00".format(minutes // 60, minutes % 60)


def _cobalt(_: Programs) -> _Answer:
    return "cobalt", {}, ["Cobalt's queues are not asked: `cqstat -q` lists them"]


def _pbs(programs: Programs) -> _Answer:
    queues = pbs_queues(programs("qstat", "-Q", "-f"))
    return "pbs", queues, [] if queues else ["qstat shows no queue with a limit on nodes"]


def pbs_queues(answer: str) -> _Partitions:
    """The queues with a limit on nodes in the answer of `qstat -Q -f`."""
    partitions: _Partitions = {}
    for block in re.split(r"^Queue:? ", answer, flags=re.MULTILINE)[1:]:
        name = block.split("\n")[0].strip()
        most = found_in(r"resources_max\.node(?:ct|s) = ([0-9]+)", block)
        least = found_in(r"resources_min\.node(?:ct|s) = ([0-9]+)", block) or "1"
        if is_line(name) and int(most or 0):
            time = found_in(r"resources_max\.walltime = ([0-9:]+)", block)
            partitions[name] = _partition(max(min(int(least), int(most)), 1), int(most), time)
    return partitions
