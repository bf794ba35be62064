"""What a site writes, as typed, frozen values; rules that need one value or one file only."""

from stackgen.model.container import Containers, HostContainers, Packing
from stackgen.model.environment import Environment, Modules, Toolchain
from stackgen.model.framework import (
    ContainerFramework,
    Feature,
    Framework,
    FrameworkPython,
    SourceBuild,
    SpackFramework,
    WheelsFramework,
)
from stackgen.model.notebooks import Notebooks
from stackgen.model.scheduler import Partition, Scheduler
from stackgen.model.system import (
    Accelerator,
    Compiler,
    External,
    Interpreter,
    Nodes,
    System,
)

__all__ = [
    "Accelerator",
    "Compiler",
    "ContainerFramework",
    "Containers",
    "Environment",
    "External",
    "Feature",
    "Framework",
    "FrameworkPython",
    "HostContainers",
    "Interpreter",
    "Modules",
    "Nodes",
    "Notebooks",
    "Packing",
    "Partition",
    "Scheduler",
    "SourceBuild",
    "SpackFramework",
    "System",
    "Toolchain",
    "WheelsFramework",
]
