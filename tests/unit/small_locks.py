"""Locks of Spack's with little in them, and plans for this machine."""

import json
from pathlib import Path
from typing import Any

from stackgen import targets
from stackgen.lock import Lock, LockedSource, SpackLock
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan
from stackgen.probe.machine import c_library, glibc_version, os_release, spack_system

HERE = {
    "os": spack_system(os_release(Path("/"))),
    "glibc": glibc_version(c_library()),
    "target": targets.family(targets.host()),
}


def planned(prefix: str = "/opt/site", **system: object) -> Plan:
    facts = {"name": "Big", **HERE, **system}
    asked = {
        "name": "site",
        "release": "1",
        "system": "big",
        "prefix": prefix,
        "packages": ["zlib"],
        "frameworks": {"six": {"from": "wheels", "version": "newest"}},
    }
    python = {"version": "3.11", "prefix": "/usr"}
    return plan(Environment.model_validate(asked), System.model_validate({**facts, "pythons": [python]}))


def locked(
    *nodes: dict[str, Any], roots: tuple[int, ...] = (), sources: tuple[LockedSource, ...] = ()
) -> Lock:
    specs = {str(number): {**node, "hash": str(number)} for number, node in enumerate(nodes)}
    asked = [{"hash": str(number), "spec": nodes[number]["name"]} for number in roots]
    content = {"_meta": {"file-type": "spack-lockfile"}, "roots": asked, "concrete_specs": specs}
    one = SpackLock(name="toolchain", text=json.dumps(content), sources=sources)
    return Lock(environment="site", inputs={}, spack=(one,))


def node(name: str, version: str, external: dict[str, Any] | None = None, **arch: str) -> dict[str, Any]:
    there = {"external": external} if external else {}
    where = {"platform": "linux", "platform_os": HERE["os"], "target": HERE["target"], **arch}
    return {"name": name, "version": version, "arch": where, **there}
