"""What builds with Horovod and beside it: versions that fit together, and the edits that make them fit.

Horovod 0.28.1 is of 2023 and the last. What is here as tested was built, and trained on two ranks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from stackgen.model import Feature


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A package that is built from its source distribution, on the MPI of the toolchain."""

    project: str
    """Its normalized name on the index."""
    versions: str
    build_requires: tuple[str, ...]
    """What its build needs beside what it needs when it runs."""

    @property
    def requirement(self) -> str:
        """What the index is asked for."""
        return f"{self.project}{self.versions}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change of a source distribution: exactly this text in this file, once."""

    file: str
    old: str
    new: str


# By a pattern that is made of a path: where that holds a +, libraries would get lost.
_PATHS = Edit(
    file="cmake/Utilities.cmake",
    old='string(REGEX REPLACE "${PROJECT_SOURCE_DIR}(/)?" "" SUB_FOLDER "${CMAKE_CURRENT_SOURCE_DIR}")',
    new='file(RELATIVE_PATH SUB_FOLDER "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")',
)


# The libraries are found where they will lie, not where they lay when this was built.
_RPATH = Edit(
    file="CMakeLists.txt",
    old="set(CMAKE_CXX_EXTENSIONS OFF)",
    new="set(CMAKE_CXX_EXTENSIONS OFF)\n"
    "set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)\n"
    "set(CMAKE_INSTALL_RPATH $ENV{HOROVOD_RPATH})",
)
_NO_DEBUG = Edit(
    file="CMakeLists.txt",
    old='string(REPLACE "-O2" "-O3" CMAKE_CXX_FLAGS_RELWITHDEBINFO',
    new='string(REPLACE "-O2 -g" "-O3" CMAKE_CXX_FLAGS_RELWITHDEBINFO',
)
_ALWAYS = (_PATHS, _RPATH, _NO_DEBUG)


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """Versions of a framework that Horovod builds with, all by the same edits and the same C++."""

    serves: str
    """What Horovod calls the framework: HOROVOD_WITH_<it>."""
    libraries: tuple[str, ...]
    """Where it has its libraries, below the directory of packages."""
    distributions: tuple[str, ...]
    """The normalized names of what has it, on the index."""
    since: str
    before: str
    """Where the next begins: the first version that is none of its own."""
    pythons: tuple[str, ...]
    gcc: str
    """The oldest GCC that knows the C++ which the framework's headers are in."""
    edits: tuple[Edit, ...] = _ALWAYS
    tested: tuple[str, ...] = ()
    """The versions that were built and run over MPI; every other one is untested."""
    over_gloo: tuple[str, ...] = ()
    """The versions that were built and run over Gloo, without an MPI and beside it."""

    def has(self, version: str, python: str) -> bool:
        """Whether a version of the framework with a Python belongs to it."""
        return self.covers(version) and python in self.pythons

    def covers(self, version: str) -> bool:
        """Whether a version of the framework belongs to it, with whichever Python."""
        try:
            return Version(self.since) <= Version(Version(version).public) < Version(self.before)
        except InvalidVersion:
            return False

    @property
    def range(self) -> str:
        """Its versions as `version:` takes them."""
        return f"'>={self.since},<{self.before}'"


PROJECT = "Horovod 0.28.1"
_CXX = "CMakeLists.txt", "set(CMAKE_CXX_STANDARD 14)"
_TORCH_CXX = (
    "horovod/torch/CMakeLists.txt",
    'if(NOT Pytorch_VERSION VERSION_LESS "1.5.0")\n    set(CMAKE_CXX_STANDARD 14)',
)


def _cxx(ours: int, torchs: int) -> tuple[Edit, ...]:
    """Another C++ for what Horovod has itself, and for what includes the headers of PyTorch."""
    edits = (
        Edit(file=file, old=old, new=old.replace("14", str(standard)))
        for (file, old), standard in ((_CXX, ours), (_TORCH_CXX, torchs))
    )
    return (*_ALWAYS, *edits)


# setuptools 77 is for 3.9 and newer; 3.12 has no distutils, by which Horovod finds Python's headers.
_PYTHONS = ("3.9", "3.10", "3.11")
_TENSORFLOWS = ("tensorflow", "tensorflow-cpu")

