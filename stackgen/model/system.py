"""A machine and its facts, as `environments/systems/*.yaml` states them."""

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, ConfigDict, Field, PositiveInt, model_validator

from stackgen import cuda, targets
from stackgen.model.base import Strict, refuse
from stackgen.model.container import HostContainers
from stackgen.model.machine import (
    Capability,
    Driver,
    Known,
    LmodVersion,
    Memory,
    OperatingSystem,
    Program,
    Target,
)
from stackgen.model.ondemand import OnDemand
from stackgen.model.scalars import (
    Directory,
    Glibc,
    Line,
    Name,
    Prefix,
    PythonVersion,
    SettingText,
    Spec,
    Variable,
)
from stackgen.model.scheduler import Scheduler
from stackgen.model.specs import named_version, package_name
from stackgen.probe.compilers import usual_programs

Count = Annotated[PositiveInt, Field(examples=[2])]

Language = Literal["c", "c++", "fortran"]


def _language(text: object) -> object:
    if text not in get_args(Language):
        raise refuse(f"{text!r} is no language", f"use one of {', '.join(get_args(Language))}")
    return text


_Spoken = Annotated[Language, BeforeValidator(_language)]
"""A language as a key: pydantic's own refusal of a key has no place."""


class Nodes(Strict):
    """How many nodes of one kind there are and what each has; `cores` are those of a whole node."""

    count: Count = 1
    """How many there are."""
    sockets: Count = 1
    """Processors of a node."""
    cores: Count
    """Cores of a whole node, without hyper-threads."""
    memory: Memory | None = None
    """Of a node."""


class _Installed(Strict):
    """Software that the system has, as Spack is told of it."""

    spec: Annotated[Spec, Field(examples=["gcc@12.2.0"])]
    """What it is, as Spack says that, with its version."""
    prefix: Directory
    """Where it is installed."""

    @property
    def package(self) -> str:
        """The name of its package in Spack, such as `intel-oneapi-compilers`."""
        return package_name(self.spec)

    @property
    def version(self) -> str:
        """The version that its spec names, or nothing."""
        return named_version(self.spec)


class Compiler(_Installed):
    """A compiler that the system has, as Spack is told of it."""

    languages: tuple[Language, ...] = ("c", "c++", "fortran")
    """What it compiles."""
    programs: dict[_Spoken, Program] = Field(default_factory=dict)
    """The compiler of a language where it is not PREFIX/bin and its usual name."""

    def program(self, language: Language) -> str:
        """The absolute path of its compiler for a language."""
        name = dict(zip(get_args(Language), usual_programs(self.package), strict=True))[language]
        return self.programs.get(language, f"{self.prefix}/bin/{name}")


class External(_Installed):
    """Software that the system has and that Spack must not build."""

    modules: tuple[Line, ...] = ()
    """What `module load` needs before it works."""


class Interpreter(Strict):
    """A Python that the system has, of which each framework gets a copy."""

    version: PythonVersion
    """Major and minor."""
    prefix: Directory
    """Where it is installed: its program is PREFIX/bin/pythonVERSION."""


class Accelerator(Strict):
    """The GPUs of a node; `capability` is NVIDIA's compute capability, such as 7.0."""

    model: Annotated[Line, Field(examples=["NVIDIA H200"])]
    """What its maker calls it."""
    count: Count
    """How many of them a node has."""
    capability: Capability | None = None
    """NVIDIA's compute capability; that of a model that stackgen knows need not be named."""
    memory: Memory | None = None
    """Of one GPU."""
    driver: Driver | None = None
    """NVIDIA's driver, such as 535.104.05; it decides which CUDA can run."""

    @model_validator(mode="before")
    @classmethod
    def _with_capability(cls, given: object) -> object:
        """A known model says its capability itself."""
        if not isinstance(given, dict) or given.get("capability") or not isinstance(given.get("model"), str):
            return given
        known = cuda.capability(given["model"])
        return {**given, "capability": known} if known else given


class System(Strict):
    """A machine: what a lock is made for and a release runs on."""

    model_config = ConfigDict(serialize_by_alias=True)  # what it writes, it reads

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
    ondemand: OnDemand | None = None
    """What Open OnDemand knows of it; its job templates and apps are made without, too."""
    lmod: LmodVersion | None = None
    """The version of Lmod that its users have."""
    user_namespaces: Annotated[Known, Field(alias="user-namespaces")] = "unknown"
    """Whether users may make namespaces, which containers and the build's sandbox need."""
    containers: HostContainers = HostContainers()
    """What of it is seen inside containers."""
    offers: Prefix | None = None
    """The prefix of the site's stack, which users' own stacks find by `extends: site`."""
    settings: dict[Variable, SettingText] = Field(default_factory=dict)
    """Environment variables that modules set where users have not; `{threads}` is the cores of a rank."""

    @property
    def architecture(self) -> str:
        """The processor family as wheels name it: x86_64, aarch64, ppc64le."""
        return targets.family(self.target)
