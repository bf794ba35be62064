"""Where an import comes from: what lies among a framework's packages, and what a Python itself says."""

import json
import os
import re
import subprocess
from typing import List, NamedTuple, Sequence

from stackgen.inside.launcher.description import Loadable
from stackgen.inside.launcher.listing import normalized
from stackgen.inside.launcher.surroundings import site_packages_of

_ANSWER = "found by stackgen: "
# What we need for the question is not to be taken from the working directory, and what is asked for may be.
_QUESTION = (
    """\
import sys
path = sys.path[:]
sys.path[:] = [entry for entry in path if entry]
import importlib.util, json, os
sys.path[:] = path
try:
    found, failure = importlib.util.find_spec(sys.argv[1]), ""
except Exception as error:
    found, failure = None, "{}: {}".format(type(error).__name__, error)
origin = found.origin or "" if found else ""
places = [str(place) for place in found.submodule_search_locations or ()] if found else []
print("\\n"""
    + _ANSWER
    + """" + json.dumps((origin, places, sys.prefix, os.path.dirname(os.__file__), path, failure)))
"""
)
_SECONDS = 60
"""A first start may have to read a whole framework from a busy file system."""
_SUFFIX = re.compile(r"\.py\Z|(\.[A-Za-z0-9_-]+)?\.so\Z")


class Import(NamedTuple):
    """Where a Python would import a module from."""

    origin: str
    """A file, or `built-in`, or the first directory of a package without code; empty where it has none."""
    prefix: str
    """Where that Python lies, or its virtual environment."""
    library: str
    """Where its own modules lie."""
    path: Sequence[str]
    """Where it looks."""
    failure: str
    """What it says, where it could not even look."""


def import_of(program: str, name: str) -> Import:
    """Ask a Python, in the environment and the directory that we are in; nothing of the module is started."""
    try:
        done = subprocess.run(
            [program, "-c", _QUESTION, name],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return Import("", "", "", (), f"it has not answered within {_SECONDS} seconds")
    except OSError as error:
        return Import("", "", "", (), error.strerror or str(error))
    _, mark, answer = done.stdout.decode("utf-8", "replace").rpartition(_ANSWER)
    if not mark:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        return Import("", "", "", (), said[-1] if said else f"it ended with status {done.returncode}")
    origin, places, prefix, library, path, failure = json.loads(answer.splitlines()[0])
    if origin in ("", "namespace") and places:
        origin = places[0]
    return Import(origin, prefix, library, path, failure)


def module_names(directory: str) -> List[str]:
    """What can be imported from a directory: its modules, and packages with code; none where it is none."""
    try:
        entries = os.listdir(directory or ".")
    except OSError:
        return []
    found = []
    for entry in entries:
        plain = _SUFFIX.sub("", entry)
        if plain != entry or os.path.isfile(os.path.join(directory, entry, "__init__.py")):
            found.append(plain)
    return sorted({name for name in found if name.isidentifier()})


def has_module(framework: Loadable, name: str) -> bool:
    """Whether a module lies among a framework's packages, by a look."""
    place = os.path.join(site_packages_of(framework), name)
    return os.path.isdir(place) or os.path.isfile(place + ".py")


def import_names(framework: Loadable, package: str) -> List[str]:
    """What a package is imported as: scikit-learn is sklearn; nothing where that is not told."""
    for entry in _described(framework):
        if normalized(os.path.basename(entry)[: -len(".dist-info")].rsplit("-", 1)[0]) == package:
            return _top_level(entry)
    return []


def package_with(framework: Loadable, module: str) -> str:
    """The package of a framework that brings a module; empty where none says so."""
    for entry in _described(framework):
        if module in _top_level(entry):
            return normalized(os.path.basename(entry)[: -len(".dist-info")].rsplit("-", 1)[0])
    return ""


def _described(framework: Loadable) -> List[str]:
    place = site_packages_of(framework)
    try:
        entries = sorted(os.listdir(place))
    except OSError:
        return []
    return [os.path.join(place, entry) for entry in entries if entry.endswith(".dist-info")]


def _top_level(described: str) -> List[str]:
    """The modules of an installed package by the list of its files."""
    try:
        with open(os.path.join(described, "RECORD"), encoding="utf-8", errors="replace") as stream:
            first = {line.split(",", 1)[0].strip('"').split("/", 1)[0] for line in stream}
    except OSError:
        return []
    names = {_SUFFIX.sub("", entry) for entry in first}
    return sorted(name for name in names if name.isidentifier() and name != "__pycache__")
