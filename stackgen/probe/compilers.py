"""The compilers of a machine, with what Spack needs to know of each."""

import os
import re
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Optional, Tuple

from stackgen.probe.reading import (
    Ask,
    Facts,
    exists,
    found_in,
    matching,
    numbers_in,
    path_directories,
    real,
    real_directories,
)

_LANGUAGES = ("c", "c++", "fortran")
_PLACES = (
    *("usr/bin", "usr/local/bin", "opt/gcc*/bin", "opt/gcc*/*/bin", "opt/gcc*/*/snos/bin"),
    *("opt/rh/*/root/usr/bin", "opt/cray/pe/gcc/*/bin", "opt/cray/pe/gcc/*/snos/bin"),
    *("usr/lib/llvm-*/bin", "usr/lib64/llvm*/bin", "opt/llvm*/bin", "opt/AMD/aocc-compiler-*/bin"),
    *("opt/intel/oneapi/compiler/*/bin", "opt/intel/oneapi/compiler/*/linux/bin"),
    *("opt/intel/oneapi/compiler/*/linux/bin/intel64", "opt/intel/*/linux/bin/intel64"),
    *("opt/nvidia/hpc_sdk/Linux_*/*/compilers/bin", "opt/cray/pe/cce/*/bin", "opt/cray/cce/*/bin"),
    *("opt/ibm/xlC/*/bin",),
)
"""Where compilers are, below the root, beside the directories of PATH."""

_VERSION = r"[0-9]+(?:\.[0-9]+)+"


def compilers_of(environment: Mapping[str, str], root: Path, ask: Ask) -> List[Facts]:
    """The compilers in the usual places and on PATH, in that order; the newest first in each place.

    `ask` is asked for a version where no file tells it. Of two places with the same, the first is taken.
    """
    places = [place for pattern in _PLACES for place in reversed(matching(root, pattern))]
    found: Dict[object, Facts] = {}
    for directory in real_directories(_with_linked([*places, *path_directories(environment)])):
        for compiler in [
            *_gccs_in(directory, ask),
            *_clangs_in(directory, ask),
            *_vendors_in(directory, ask),
        ]:
            found.setdefault(compiler["spec"], compiler)
    return list(found.values())


def _with_linked(places: List[Path]) -> Iterator[Path]:
    """Each directory, and those that links in it lead to."""
    for place in places:
        yield place
        for name in ("gcc", "clang"):
            if exists(place / name):
                yield real(place / name).parent


def _compiler(package: str, version: str, prefix: Path, programs: Mapping[str, Optional[Path]]) -> Facts:
    """A compiler as a system's file has it; `programs` has the usual path of each language or another."""
    usual = dict(zip(_LANGUAGES, usual_programs(package)))
    spoken = {language: program for language, program in programs.items() if program is not None}
    facts: Facts = {"spec": "{}@{}".format(package, version), "prefix": str(prefix)}
    facts["languages"] = [language for language in _LANGUAGES if language in spoken]
    unusual = {
        language: str(program)
        for language, program in sorted(spoken.items())
        if program != prefix / "bin" / usual[language]
    }
    if unusual:
        facts["programs"] = unusual
    return facts


# GCC: a directory may hold several, as `gcc-12` and `gcc-13`, and `gcc` is one of them.


def _gccs_in(directory: Path, ask: Ask) -> Iterator[Facts]:
    versions: Dict[str, List[str]] = {}
    for program in matching(directory, "gcc*"):
        name = re.match(r"gcc(-[0-9.]+)?$", program.name)
        if name and real(program).parent == directory:
            versions.setdefault(_gcc_version(program, ask), []).append(name.group(1) or "")
    for version in sorted(versions, key=numbers_in, reverse=True):
        if version:
            programs = {
                language: _gcc_program(directory, name, version, versions[version])
                for language, name in zip(_LANGUAGES, ("gcc", "g++", "gfortran"))
            }
            yield _compiler("gcc", version, directory.parent, programs)


def _gcc_version(program: Path, ask: Ask) -> str:
    """The whole version, by the files of the compiler itself, or by asking it; else empty."""
    name = re.match(r"(?:\w[\w.]*-)*gcc(?:-([0-9.]+))?$", real(program).name)
    if not name:
        return ""  # ccache, or another wrapper
    found = _installed_gccs(program.parent.parent, name.group(1) or "")
    if len(found) == 1:
        return found.pop()
    return found_in(r"^({})$".format(_VERSION), ask(str(program), "-dumpfullversion", "-dumpversion"))


def _installed_gccs(prefix: Path, wanted: str) -> List[str]:
    machine = os.uname().machine
    families = (machine, machine.replace("ppc64le", "powerpc64le"))
    versions: List[str] = []
    for directory in matching(prefix, "lib*/gcc/*/*"):
        triplet, short = directory.parent.name, directory.name
        compiler = [directory / "cc1", prefix / "libexec/gcc" / triplet / short / "cc1"]
        if triplet.split("-")[0] in families and any(exists(path) for path in compiler):
            if _is_version(short, wanted):
                versions.append(_stamped_version(directory / "crtbegin.o") or short)
    return sorted({version for version in versions if re.match(r"[0-9]+\.[0-9]+\.[0-9]+$", version)})