HOROVOD: tuple[Combination, ...] = (
    Combination(
        serves="PYTORCH",
        libraries=("torch/lib",),
        distributions=("torch",),
        since="1.5",
        before="2.1",
        pythons=_PYTHONS,
        gcc="5",
    ),
    Combination(
        serves="PYTORCH",
        libraries=("torch/lib",),
        distributions=("torch",),
        since="2.1",
        before="2.13",
        pythons=_PYTHONS,
        gcc="9.3",
        edits=_cxx(17, 17),
    ),
    Combination(
        serves="PYTORCH",
        libraries=("torch/lib",),
        distributions=("torch",),
        since="2.13",
        before="2.14",
        pythons=_PYTHONS,
        gcc="11",
        edits=_cxx(17, 20),
        tested=("2.13.0",),
    ),
    Combination(
        serves="TENSORFLOW",
        libraries=("tensorflow", "tensorflow/python"),
        distributions=_TENSORFLOWS,
        since="2.4",
        before="2.10",
        pythons=_PYTHONS,
        gcc="7.3",
    ),
    Combination(
        serves="TENSORFLOW",
        libraries=("tensorflow", "tensorflow/python"),
        distributions=_TENSORFLOWS,
        since="2.10",
        before="2.20",
        pythons=_PYTHONS,
        gcc="9",
        tested=("2.15.1",),
        over_gloo=("2.15.1",),
    ),
    Combination(
        serves="MXNET",
        libraries=("mxnet",),
        distributions=("mxnet",),
        since="1.4.1",
        before="2",
        pythons=_PYTHONS,
        gcc="7.3",
    ),
)
"""Everything that Horovod may be built for, of each framework the oldest first; what is not here cannot work.

TensorFlow 2.20 has no more the headers that xla_mpi_ops.cc includes. Of 2.16.2 and 2.18.1 all that Horovod
compiles was compiled, and nothing linked or run. PyTorch's headers are in C++17 from 2.1 on, 2.13's in C++20.
"""

SOURCES: Mapping[Feature, Source] = {
    Feature.MPI4PY: Source(
        project="mpi4py",
        versions=">=4,<5",
        build_requires=("build", "cython>=3.0.1,<4", "setuptools>=77,<81"),
    ),
    Feature.H5PY: Source(
        project="h5py",
        versions=">=3.11,<4",
        build_requires=("cython>=3.0.1,<4", "packaging>=23", "pkgconfig>=1.5.5", "setuptools>=77,<81"),
    ),
    Feature.HOROVOD: Source(
        project="horovod",
        versions="==0.28.1",
        build_requires=("cmake>=3.13,<4", "setuptools>=77,<81", "wheel"),
    ),
}
"""In the order of building: h5py needs mpi4py."""
ON_MPI = (Feature.HOROVOD, Feature.MPI4PY, Feature.H5PY)
"""The features that need an MPI."""


def sources(features: Iterable[Feature]) -> tuple[Source, ...]:
    """What a framework's features have built from source, in the order of building."""
    wanted = set(features)
    if Feature.GLOO in wanted:
        wanted.add(Feature.HOROVOD)
    if Feature.H5PY in wanted:
        wanted.add(Feature.MPI4PY)
    return tuple(source for feature, source in SOURCES.items() if feature in wanted)


def has_horovod(features: Iterable[Feature]) -> bool:
    """Whether Horovod is among what features ask for, over whichever network."""
    return bool({Feature.HOROVOD, Feature.GLOO} & set(features))


def combination(distribution: str, version: str, python: str) -> Combination | None:
    """How Horovod is built for a version of a framework with a Python; None where that cannot work."""
    return next((one for one in serving(distribution) if one.has(version, python)), None)


def serving(distribution: str) -> tuple[Combination, ...]:
    """All that is known of a framework, by the name of its distribution."""
    return tuple(one for one in HOROVOD if distribution in one.distributions)


def is_tested(known: Combination, version: str) -> bool:
    """Whether that very version was built and run, with whatever its local label says of GPUs."""
    return Version(version).public in known.tested


def is_tested_over_gloo(known: Combination, version: str) -> bool:
    """Whether that very version was run over Gloo, too."""
    return Version(version).public in known.over_gloo
