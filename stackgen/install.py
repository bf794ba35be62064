"""The driver of uv's installer: from a directory of locked files alone, and without a network."""

from collections.abc import Iterable

from stackgen import files
from stackgen.lock import LockedPackage, WheelLock
from stackgen.programs import uv_program
from stackgen.workshop import Workshop


def install(lock: WheelLock, workshop: Workshop) -> None:
    """Install what a lock names into the workshop's prefix; source distributions are built on the way.

    The workshop's wheels are the lock's files and no others, and their hashes have been checked.
    """
    wheels_alone = all(package.is_wheel for package in lock.packages)
    requirements, constraints = workshop.root / "requirements.txt", workshop.root / "build-constraints.txt"
    files.write(requirements, requirement_lines(lock.packages))
    files.write(constraints, requirement_lines(lock.build_packages))
    workshop.start(
        *(uv_program(), "pip", "install", "--quiet", "--no-config", "--color", "never"),
        *("--offline", "--no-index", "--find-links", workshop.wheels, "--no-python-downloads"),
        *("--no-deps", "--requirements", requirements),
        *(("--no-build",) if wheels_alone else ("--build-constraints", constraints)),
        *("--cache-dir", workshop.cache, "--link-mode", "hardlink", "--python", workshop.python),
        failure=f"cannot install {lock.framework}",
    )


def requirement_lines(packages: Iterable[LockedPackage]) -> str:
    """Packages as requirements of exactly their locked versions."""
    return "".join(f"{package.name}=={package.version}\n" for package in packages)
