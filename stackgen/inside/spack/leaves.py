"""A smaller problem for the solver: what the system has already is not taken apart any further.

Spack expands packages that it can only take as externals, and the C library, into everything that they
would need to be built. No solution can hold any of that on their account.
"""

from typing import Any

import spack.config
import spack.repo
import spack.solver.asp
import spack.solver.input_analysis as analysis

_C_LIBRARIES = frozenset({"glibc", "musl"})


class _WithLeaves(analysis.StaticAnalysis):  # type: ignore[misc]
    """Spack's own analysis of what may be in a solution, stopping at leaves."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        # What Spack itself stops at, under the only name that it has for it.
        self.libc_pkgs: list[str] = sorted(_C_LIBRARIES | _externals_only(parts["configuration"]))


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


def stop_at_leaves() -> None:
    """Let every solve from here on use the smaller problem."""
    analysis.create_graph_analyzer = _analyzer
    spack.solver.asp.create_graph_analyzer = _analyzer
