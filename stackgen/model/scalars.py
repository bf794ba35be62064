"""The kinds of text that the YAML files hold, each with its rule and the remedy for breaking it."""

import re
from typing import Annotated

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as ParsedRequirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion
from packaging.version import Version as ParsedVersion
from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from stackgen.inside.threads import PLACEHOLDERS, UnknownPlaceholderError, pieces_of_setting
from stackgen.model import paths
from stackgen.model.base import refuse
from stackgen.model.rules import NUMBER, as_text, matching, shown
from stackgen.underlying import SITE

NEWEST = "newest"

OLDEST_PYTHON = 9
"""The minor version of the oldest Python 3 that stackgen's tools run on."""

_PYTHON = r"^3\.\d{1,2}$"
_GLIBC = r"^2\.\d{1,2}$"
_FRAMEWORK = r"^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$"
_NAME = r"^[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?$"
_RELEASE = r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,62}$"
_SOFTWARE = r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,62}$"
_PROJECT = r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
_SPEC = r"^[a-z0-9][^;&|`$<>\\'\n]*$"
_SPACK_VERSION = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$"
_IMAGE_VERSION = rf"^(?!{NEWEST}$)[A-Za-z0-9][A-Za-z0-9_.+-]{{0,62}}$"
_OF_A_RANK = frozenset(
    {
        *("RANK", "LOCAL_RANK", "GROUP_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"),
        *("MASTER_ADDR", "MASTER_PORT", "TF_CONFIG"),
    }
)
_LONGEST = 16384
"""Characters of a setting: Linux starts no program any more where one variable has 128 KiB."""
_IMAGE = r"^[^\s@]+@sha256:[0-9a-f]{64}$"


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


def _filled(text: str) -> str:
    """As it may stand in `settings`: what modules put in the place of braces is known."""
    if len(text) > _LONGEST:
        raise refuse(f"the value has {len(text)} characters", f"shorten it to {_LONGEST} or fewer")
    try:
        pieces_of_setting(text)
    except UnknownPlaceholderError as error:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise refuse(f"{text!r}: {error}", f"write {known}, or {{{{ and }}}} for braces") from None
    return text


def _site(text: str) -> str:
    return text if text == SITE else paths.prefix(text)


def _settable(text: str) -> str:
    if text in {"PATH", "HOME", "LD_PRELOAD", "LD_LIBRARY_PATH", "MODULEPATH"} or text.startswith(
        ("PYTHON", "LMOD_")
    ):
        raise refuse(f"{text} is set by the modules themselves", "leave it out")
    if text.startswith(("VIRTUAL_ENV", "CONDA_")):
        raise refuse(f"{text} leads to a Python that is not the framework's", "leave it out")
    if text in _OF_A_RANK:
        raise refuse(f"{text} is another one on each rank", "leave it out: what starts the ranks sets it")
    return text


PythonVersion = Annotated[
    str,
    BeforeValidator(as_text),
    matching(_PYTHON, "Python version", "give major and minor, such as 3.11"),
    AfterValidator(_recent_python),
    shown("3.11", pattern=_PYTHON, kinds=NUMBER),
]
WheelsVersion = Annotated[
    str,
    BeforeValidator(as_text),
    AfterValidator(_wheels_version),
    shown(NEWEST, "2.21.0", "2.21", ">=2.20,<3", kinds=NUMBER),
]
SpackVersion = Annotated[
    str,
    BeforeValidator(as_text),
    matching(_SPACK_VERSION, "version of a Spack package", f"write one, such as 1.0 or develop, or {NEWEST}"),
    shown(NEWEST, "1.0", "develop", pattern=_SPACK_VERSION, kinds=NUMBER),
]
ImageVersion = Annotated[
    str,
    BeforeValidator(as_text),
    matching(
        _IMAGE_VERSION,
        "version of an image",
        "write the one that its module shall show, such as 24.05-tf2-py3",
    ),
    shown("24.05-tf2-py3", pattern=_IMAGE_VERSION, kinds=NUMBER),
]
DefaultVersion = Annotated[
    str,
    BeforeValidator(as_text),
    AfterValidator(_default_version),
    shown("2.21.0", "2.21", "24.05-tf2-py3", kinds=NUMBER),
]
Glibc = Annotated[
    str,
    BeforeValidator(as_text),
    matching(_GLIBC, "glibc version", "write it as `ldd --version` does, such as 2.28"),
    shown("2.28", pattern=_GLIBC, kinds=NUMBER),
]
ReleaseName = Annotated[
    str,
    BeforeValidator(as_text),
    matching(_RELEASE, "release name", "use letters, digits, '-', '_', '.' or '+', such as 2026.11"),
    AfterValidator(_not_current),
    shown("2026.11", pattern=_RELEASE, kinds=NUMBER),
]
SettingText = Annotated[
    str,
    BeforeValidator(as_text),
    AfterValidator(_line),
    AfterValidator(_filled),
    shown("1", "{threads}", kinds=("string", "number", "boolean")),
]
Line = Annotated[str, AfterValidator(_line), shown("TEXT", pattern=r"\S")]
Name = Annotated[
    str,
    matching(
        _NAME,
        "name",
        "use up to 63 small letters, digits, '-', '_' or '.', a letter or digit at both ends",
    ),
    shown("NAME", pattern=_NAME),
]
SoftwareName = Annotated[
    str,
    matching(_SOFTWARE, "name", "use up to 63 letters, digits, '-', '_', '.' or '+', such as CNTK"),
    shown("CNTK", pattern=_SOFTWARE),
]
FrameworkName = Annotated[
    str,
    AfterValidator(_without_dot),
    matching(
        _FRAMEWORK,
        "framework's name",
        "use up to 63 small letters, digits, '-' or '_', a letter or digit at both ends",
    ),
    shown("NAME", pattern=_FRAMEWORK),
]
Requirement = Annotated[str, AfterValidator(_requirement), shown("keras>=3")]
ProjectName = Annotated[
    str,
    matching(_PROJECT, "package name", "use letters, digits, '.', '_' and '-'"),
    AfterValidator(canonicalize_name),
    shown("tensorflow-cpu", pattern=_PROJECT),
]
ImportName = Annotated[str, AfterValidator(_import_name), shown("tensorflow")]
Image = Annotated[
    str,
    matching(_IMAGE, "image with its digest", "write NAME@sha256: and its 64 digits"),
    shown("NAME@sha256:DIGEST", pattern=_IMAGE),
]
Spec = Annotated[
    str,
    matching(_SPEC, "Spack spec", "begin with a package name, such as hdf5@1.14 +mpi"),
    shown("hdf5@1.14 +mpi", pattern=_SPEC),
]
Variable = Annotated[
    str,
    matching(_VARIABLE, "environment variable", "use letters, digits and '_'"),
    AfterValidator(_settable),
    shown("OMP_NUM_THREADS", pattern=_VARIABLE),
]
Directory = Annotated[str, AfterValidator(paths.directory), shown("/usr")]
Prefix = Annotated[str, AfterValidator(paths.prefix), shown("~/hpai", "/opt/hpai")]
Extended = Annotated[str, AfterValidator(_site), shown("site", "/opt/hpai", "/opt/hpai/releases/2026.11")]
