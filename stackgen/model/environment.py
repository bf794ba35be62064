"""What a site wants on a system, as `environments/*.yaml` states it."""

from typing import Annotated

from pydantic import ConfigDict, Field

from stackgen.model.base import Strict
from stackgen.model.framework import Framework
from stackgen.model.scalars import DefaultVersion, FrameworkName, Line, Name, Prefix, ReleaseName, Spec


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
    mpi: Spec | None = None
    math: Spec | None = None
    cuda: Spec | None = None
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
    prefix: Prefix
    """The directory that holds everything that is built; `~` or `$HOME` in front is the admin's home."""
    modules: Modules = Modules()
    toolchain: Toolchain = Toolchain()
    packages: tuple[Spec, ...] = ()
    """What Spack builds for everyone."""
    frameworks: Annotated[dict[FrameworkName, Framework], Field(min_length=1)]
    """What users load, by name."""
