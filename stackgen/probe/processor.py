"""The microarchitecture, by the rules of archspec and its table; cores, sockets and memory."""

import os
import re
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Set, Tuple

from stackgen.probe.reading import Facts, matching, text_of


class Target:
    """A microarchitecture that archspec knows."""

    def __init__(self, name: str, row: List[str]) -> None:
        self.name = name
        self.parents, self.features = row[0].split(), set(row[4].split())
        self.vendor, self.generation, self.part = row[1], int(row[2]), row[3]


Ancestry = Dict[str, Set[str]]


def microarchitecture(cpuinfo: str, machine: str, table: Mapping[str, Mapping[str, List[str]]]) -> str:
    """archspec's name for a processor, from /proc/cpuinfo and `uname -m`; empty for an unknown family.

    The best of the generic targets that the processor serves, or the best that descends from it: a feature
    that is switched off does not make a processor a much older one. `table` has archspec's `targets` and the
    `vendors` of Arm processors by their codes.
    """
    targets = {name: Target(name, row) for name, row in table["targets"].items()}
    if machine not in targets:
        return ""
    ancestry: Ancestry = {}
    for name in targets:
        ancestry[name] = _ancestors(name, targets)
    family = [target for target in targets.values() if machine in ancestry[target.name] | {target.name}]
    values = _first_processor(cpuinfo)
    vendors = {code: row[0] for code, row in table["vendors"].items()}
    part = values.get("CPU part", "") if machine == "aarch64" else ""
    return _best([target for target in family if _serves(values, machine, target, vendors)], ancestry, part)


def _ancestors(name: str, targets: Mapping[str, Target]) -> Set[str]:
    found: Set[str] = set()
    for parent in targets[name].parents:
        found |= {parent} | _ancestors(parent, targets)
    return found


def _first_processor(cpuinfo: str) -> Dict[str, str]:
    values: Dict[str, str] = {}
    for line in cpuinfo.split("\n"):
        key, colon, value = line.partition(":")
        if values and not colon:
            break
        values[key.strip()] = value.strip()
    return values


def _serves(values: Mapping[str, str], machine: str, target: Target, vendors: Mapping[str, str]) -> bool:
    """Whether a processor, as /proc/cpuinfo has it, can run what is built for a target of its family."""
    if machine == "ppc64le":
        generation = re.search(r"POWER([0-9]+)", values.get("cpu", ""))
        return target.generation <= (int(generation.group(1)) if generation else 0)
    if machine == "riscv64":
        return target.vendor == "generic" or target.name == _riscv_name(values)
    if machine == "aarch64":
        if target.vendor == "generic" and target.name != machine:
            return False  # the versions of the architecture do not follow from the features
        code = values.get("CPU implementer", "generic")
        vendor, features = vendors.get(code, code), values.get("Features", "").split()
    else:
        vendor, features = values.get("vendor_id", "generic"), values.get("flags", "").split()
    had = set(features) | ({"sse3"} if "ssse3" in features else set())  # Linux calls it pni, and ssse3 has it
    return target.vendor in (vendor, "generic") and target.features <= had


def _riscv_name(values: Mapping[str, str]) -> str:
    if values.get("uarch") == "sifive,u74-mc":
        return "u74mc"
    if values.get("uarch") == "spacemit,x60" or values.get("model name") == "Spacemit(R) X60":
        return "x60"
    return values.get("uarch", "riscv64")


def _best(served: List[Target], ancestry: Ancestry, part: str) -> str:
    def richness(target: Target) -> Tuple[int, int]:
        return len(ancestry[target.name]), len(target.features)

    generic = max([target for target in served if target.vendor == "generic"], key=richness)
    same_part = [target for target in served if part and target.part == part]
    better = [target for target in same_part or served if generic.name in ancestry[target.name]]
    return max(better, key=richness).name if better else generic.name


def node_of(proc: Path, cpus: Optional[Path] = None) -> Facts:
    """Cores, sockets and memory in whole GiB, from /proc or else from /sys/devices/system/cpu."""
    facts: Facts = {}
    cores = _cores_in_cpuinfo(text_of(proc / "cpuinfo")) or (_cores_in_topology(cpus) if cpus else [])
    if cores:
        facts["sockets"] = len({socket for socket, _ in cores})
    facts["cores"] = len(set(cores)) or os.cpu_count() or 1
    kilobytes = re.search(r"^MemTotal:\s+([0-9]+) kB", text_of(proc / "meminfo"), re.MULTILINE)
    if kilobytes:
        facts["memory"] = "{} GiB".format(max(round(int(kilobytes.group(1)) / 2**20), 1))
    return facts


def _cores_in_cpuinfo(cpuinfo: str) -> List[Tuple[str, str]]:
    """Socket and core of every thread; nothing where any lacks one."""
    sockets = re.findall(r"^physical id\s*:\s*([0-9]+)", cpuinfo, re.MULTILINE)
    cores = re.findall(r"^core id\s*:\s*([0-9]+)", cpuinfo, re.MULTILINE)
    return list(zip(sockets, cores)) if len(sockets) == len(cores) else []


def _cores_in_topology(cpus: Path) -> List[Tuple[str, str]]:
    threads = matching(cpus, "cpu[0-9]*/topology")
    names = ("physical_package_id", "core_id")
    found = [(text_of(thread / names[0]).strip(), text_of(thread / names[1]).strip()) for thread in threads]
    return found if all(socket.isdigit() and core.isdigit() for socket, core in found) else []
