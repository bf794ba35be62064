"""What else a machine has and Spack need not build: MPI, CUDA, Slurm's library, the fabric's libraries."""

import os
import re
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Tuple

from stackgen.probe.reading import (
    Ask,
    Facts,
    exists,
    found_in,
    is_plain,
    matching,
    path_directories,
    real,
    real_directories,
    text_of,
)

_External = Tuple[str, str, Path]
"""Package, version, prefix."""


def externals_of(environment: Mapping[str, str], root: Path, ask: Ask) -> List[Facts]:
    """The externals in the usual places and on PATH, one kind after the other, as compilers are found."""
    found: Dict[object, Facts] = {}
    kinds = (_mpis, _cudas, _slurms, _fabric_libraries)
    for package, version, prefix in [one for kind in kinds for one in kind(environment, root, ask)]:
        if re.match(r"[0-9][A-Za-z0-9_.-]*$", version) and is_plain(prefix):
            facts: Facts = {"spec": "{}@{}".format(package, version), "prefix": str(prefix)}
            found.setdefault(facts["spec"], facts)
    return list(found.values())


_MPI_PLACES = (
    *("usr/bin", "usr/local/bin", "usr/lib64/*/bin", "opt/openmpi*/bin", "opt/openmpi*/*/bin"),
    *("opt/mpich*/bin", "opt/mpich*/*/bin", "opt/mvapich*/bin", "opt/mvapich*/*/bin"),
    *("opt/intel/oneapi/mpi/*/bin", "opt/intel/impi/*/intel64/bin", "opt/ibm/spectrum_mpi/bin"),
    *("opt/cray/pe/mpich/*/ofi/gnu/*/bin", "opt/cray/pe/mpt/*/gni/mpich-gnu/*/bin"),
)


def _mpis(environment: Mapping[str, str], root: Path, ask: Ask) -> Iterator[_External]:
    places = [place for pattern in _MPI_PLACES for place in reversed(matching(root, pattern))]
    for directory in real_directories([*places, *path_directories(environment)]):
        if exists(directory / "mpicc"):
            package, version, prefix = _mpi_of(directory, ask)
            if version:
                yield package, version, prefix


def _mpi_of(directory: Path, ask: Ask) -> _External:
    """The MPI that a directory's `mpicc` compiles for; the version is empty where nothing tells."""
    prefix = directory.parent
    cray = re.search(r"/(?:mpich|mpt)/([0-9.]+)/(?:ofi|ucx|gni)/", str(directory))
    if cray:
        return "cray-mpich", cray.group(1), prefix
    intel = re.match(r"(/.*)/mpi/([0-9]+(?:\.[0-9]+)+)/bin$", str(directory))
    if intel:  # Spack looks for it in mpi/VERSION below its prefix
        whole = found_in(r'^#define I_MPI_VERSION\s+"([0-9.]+)', text_of(prefix / "include/mpi.h"))
        version = whole if whole.startswith(intel.group(2) + ".") else intel.group(2)
        return "intel-oneapi-mpi", version, Path(intel.group(1))
    if exists(directory / "ompi_info"):
        return _open_mpi(directory, ask)
    return _mpich(directory)


def _mpich(directory: Path) -> _External:
    """MPICH or what descends from it, by its header; Spack has no package of Intel's before oneAPI."""
    prefix = directory.parent
    headers = [prefix / place / "mpi.h" for place in ("include", "include64")]
    headers += [*matching(prefix, "include/*/mpich/mpi.h"), *matching(prefix, "lib/*/mpich/include/mpi.h")]
    text = "\n".join(text_of(header) for header in headers)
    for macro, package in (("MVAPICH2", "mvapich2"), ("MVAPICH", "mvapich"), ("MPICH", "mpich")):
        version = found_in(r'^#define {}_VERSION\s+"([0-9][^"\s]*)"'.format(macro), text)
        if version and "I_MPI_VERSION" not in text and not real(directory / "mpicc").name.startswith("opal_"):
            return package, version, prefix
    return "", "", prefix


def _open_mpi(directory: Path, ask: Ask) -> _External:
    """Open MPI, or IBM's, by what its wrappers read: PREFIX/share/openmpi/mpicc-wrapper-data.txt."""
    prefix = directory.parent
    wrapper = text_of(prefix / "share/openmpi/mpicc-wrapper-data.txt")
    version = found_in(r"^version=([0-9]\S*)", wrapper)
    if version and found_in(r"^(project=Open MPI)", wrapper):
        return "openmpi", version, prefix
    answer = ask(str(directory / "ompi_info"))
    spectrum = found_in(r"Spectrum MPI: ([0-9]\S*)", answer)
    if spectrum:
        return "spectrum-mpi", spectrum, prefix
    return "openmpi", found_in(r"Open MPI: ([0-9]\S*)", answer), prefix


