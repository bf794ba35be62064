"""A smaller problem for the solver: without what no best solution can hold.

Spack expands packages that it can only take as externals, and the C library, into everything that they
would need to be built. No solution holds any of that on their account: they are leaves. Nor does a best
solution hold what comes with a variant's value that nobody asks for.
"""

from typing import Any

import spack.config
import spack.deptypes as dt
import spack.repo
import spack.solver.asp
import spack.solver.input_analysis as analysis

from stackgen.inside.spack import scopes
from stackgen.inside.spack.asleep import Asleep

_C_LIBRARIES = frozenset({"glibc", "musl"})


class _WithLeaves(analysis.StaticAnalysis):  # type: ignore[misc]
    """Spack's own analysis of what may be in a solution, stopping at leaves."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        # What Spack itself stops at, under the only name that it has for it.
        self.libc_pkgs: list[str] = sorted(_C_LIBRARIES | _externals_only(parts["configuration"]))
        self._asleep: Asleep | None = None

    def settle(self, specs: Any) -> None:
        """Find out, for these roots, which variants are asleep: reading what may be wakes more of them."""
        configuration = self.configuration.get("packages")
        asleep = self._asleep = Asleep(configuration, specs, scopes.reused())
        while asleep.read(self.possible_dependencies(*specs, allowed_deps=dt.ALL).real_pkgs):
            pass

    def unreachable(self, *, pkg_name: str, when_spec: Any) -> bool:
        """Whether a condition never holds: Spack's own answer, or that of the variants that are asleep."""
        if super().unreachable(pkg_name=pkg_name, when_spec=when_spec):
            return True
        asleep = self._asleep
        return asleep is not None and not isinstance(when_spec, str) and asleep.forbids(pkg_name, when_spec)


def _externals_only(configuration: Any) -> set[str]:
    """The packages that are never built, only found on the system."""
    return {
        name
        for name, entry in configuration.get("packages").items()
        if name != "all" and entry.get("externals") and entry.get("buildable", True) is False
    }


def _analyzer() -> Any:
    return _WithLeaves(
        configuration=spack.config.CONFIG,
        repo=spack.repo.PATH,
        store=spack.store.STORE,
        binary_index=spack.binary_distribution.BINARY_INDEX,
    )


def _counter(specs: Any, tests: Any, possible_graph: Any) -> Any:
    if (spack.config.CONFIG.get("concretizer:reuse") is False or scopes.reused()) and not tests:
        possible_graph.settle(specs)
    return analysis.create_counter(specs, tests, possible_graph)


def leave_out() -> None:
    """Let every solve from here on use the smaller problem."""
    spack.solver.asp.create_graph_analyzer = _analyzer
    spack.solver.asp.create_counter = _counter


def take_back() -> bool:
    """Let solves from here on stop at leaves alone; whether they left out more until now."""
    changed = spack.solver.asp.create_counter is _counter
    spack.solver.asp.create_counter = analysis.create_counter
    return changed
