"""packages.yaml: compilers, externals, and what every node of every graph must be.

How Spack 1.1 reads it (lib/spack/spack/solver/requirements.py and externals.py):

* The `require:` of a package replaces that of `all`, so it has to repeat the target. The one of a virtual
  package adds to both, which is how one MPI and one BLAS come to be the only ones.
* Under `all`, what a package cannot have is skipped: `cuda_arch` binds those alone that have it.
* An external gets the target that a plain text of its `require:` names.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stackgen import targets
from stackgen.environments.documents import Document
from stackgen.model import Compiler, External
from stackgen.model.specs import package_name, version_in
from stackgen.model.system import Language
from stackgen.plan import Plan
from stackgen.plan.requests import MKL, capabilities

_KEYS: Mapping[Language, str] = {"c": "c", "c++": "cxx", "fortran": "fortran"}
"""What Spack calls the languages, as keys and as virtual packages."""
_REQUIRED_OF: Mapping[str, tuple[str, ...]] = {
    MKL: ("blas", "lapack", "mkl"),
    "amdblis": ("blas",),
    "blis": ("blas",),
    "essl": ("blas",),
    "nvpl-blas": ("blas",),
}
"""What a math library is alone in providing; BLAS and LAPACK where it is not listed."""
_PREFERRED_OF: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    MKL: {"fftw-api": (MKL, "fftw"), "scalapack": (MKL, "netlib-scalapack")},
    "amdblis": {"lapack": ("amdlibflame",)},
    "blis": {"lapack": ("libflame",)},
    "cray-libsci": {"fftw-api": ("cray-fftw", "fftw"), "scalapack": ("cray-libsci", "netlib-scalapack")},
    "essl": {"lapack": ("essl", "netlib-lapack")},
    "nvpl-blas": {
        "fftw-api": ("nvpl-fft", "fftw"),
        "lapack": ("nvpl-lapack",),
        "scalapack": ("nvpl-scalapack",),
    },
}
"""What it provides in some variants only, or for some users only, with what steps in."""
_FOR_GPUS = "nccl"
"""Others ask it for their own GPUs, and where it is external Spack takes it to be for none."""


def packages(plan: Plan) -> Mapping[str, Document]:
    """The content of packages.yaml."""
    toolchain = dict(plan.toolchain)
    content: dict[str, dict[str, Any]] = {"all": _for_all(plan, toolchain)}
    for name, entry in (*_compilers(plan), *_externals(plan)):
        known = content.get(name, {"externals": []})
        content[name] = known | entry | {"externals": [*known["externals"], *entry["externals"]]}
    for virtual, spec in (*_languages(plan, toolchain), *_providers(toolchain)):
        content[virtual] = {"require": [spec]}
    if cuda := toolchain.get("cuda"):
        required = [*_required(plan), cuda]
        content[package_name(cuda)] = content.get(package_name(cuda), {}) | {"require": required}
    return content


def _for_all(plan: Plan, toolchain: Mapping[str, str]) -> dict[str, Document]:
    preferred = _PREFERRED_OF.get(package_name(toolchain.get("math", "")), {})
    providers: Document = {virtual: list(names) for virtual, names in preferred.items()}
    return {
        "require": [*_required(plan), *_cuda_required(plan)],
        **({"providers": providers} if preferred else {}),
        **({} if capabilities(plan.system) else {"variants": ["~cuda", "~rocm"]}),
    }


def _required(plan: Plan) -> list[str]:
    return [f"target={plan.system.target}"]


def _cuda_required(plan: Plan) -> Iterator[Document]:
    if found := capabilities(plan.system):
        yield {"spec": f"cuda_arch={','.join(found)}", "when": "+cuda"}


def _compilers(plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
    compilers = plan.system.compilers
    for name in dict.fromkeys(compiler.package for compiler in compilers):
        mine = [compiler for compiler in compilers if compiler.package == name]
        yield name, _entry(plan, mine, [_compiler(compiler) for compiler in mine])


def _compiler(compiler: Compiler) -> Document:
    spec = compiler.spec
    if compiler.package == "gcc" and "languages=" not in spec:
        spec = f"{spec} languages={','.join(compiler.languages)}"
    programs = {_KEYS[language]: compiler.program(language) for language in compiler.languages}
    return {"spec": spec, "prefix": compiler.prefix, "extra_attributes": {"compilers": programs}}


def _externals(plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
    externals = plan.system.externals
    for name in dict.fromkeys(external.package for external in externals):
        mine = [external for external in externals if external.package == name]
        entry = _entry(plan, mine, [_external(plan, external) for external in mine])
        # What is there already need not be for these GPUs alone.
        yield name, entry if entry["buildable"] else {**entry, "require": _required(plan)}


def _external(plan: Plan, external: External) -> Document:
    spec, found = external.spec, capabilities(plan.system)
    if external.package == _FOR_GPUS and found and "cuda_arch=" not in spec:
        spec = f"{spec} +cuda cuda_arch={','.join(found)}"
    modules = {"modules": list(external.modules)} if external.modules else {}
    return {"spec": spec, "prefix": external.prefix, **modules}


def _entry(plan: Plan, there: list[Compiler] | list[External], externals: list[Document]) -> dict[str, Any]:
    """Not to be built, unless another version is asked for than those that are there."""
    versions = {version_in(one.spec) for one in there}
    asked = {version_in(node) for node in _asked(plan) if package_name(node) == there[0].package}
    buildable = any(wanted and not _is_among(wanted, versions) for wanted in asked)
    return {"buildable": buildable, "externals": externals}


def _asked(plan: Plan) -> Iterator[str]:
    """Every package that is named, with what is asked of it: also those behind `^` and `%`."""
    specs = [*(spec for _, spec in plan.toolchain), *plan.other_mpis, *plan.packages]
    for framework in plan.spack:
        specs += [framework.spec, *framework.features]
    yield from (node.strip() for spec in specs for node in re.split(r"[%^]", spec))


def _is_among(wanted: str, versions: set[str]) -> bool:
    """Whether a version that is there may be meant; of ranges Spack knows more than we do."""
    return ":" in wanted or any(f"{there}.".startswith(f"{wanted}.") for there in versions)


def _languages(plan: Plan, toolchain: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The one compiler of each language: the toolchain's, or the system's first that serves its target."""
    chosen = toolchain.get("compiler", "")
    there = [compiler for compiler in plan.system.compilers if _is_meant(compiler, chosen)]
    for language, virtual in _KEYS.items():
        if chosen and (not there or any(language in compiler.languages for compiler in there)):
            yield virtual, chosen
        elif spec := next((one.spec for one in _serving(plan) if language in one.languages), ""):
            yield virtual, spec


def _serving(plan: Plan) -> Iterator[Compiler]:
    for compiler in plan.system.compilers:
        if not targets.unable(plan.system.target, compiler.package, compiler.version):
            yield compiler


def _is_meant(compiler: Compiler, chosen: str) -> bool:
    if not chosen or compiler.package != package_name(chosen):
        return False
    wanted = version_in(chosen)
    return not wanted or _is_among(wanted, {version_in(compiler.spec)})


def _providers(toolchain: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if mpi := toolchain.get("mpi"):
        yield "mpi", mpi
    if math := toolchain.get("math"):
        for virtual in _REQUIRED_OF.get(package_name(math), ("blas", "lapack")):
            yield virtual, math