def _cudas(environment: Mapping[str, str], root: Path, _: Ask) -> Iterator[_External]:
    """CUDA, and cuDNN and NCCL where they lie beside it or are the system's."""
    named = [
        environment[name] for name in ("CUDA_HOME", "CUDA_PATH") if environment.get(name, "").startswith("/")
    ]
    patterns = (
        "usr/local/cuda",
        "usr/local/cuda-*",
        "opt/cuda",
        "opt/cuda-*",
        "opt/nvidia/hpc_sdk/*/*/cuda/*",
    )
    places = [place for pattern in patterns for place in reversed(matching(root, pattern))]
    programs = [real(directory / "nvcc") for directory in path_directories(environment)]
    on_path = [program.parent.parent for program in programs if exists(program)]
    prefixes = [
        prefix
        for prefix in real_directories([*map(Path, named), *places, *on_path])
        if exists(prefix / "bin/nvcc")
    ]
    for prefix in prefixes:
        yield "cuda", _cuda_version(prefix), prefix
    for prefix in real_directories([*prefixes, root / "usr"]):
        for package in ("cudnn", "nccl"):
            yield package, _header_version(package, prefix), prefix


def _cuda_version(prefix: Path) -> str:
    """The toolkit's: three numbers where it says so, else the two of its header."""
    released = found_in(r'"cuda"\s*:\s*\{[^}]*"version"\s*:\s*"([0-9.]+)"', text_of(prefix / "version.json"))
    released = released or found_in(r"CUDA Version ([0-9.]+)", text_of(prefix / "version.txt"))
    if released:
        return re.sub(r"^([0-9]+\.[0-9]+)\.[0-9]{4,}$", r"\1", released)  # a date, in the first of 11
    headers = [prefix / "include/cuda.h", *matching(prefix, "targets/*/include/cuda.h")]
    number = next(
        filter(None, (found_in(r"^#define CUDA_VERSION ([0-9]+)", text_of(file)) for file in headers)), ""
    )
    return "{}.{}".format(int(number) // 1000, int(number) % 1000 // 10) if number else ""


def _header_version(package: str, prefix: Path) -> str:
    names = {"cudnn": ("cudnn_version.h", "cudnn.h"), "nccl": ("nccl.h",)}[package]
    text = "\n".join(text_of(prefix / "include" / name) for name in names)
    parts = {"cudnn": ("MAJOR", "MINOR", "PATCHLEVEL"), "nccl": ("MAJOR", "MINOR", "PATCH")}[package]
    found = [found_in(r"^#define {}_{}\s+([0-9]+)".format(package.upper(), part), text) for part in parts]
    return ".".join(found) if all(found) else ""


def _slurms(environment: Mapping[str, str], root: Path, _: Ask) -> Iterator[_External]:
    """Slurm, where its headers are there to build MPI against."""
    programs = [real(directory / "srun") for directory in path_directories(environment)]
    places = [root / "usr", root / "usr/local", root / "opt/slurm", *matching(root, "opt/slurm/*")]
    for prefix in real_directories(
        [*places, *(program.parent.parent for program in programs if exists(program))]
    ):
        names = ("slurm_version.h", "slurm.h")
        text = "\n".join(text_of(prefix / "include/slurm" / name) for name in names)
        number = int(found_in(r"^#define\s+SLURM_VERSION_NUMBER\s+(0x[0-9a-fA-F]+)", text) or "0", 16)
        if number:
            yield "slurm", "{:02d}.{:02d}.{}".format(number >> 16, number >> 8 & 255, number & 255), prefix


_PKG_CONFIG_PLACES = (
    *("usr/lib64/pkgconfig", "usr/lib/*/pkgconfig", "usr/lib/pkgconfig", "usr/local/lib*/pkgconfig"),
    *("opt/cray/libfabric/*/lib*/pkgconfig", "opt/libfabric*/lib*/pkgconfig", "opt/ucx*/lib*/pkgconfig"),
)
_PKG_CONFIG_NAMES = (
    ("libfabric", "libfabric"),
    ("ucx", "ucx"),
    ("rdma-core", "libibverbs"),
    ("pmix", "pmix"),
)
"""Packages of Spack, and what pkg-config calls them: with it they can be built against."""


def _fabric_libraries(environment: Mapping[str, str], root: Path, _: Ask) -> Iterator[_External]:
    named = environment.get("PKG_CONFIG_PATH", "").split(os.pathsep)
    places = [Path(place) for place in named if place.startswith("/")]
    places += [place for pattern in _PKG_CONFIG_PLACES for place in reversed(matching(root, pattern))]
    directories = list(real_directories(places))
    for package, name in _PKG_CONFIG_NAMES:
        for directory in directories:
            version = found_in(r"^Version:\s*([0-9]\S*)", text_of(directory / (name + ".pc")))
            if package == "rdma-core":  # libibverbs 1.14.44.0 is of rdma-core 44.0
                version = ".".join(version.split(".")[2:])
            prefix = re.match(r"(/.*)/(?:lib64|lib)(?:/[^/]+)?/pkgconfig$", str(directory))
            if version and prefix:
                yield package, version, Path(prefix.group(1))
