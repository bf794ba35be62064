"""What Spack has solved, and could not be a framework or the Python of one."""

from collections.abc import Iterator

from stackgen import targets
from stackgen.closure import PYTHON
from stackgen.combinations import has_horovod
from stackgen.environments import python_environment
from stackgen.errors import Fault
from stackgen.graph import Graph, Node, graph
from stackgen.lock import Lock
from stackgen.own_mpi import mpi_faults
from stackgen.plan import Plan, SpackPlan, WheelsPlan, chosen_compiler, is_exact, source_notes, version_faults
from stackgen.release import closure_of

_LIBC, _LIBCS = "glibc", ("glibc", "musl")


def lock_faults(plan: Plan, lock: Lock) -> tuple[Fault, ...]:
    """Where a framework would not stand on what was locked for it, by its key path."""
    locked = {one.name: graph(one.text) for one in lock.spack}
    return (
        *(
            fault
            for framework in plan.wheels
            if framework.builds_python
            for fault in _python_faults(plan, framework, locked[python_environment(framework.python)])
        ),
        *(fault for framework in plan.spack for fault in _strangers(framework, lock)),
        *(fault for framework in plan.wheels for fault in _unbuildable(plan, framework, lock)),
        *mpi_faults(plan, lock),
    )


def lock_notes(plan: Plan, lock: Lock) -> tuple[Fault, ...]:
    """What nobody has built or run yet of versions left open; of others the plan tells."""
    open_ones = [one for one in plan.wheels if not is_exact(one.about.version)]
    versions = {one.name: lock.wheel_lock(one.name).version(one.package) for one in open_ones}
    return tuple(note for one in open_ones for note in source_notes(one, plan.system, versions[one.name]))


def _unbuildable(plan: Plan, framework: WheelsPlan, lock: Lock) -> Iterator[Fault]:
    if has_horovod(framework.about.features):
        version = lock.wheel_lock(framework.name).version(framework.package)
        compiler = chosen_compiler(dict(plan.toolchain).get("compiler", ""), plan.system)
        yield from version_faults(framework.name, framework.package, version, framework.python, compiler)


def _python_faults(plan: Plan, framework: WheelsPlan, solved: Graph) -> Iterator[Fault]:
    """Wheels are chosen by the version, the processor and the glibc that the interpreter is to have."""
    python = next((node for node in solved.used() if node.name == PYTHON), None)
    where = f"frameworks.{framework.name}.python"
    if python is None:
        yield Fault(where=where, what="Spack has solved no Python", remedy="run `stackgen lock` again")
        return
    remedy = "name another `version:`, or take the system's"
    for what in _misfits(plan, framework, python, solved):
        yield Fault(where=where, what=f"the wheels are for {what}", remedy=remedy)


def _misfits(plan: Plan, framework: WheelsPlan, python: Node, solved: Graph) -> Iterator[str]:
    architecture, glibc = plan.platform.architecture, plan.platform.glibc
    if ".".join(python.version.split(".")[:2]) != framework.python:
        yield f"Python {framework.python}, and Spack has solved {python.version}"
    if python.external:
        yield f"a Python of Spack's, and it has solved the system's {python.version}"
    elif targets.family(python.target) != architecture:
        yield f"{architecture}, and Spack's Python would be for {python.target}"
    if python.parameters.get("freethreading") is True:
        yield "a Python with its global lock, and Spack's would be without"
    for library in (node for node in solved.used() if node.name in _LIBCS):
        if library.name != _LIBC or _numbers(library.version) > _numbers(glibc):
            yield f"glibc {glibc}, and Spack's Python would be for {library.name} {library.version}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _strangers(framework: SpackPlan, lock: Lock) -> Iterator[Fault]:
    for node in closure_of(framework, lock).strangers:
        yield Fault(
            where=f"frameworks.{framework.name}",
            what=f"{node} would be the system's, outside of the framework",
            remedy=f"take {node.name} from `externals` of the system's file, or ask for another version",
        )
