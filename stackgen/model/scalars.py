"""The kinds of text that the YAML files hold, each with its rule and the remedy for breaking it."""

import re
from typing import Annotated

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as ParsedRequirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion
from packaging.version import Version as ParsedVersion
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from stackgen import targets
from stackgen.model import paths
from stackgen.model.base import near, refuse

NEWEST = "newest"

OLDEST_PYTHON = 9
"""The minor version of the oldest Python 3 that stackgen's tools run on."""

_PYTHON = r"^3\.\d{1,2}$"
_GLIBC = r"^2\.\d{1,2}$"
_FRAMEWORK = r"^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$"
_NAME = r"^[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?$"
_RELEASE = r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,62}$"
_OPERATING_SYSTEM = r"^[a-z][a-z0-9_.]*$"
_PROJECT = r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
_SPEC = r"^[a-z0-9][^;&|`$<>\\'\n]*$"
_SPACK_VERSION = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$"
_IMAGE_VERSION = rf"^(?!{NEWEST}$)[A-Za-z0-9][A-Za-z0-9_.+-]{{0,62}}$"
_IMAGE = r"^[^\s@]+@sha256:[0-9a-f]{64}$"
_MEMORY = r"^\d+(\.\d+)? ?[MGT]i?B$"
_NODES = r"^[1-9]\d*(\.\.[1-9]\d*)?$"
_DURATION = r"^(\d+-)?\d{1,3}:\d{2}(:\d{2})?$"
_CAPABILITY = r"^\d{1,2}\.\d$"


def _matching(pattern: str, kind: str, remedy: str) -> AfterValidator:
    """The rule that a text fits a pattern, the same that the JSON schema shows to editors."""
    compiled = re.compile(pattern.removesuffix("$") + r"\Z", re.ASCII)

    def check(text: str) -> str:
        if not compiled.match(text):
            raise refuse(f"{text!r} is no {kind}", remedy)
        return text

    return AfterValidator(check)


def _shown(*examples: str, pattern: str = "", kinds: tuple[str, ...] = ("string",)) -> WithJsonSchema:
    """What the JSON schema says of a text; numbers pass as well where people leave the quotes out."""
    kind = kinds[0] if len(kinds) == 1 else list(kinds)
    schema = {"type": kind, "pattern": pattern, "examples": list(examples)}
    return WithJsonSchema({key: value for key, value in schema.items() if value})


def _text(value: object) -> object:
    """Let YAML's own types in where a value is built from Python; the loader hands over text only."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _recent_python(text: str) -> str:
    if int(text.removeprefix("3.")) < OLDEST_PYTHON:
        raise refuse(f"Python {text} is too old", f"stackgen's tools need 3.{OLDEST_PYTHON} or newer")
    return text


def _wheels_version(text: str) -> str:
    if text == NEWEST:
        return text
    try:
        return str(ParsedVersion(text))
    except InvalidVersion:
        return _specifier(text)


def _specifier(text: str) -> str:
    fault = refuse(
        f"{text!r} is neither a version nor a version specifier",
        f"write 2.21.0, 2.21, '>=2.20,<3' or {NEWEST}",
    )
    if not text.strip():
        raise fault
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        raise fault from None
    return text.strip()


def _default_version(text: str) -> str:
    """As the framework's own version is written, whatever it comes from: `plan` knows which it is."""
    try:
        return _wheels_version(text)
    except PydanticCustomError:
        if re.fullmatch(_IMAGE_VERSION, text, re.ASCII):
            return text
        raise


def _requirement(text: str) -> str:
    try:
        parsed = ParsedRequirement(text)
    except InvalidRequirement:
        raise refuse(f"{text!r} is no requirement", "write it as pip takes it, such as keras>=3") from None
    if parsed.url:
        raise refuse(
            f"{text!r} names an address",
            "name the package alone, for where to fetch it is the site's configuration",
        )
    return text


def _without_dot(text: str) -> str:
    """A framework's name is part of `pylock.NAME.toml`, which may hold no other dot (PEP 751)."""
    if "." in text:
        remedy = f"write {text.replace('.', '-')} here and below it `module: {text}`"
        raise refuse(f"the framework's name {text!r} has a dot", remedy)
    return text


def _import_name(text: str) -> str:
    if not all(part.isidentifier() for part in text.split(".")):
        raise refuse(f"{text!r} is no Python module name", "write it as after `import`")
    return text


def _not_current(text: str) -> str:
    if text == "current":
        raise refuse("'current' is the link to the published release", "choose another name, such as 2026.11")
    return text


def _line(text: str) -> str:
    if not text.strip():
        raise refuse("the text is empty", "write something or leave the key out")
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise refuse("control characters are not allowed here", "write one line of plain text")
    return text


def _target(text: str) -> str:
    if text not in targets.NAMES:
        raise refuse(f"unknown target {text!r}", near(text, targets.NAMES, "use a name that archspec knows"))
    if (family := targets.family(text)) not in targets.FAMILIES:
        raise refuse(
            f"the target {text} is of the family {family}", f"use one of {', '.join(targets.FAMILIES)}"
        )
    return text


def _settable(text: str) -> str:
    if text in {"PATH", "HOME", "LD_PRELOAD", "LD_LIBRARY_PATH", "MODULEPATH"} or text.startswith(
        ("PYTHON", "LMOD_")
    ):
        raise refuse(f"{text} is set by the modules themselves", "leave it out")
    return text


def _ascending(text: str) -> str:
    first, _, last = text.partition("..")
    if last and int(last) < int(first):
        raise refuse(f"{text!r} ends below its start", "write the smaller number first, such as 1..16")
    return text


