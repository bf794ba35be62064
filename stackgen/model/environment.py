"""What a site wants on a system, as `environments/*.yaml` states it."""

from typing import Annotated

from pydantic import ConfigDict, Field

from stackgen.model.base import Strict
from stackgen.model.container import Containers
from stackgen.model.deprecation import Deprecation, ModuleVersion
from stackgen.model.framework import Framework
from stackgen.model.notebooks import ChosenNotebooks
from stackgen.model.scalars import (
    DefaultVersion,
    Extended,
    FrameworkName,
    Line,
    Name,
    Prefix,
    ReleaseName,
    SoftwareName,
    Spec,
)
from stackgen.model.wheelhouse import Wheelhouse


class Modules(Strict):
    """How users see the result: `module load NAMESPACE/FRAMEWORK`."""

    namespace: Name = "hpai"
    """What stands before the slash."""
    defaults: dict[Name, DefaultVersion] = Field(default_factory=dict)
    """The version that `module load` takes where several share a module's name."""


class Toolchain(Strict):
    """Compiler, MPI, math library and CUDA, as Spack specs."""

    model_config = ConfigDict(serialize_by_alias=True)  # what it writes, it reads

    compiler: Spec | None = None
    """What compiles: one of the system's compilers, or one that Spack builds."""
    mpi: Spec | None = None
    """The MPI that users load and frameworks train over: an external of the system, or built by Spack."""
    math: Spec | None = None
    """The library for BLAS, LAPACK and FFTs."""
    cuda: Spec | None = None
    """The CUDA that is compiled with, where the system has NVIDIA GPUs."""
    other_mpis: Annotated[tuple[Spec, ...], Field(alias="other-mpis")] = ()
    """Further MPIs, on which `packages` are built as well."""


class Environment(Strict):
    """One YAML file, includes joined, system not yet looked up."""

    name: Annotated[Name, Field(examples=["supermuc"])]
    """The environment's name; its lock is the directory NAME.lock beside this file."""
    release: ReleaseName
    """What the next published release is called."""
    system: Annotated[Line, Field(examples=["this"])]
    """A file of `systems/` beside this one without its `.yaml`, or `this` for the machine we are on."""
    extends: Extended | None = None
    """The prefix of a site's stack that this one stands on, or `site` for what the system's file offers."""
    prefix: Prefix
    """The directory that holds everything that is built; `~` or `$HOME` in front is the admin's home."""
    modules: Modules = Modules()
    toolchain: Toolchain = Toolchain()
    packages: tuple[Spec, ...] = ()
    """What Spack builds for everyone."""
    containers: Containers = Containers()
    """What images stand on."""
    notebooks: ChosenNotebooks = None
    """Whether every framework that has a Python is a kernel of Jupyter: `true`, or `{parallel: true}`."""
    frameworks: Annotated[dict[FrameworkName, Framework], Field(min_length=1)]
    """What users load, by name."""
    unsupported: dict[SoftwareName, Line] = Field(default_factory=dict)
    """What users may look for and is not here, or not as they expect it: why, and what to use instead."""
    wheelhouse: Wheelhouse | None = None
    """Where the users' own packages come from, and nowhere else: a directory of wheels, or an index."""
    deprecations: dict[ModuleVersion, Deprecation] = Field(default_factory=dict)
    """Versions that users should leave, or can no longer load: `MODULE/VERSION`, and 2.9 is every 2.9.x."""
