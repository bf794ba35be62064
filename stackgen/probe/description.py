"""A machine as the facts of a system's file, from files alone or with what programs answer."""

import os
import re
from pathlib import Path
from typing import Mapping

from stackgen.probe.compilers import compilers_of
from stackgen.probe.externals import externals_of
from stackgen.probe.machine import c_library, fabric, glibc_version, gpus, os_release, spack_system
from stackgen.probe.processor import node_of
from stackgen.probe.pythons import complete_pythons
from stackgen.probe.reading import Ask, Facts, matching, real


def described(environment: Mapping[str, str], root: Path, ask: Ask) -> Facts:
    """What files tell, without name and target; what is empty is left out."""
    facts: Facts = {
        "os": spack_system(os_release(root)) if os_release(root) else "",
        "glibc": glibc_version(c_library()),
        "nodes": node_of(root / "proc", root / "sys/devices/system/cpu"),
        "interconnect": fabric(root),
        "compilers": compilers_of(environment, root, ask),
        "externals": externals_of(environment, root, ask),
        "pythons": complete_pythons(environment, root),
        "accelerators": gpus(root / "proc"),
        "lmod": lmod_version(environment, root),
    }
    return {key: value for key, value in facts.items() if value}


def lmod_version(environment: Mapping[str, str], root: Path) -> str:
    """The version of Lmod that runs in this environment, or of the one where distributions put it."""
    named = [environment.get("LMOD_VERSION", "")]
    for name in ("LMOD_PKG", "LMOD_DIR"):
        if environment.get(name):
            named += real(Path(environment[name])).parts[::-1]
    installed = [path.name for path in matching(root, "usr/share/lmod/*") if os.path.isdir(str(path))]
    versions = [text for text in [*named, *installed] if re.match(r"[0-9]+(\.[0-9]+){1,2}$", text)]
    return versions[0] if versions else ""
