"""Is this the machine that a lock was made for? Spack itself installs any lock anywhere, without a word."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackgen import targets
from stackgen.errors import WorkError
from stackgen.lock import Lock
from stackgen.plan import Plan
from stackgen.probe.machine import c_library, glibc_version, os_release, spack_system
from stackgen.run import Command, Runner

_PROGRAMS = {
    "cmake": ("bin/cmake",),
    "cuda": ("bin/nvcc",),
    "gmake": ("bin/make", "bin/gmake"),
    "mpich": ("bin/mpicc",),
    "mvapich": ("bin/mpicc",),
    "openmpi": ("bin/mpicc",),
    "perl": ("bin/perl",),
    "pkgconf": ("bin/pkgconf", "bin/pkg-config"),
    "python": ("bin/python3",),
}
"""What a prefix must have to be that of a package, one of them; of others, the prefix alone is looked at."""
_ASKED = {"gcc": ("-dumpfullversion", "-dumpversion"), "xl": ("-qversion",)}
"""How compilers are asked for their version, where not by `--version`."""
_TIME = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Machine:
    """What the machine that we are on says of itself."""

    os: str
    glibc: str
    target: str

    @classmethod
    def here(cls) -> "_Machine":
        """The machine that we are on."""
        return cls(
            os=spack_system(os_release(Path("/"))),
            glibc=glibc_version(c_library()) or "another",
            target=targets.host(),
        )


def check_machine(plan: Plan, lock: Lock, run: Runner) -> None:
    """WorkError with all that a lock is made for and that this machine has not."""
    faults = [*_faults(plan, lock), *_external_faults(lock, run)]
    if faults:
        listed = "".join(f"\n  {fault}" for fault in dict.fromkeys(faults))
        raise WorkError(f"the lock of {plan.environment} is not for this machine:{listed}")


def _faults(plan: Plan, lock: Lock) -> Iterator[str]:
    machine, system = _Machine.here(), plan.system
    build = f"build on a machine of {system.name}"
    systems = {node["arch"]["platform_os"] for node in _nodes(lock) if "external" not in node}
    for wanted in sorted(systems - {machine.os}):
        yield f"operating system: the lock is for {wanted}, and this is {machine.os}; {build}"
    if machine.glibc != system.glibc:
        yield f"C library: the lock is for glibc {system.glibc}, and this is glibc {machine.glibc}; {build}"
    wanted_targets = {_target(node) for node in _nodes(lock) if "external" not in node}
    for wanted in sorted(wanted_targets):
        if not targets.runs(machine.target, wanted):
            yield f"processor: the lock is for {wanted}, which {machine.target} cannot run; {build}"


def _external_faults(lock: Lock, run: Runner) -> Iterator[str]:
    for node in _nodes(lock):
        if "external" not in node:
            continue
        name = f"{node['name']}@{node['version']}"
        programs = (node["external"].get("extra_attributes") or {}).get("compilers")
        if programs:
            yield from _compiler_faults(name, node, programs, run)
        elif node["external"].get("path"):
            yield from _prefix_faults(name, node["name"], Path(node["external"]["path"]))
        yield from _module_faults(name, node["external"].get("module") or (), run)


def _compiler_faults(name: str, node: Any, programs: dict[str, str], run: Runner) -> Iterator[str]:  # noqa: ANN401
    """A compiler that is another one than locked makes another stack under the same hash."""
    remedy = "install it there, or correct `compilers:` of the system's file and lock again"
    for language, program in sorted(programs.items()):
        path = Path(program)
        if not path.exists():
            yield f"{name}: its compiler for {language} should be {program}, which is not there; {remedy}"
            continue
        said = _version(path, _ASKED.get(node["name"], ("--version",)), run)
        if not re.search(rf"(?<![\d.]){re.escape(str(node['version']))}(?![\d])", said):
            found = re.search(r"\d+(\.\d+)+", said)
            says = f"is {found[0]}" if found else "does not run"
            yield f"{name}: {program} {says}; {remedy}"


def _version(program: Path, words: tuple[str, ...], run: Runner) -> str:
    command = Command(
        argv=(str(program), *words),
        environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        directory=Path("/"),
        timeout=_TIME,
    )
    try:
        outcome = run(command)
    except WorkError:
        return ""
    return outcome.stdout + outcome.stderr


def _prefix_faults(name: str, package: str, prefix: Path) -> Iterator[str]:
    remedy = "install it there, or correct `externals:` of the system's file and lock again"
    if not prefix.is_dir():
        yield f"{name}: its prefix {prefix} is not there; {remedy}"
        return
    programs = _PROGRAMS.get(package, ())
    if programs and not any((prefix / program).exists() for program in programs):
        yield f"{name}: {prefix / programs[0]} is not there; {remedy}"


def _module_faults(name: str, modules: Iterable[str], run: Runner) -> Iterator[str]:
    """Spack goes on without a word where a module does not load."""
    for module in modules:
        if run(login_shell('module load "$1"', module)).status:
            remedy = "correct `modules:` of the system's file and lock again"
            yield f"{name}: `module load {module}` fails in a login shell; {remedy}"


def login_shell(script: str, *arguments: str) -> Command:
    """A script in a login shell that knows nothing of the caller's."""
    return Command(
        argv=("bash", "-lc", script, "bash", *arguments),
        environment={"HOME": "/", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        directory=Path("/"),
        timeout=_TIME,
    )


def _nodes(lock: Lock) -> Iterator[dict[str, Any]]:
    for one in lock.spack:
        yield from json.loads(one.text)["concrete_specs"].values()


def _target(node: dict[str, Any]) -> str:
    target = node["arch"]["target"]
    return str(target if isinstance(target, str) else target["name"])
