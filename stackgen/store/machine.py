"""Is this the machine that a lock was made for? Spack itself installs any lock anywhere, without a word."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from stackgen import targets
from stackgen.errors import WorkError
from stackgen.graph import Node
from stackgen.lock import Lock
from stackgen.plan import Plan
from stackgen.probe.machine import c_library, glibc_version, os_release, spack_system
from stackgen.run import Command, Runner
from stackgen.store.place import locked_nodes

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
    nodes = locked_nodes(lock).values()
    faults = [*_faults(plan, nodes), *_external_faults(nodes, run)]
    if faults:
        listed = "".join(f"\n  {fault}" for fault in faults)
        raise WorkError(f"the lock of {plan.environment} is not for this machine:{listed}")


def _faults(plan: Plan, nodes: Collection[Node]) -> Iterator[str]:
    machine, system = _Machine.here(), plan.system
    build = f"build on a machine of {system.name}"
    built = [node for node in nodes if not node.external]
    for wanted in sorted({node.os for node in built} - {machine.os}):
        yield f"operating system: the lock is for {wanted}, and this is {machine.os}; {build}"
    if machine.glibc != system.glibc:
        yield f"C library: the lock is for glibc {system.glibc}, and this is glibc {machine.glibc}; {build}"
    for wanted in sorted({node.target for node in built}):
        if not targets.runs(machine.target, wanted):
            yield f"processor: the lock is for {wanted}, which {machine.target} cannot run; {build}"


def _external_faults(nodes: Collection[Node], run: Runner) -> Iterator[str]:
    for node in (node for node in nodes if node.external):
        if node.compilers:
            yield from _compiler_faults(node, run)
        elif node.prefix:
            yield from _prefix_faults(node)
        yield from _module_faults(node, run)


def _compiler_faults(node: Node, run: Runner) -> Iterator[str]:
    """A compiler that is another one than locked makes another stack under the same hash."""
    remedy = "install it there, or correct `compilers:` of the system's file and lock again"
    for language, program in sorted(node.compilers.items()):
        path = Path(program)
        if not path.exists():
            yield f"{node}: its compiler for {language} should be {program}, which is not there; {remedy}"
            continue
        said = _version(path, _ASKED.get(node.name, ("--version",)), run)
        if not re.search(rf"(?<![\d.]){re.escape(node.version)}(?![\d])", said):
            found = re.search(r"\d+(\.\d+)+", said)
            says = f"is {found[0]}" if found else "does not run"
            yield f"{node}: {program} {says}; {remedy}"


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


def _prefix_faults(node: Node) -> Iterator[str]:
    remedy = "install it there, or correct `externals:` of the system's file and lock again"
    prefix = Path(node.prefix)
    if not prefix.is_dir():
        yield f"{node}: its prefix {prefix} is not there; {remedy}"
        return
    programs = _PROGRAMS.get(node.name, ())
    if programs and not any((prefix / program).exists() for program in programs):
        yield f"{node}: {prefix / programs[0]} is not there; {remedy}"


def _module_faults(node: Node, run: Runner) -> Iterator[str]:
    """Spack goes on without a word where a module does not load."""
    for module in node.modules:
        if run(login_shell('module load "$1"', module)).status:
            remedy = "correct `modules:` of the system's file and lock again"
            yield f"{node}: `module load {module}` fails in a login shell; {remedy}"


def login_shell(script: str, *arguments: str) -> Command:
    """A script in a login shell that knows nothing of the caller's."""
    return Command(
        argv=("bash", "-lc", script, "bash", *arguments),
        environment={"HOME": "/", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        directory=Path("/"),
        timeout=_TIME,
    )
