"""The program: `python3 probe.py > mysystem.yaml`, on the machine itself."""

import argparse
import os
import platform
import re
import sys
from pathlib import Path
from typing import Dict, List, Mapping, Tuple

from stackgen.probe.description import described
from stackgen.probe.document import document
from stackgen.probe.machine import capability_of, gpu
from stackgen.probe.processor import microarchitecture
from stackgen.probe.programs import Programs
from stackgen.probe.reading import Facts, found_in, is_line, text_of
from stackgen.probe.schedulers import scheduler_of, slurm_nodes

_HEADING = (
    "yaml-language-server: $schema=../schema/system.json",
    "",
    "Written by `stackgen probe` on the machine itself; what was looked for and not found is a comment.",
    "Processor, memory and GPUs are those of the node that it ran on: run it on a compute node.",
    "",
)

_NOT_FOUND = {
    "os": "no /etc/os-release: give the operating system as Spack names it, such as rhel8",
    "glibc": "the C library is not glibc, which the frameworks' wheels need",
    "target": "archspec knows no processors of this family",
    "interconnect": "neither Slingshot, Aries, Omni-Path nor InfiniBand in /sys and /proc",
    "compilers": "no compilers in the usual places or on PATH (load their modules first)",
    "externals": "no MPI, CUDA, Slurm or fabric library, there or on PATH (load their modules first)",
    "pythons": "no complete Python 3.9 or newer in the usual places or on PATH",
    "accelerators": "neither nvidia-smi nor /proc/driver/nvidia shows GPUs",
    "lmod": "no Lmod in the environment or in /usr/share/lmod",
}


def main(words: List[str], table: Mapping[str, Mapping[str, List[str]]]) -> int:
    """Print the system's file of this machine; `table` is archspec's."""
    parser = argparse.ArgumentParser(description="Print this machine as a system's file of stackgen.")
    parser.add_argument("--name", help="what people call the machine")
    arguments = parser.parse_args(words)
    if arguments.name is not None and not is_line(arguments.name):
        parser.error("the name is no line of text")
    programs = Programs(os.environ)
    facts, remarks = _probed(programs, table)
    facts["name"] = arguments.name or _own_name(programs)
    heading = [*_HEADING, *programs.remarks]
    return _printed(document(facts, remarks, heading))


def _printed(text: str) -> int:
    """The exit status; a full disk is told in a line."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python would try again at its end
        sys.stderr.write("cannot write the output: {}\n".format(error.strerror))
        return 1
    return 0


def _probed(
    programs: Programs, table: Mapping[str, Mapping[str, List[str]]]
) -> Tuple[Facts, Dict[str, List[str]]]:
    facts = described(os.environ, Path("/"), programs)
    cpuinfo = text_of(Path("/proc/cpuinfo"))
    facts["target"] = microarchitecture(cpuinfo, platform.machine(), table) or None
    facts["accelerators"] = asked_gpus(programs) or facts.get("accelerators")
    facts["user-namespaces"], namespaces = user_namespaces(programs, Path("/proc/sys"))
    scheduler, schedulers = scheduler_of(programs)
    if scheduler:
        facts["scheduler"] = scheduler
    remarks = {"user-namespaces": namespaces, "scheduler": schedulers}
    if scheduler.get("kind") == "slurm":
        facts["nodes"], remarks["nodes"] = _counted(facts["nodes"], programs)
    for key, remark in _NOT_FOUND.items():
        remarks.setdefault(key, [] if facts.get(key) else [remark])
    return facts, remarks


def _own_name(programs: Programs) -> str:
    cluster = found_in(r"^ClusterName\s*= (\S.*?)\s*$", programs("scontrol", "show", "config"))
    name = cluster or platform.node().split(".")[0]
    return re.sub(r"[^A-Za-z0-9_.-]", "-", name) or "unnamed"


def asked_gpus(programs: Programs) -> List[Facts]:
    """The GPUs that nvidia-smi lists, counted by model; older ones do not tell the capability."""
    query, form = "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"
    if not programs.has("nvidia-smi"):
        return []
    answer = programs("nvidia-smi", query + ",compute_cap", form) or programs("nvidia-smi", query, form)
    lines = [[part.strip() for part in line.split(",")] for line in answer.split("\n")]
    rows = [tuple(line) for line in lines if len(line) in (3, 4) and is_line(line[0])]
    return [_asked_gpu(row, rows.count(row)) for row in sorted(set(rows))]


def _asked_gpu(row: Tuple[str, ...], count: int) -> Facts:
    model, megabytes, driver = row[:3]
    told = row[3] if len(row) == 4 and re.match(r"[0-9]{1,2}\.[0-9]$", row[3]) else ""
    memory = "{} GiB".format(round(int(megabytes) / 1024)) if megabytes.isdigit() else ""
    told_driver = driver if re.match(r"[0-9]{3}(\.[0-9]{1,3}){1,2}$", driver) else ""
    return gpu(model, count, told or capability_of(model), memory, told_driver)


def user_namespaces(programs: Programs, settings: Path) -> Tuple[object, List[str]]:
    """Whether users may make namespaces: the kernel's settings, then a trial; None where nobody can say."""
    forbidding = (
        ("user/max_user_namespaces", "0"),
        ("kernel/unprivileged_userns_clone", "0"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1"),
    )
    for name, value in forbidding:
        if text_of(settings / name).strip() == value:
            return False, ["{} is {}".format(name.replace("/", "."), value)]
    if not programs.has("unshare"):
        return None, ["no unshare to try user namespaces with"]
    answer = programs("unshare", "--user", "--map-root-user", "echo", "works")
    return answer.strip() == "works", []


def _counted(node: object, programs: Programs) -> Tuple[object, List[str]]:
    """This node, with how many Slurm has of it by sockets and cores, and all kinds that Slurm has."""
    kinds = slurm_nodes(programs)
    remarks = [
        "Slurm has {} nodes with {} sockets, {} cores, {}{}".format(
            count, kind["sockets"], kind["cores"], kind["memory"], ", " + gres if gres else ""
        )
        for count, kind, gres in kinds
    ]
    if not isinstance(node, dict):
        return node, remarks
    same = [
        count
        for count, kind, _ in kinds
        if (kind["sockets"], kind["cores"]) == (node.get("sockets", 1), node.get("cores"))
    ]
    return (dict([("count", sum(same)), *node.items()]) if same else node), remarks
