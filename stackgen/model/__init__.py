"""What a site writes, as typed, frozen values; rules that need one value or one file only."""

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
    "Environment",
    "External",
    "Feature",
    "Framework",
    "FrameworkPython",
    "Interpreter",
    "Modules",
    "Nodes",
    "Partition",
    "Scheduler",
    "SourceBuild",
    "SpackFramework",
    "System",
    "Toolchain",
    "WheelsFramework",
]
