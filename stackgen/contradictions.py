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
        spec = re.sub(r"\s+", " ", installed.spec)
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
    for index, compiler in enumerate(system.compilers):
        supported = targets.unsupported(system.target, compiler.package, compiler.version)
        if supported:
            yield Fault(
                where=f"compilers[{index}].spec",
                what=f"{compiler.package} {compiler.version} cannot make code for {system.target}",
                remedy=f"name a compiler that can ({compiler.package} {supported}), or an older target",
            )


def _accelerators(system: System) -> Iterator[Fault]:
    toolkits = [external for external in system.externals if external.package == "cuda" and external.version]
    for index, gpu in enumerate(system.accelerators):
        where = f"accelerators[{index}]"
        known = cuda.capability(gpu.model)
        if known and gpu.capability != known:
            what = f"the compute capability of {gpu.model} is {known}, not {gpu.capability}"
            yield Fault(where=f"{where}.capability", what=what, remedy="leave it out")
        elif toolkits and not gpu.capability:
            what = f"the compute capability of {gpu.model} is not known"
            yield Fault(where=where, what=what, remedy="add `capability:`, as NVIDIA lists it")
    for index, external in enumerate(system.externals):
        if external in toolkits:
            for gpu in system.accelerators:
                yield from _unserved(f"externals[{index}].spec", external, gpu)


def _unserved(where: str, toolkit: External, gpu: Accelerator) -> Iterator[Fault]:
    version = cuda.parsed(toolkit.version)
    capability = cuda.capability(gpu.model) or gpu.capability or ""
    named = f"{gpu.model}, whose compute capability is {capability}"
    serving = cuda.serving(capability)
    if serving and version < serving.first:
        first = ".".join(map(str, serving.first))
        what = f"CUDA {toolkit.version} is too old for {named}"
        yield Fault(where=where, what=what, remedy=f"it needs {first} or newer")
    elif serving and serving.last and version[:2] > serving.last:
        last = ".".join(map(str, serving.last))
        what = f"CUDA {toolkit.version} no longer serves {named}"
        yield Fault(where=where, what=what, remedy=f"{last} is the last that does")
    oldest = cuda.oldest_driver(toolkit.version)
    if gpu.driver and oldest and cuda.parsed(gpu.driver) < cuda.parsed(oldest):
        what = f"CUDA {toolkit.version} is too new for the driver {gpu.driver} of {gpu.model}"
        yield Fault(
            where=where, what=what, remedy=f"it needs the driver {oldest} or newer, or name an older CUDA"
        )
