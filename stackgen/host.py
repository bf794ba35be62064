"""The machine we are on, described as a system: by reading files alone, no process is started."""

import os
import platform
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from stackgen import targets
from stackgen.errors import InputError
from stackgen.model import Accelerator, Interpreter, Nodes, System

THIS = "this"
"""What an environment calls the machine we are on."""

_SPACK_NAMES = {"ol": "oracle", "opensuse-leap": "opensuse"}


def detect() -> System:
    """This machine as a system; InputError where no wheels are made for such a machine."""
    return System(
        name=THIS,
        os=operating_system(_os_release()),
        glibc=glibc(_c_library()),
        target=_target(),
        nodes=nodes(Path("/proc")),
        pythons=interpreters(os.environ),
        accelerators=accelerators(Path("/proc")),
    )


def _os_release() -> Mapping[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def operating_system(release: Mapping[str, str]) -> str:
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
    return re.sub(r"[^a-z0-9_.]", "_", f"{name}{version}".lower())


def _c_library() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        return ""


def glibc(library: str) -> str:
    """Major and minor version of a C library that calls itself `glibc 2.36`; InputError of any other."""
    if not library.startswith("glibc "):
        raise InputError.of(
            "this machine's C library is not glibc, which the frameworks' wheels need",
            "use a distribution with glibc, or name another system",
        )
    return ".".join(library.removeprefix("glibc ").split(".")[:2])


def _target() -> str:
    target = targets.host()
    if target not in targets.NAMES or targets.family(target) not in targets.FAMILIES:
        raise InputError.of(
            f"this machine's processor is of the family {platform.machine()}",
            f"use a machine of {', '.join(targets.FAMILIES)}, or name another system",
        )
    return target


def nodes(proc: Path) -> Nodes:
    """What /proc says of this machine: cores, sockets and memory in whole GiB."""
    kilobytes = re.search(r"^MemTotal:\s+(\d+) kB", _read(proc / "meminfo"), re.MULTILINE)
    memory = f"{max(round(int(kilobytes[1]) / 2**20), 1)} GiB" if kilobytes else None
    text = _read(proc / "cpuinfo")
    sockets = re.findall(r"^physical id\s*:\s*(\d+)", text, re.MULTILINE)
    cores = re.findall(r"^core id\s*:\s*(\d+)", text, re.MULTILINE)
    if not sockets or len(sockets) != len(cores):
        return Nodes(cores=os.cpu_count() or 1, memory=memory)
    return Nodes(sockets=len(set(sockets)), cores=len(set(zip(sockets, cores, strict=True))), memory=memory)


def accelerators(proc: Path) -> tuple[Accelerator, ...]:
    """The GPUs that NVIDIA's driver shows in /proc."""
    texts = [_read(file) for file in sorted((proc / "driver/nvidia/gpus").glob("*/information"))]
    models = Counter(
        found[1] for text in texts if (found := re.search(r"^Model:\s*(\S.*)", text, re.MULTILINE))
    )
    return tuple(Accelerator(model=model.strip(), count=count) for model, count in sorted(models.items()))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def interpreters(environment: Mapping[str, str], root: Path = Path("/")) -> tuple[Interpreter, ...]:
    """The complete CPythons of this machine, one a minor version.

    The system's own come first, then /usr/local, PATH and pyenv's; the newest first in each place.
    """
    found: dict[str, Interpreter] = {}
    for directory in _places(environment, root):
        for interpreter in sorted(_interpreters_in(directory), key=_minor, reverse=True):
            found.setdefault(interpreter.version, interpreter)
    return tuple(found.values())


def _places(environment: Mapping[str, str], root: Path) -> Iterator[Path]:
    yield root / "usr/bin"
    yield root / "usr/local/bin"
    for directory in environment.get("PATH", "").split(os.pathsep):
        if directory.startswith("/"):
            yield Path(directory)
    pyenv = Path(environment.get("PYENV_ROOT") or Path(environment.get("HOME", "/"), ".pyenv"))
    for version in sorted(_matching(pyenv, "versions/*"), key=_version_key, reverse=True):
        yield version / "bin"


def _version_key(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", path.name))


def _interpreters_in(directory: Path) -> Iterator[Interpreter]:
    """The interpreters that programs of a directory are, or are links to."""
    if _is_environment(directory.parent):
        return
    for program in _matching(directory, "python3.*"):
        real = Path(os.path.realpath(program))
        prefix, version = real.parent.parent, real.name.removeprefix("python")
        whole = _is_complete(prefix, version) and not _is_environment(prefix)
        if program.name == real.name and whole:
            try:
                yield Interpreter(version=version, prefix=str(prefix))
            except ValidationError:  # too old, or at a path that scripts cannot hold
                continue


def _matching(directory: Path, pattern: str) -> list[Path]:
    """What matches in a directory; nothing in one that we may not read, for we could not copy from there."""
    try:
        return list(directory.glob(pattern))
    except PermissionError:
        return []


def _is_environment(prefix: Path) -> bool:
    """Whether somebody's venv or conda environment lies here: it comes and goes with its owner."""
    return any(os.path.exists(prefix / sign) for sign in ("pyvenv.cfg", "conda-meta"))  # noqa: PTH110 - Path.exists raises


def _is_complete(prefix: Path, version: str) -> bool:
    """Whether the standard library is there; shims and other Pythons have none by this name."""
    return any(os.path.exists(prefix / library / f"python{version}/os.py") for library in ("lib", "lib64"))  # noqa: PTH110


def _minor(interpreter: Interpreter) -> int:
    return int(interpreter.version.removeprefix("3."))
