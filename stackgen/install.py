"""The driver of uv's installer: from a directory of locked files alone, and without a network."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from stackgen import files
from stackgen.lock import LockedPackage, WheelLock
from stackgen.programs import uv_program
from stackgen.workshop import Workshop


def install(lock: WheelLock, workshop: Workshop, later: Collection[str] = ()) -> None:
    """Install what a lock names into the workshop's prefix; source distributions are built on the way.

    The workshop's wheels are the lock's files and no others, and their hashes have been checked. What is
    named in `later` is left out.
    """
    packages = [package for package in lock.packages if package.name not in later]
    wheels_alone = all(package.is_wheel for package in packages)
    constraints = workshop.root / "build-constraints.txt"
    files.write(constraints, requirement_lines(lock.build_packages))
    how = ("--no-build",) if wheels_alone else ("--build-constraints", str(constraints))
    _install(lock.framework, requirement_lines(packages), how, workshop)


def install_build_tools(lock: WheelLock, into: Path, workshop: Workshop) -> None:
    """Install what builds source distributions into a directory of its own, which nobody keeps."""
    if not lock.build_packages:
        return
    how = ("--no-build", "--target", str(into))
    _install(f"what builds {lock.framework}", requirement_lines(lock.build_packages), how, workshop)


def install_built(package: LockedPackage, workshop: Workshop) -> None:
    """Install what was built from a source distribution, and put among the wheels, into the prefix."""
    _install(package.name, requirement_lines((package,)), ("--no-build",), workshop)


def install_wheels(framework: str, versions: Mapping[str, str], workshop: Workshop) -> None:
    """Install these packages, versions by name, whose wheels are in the workshop, into its prefix."""
    lines = "".join(f"{name}=={version}\n" for name, version in versions.items())
    _install(framework, lines, ("--no-build",), workshop)


def _install(framework: str, lines: str, how: tuple[str, ...], workshop: Workshop) -> None:
    requirements = workshop.root / "requirements.txt"
    files.write(requirements, lines)
    workshop.start(
        *(uv_program(), "pip", "install", "--quiet", "--no-config", "--color", "never"),
        *("--offline", "--no-index", "--find-links", workshop.wheels, "--no-python-downloads"),
        *("--no-deps", "--requirements", requirements),
        *how,
        *("--cache-dir", workshop.cache, "--link-mode", "hardlink", "--python", workshop.python),
        failure=f"cannot install {framework}",
    )


def requirement_lines(packages: Iterable[LockedPackage]) -> str:
    """Packages as requirements of exactly their locked versions."""
    return "".join(f"{package.name}=={package.version}\n" for package in packages)
