"""What the specs that people write for Spack name: a package, its version, a Python.

Spack alone knows all of its language. Here is read what has to be known without it.
"""

import re

from stackgen.model.scalars import NEWEST

_PACKAGE = re.compile(r"[\w.-]+")
_PYTHON = re.compile(r"\^\s*python(?![\w.-])")
_VERSION = re.compile(r"\s*@\s*([^\s@+~%^]+)")


def pinned(spec: str, version: str, python: str | None) -> str:
    """The spec of a framework, asking for this version and, where one is named, this Python."""
    if version != NEWEST and not version_in(spec):
        spec = _inserted(spec, _PACKAGE.match(spec), version)
    if python and not _PYTHON.search(spec):
        spec = f"{spec} ^python"
    return _inserted(spec, _PYTHON.search(spec), python) if python and not python_in(spec) else spec


def package_name(spec: str) -> str:
    """The package that a spec begins with, of whichever repository; nothing where it begins with none."""
    named = _PACKAGE.match(spec)
    return named[0].rpartition(".")[2] if named else ""


def named_version(spec: str) -> str:
    """The one version that a spec names: 13.2.0 of `gcc@=13.2.0 +nls`, nothing of the range `gcc@12:`."""
    version = version_in(spec)
    return "" if set(version) & set(":,") else version


def version_in(spec: str) -> str:
    """The version, or the range of them, that a spec asks for by itself, or nothing."""
    own = re.split("[%^]", spec, maxsplit=1)[0]
    found = _VERSION.search(own)
    return _without_sign(found[1]) if found else ""


def python_in(spec: str) -> str:
    """The version of Python that a spec asks for by itself, or nothing."""
    python = _PYTHON.search(spec)
    found = _VERSION.match(spec, python.end()) if python else None
    return _without_sign(found[1]) if found else ""


def _without_sign(version: str) -> str:
    """`@=1.0` is exactly 1.0, `@git.main=1.0` a commit to be taken for 1.0."""
    return version.rpartition("=")[2]


def _inserted(spec: str, after: re.Match[str] | None, version: str) -> str:
    end = after.end() if after else len(spec)
    return f"{spec[:end]}@{version}{spec[end:]}"
