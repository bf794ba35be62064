"""A machine and its facts, as `environments/systems/*.yaml` states them."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PositiveInt, WithJsonSchema, model_validator

from stackgen import targets
from stackgen.model.scalars import (
    Directory,
    Glibc,
    Line,
    Name,
    OperatingSystem,
    PythonVersion,
    SettingText,
    Spec,
    Strict,
    Target,
    Variable,
    refuse,
)


def _memory(text: str) -> str:
    if not re.fullmatch(r"\d+(\.\d+)? ?[MGT]i?B", text):
        raise refuse(f"{text!r} is no amount of memory", "write it with its unit, such as 96 GB")
    return text


def _node_range(text: str) -> str:
    match = re.fullmatch(r"(\d+)(?:\.\.(\d+))?", text)
    if not match or int(match[1]) < 1 or (match[2] and int(match[2]) < int(match[1])):
        raise refuse(f"{text!r} is no number of nodes", "write 1..16, or a single number")
    return text


def _duration(text: str) -> str:
    if not re.fullmatch(r"(\d+-)?\d{1,3}:\d{2}(:\d{2})?", text):
        raise refuse(f"{text!r} is no time limit", "write hours:minutes:seconds, such as 48:00:00")
    return text


class Nodes(Strict):
    """How many nodes of one kind there are and what each has; `cores` are those of a whole node."""

    count: PositiveInt = 1
    sockets: PositiveInt = 1
    cores: PositiveInt
    memory: Annotated[str, AfterValidator(_memory)] | None = None


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

    model: Line
    count: PositiveInt
    capability: (
        Annotated[str, Field(pattern=r"^\d{1,2}\.\d$"), WithJsonSchema({"type": ["string", "number"]})] | None
    ) = None
    memory: Annotated[str, AfterValidator(_memory)] | None = None


class Partition(Strict):
    """What jobs may ask of a scheduler's partition or queue."""

    nodes: Annotated[
        str,
        BeforeValidator(str),
        AfterValidator(_node_range),
        WithJsonSchema({"type": ["string", "integer"]}),
    ] = "1"
    time: Annotated[str, AfterValidator(_duration)] | None = None


class Scheduler(Strict):
    """What runs the jobs."""

    kind: Literal["slurm", "lsf", "none"]
    partitions: dict[Line, Partition] = Field(default_factory=dict)


class System(Strict):
    """A machine: what a lock is made for and a release runs on."""

    name: Line
    site: Line | None = None
    os: OperatingSystem
    glibc: Glibc
    target: Target
    nodes: Nodes | None = None
    interconnect: Name | None = None
    compilers: tuple[Compiler, ...] = ()
    externals: tuple[External, ...] = ()
    pythons: tuple[Interpreter, ...] = ()
    accelerators: tuple[Accelerator, ...] = ()
    scheduler: Scheduler = Scheduler(kind="none")
    settings: dict[Variable, SettingText] = Field(default_factory=dict)

    @property
    def architecture(self) -> str:
        """The processor family as wheels name it: x86_64, aarch64, ppc64le."""
        return targets.family(self.target)

    @model_validator(mode="after")
    def _has_wheels_architecture(self) -> "System":
        if self.architecture not in {"x86_64", "aarch64", "ppc64le", "riscv64"}:
            raise refuse(
                f"target {self.target} is of the family {self.architecture}",
                "use x86_64, aarch64, ppc64le or riscv64",
            )
        return self
