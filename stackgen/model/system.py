"""A machine and its facts, as `environments/systems/*.yaml` states them."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from stackgen import targets
from stackgen.model.base import Strict
from stackgen.model.scalars import (
    Capability,
    Directory,
    Duration,
    Glibc,
    Line,
    Memory,
    Name,
    NodeRange,
    OperatingSystem,
    PythonVersion,
    SettingText,
    Spec,
    Target,
    Variable,
)

Count = Annotated[PositiveInt, Field(examples=[2])]


class Nodes(Strict):
    """How many nodes of one kind there are and what each has; `cores` are those of a whole node."""

    count: Count = 1
    sockets: Count = 1
    cores: Count
    memory: Memory | None = None


class Compiler(Strict):
    """A compiler that the system has, as Spack is told of it."""

    spec: Spec
    prefix: Directory
    languages: tuple[Literal["c", "c++", "fortran"], ...] = ("c", "c++", "fortran")


class External(Strict):
    """Software that the system has and that Spack must not build."""

    spec: Spec
    prefix: Directory
    modules: tuple[Line, ...] = ()


class Interpreter(Strict):
    """A Python that the system has, of which each framework gets a copy."""

    version: PythonVersion
    prefix: Directory


class Accelerator(Strict):
    """The GPUs of a node; `capability` is NVIDIA's compute capability, such as 7.0."""

    model: Annotated[Line, Field(examples=["NVIDIA H200"])]
    count: Count
    capability: Capability | None = None
    memory: Memory | None = None


class Partition(Strict):
    """What jobs may ask of a scheduler's partition or queue."""

    nodes: NodeRange = "1"
    """The smallest and the largest job, such as `1..16`."""
    time: Duration | None = None
    """The longest job."""


class Scheduler(Strict):
    """What runs the jobs."""

    kind: Literal["slurm", "lsf", "none"]
    partitions: dict[Line, Partition] = Field(default_factory=dict)


class System(Strict):
    """A machine: what a lock is made for and a release runs on."""

    name: Annotated[Line, Field(examples=["SuperMUC-NG"])]
    """What people call it."""
    site: Line | None = None
    """Whose it is."""
    os: OperatingSystem
    """Its operating system as Spack names it: ID and major version of /etc/os-release."""
    glibc: Glibc
    """The oldest glibc among its nodes, as `ldd --version` prints it."""
    target: Target
    """The microarchitecture of its nodes by archspec's name; the oldest where they differ."""
    nodes: Nodes | None = None
    interconnect: Name | None = None
    """What joins the nodes, such as `infiniband` or `omni-path`."""
    compilers: tuple[Compiler, ...] = ()
    """Compilers that are there already."""
    externals: tuple[External, ...] = ()
    """Software that is there already and that Spack must not build."""
    pythons: tuple[Interpreter, ...] = ()
    """The Pythons that frameworks may have; the first is the one taken where a framework names none."""
    accelerators: tuple[Accelerator, ...] = ()
    """The GPUs of a node."""
    scheduler: Scheduler = Scheduler(kind="none")
    settings: dict[Variable, SettingText] = Field(default_factory=dict)
    """Environment variables that every module sets where the user has not."""

    @property
    def architecture(self) -> str:
        """The processor family as wheels name it: x86_64, aarch64, ppc64le."""
        return targets.family(self.target)
