"""The operating system, the C library, the fabric and the GPUs."""

import os
import re
from pathlib import Path
from typing import Dict, List, Mapping

from stackgen.probe.reading import Facts, exists, found_in, is_line, matching, text_of

_SPACK_NAMES = {"ol": "oracle", "opensuse-leap": "opensuse"}


def os_release(root: Path) -> Dict[str, str]:
    """The keys of /etc/os-release, or what an older Red Hat says instead."""
    text = text_of(root / "etc/os-release") or text_of(root / "usr/lib/os-release")
    keys: Dict[str, str] = {}
    for line in text.splitlines():
        found = re.match(r"([A-Z][A-Z0-9_]*)=(\"?)([^\"\\]*)\2\s*$", line.replace("'", '"'))
        if found:
            keys[found.group(1)] = found.group(3)
    return keys or _redhat_release(text_of(root / "etc/redhat-release"))


def _redhat_release(line: str) -> Dict[str, str]:
    found = re.match(r"(CentOS|Red Hat|Scientific Linux)\b.*?release ([0-9.]+)", line)
    names = {"CentOS": "centos", "Red Hat": "rhel", "Scientific Linux": "scientific"}
    return {"ID": names[found.group(1)], "VERSION_ID": found.group(2)} if found else {}


def spack_system(release: Mapping[str, str]) -> str:
    """The name that Spack gives an operating system, from the keys of its /etc/os-release.

    Spack takes the first part of the version, of Ubuntu's the first two:
    lib/spack/spack/operating_systems/linux_distro.py.
    """
    identity = release.get("ID", "linux").lower()
    if identity == "opensuse-tumbleweed":
        return "opensusetumbleweed"
    parts = re.split(r"[^\w-]", release.get("VERSION_ID", ""))
    version = ".".join(parts[:2]) if identity == "ubuntu" else parts[0]
    name = _SPACK_NAMES.get(identity, identity)
    return re.sub(r"[^a-z0-9_.]", "_", "{}{}".format(name, version).lower())


def c_library() -> str:
    """What the C library calls itself, such as `glibc 2.36`; empty where it does not say."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        return ""


def glibc_version(library: str) -> str:
    """Major and minor version of a glibc by its name; empty for any other C library."""
    return found_in(r"^glibc ([0-9]+\.[0-9]+)", library)


def fabric(root: Path) -> str:
    """What joins the nodes, as the kernel shows it; empty where it shows none."""
    if matching(root / "sys/class/cxi", "*"):
        return "slingshot"
    if exists(root / "proc/cray_xt"):
        return "aries"
    adapters = matching(root / "sys/class/infiniband", "*")
    if any(adapter.name.startswith("hfi1") for adapter in adapters):
        return "omni-path"
    layers = [
        text_of(port).strip() for adapter in adapters for port in matching(adapter, "ports/*/link_layer")
    ]
    return "infiniband" if "InfiniBand" in layers else ""


_CAPABILITIES = {
    **dict.fromkeys(("K20", "K20C", "K20M", "K20X", "K20XM", "K40", "K40C", "K40M"), "3.5"),
    **dict.fromkeys(("K80",), "3.7"),
    **dict.fromkeys(("M10",), "5.0"),
    **dict.fromkeys(("M4", "M40", "M60"), "5.2"),
    **dict.fromkeys(("P100",), "6.0"),
    **dict.fromkeys(("P4", "P40"), "6.1"),
    **dict.fromkeys(("V100", "V100S"), "7.0"),
    **dict.fromkeys(("T4",), "7.5"),
    **dict.fromkeys(("A100", "A100X", "A30", "A30X", "A800"), "8.0"),
    **dict.fromkeys(("A2", "A10", "A16", "A40", "A4000", "A5000", "A6000"), "8.6"),
    **dict.fromkeys(("L4", "L40", "L40S"), "8.9"),
    **dict.fromkeys(("H20", "H100", "H200", "H800", "GH200"), "9.0"),
    **dict.fromkeys(("B200", "GB200"), "10.0"),
    **dict.fromkeys(("B300", "GB300"), "10.3"),
}
"""The compute capability of NVIDIA's data centre GPUs: https://developer.nvidia.com/cuda-gpus and, of those
that it no longer lists, https://developer.nvidia.com/cuda-legacy-gpus."""


def capability_of(model: str) -> str:
    """The compute capability of a GPU by its name, such as `Tesla V100-SXM2-16GB`; empty where unknown."""
    words = re.split(r"[^A-Z0-9]+", model.upper())
    return next((_CAPABILITIES[word] for word in words if word in _CAPABILITIES), "")


def gpus(proc: Path) -> List[Facts]:
    """The GPUs that NVIDIA's driver shows in /proc, counted by model."""
    models: List[str] = []
    for file in matching(proc / "driver/nvidia/gpus", "*/information"):
        models += [name.strip() for name in [found_in(r"^Model:\s*(\S.*)", text_of(file))] if is_line(name)]
    driver = found_in(
        r"Module.*?\s([0-9]{3}(?:\.[0-9]{1,3}){1,2})\s", text_of(proc / "driver/nvidia/version")
    )
    return [
        gpu(model, models.count(model), capability_of(model), "", driver) for model in sorted(set(models))
    ]


def gpu(model: str, count: int, capability: str, memory: str, driver: str) -> Facts:
    """One model of GPU as a system's file has it; what is empty is left out."""
    facts: Facts = {"model": model, "count": count}
    named = {"capability": capability, "memory": memory, "driver": driver}
    facts.update((key, value) for key, value in named.items() if value)
    return facts
