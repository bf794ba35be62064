"""Use a framework as a user would and write down what is seen; `stackgen test` judges it.

usage: python evidence.py REQUEST EVIDENCE

Runs under the framework's own Python, 3.9 or newer, with the standard library and the framework alone.
REQUEST is JSON: `imports`, the module to import, or nothing; `script`, the framework's verify script;
`packages`, the distributions whose console scripts are wanted, by normalized name; `factors`, pairs of
matrices by precision; `shown`, where all has to come from the image that `/` is, the directories of the
machine that are seen in it on purpose. EVIDENCE is written anew before every step, so that it tells in which
one the process was killed.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main(request_file: str, evidence_file: str) -> None:
    """Take every step, whatever became of the one before."""
    leave_directory()
    searched = tuple(sys.path)  # setuptools adds packages inside itself once it is imported, as by distutils
    request = json.loads(Path(request_file).read_text(encoding="utf-8"))
    evidence: dict[str, Any] = {"prefix": real(sys.prefix), "faults": {}}
    for name, step in steps(request, searched).items():
        evidence["step"] = name
        save(evidence, Path(evidence_file))
        try:
            evidence[name] = step()
        except BaseException as error:
            evidence["faults"][name] = " ".join(f"{type(error).__name__}: {error}".split())
    evidence["step"] = "end"
    save(evidence, Path(evidence_file))


def leave_directory() -> None:
    """Forget where this file lies: Python searches there first, and tensorflow.py would hide TensorFlow."""
    here = real(Path(__file__).parent)
    sys.path[:] = [entry for entry in sys.path if real(entry) != here]


def steps(request: dict[str, Any], searched: tuple[str, ...]) -> dict[str, Callable[[], object]]:
    """The steps by name, in order."""
    script: dict[str, Any] = {}
    return {
        "imported": lambda: (
            importlib.import_module(request["imports"]).__name__ if request["imports"] else ""
        ),
        "script": lambda: script.update(runpy.run_path(request["script"])),
        "version": lambda: script["version"]() if "version" in script else None,
        "products": lambda: products(script, request["factors"]),
        "exercise": lambda: script["exercise"]() if "exercise" in script else None,
        "modules": modules,
        "path": lambda: [real(entry) for entry in sys.path if Path(entry).exists()],
        "distributions": lambda: distributions(searched),
        "scripts": lambda: console_scripts(request["packages"]),
        "elsewhere": lambda: elsewhere(request["shown"]) if "shown" in request else [],
    }


def products(script: dict[str, Any], factors: dict[str, tuple[Any, Any]]) -> dict[str, object]:
    """The products of the pairs of matrices by precision, as the verify script has them computed."""
    if "product" not in script:
        raise NotImplementedError("the verify script has no product(left, right, precision)")
    return {name: script["product"](left, right, name) for name, (left, right) in factors.items()}


def save(evidence: dict[str, Any], path: Path) -> None:
    """Write the evidence beside its place and rename it."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(evidence), encoding="utf-8")
    beside.replace(path)


def modules() -> dict[str, str]:
    """Where every imported module lies; built-in ones and those made at run time lie nowhere."""
    found = {}
    for name, module in sorted(sys.modules.items()):
        namespace = getattr(module, "__dict__", {})
        places = [namespace.get("__file__"), *(namespace.get("__path__") or ())]
        place = next((place for place in places if isinstance(place, str)), None)
        if place and Path(place).exists() and real(place) != real(__file__):
            found[name] = real(place)
    return found


def elsewhere(shown: list[str]) -> list[str]:
    """What is used, and lies on another file system than `/`: code that is loaded or searched for, and the
    directories of a distribution."""
    own = Path("/").stat().st_dev
    system = ["/bin", "/etc", "/lib", "/lib32", "/lib64", "/sbin", "/usr"]
    searched = [real(entry) for entry in sys.path]
    places = {*system, *searched, *modules().values(), *mapped()}
    return sorted(
        place
        for place in places
        if Path(place).exists()
        and Path(place).stat().st_dev != own
        and not any(place.startswith(f"{directory}/") for directory in shown)
    )


def mapped() -> list[str]:
    """The files whose code this process has."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    found = (line.split(None, 5) for line in lines)
    return [parts[5] for parts in found if len(parts) == 6 and "x" in parts[1] and parts[5].startswith("/")]


def distributions(searched: tuple[str, ...]) -> dict[str, str]:
    """The version of every distribution in these places; the first of a name counts."""
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions(path=list(searched)):
        if distribution.metadata["Name"]:
            found.setdefault(normalized(distribution.metadata["Name"]), distribution.version)
    return found


def console_scripts(packages: list[str]) -> list[str]:
    """The console scripts of some distributions, of those that are there."""
    return sorted(
        {
            entry.name
            for distribution in importlib.metadata.distributions()
            if normalized(distribution.metadata["Name"] or "") in packages
            for entry in distribution.entry_points
            if entry.group == "console_scripts"
        }
    )


def normalized(name: str) -> str:
    """A distribution's name as indices compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def real(path: str | Path) -> str:
    """A path without symbolic links."""
    return str(Path(path).resolve())


if __name__ == "__main__":
    main(*sys.argv[1:])
