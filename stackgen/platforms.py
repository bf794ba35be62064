"""Which wheels run on a platform, in packaging's words (PEP 425, 600) and in uv's."""

from collections.abc import Iterator
from dataclasses import dataclass

from packaging.tags import Tag, compatible_tags, cpython_tags

from stackgen.errors import InputError
from stackgen.plan import Platform

_UV_GLIBC = (17, 28, *range(31, 41))
"""The minor versions of glibc 2 for which uv has a platform."""
_UV_COARSE = {"ppc64le": ("powerpc64le-unknown-linux-gnu", 28), "riscv64": ("riscv64-unknown-linux", 39)}
"""Where uv has one platform only: its name and the glibc that uv takes for granted."""
_LEGACY = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a wheel is chosen for: a platform and a Python such as 3.11."""

    platform: Platform
    python: str

    def __str__(self) -> str:
        return f"linux {self.platform.architecture}, glibc {self.platform.glibc}, Python {self.python}"


def uv_platform(platform: Platform) -> str:
    """uv's platform that is nearest below; InputError where a glibc is older than any that uv knows."""
    if platform.architecture in _UV_COARSE:
        return _UV_COARSE[platform.architecture][0]
    minor = max((known for known in _UV_GLIBC if known <= _glibc_minor(platform)), default=None)
    if minor is None:
        raise InputError.of(
            f"no wheels can be chosen for glibc {platform.glibc}",
            f"uv knows 2.{_UV_GLIBC[0]} and newer; use `from: spack` or `from: container`",
            where="system.glibc",
        )
    return f"{platform.architecture}-manylinux_2_{minor}"


def taken_for_granted(platform: Platform) -> str | None:
    """The glibc that uv reckons with, where that is newer than the platform's."""
    minor = _UV_COARSE.get(platform.architecture, ("", 0))[1]
    return f"2.{minor}" if minor > _glibc_minor(platform) else None


def wheel_tags(target: Target) -> tuple[Tag, ...]:
    """Every tag that runs on the target, the best first."""
    version = tuple(map(int, target.python.split(".")))
    interpreter = f"cp{target.python.replace('.', '')}"
    platforms = tuple(_platform_tags(target.platform))
    return (
        *cpython_tags(version, [interpreter], platforms),
        *compatible_tags(version, interpreter, platforms),
    )


def _platform_tags(platform: Platform) -> Iterator[str]:
    """As packaging lists them on such a machine; musl's never."""
    yield f"linux_{platform.architecture}"
    oldest = 5 if platform.architecture == "x86_64" else 17
    for minor in range(_glibc_minor(platform), oldest - 1, -1):
        yield f"manylinux_2_{minor}_{platform.architecture}"
        if minor in _LEGACY:
            yield f"{_LEGACY[minor]}_{platform.architecture}"


def _glibc_minor(platform: Platform) -> int:
    return int(platform.glibc.split(".")[1])
