"""What a system says that cannot all be true, found before any solve."""

import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import PurePosixPath

from stackgen import cuda, targets
from stackgen.errors import Fault
from stackgen.model import Accelerator, Compiler, External, System

_Installed = Compiler | External

_VENDORS = ("intel-oneapi-", "cray-", "ibm-", "nvidia-")
"""What Spack sets before a name that paths have without it."""


def contradictions(system: System) -> tuple[Fault, ...]:
    """Every fault that a system has in itself, by its key path; their places are not known here."""
    return (
        *_nameless(system),
        *_twice(system),
        *_misplaced(system),
        *_unspoken(system),
        *_untargeted(system),
        *_accelerators(system),
    )


def _installed(system: System) -> Iterator[tuple[str, _Installed]]:
    for index, compiler in enumerate(system.compilers):
        yield f"compilers[{index}]", compiler
    for index, external in enumerate(system.externals):
        yield f"externals[{index}]", external


def _nameless(system: System) -> Iterator[Fault]:
    for where, installed in _installed(system):
        if not installed.version:
            yield Fault(
                where=f"{where}.spec",
                what=f"{installed.spec} does not name the one version that is there",
                remedy=f"write it, such as {installed.package}@1.2.3",
            )


def _twice(system: System) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for where, installed in _installed(system):
        spec = " ".join(installed.spec.split())
        if spec in seen:
            what = f"{spec} is there twice, as {seen[spec]} too"
            yield Fault(where=f"{where}.spec", what=what, remedy="keep the one that is to be used")
        seen.setdefault(spec, where)


def _misplaced(system: System) -> Iterator[Fault]:
    for where, installed in _installed(system):
        if other := _other_version(installed, installed.prefix):
            yield _contradiction(f"{where}.prefix", installed, installed.prefix, other)
        if isinstance(installed, Compiler):
            for language, program in installed.programs.items():
                named = re.search(r"-(\d+(?:\.\d+)*)$", PurePosixPath(program).name)
                if named and not _agree(named[1], installed.version):
                    yield _contradiction(f"{where}.programs.{language}", installed, program, named[1])


def _contradiction(where: str, installed: _Installed, path: str, other: str) -> Fault:
    what = f"{path} says version {other}, and the spec {installed.package}@{installed.version}"
    return Fault(where=where, what=what, remedy="correct the one that is wrong")


def _other_version(installed: _Installed, path: str) -> str:
    """The version that a path has next to the package's name, where none there is the spec's."""
    names = {installed.package, *(installed.package.removeprefix(vendor) for vendor in _VENDORS)}
    either = "|".join(sorted(map(re.escape, names)))
    found = re.findall(rf"(?:^|/)(?:{either})[-_/]?v?(\d+(?:[.-]\d+)*)(?=[-_./]|$)", path)
    if not found or not installed.version or any(_agree(text, installed.version) for text in found):
        return ""
    return str(found[-1])


def _agree(one: str, other: str) -> bool:
    """Whether two versions are one as far as both are written, as 12.2 and 12.2.91 are."""
    pairs = zip(re.split(r"[.-]", one), re.split(r"[.-]", other), strict=False)
    numbers = takewhile(lambda pair: pair[0].isdigit() and pair[1].isdigit(), pairs)
    return all(int(left) == int(right) for left, right in numbers)


def _unspoken(system: System) -> Iterator[Fault]:
    for index, compiler in enumerate(system.compilers):
        for language in compiler.programs:
            if language not in compiler.languages:
                yield Fault(
                    where=f"compilers[{index}].programs.{language}",
                    what=f"{language} is not among the languages of {compiler.spec}",
                    remedy="add it to `languages:` or leave its program out",
                )


def _untargeted(system: System) -> Iterator[Fault]:
    """Old compilers beside a new one are no fault: nobody need choose them."""
    found = [
        targets.unable(system.target, compiler.package, compiler.version) for compiler in system.compilers
    ]
    if all(found):
        for index, what in enumerate(found):
            remedy = "add a compiler that does, or name an older target"
            yield Fault(where=f"compilers[{index}].spec", what=what, remedy=remedy)


def _accelerators(system: System) -> Iterator[Fault]:
    """What is wrong with the GPUs; an old CUDA beside one that serves them is no fault."""
    toolkits = {
        f"externals[{index}].spec": external.version
        for index, external in enumerate(system.externals)
        if external.package == "cuda" and external.version
    }
    for index, gpu in enumerate(system.accelerators):
        yield from _capability(f"accelerators[{index}]", gpu, needed=bool(toolkits))
        found = {where: unserved(version, gpu) for where, version in toolkits.items()}
        if all(found.values()):
            for where, what in found.items():
                remedy = "name a CUDA that serves it, or correct what the GPU is"
                yield Fault(where=where, what=what, remedy=remedy)


def _capability(where: str, gpu: Accelerator, *, needed: bool) -> Iterator[Fault]:
    known = cuda.capability(gpu.model)
    if known and gpu.capability != known:
        what = f"the compute capability of {gpu.model} is {known}, not {gpu.capability}"
        yield Fault(where=f"{where}.capability", what=what, remedy="leave it out")
    elif needed and not gpu.capability:
        what = f"the compute capability of {gpu.model} is not known"
        yield Fault(where=where, what=what, remedy="add `capability:`, as NVIDIA lists it")


def unserved(version: str, gpu: Accelerator) -> str:
    """Why a CUDA is of no use to a GPU; nothing where it is."""
    capability = cuda.capability(gpu.model) or gpu.capability or ""
    named, serving, oldest = (
        f"{gpu.model} ({capability})",
        cuda.serving(capability),
        cuda.oldest_driver(version),
    )
    if serving and cuda.parsed(version)[:2] < serving.first[: len(cuda.parsed(version))]:
        return f"CUDA {version} is too old for {named}, which needs {cuda.written(serving.first)} or newer"
    if serving and serving.last and cuda.parsed(version)[:2] > serving.last:
        return f"CUDA {version} no longer serves {named}, for which {cuda.written(serving.last)} is the last"
    if gpu.driver and oldest and cuda.parsed(gpu.driver) < cuda.parsed(oldest):
        return f"CUDA {version} is too new for the driver {gpu.driver}, it needs {oldest} or newer"
    return ""
