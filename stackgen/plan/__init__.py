"""Every default filled, every name resolved: what the later stages need, and nothing optional."""

from stackgen.plan.deprecations import available, loadable, said_of, version_faults_of
from stackgen.plan.faults import notes
from stackgen.plan.kernels import ENGINES, KERNEL
from stackgen.plan.planning import plan
from stackgen.plan.sources import (
    chosen_compiler,
    external,
    is_parallel_hdf5,
    parallel_hdf5,
    source_notes,
    version_faults,
)
from stackgen.plan.values import (
    About,
    Archive,
    Base,
    BaseImage,
    ContainerPlan,
    Directory,
    Distribution,
    Dockerfile,
    FrameworkPlan,
    Origin,
    Packed,
    Plan,
    Platform,
    Pulled,
    SpackPlan,
    WheelsPlan,
    written_name,
)
from stackgen.plan.versions import fitting, is_exact, is_numbered, ordered, specifier

__all__ = [
    "ENGINES",
    "KERNEL",
    "About",
    "Archive",
    "Base",
    "BaseImage",
    "ContainerPlan",
    "Directory",
    "Distribution",
    "Dockerfile",
    "FrameworkPlan",
    "Origin",
    "Packed",
    "Plan",
    "Platform",
    "Pulled",
    "SpackPlan",
    "WheelsPlan",
    "available",
    "chosen_compiler",
    "external",
    "fitting",
    "is_exact",
    "is_numbered",
    "is_parallel_hdf5",
    "loadable",
    "notes",
    "ordered",
    "parallel_hdf5",
    "plan",
    "said_of",
    "source_notes",
    "specifier",
    "version_faults",
    "version_faults_of",
    "written_name",
]