def _is_version(short: str, wanted: str) -> bool:
    """Whether a directory such as 12 or 12.2.0 may belong to `gcc-12`, or to `gcc`."""
    return not wanted or (short + ".").startswith(wanted + ".") or (wanted + ".").startswith(short + ".")


def _stamped_version(file: Path) -> str:
    """The version that GCC leaves in what it compiles: `GCC: (Debian 12.2.0-14) 12.2.0`."""
    try:
        with open(str(file), "rb") as stream:
            found = re.search(rb"GCC: \([^\0]*?\) ([0-9]+\.[0-9]+\.[0-9]+)[ \0]", stream.read(1 << 20))
    except OSError:
        return ""
    return found.group(1).decode() if found else ""


def _gcc_program(directory: Path, name: str, version: str, suffixes: List[str]) -> Optional[Path]:
    """The compiler of a language that belongs to a version: the plain name where that is the same one."""
    for suffix in sorted({*suffixes, ""} if "" in suffixes else suffixes, key=len):
        program = directory / (name + suffix)
        number = found_in(r"-([0-9.]+)$", real(program).name)
        if exists(program) and (version + ".").startswith((number or version) + "."):
            return program
    return None


def _clangs_in(directory: Path, ask: Ask) -> Iterator[Facts]:
    """LLVM's own Clang; those of AMD, Cray, Intel and NVIDIA are other packages."""
    own = exists(directory / "clang") and real(directory / "clang").parent == directory
    if not own or re.search(r"aocc|cce|intel|hpc_sdk|rocm", str(directory)):
        return
    prefix = directory.parent
    versions = {path.name for path in matching(prefix, "lib*/clang/*") if path.name.count(".") == 2}
    answer = "" if len(versions) == 1 else ask(str(directory / "clang"), "--version")
    version = (
        versions.pop() if len(versions) == 1 else found_in(r"clang version ([0-9]+\.[0-9]+\.[0-9]+)", answer)
    )
    flang = [directory / name for name in ("flang", "flang-new") if exists(directory / name)]
    programs = dict(zip(_LANGUAGES, [directory / "clang", directory / "clang++", *flang[:1]]))
    if version and exists(directory / "clang++"):
        compiler = _compiler("llvm", version, prefix, programs)
        compiler["spec"] = "{} +clang {}flang".format(compiler["spec"], "+" if flang else "~")
        yield compiler


# The others tell their version, and what Spack takes for their prefix, by where they are.

_USUAL = {
    "aocc": ("clang", "clang++", "flang"),
    "cce": ("craycc", "crayCC", "crayftn"),
    "intel-oneapi-compilers": ("icx", "icpx", "ifx"),
    "intel-oneapi-compilers-classic": ("icc", "icpc", "ifort"),
    "llvm": ("clang", "clang++", "flang"),
    "nvhpc": ("nvc", "nvc++", "nvfortran"),
    "xl": ("xlc", "xlC", "xlf"),
}
"""How each package of Spack calls its compilers of C, C++ and Fortran, where not as GCC does."""


def usual_programs(package: str) -> Tuple[str, str, str]:
    """How a package of Spack calls its compilers of C, C++ and Fortran."""
    return _USUAL.get(package, ("gcc", "g++", "gfortran"))


_BY_PLACE = (
    ("aocc", r"(/.*/aocc-compiler-({}))/bin$", _VERSION),
    ("cce", r"(/.*/cce/({}))/bin$", _VERSION),
    ("intel-oneapi-compilers", r"(/.*)/compiler/({})/(?:linux/)?bin$", r"[0-9]+\.[0-9]+\.[0-9]+"),
    ("nvhpc", r"(/.*)/Linux_[^/]+/({})/compilers/bin$", _VERSION),
    ("xl", r"(/.*/xlC/({}))/bin$", r"[0-9]+\.[0-9]+\.[0-9]+"),
)

_BY_ANSWER = (
    ("intel-oneapi-compilers", r"(/.*)/compiler/[^/]+/(?:linux/)?bin$", r"Compiler ({})"),
    ("intel-oneapi-compilers-classic", r"(/.*/linux)/bin/intel64$", r"\((?:ICC|IFORT)\) ({})"),
)
"""Intel's directories may hold the first two numbers, or those of the release that it is part of."""


def _vendors_in(directory: Path, ask: Ask) -> Iterator[Facts]:
    taken = set()
    for package, place, version in _BY_PLACE:
        found = re.match(place.format(version), str(directory))
        programs = _vendor_programs(directory, package)
        if found and programs:
            taken.add(package)
            yield _compiler(package, found.group(2), Path(found.group(1)), programs)
    for package, place, pattern in _BY_ANSWER:
        found = re.match(place, str(directory))
        programs = _vendor_programs(directory, package)
        if found and programs and package not in taken:
            program = next(iter(sorted(programs.items())))[1]
            version = found_in(pattern.format(_VERSION), ask(str(program), "--version"))
            if version:
                yield _compiler(package, version, Path(found.group(1)), programs)


def _vendor_programs(directory: Path, package: str) -> Dict[str, Optional[Path]]:
    found: Dict[str, Optional[Path]] = {}
    for language, name in zip(_LANGUAGES, _USUAL[package]):
        if exists(directory / name):
            found[language] = directory / name
    if package == "xl" and found:  # its Fortran is installed apart
        fortran = matching(directory.parent.parent.parent, "xlf/*/bin/xlf")
        found.update({"fortran": fortran[-1]} if fortran else {})
    return found
