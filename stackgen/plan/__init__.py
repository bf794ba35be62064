"""Every default filled, every name resolved: what the later stages need, and nothing optional."""

from stackgen.plan.planning import plan
from stackgen.plan.sources import (
    chosen_compiler,
    external,
    is_parallel_hdf5,
    parallel_hdf5,
    source_notes,
    version_faults,
)
from stackgen.plan.values import About, ContainerPlan, FrameworkPlan, Plan, Platform, SpackPlan, WheelsPlan
from stackgen.plan.versions import fitting, is_exact, is_numbered, ordered, specifier

__all__ = [
    "About",
    "ContainerPlan",
    "FrameworkPlan",
    "Plan",
    "Platform",
    "SpackPlan",
    "WheelsPlan",
    "chosen_compiler",
    "external",
    "fitting",
    "is_exact",
    "is_numbered",
    "is_parallel_hdf5",
    "ordered",
    "parallel_hdf5",
    "plan",
    "source_notes",
    "specifier",
    "version_faults",
]
