"""Locks of Spack's, written by hand: the hash of a package is its name."""

import json
from collections.abc import Mapping
from typing import Any


def package(
    name: str,
    version: str = "1.0",
    *needs: str,
    external: str = "",
    target: str = "x86_64_v3",
    **variants: Any,
) -> tuple[str, dict[str, Any]]:
    """A package that needs others, each as `name` (to run) or as `kind:name`."""
    edges = [need.rpartition(":")[::2] for need in needs]
    return name, {
        "name": name,
        "version": version,
        "arch": {"platform": "linux", "platform_os": "debian12", "target": target},
        "parameters": variants,
        "dependencies": [
            {"name": to, "hash": to, "parameters": {"deptypes": (kind or "run").split("+"), "virtuals": []}}
            for kind, to in edges
        ],
        **({"external": {"path": external}} if external else {}),
    }


def lock_text(roots: tuple[str, ...], packages: Mapping[str, dict[str, Any]]) -> str:
    """The lock of an environment with these roots."""
    return json.dumps(
        {
            "_meta": {"file-type": "spack-lockfile"},
            "roots": [{"hash": root, "spec": root} for root in roots],
            "concrete_specs": packages,
        }
    )


def python_lock(*packages: tuple[str, dict[str, Any]], roots: tuple[str, ...]) -> str:
    """A lock whose packages may need the system's Python 3.11 and `python-venv`, as Spack's do."""
    common = (
        package("python", "3.11.2", external="/usr"),
        package("python-venv", "1.0", "python"),
        package("py-pip", "25.1.1", "python", "python-venv"),
        package("glibc", "2.36", external="/usr"),
    )
    return lock_text(roots, dict((*common, *packages)))
