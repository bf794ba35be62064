"""Packages from wheels that are added to the Python of an image, behind what it has itself."""

import base64
import hashlib
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from stackgen import files
from stackgen.errors import WorkError
from stackgen.from_wheels import require_intact
from stackgen.install import requirement_lines
from stackgen.interpreters import INSIDE
from stackgen.lock import WheelLock
from stackgen.mirror import Mirror
from stackgen.plan import Platform
from stackgen.platforms import uv_platform
from stackgen.prefix import forget_the_installer
from stackgen.programs import uv_program
from stackgen.rootfs import Directory, Kind, RootFs, Source, Texts
from stackgen.tree import File, Tree
from stackgen.workshop import Workshop

PACKAGES = "/.stackgen/site-packages"
"""Where the packages lie in an image."""
PROGRAMS = f"{PACKAGES}/bin"
"""Where the programs are that they bring."""
_POINTER = "zz-stackgen.pth"
"""Such files are read in the order of their names, and add to the end of what Python looks through."""
_LONG_START = b"#!/bin/sh\n'''exec' "
"""How uv starts a Python whose path is too long for the kernel, or has blanks."""
_MOST_LINKS = 40


def added_packages(  # noqa: PLR0913 - all that it depends on
    wheels: WheelLock,
    platform: Platform,
    below: RootFs,
    python: str,
    *,
    mirror: Mirror,
    workshop: Workshop,
) -> tuple[Source, ...]:
    """What adds locked packages to an image whose Python lies at a path, installed in an open workshop.

    WorkError where the mirror has not what the lock names, or the image's Python looks for packages nowhere.
    """
    site = site_packages(below, python, wheels.python)
    into = _installed(wheels, platform, mirror, workshop)
    with files.reported(f"cannot work in {into}"):
        forget_the_installer(into, into)
        _start_with(python, into)
    _compile(into, wheels.python, workshop)
    pointer = Texts(tree=Tree({f"{site.lstrip('/')}/{_POINTER}": File(f"{PACKAGES}\n")}))
    return (Directory(path=into, at=PACKAGES), pointer)


def _installed(wheels: WheelLock, platform: Platform, mirror: Mirror, workshop: Workshop) -> Path:
    require_intact(mirror, wheels.files)
    into, requirements = workshop.root / "added", workshop.root / "added.txt"
    files.write(requirements, requirement_lines(wheels.packages))
    with files.reported(f"cannot work in {workshop.root}"):
        for file in wheels.files:
            if not (workshop.wheels / file.name).exists():
                shutil.copyfile(mirror.path(file), workshop.wheels / file.name)
    workshop.start(
        *(uv_program(), "pip", "install", "--quiet", "--no-config", "--color", "never"),
        *("--offline", "--no-index", "--find-links", workshop.wheels, "--no-python-downloads"),
        *("--no-deps", "--no-build", "--requirements", requirements, "--target", into),
        *("--python", sys.executable, "--python-version", wheels.python),
        *("--python-platform", uv_platform(platform)),
        *("--cache-dir", workshop.cache, "--link-mode", "copy"),
        failure=f"cannot install what is added to {wheels.framework}",
    )
    return into


def _start_with(python: str, packages: Path) -> None:
    """Have the installed programs start with the image's Python: uv wrote the path of its own.

    The hashes in RECORD, which are of that path too, become those of what is there now.
    """
    records: dict[str, str] = {}
    for program in (packages / "bin").glob("*"):
        script = _python_script(program.read_bytes()) if program.is_file() else None
        if script is not None:
            content = f"#!{python}\n".encode() + script
            program.write_bytes(content)
            records[f"bin/{program.name}"] = f"sha256={_digest(content)},{len(content)}"
    for record in packages.glob("*.dist-info/RECORD"):
        entries = (line.partition(",") for line in record.read_text(encoding="utf-8").splitlines())
        lines = [f"{path},{records.get(path, entry)}\n" for path, _, entry in entries]
        record.write_text("".join(lines), encoding="utf-8")


def _python_script(content: bytes) -> bytes | None:
    """What follows the lines that start a Python, which are three where its path is long; None without."""
    if content.startswith(_LONG_START):
        return content.split(b"\n", 3)[3]
    head, _, script = content.partition(b"\n")
    return script if head.startswith(b"#!") and b"python" in head else None


def _digest(content: bytes) -> str:
    """As RECORD has it (PEP 376)."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _compile(packages: Path, version: str, workshop: Workshop) -> None:
    """Compile them where a Python of the version is here; elsewhere every start in the image does so anew."""
    own = sys.executable if f"{sys.version_info.major}.{sys.version_info.minor}" == version else ""
    usual = (Path(directory, f"python{version}") for directory in ("/usr/bin", "/usr/local/bin"))
    found = own or next((str(path) for path in usual if path.exists()), "")
    if found:
        workshop.start(
            *(found, "-I", "-S", "-", packages, PACKAGES),
            stdin=(INSIDE / "bytecode.py").read_text(encoding="utf-8"),
            failure="cannot compile the bytecode of what is added",
        )


def site_packages(inside: RootFs, python: str, version: str) -> str:
    """Where an image's Python looks for packages last; WorkError where it looks nowhere.

    https://docs.python.org/3/library/site.html says where, and Debian's has directories of its own.
    """
    links = {entry.path: entry.target for entry in inside if entry.kind == Kind.LINK}
    for program in (python, _followed(python, links)):
        prefix = program.rpartition("/")[0].rpartition("/")[0] or "/usr"
        for place in (f"{prefix}/lib/python{version}/site-packages", f"{prefix}/lib/python3/dist-packages"):
            is_debian = inside.look(f"{prefix}/lib/python3/dist-packages") is not None
            if is_debian and place.endswith("/site-packages"):
                continue
            found = inside.look(place)
            if found and found.kind == Kind.DIRECTORY:
                return place
    what = f"{python} of the image has no directory of packages, so none can be added to it"
    raise WorkError(what, "take out `requires`, or take an image with a whole Python")


def _followed(path: str, links: Mapping[str, str]) -> str:
    """Where a path leads to, links of directories on the way included."""
    done, waiting = "", [part for part in path.split("/") if part]
    for _ in range(_MOST_LINKS * 8):
        if not waiting:
            return done
        part = waiting.pop(0)
        if part == "..":
            done = done.rpartition("/")[0]
            continue
        here = f"{done}/{part}"
        target = links.get(here)
        if target is None:
            done = here
            continue
        done = "" if target.startswith("/") else done
        waiting = [one for one in target.split("/") if one not in {"", "."}] + waiting
    return path
