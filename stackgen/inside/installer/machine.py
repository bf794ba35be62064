"""What of a kit is for this machine, and which of its Pythons stackgen can have."""

import glob
import json
import os
import re
import shutil
import subprocess
from typing import Iterator, List, NamedTuple, Optional, Set, Tuple

from stackgen.inside.installer.kit import Kit
from stackgen.inside.installer.telling import USUAL_PATH, RefusalError

_NEEDED = ("ssl", "zlib", "lzma", "ctypes", "hashlib", "json", "tomllib", "unicodedata")
"""Modules of the standard library that some builds of Python lack."""
_QUESTION = """
import json, platform, sys
missing = []
for name in {modules!r}:
    try:
        __import__(name)
    except ImportError:
        missing.append(name)
base = getattr(sys, "_base_executable", "") or sys.executable
facts = dict(version="%d.%d" % sys.version_info[:2], program=base, missing=missing)
print(json.dumps(dict(facts, kind=platform.python_implementation())))
"""


class Tools(NamedTuple):
    """stackgen and what it imports for one Python: the paths of the locks in the kit."""

    architecture: str
    glibc: Tuple[int, ...]
    python: str
    path: str


class Package(NamedTuple):
    """A package and its one file."""

    name: str
    version: str
    file: str
    sha256: str


class Python(NamedTuple):
    """An interpreter: the program, and its version as in 3.11."""

    program: str
    version: str


def tools_for_here(kit: Kit) -> List[Tools]:
    """Those for this processor and C library, the newest first."""
    pattern = r"tools/([a-z0-9_]+)-(\d+\.\d+)-(3\.\d+)\.toml"
    found = [Tools(m.group(1), _numbers(m.group(2)), m.group(3), m.group(0)) for m in kit.named(pattern)]
    if not found:
        raise RefusalError(
            "{} holds no stackgen; make it again with `stackgen mirror create`".format(kit.root), 2
        )
    machine, library = os.uname().machine, os.confstr("CS_GNU_LIBC_VERSION") or "no glibc"
    fitting = [tools for tools in found if tools.architecture == machine]
    if not fitting:
        kinds = ", ".join(sorted({tools.architecture for tools in found}))
        raise RefusalError("{} is for {}, and this machine is {}".format(kit.root, kinds, machine), 2)
    here = _numbers(library.split(" ")[1]) if library.startswith("glibc ") else ()
    oldest = ".".join(map(str, min(tools.glibc for tools in fitting)))
    fitting = [tools for tools in fitting if tools.glibc <= here]
    if not fitting:
        raise RefusalError(
            "{} is for glibc {} and newer, and this machine has {}".format(kit.root, oldest, library), 2
        )
    return sorted(fitting, key=lambda tools: tools.glibc, reverse=True)


def _numbers(version: str) -> Tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def packages_of(kit: Kit, path: str) -> List[Package]:
    """What a lock in the kit names; its form is always the same."""
    text = kit.read(path).decode("utf-8")
    pattern = (
        r'^\[\[packages\]\]\nname = "([^"\n]+)"\nversion = "([^"\n]+)"\n'
        r'(?:(?!\[\[packages\]\]).*\n)*?path = "wheels/([^"/\n]+)"\n'
        r'(?:(?!\[\[packages\]\]).*\n)*?sha256 = "([0-9a-f]{64})"'
    )
    found = [Package(*groups) for groups in re.findall(pattern, text, re.MULTILINE)]
    if not found or len(found) != text.count("[[packages]]"):
        raise RefusalError("{}/{} is no lock of stackgen's".format(kit.root, path), 2)
    return found


def find_python(kit: Kit, tools: List[Tools], asked: Optional[str]) -> Tuple[Python, Tools]:
    """The first Python of this machine for which the kit has stackgen."""
    versions = {one.python: one for one in reversed(tools)}
    seen: Set[str] = set()
    refused: List[str] = []
    for program in [asked] if asked else _programs(kit, sorted(versions, key=_numbers, reverse=True)):
        path = shutil.which(program) or program
        if os.path.realpath(path) in seen:
            continue
        seen.add(os.path.realpath(path))
        python, reason = _examined(path)
        if python and python.version in versions:
            return python, versions[python.version]
        if python or asked:
            refused.append("{} is {}".format(path, "Python {}".format(python.version) if python else reason))
    wanted = ", ".join(sorted(versions, key=_numbers))
    found = "; ".join(refused) if refused else "none was found"
    raise RefusalError(
        "stackgen needs Python {} here ({}); install one, or name it by --python".format(wanted, found), 2
    )


def _programs(kit: Kit, versions: List[str]) -> Iterator[str]:
    """Where Pythons may be: as the kit's systems say, on the PATH, in the usual places."""
    for match in kit.named(r"environments/systems/[^/]+\.yaml"):
        text = kit.read(match.group(0)).decode("utf-8", "replace")
        for prefix in re.findall(r"""prefix: *['"]?(/[^\s'",}]+)""", text):
            for version in versions:
                yield from _existing("{}/bin/python{}".format(glob.escape(prefix), version))
    usual = ("/usr/bin", "/usr/local/bin", "/opt/python/*/bin", "/opt/cray/pe/python/*/bin", "/opt/*/bin")
    mine = "{}/.pyenv/versions/*/bin".format(os.path.expanduser("~"))
    for directory in [*map(glob.escape, os.environ.get("PATH", "").split(os.pathsep)), *usual, mine]:
        if directory.startswith("/"):
            for name in ["python{}".format(version) for version in versions] + ["python3"]:
                yield from _existing("{}/{}".format(directory, name))


def _existing(pattern: str) -> List[str]:
    return [path for path in sorted(glob.glob(pattern), reverse=True) if os.access(path, os.X_OK)]


def _examined(program: str) -> Tuple[Optional[Python], str]:
    """A Python that works, or why it does not."""
    words = [program, "-I", "-S", "-c", _QUESTION.format(modules=_NEEDED)]
    try:
        answer = subprocess.run(
            words,
            check=False,
            env={"PATH": USUAL_PATH},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )
        facts = json.loads(answer.stdout.decode("utf-8", "replace"))
        python = Python(str(facts["program"]), str(facts["version"]))
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError):
        return None, "no Python that works"
    if facts["kind"] != "CPython":
        return None, str(facts["kind"])
    if _numbers(python.version) >= (3, 11) and facts["missing"]:
        return Python(program, "{} without {}".format(python.version, ", ".join(facts["missing"]))), ""
    return python, ""
