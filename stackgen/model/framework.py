"""A framework: a name, a version, a Python, and where it comes from."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from stackgen.model.base import Strict, refuse
from stackgen.model.container import ChosenPacking, CommandName, PlaceInside
from stackgen.model.scalars import (
    Image,
    ImageVersion,
    ImportName,
    Line,
    Name,
    ProjectName,
    PythonVersion,
    Requirement,
    SettingText,
    SpackVersion,
    Spec,
    Variable,
    WheelsVersion,
)

ORIGINS = ("image", "archive", "directory", "dockerfile")
"""The keys that say where the image of a container comes from."""


class Feature(StrEnum):
    """What a framework can be asked to have besides itself."""

    JUPYTER = "jupyter"
    """ipykernel in its Python."""
    ONEDNN = "onednn"
    """A promise, proved by `stackgen test`: oneDNN does the work."""
    MKL = "mkl"
    """A promise, proved by `stackgen test`: MKL does the matrix products."""
    HOROVOD = "horovod"
    """Horovod over the toolchain's MPI, and over NCCL where the system has NVIDIA GPUs."""
    GLOO = "gloo"
    """Horovod over Gloo: besides MPI together with `horovod`, and by itself without any MPI."""
    MPI4PY = "mpi4py"
    """mpi4py on the toolchain's MPI."""
    H5PY = "h5py"
    """h5py on a parallel HDF5, on the toolchain's MPI."""
    DDP = "ddp"
    """A promise, proved by `stackgen test`: the framework's own means train on several ranks."""


class SourceBuild(Strict):
    """A package to be built from its source distribution, and what that needs from the index."""

    name: ProjectName
    """The package's name on the index."""
    build_requires: Annotated[tuple[Requirement, ...], Field(alias="build-requires")] = (
        "setuptools",
        "wheel",
    )
    """What its build needs; locked as well, and not installed."""


def _by_name(given: object) -> object:
    """A name alone says all where the build needs nothing unusual."""
    return {"name": given} if isinstance(given, str) else given


Sdist = Annotated[SourceBuild, BeforeValidator(_by_name, json_schema_input_type=SourceBuild | ProjectName)]


class FrameworkPython(Strict):
    """A Python for wheels: the system's, or one that Spack builds for the target."""

    source: Annotated[Literal["spack", "system"], Field(alias="from")]
    """Who brings it: `spack` builds one for the target, wherever the system's are too old or too few."""
    version: PythonVersion | None = None
    """Major and minor; without it the first that the system lists, or, from Spack, 3.12."""


_VERSION: TypeAdapter[str] = TypeAdapter(PythonVersion)


def _by_version(given: object, validated: ValidatorFunctionWrapHandler) -> FrameworkPython:
    """A version alone means one of the system's; what is wrong with it is told of the key itself."""
    if isinstance(given, dict | FrameworkPython):
        return FrameworkPython.model_validate(validated(given))
    try:
        return FrameworkPython.model_validate({"from": "system", "version": _VERSION.validate_python(given)})
    except ValidationError as error:
        details = error.errors()[0]
        raise PydanticCustomError(details["type"], "{what}", details.get("ctx")) from None


ChosenPython = Annotated[
    FrameworkPython,
    WrapValidator(_by_version, json_schema_input_type=PythonVersion | FrameworkPython),
]


class _Framework(Strict):
    """What every source has in common."""

    module: Name | None = None
    """The module's name, where it is not the framework's: so two versions can share one name."""
    features: tuple[Feature, ...] = ()
    """What it is to have besides itself."""
    settings: dict[Variable, SettingText] = Field(default_factory=dict)
    """Environment variables that the module sets where users have not; `{threads}` is the cores of a rank."""
    verify: Line | None = None
    """A script of the site's own, relative to the environment's file, that `stackgen test` runs as well."""


class WheelsFramework(_Framework):
    """A framework from hash-locked wheels."""

    source: Annotated[Literal["wheels"], Field(alias="from")]
    """Where it comes from."""
    version: WheelsVersion
    """`2.21.0` is that one, `2.21` any 2.21, `'>=2.20,<3'` the newest in between, `newest` the newest."""
    python: ChosenPython | None = None
    """Its Python: `3.11` is the system's, `{from: spack, version: 3.11}` one that Spack builds."""
    package: ProjectName | None = None
    """The distribution's name on the index, where stackgen cannot know it."""
    imports: Annotated[ImportName | None, Field(alias="import")] = None
    """What a program writes after `import`, where stackgen cannot know it."""
    requires: tuple[Requirement, ...] = ()
    """Further packages in its Python, as pip takes them."""
    image: ChosenPacking = None
    """Whether it is to be had as a container as well: `true`, or the name of that module."""
    sdists: tuple[Sdist, ...] = ()
    """Packages to be taken as source distributions; every other has to come as a wheel."""


class SpackFramework(_Framework):
    """A framework that Spack builds from source."""

    source: Annotated[Literal["spack"], Field(alias="from")]
    """Where it comes from."""
    version: SpackVersion
    """The version as Spack knows it, such as `1.0` or `develop`; `newest` leaves it to Spack."""
    python: PythonVersion | None = None
    """Its Python, major and minor."""
    spec: Spec | None = None
    """What Spack is asked for; without it the framework's name."""
    requires: tuple[Spec, ...] = ()
    """Further packages in its Python, as Spack takes them."""
    image: ChosenPacking = None
    """Whether it is to be had as a container as well: `true`, or the name of that module."""
    imports: Annotated[ImportName | None, Field(alias="import")] = None
    """What a program writes after `import`, where stackgen cannot know it."""


class ContainerFramework(_Framework):
    """A framework in an image that others have made; one of the four says where that comes from."""

    source: Annotated[Literal["container"], Field(alias="from")]
    """Where it comes from."""
    version: ImageVersion
    """The version that the module shows."""
    image: Image | None = None
    """An image in a registry, with its digest."""
    archive: Line | None = None
    """An OCI archive, relative to this file."""
    directory: Line | None = None
    """An OCI layout or a root file system, relative to this file."""
    dockerfile: Line | None = None
    """A Dockerfile, relative to this file; the directory that it lies in is its context."""
    python: PythonVersion | None = None
    """The Python in the image, major and minor; without it there is none to be used."""
    imports: Annotated[ImportName | None, Field(alias="import")] = None
    """What a program writes after `import`."""
    commands: tuple[CommandName, ...] = ()
    """What the module offers; without them the programs that are none of the image's distribution."""
    requires: tuple[Requirement, ...] = ()
    """Further packages for its Python, as pip takes them; what the image has itself comes first."""
    files: dict[PlaceInside, Line] = Field(default_factory=dict)
    """Files that are added: where they lie inside, and which they are, relative to this file."""

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> Self:
        named = [name for name in ORIGINS if getattr(self, name) is not None]
        if len(named) != 1:
            what = " and ".join(named) or "no image"
            raise refuse(f"{what} is named", f"name one of {', '.join(ORIGINS)}")
        return self


Framework = Annotated[WheelsFramework | SpackFramework | ContainerFramework, Field(discriminator="source")]
