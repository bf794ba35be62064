"""stackgen itself and all that it imports, as files for a system's own Python."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stackgen.errors import InputError
from stackgen.kit.wheel import own_package, requirements
from stackgen.lock import LockedPackage, WheelLock
from stackgen.lock.pylock import parse_pylock, pylock_text
from stackgen.model import System
from stackgen.plan import Platform
from stackgen.platforms import Target, taken_for_granted
from stackgen.resolve import resolve_question
from stackgen.run import Runner
from stackgen.site import Site
from stackgen.wheels import Question

PYTHONS = ("3.11", "3.12", "3.13")
"""For systems of which nobody says which Pythons they have; the first is the oldest that stackgen runs on."""
_FROM_SOURCE = ("markupsafe", "pyyaml")
"""They run without their compiled parts, so that they can be built where there are no wheels of them."""
_BUILT_WITH = ("cython", "setuptools", "wheel")
_LAST_FOR_OLD_GLIBC = "clingo<=5.8.0"
"""Where uv takes a newer glibc for granted; the next ones need 2.26 at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolLock:
    """The files of stackgen's tools for one Python of a platform."""

    target: Target
    packages: tuple[LockedPackage, ...]
    """stackgen is one of them."""
    build_packages: tuple[LockedPackage, ...]

    @property
    def python(self) -> str:
        """The Python, as in 3.11."""
        return self.target.python

    @property
    def wheels(self) -> WheelLock:
        """The same as the lock of a framework, which a mirror collects."""
        return WheelLock(
            framework=f"stackgen-{self.python}",
            python=self.python,
            packages=self.packages,
            build_packages=self.build_packages,
        )

    @property
    def texts(self) -> dict[str, bytes]:
        """Its files in a kit, by path."""
        found = {_path(self.target.platform, self.python): pylock_text(self.packages, self.python).encode()}
        if self.build_packages:
            path = _path(self.target.platform, self.python, build=True)
            found[path] = pylock_text(self.build_packages, self.python).encode()
        return found


def _path(platform: Platform, python: str, *, build: bool = False) -> str:
    end = "-build" if build else ""
    return f"tools/{platform.architecture}-{platform.glibc}-{python}{end}.toml"


def pythons(system: System) -> tuple[str, ...]:
    """The Pythons of a system that stackgen runs on; the usual ones where it lists none."""
    return runs_stackgen(system) or PYTHONS


def runs_stackgen(system: System) -> tuple[str, ...]:
    """The Pythons that a system lists and stackgen runs on."""
    oldest = _minor(PYTHONS[0])
    return tuple(python.version for python in system.pythons if _minor(python.version) >= oldest)


def _minor(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def tool_lock(kit: Path, target: Target, wheel: bytes, site: Site, run: Runner) -> ToolLock:
    """The tools for a Python: as a kit has them where that still fits, else resolved anew.

    InputError where a package cannot be had for it.
    """
    own = own_package(wheel)
    lock = _kept(kit, target) or _resolved(target, site, run)
    others = (package for package in lock.packages if package.name != own.name)
    return replace(lock, packages=tuple(sorted((*others, own), key=lambda package: package.name)))


def _kept(kit: Path, target: Target) -> ToolLock | None:
    python = target.python
    try:
        packages = parse_pylock((kit / _path(target.platform, python)).read_text(encoding="utf-8"), python)
        build = kit / _path(target.platform, python, build=True)
        aside = parse_pylock(build.read_text(encoding="utf-8"), python) if build.exists() else ()
    except (OSError, ValueError):
        return None
    sources = any(not package.is_wheel for package in packages)
    if sources != bool(aside) or tuple(_unmet(packages)):
        return None
    return ToolLock(target=target, packages=packages, build_packages=aside)


def _unmet(packages: tuple[LockedPackage, ...]) -> Iterator[str]:
    """What stackgen needs and is not among these."""
    versions = {package.name: package.version for package in packages}
    for line in requirements():
        requirement = Requirement(line)
        found = versions.get(canonicalize_name(requirement.name))
        if found is None or not requirement.specifier.contains(found, prereleases=True):
            yield line


def _resolved(target: Target, site: Site, run: Runner) -> ToolLock:
    old = (_LAST_FOR_OLD_GLIBC,) if taken_for_granted(target.platform) else ()
    question = Question(where="stackgen's tools", target=target, requirements=(*requirements(), *old))
    try:
        packages, build_packages = resolve_question(question, (), site, run)
    except InputError as error:
        built = replace(question, sdists=frozenset(_FROM_SOURCE))
        try:
            packages, build_packages = resolve_question(built, _BUILT_WITH, site, run)
        except InputError:
            raise error from None
    return ToolLock(target=target, packages=packages, build_packages=build_packages)
