"""The packages of an environment's own, read without its Python, which may be gone."""

import glob
import json
import os
import re
from typing import Iterable, List, NamedTuple, Optional, Sequence, Set

from stackgen.inside.launcher.listing import normalized

WANTED = "packages-wanted.txt"
"""What is to be installed again, in an environment that is made anew; there until it is."""
_VALUED = frozenset(
    {
        *("-c", "--constraint", "-e", "--editable", "-f", "--find-links", "-i", "--index-url", "-t"),
        *("--target", "--extra-index-url", "--prefix", "--root", "--src", "--python", "--platform", "-p"),
        *("--index", "--default-index", "--no-binary", "--only-binary", "--override", "--group", "-b"),
    }
)
"""Options of pip and uv whose next word is no package."""
_NAMED = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(?:$|[<>=!~;@])")


class OwnPackage(NamedTuple):
    """A package that the user has installed, or that came with one."""

    name: str
    requirement: str
    """As pip takes it."""
    asked: bool
    """Whether it was asked for by its name."""


def own_packages(place: str) -> List[OwnPackage]:
    """Those of an environment, sorted by name."""
    found = {}
    for path in glob.glob(
        os.path.join(glob.escape(place), "lib", "python3*", "site-packages", "*.dist-info")
    ):
        package = _own_package(path)
        if package:
            found[package.name] = package
    return [found[name] for name in sorted(found)]


def _own_package(path: str) -> Optional[OwnPackage]:
    name, _, version = os.path.basename(path)[: -len(".dist-info")].partition("-")
    try:
        with open(os.path.join(path, "METADATA"), encoding="utf-8", errors="replace") as stream:
            head = stream.read(20000).partition("\n\n")[0]
    except OSError:
        return None
    told = dict(re.findall(r"(?m)^(Name|Version): *(\S+)", head))
    name, version = told.get("Name", name), told.get("Version", version)
    origin = _direct_origin(path)
    text = f"{name} @ {origin}" if origin else f"{name}=={version}"
    return OwnPackage(normalized(name), text, os.path.exists(os.path.join(path, "REQUESTED")))


def _direct_origin(path: str) -> str:
    """The address that a package was installed from; empty where it came by its name."""
    try:
        with open(os.path.join(path, "direct_url.json"), encoding="utf-8") as stream:
            told = json.load(stream)
        address, source = str(told["url"]), told.get("vcs_info")
        return "{}+{}@{}".format(source["vcs"], address, source["commit_id"]) if source else address
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return ""


def wanted_again(own: Sequence[OwnPackage]) -> List[str]:
    """What has to be asked for to have them again: what was asked for, or all where nothing tells."""
    asked = [one.requirement for one in own if one.asked]
    return asked or [one.requirement for one in own]


def wanted_still(noted: Sequence[str], own: Sequence[OwnPackage]) -> List[str]:
    """What was noted and is not there yet, and what has been asked for since."""
    asked = {one.name: one.requirement for one in own if one.asked}
    return [line for line in noted if not _names([line]) & set(asked)] + list(asked.values())


def named_packages(arguments: Sequence[str]) -> Set[str]:
    """The packages that a command line of pip or uv names, itself or in a file of requirements."""
    found = set()  # type: Set[str]
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word in ("-r", "--requirement", "--requirements") and words:
            found |= _named_in(words.pop(0))
        elif word.startswith(("--requirement=", "--requirements=")):
            found |= _named_in(word.partition("=")[2])
        elif word in _VALUED and words:
            words.pop(0)
        elif not word.startswith("-"):
            is_file = word.endswith(".whl") and " @ " not in word
            found |= _names([os.path.basename(word).split("-")[0] if is_file else word])
    return found


def _named_in(path: str) -> Set[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return _names(stream.read().splitlines())
    except OSError:
        return set()


def _names(lines: Iterable[str]) -> Set[str]:
    found = (_NAMED.match(line.strip()) for line in lines)
    return {normalized(one.group(1)) for one in found if one}