_NUMBER = ("string", "number")

PythonVersion = Annotated[
    str,
    BeforeValidator(_text),
    _matching(_PYTHON, "Python version", "give major and minor, such as 3.11"),
    AfterValidator(_recent_python),
    _shown("3.11", pattern=_PYTHON, kinds=_NUMBER),
]
WheelsVersion = Annotated[
    str,
    BeforeValidator(_text),
    AfterValidator(_wheels_version),
    _shown(NEWEST, "2.21.0", "2.21", ">=2.20,<3", kinds=_NUMBER),
]
SpackVersion = Annotated[
    str,
    BeforeValidator(_text),
    _matching(
        _SPACK_VERSION, "version of a Spack package", f"write one, such as 1.0 or develop, or {NEWEST}"
    ),
    _shown(NEWEST, "1.0", "develop", pattern=_SPACK_VERSION, kinds=_NUMBER),
]
ImageVersion = Annotated[
    str,
    BeforeValidator(_text),
    _matching(
        _IMAGE_VERSION,
        "version of an image",
        "write the one that its module shall show, such as 24.05-tf2-py3",
    ),
    _shown("24.05-tf2-py3", pattern=_IMAGE_VERSION, kinds=_NUMBER),
]
DefaultVersion = Annotated[
    str,
    BeforeValidator(_text),
    AfterValidator(_default_version),
    _shown("2.21.0", "2.21", "24.05-tf2-py3", kinds=_NUMBER),
]
Glibc = Annotated[
    str,
    BeforeValidator(_text),
    _matching(_GLIBC, "glibc version", "write it as `ldd --version` does, such as 2.28"),
    _shown("2.28", pattern=_GLIBC, kinds=_NUMBER),
]
ReleaseName = Annotated[
    str,
    BeforeValidator(_text),
    _matching(_RELEASE, "release name", "use letters, digits, '-', '_', '.' or '+', such as 2026.11"),
    AfterValidator(_not_current),
    _shown("2026.11", pattern=_RELEASE, kinds=_NUMBER),
]
Capability = Annotated[
    str,
    BeforeValidator(_text),
    _matching(_CAPABILITY, "compute capability", "write major and minor, such as 9.0"),
    _shown("9.0", pattern=_CAPABILITY, kinds=_NUMBER),
]
NodeRange = Annotated[
    str,
    BeforeValidator(_text),
    _matching(_NODES, "number of nodes", "write 1..16, or a single number"),
    AfterValidator(_ascending),
    _shown("1..16", pattern=_NODES, kinds=("string", "integer")),
]
SettingText = Annotated[
    str, BeforeValidator(_text), AfterValidator(_line), _shown("1", kinds=("string", "number", "boolean"))
]
Line = Annotated[str, AfterValidator(_line), _shown("TEXT", pattern=r"\S")]
Name = Annotated[
    str,
    _matching(
        _NAME,
        "name",
        "use up to 63 small letters, digits, '-', '_' or '.', a letter or digit at both ends",
    ),
    _shown("NAME", pattern=_NAME),
]
FrameworkName = Annotated[
    str,
    AfterValidator(_without_dot),
    _matching(
        _FRAMEWORK,
        "framework's name",
        "use up to 63 small letters, digits, '-' or '_', a letter or digit at both ends",
    ),
    _shown("NAME", pattern=_FRAMEWORK),
]
Requirement = Annotated[str, AfterValidator(_requirement), _shown("keras>=3")]
ProjectName = Annotated[
    str,
    _matching(_PROJECT, "package name", "use letters, digits, '.', '_' and '-'"),
    AfterValidator(canonicalize_name),
    _shown("tensorflow-cpu", pattern=_PROJECT),
]
ImportName = Annotated[str, AfterValidator(_import_name), _shown("tensorflow")]
Image = Annotated[
    str,
    _matching(_IMAGE, "image with its digest", "write NAME@sha256: and its 64 digits"),
    _shown("NAME@sha256:DIGEST", pattern=_IMAGE),
]
Target = Annotated[str, AfterValidator(_target), _shown("skylake_avx512", "zen3", "power9le", "neoverse_v2")]
OperatingSystem = Annotated[
    str,
    _matching(
        _OPERATING_SYSTEM, "operating system", "write it as Spack does, such as rhel8, sles15, debian12"
    ),
    _shown("rhel8", "sles15", "debian12", pattern=_OPERATING_SYSTEM),
]
Spec = Annotated[
    str,
    _matching(_SPEC, "Spack spec", "begin with a package name, such as hdf5@1.14 +mpi"),
    _shown("hdf5@1.14 +mpi", pattern=_SPEC),
]
Variable = Annotated[
    str,
    _matching(_VARIABLE, "environment variable", "use letters, digits and '_'"),
    AfterValidator(_settable),
    _shown("OMP_NUM_THREADS", pattern=_VARIABLE),
]
Memory = Annotated[
    str,
    _matching(_MEMORY, "amount of memory", "write it with its unit, such as 96 GB"),
    _shown("96 GB", pattern=_MEMORY),
]
Duration = Annotated[
    str,
    _matching(_DURATION, "time limit", "write hours:minutes:seconds, such as 48:00:00"),
    _shown("48:00:00", pattern=_DURATION),
]
Directory = Annotated[str, AfterValidator(paths.directory), _shown("/usr")]
Prefix = Annotated[str, AfterValidator(paths.prefix), _shown("~/hpai", "/opt/hpai")]
