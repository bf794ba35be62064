"""What images hold, what they stand on, and what of a machine is seen inside of them."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from stackgen.model.base import Strict, refuse
from stackgen.model.rules import matching, shown
from stackgen.model.scalars import Name

DISTRIBUTIONS = {"debian": {"12": "2.36", "13": "2.41"}}
"""The versions of each distribution whose packages can be locked, with their glibc."""

_BY_DIGEST = re.compile(r"[^\s@]+@sha256:[0-9a-f]{64}")
"""As `Image` of scalars."""
_PATTERN = r"^/[^\s'\"\\]*[^\s'\"\\/]$"
_DEBIAN_PACKAGE = r"^[a-z0-9][a-z0-9+.-]+$"
_OURS = ".stackgen"
"""Where an image has what stackgen needs itself."""
_OF_THE_IMAGE = frozenset({_OURS, "bin", "dev", "etc", "lib", "lib32", "lib64", "proc", "sbin", "sys", "usr"})
"""What no directory of the machine may hide."""
_MOUNTED = frozenset({"dev", "proc", "run", "sys", "tmp"})
"""What no file of an image is seen in."""


def _base(text: str) -> str:
    """A distribution with its version, or an image with its digest."""
    if _BY_DIGEST.fullmatch(text):
        return text
    name, _, version = text.partition(":")
    if version in DISTRIBUTIONS.get(name, ()):
        return text
    known = ", ".join(f"{one}:{number}" for one, numbers in DISTRIBUTIONS.items() for number in numbers)
    remedy = f"write one of {known}, or an image as NAME@sha256: and its 64 digits"
    raise refuse(f"{text!r} is no base of images", remedy)


def _shown(text: str) -> str:
    """A directory that may be bound without hiding what an image has of its own."""
    parts = text.split("/")
    if not text.startswith("/") or ".." in parts or re.search(r"[\s:,'\"\\]", text):
        raise refuse(
            f"{text!r} is no directory that can be bound", "begin with /, without '..', ':' or blanks"
        )
    plain = "/" + "/".join(part for part in parts if part not in {"", "."})
    if plain == "/" or plain.split("/")[1] in _OF_THE_IMAGE:
        raise refuse(f"{text!r} would hide what the image has there", "name a directory of users or of data")
    return plain


def _inside(text: str) -> str:
    """A place in an image for a file of the site's."""
    parts = [part for part in text.split("/") if part not in {"", "."}]
    is_file = text.startswith("/") and not text.endswith(("/", "/.")) and "\n" not in text
    if not is_file or ".." in parts:
        raise refuse(f"{text!r} is no place for a file", "begin with /, end with its name, leave out '..'")
    if parts[0] == _OURS:
        raise refuse(f"{text!r} is where an image has what is stackgen's", "give it another place")
    if parts[0] in _MOUNTED or (len(parts) == 1 and parts[0] in _OF_THE_IMAGE):
        raise refuse(f"{text!r} is where a directory is, or what is mounted", "give it another place")
    return text


SHELLS = frozenset({"bash", "dash", "env", "sh"})
"""What scripts of users, and of a site, begin with: it would start all of them in the container."""


def _command(text: str) -> str:
    if text in SHELLS:
        remedy = "leave it out: the module's own name starts any program inside"
        raise refuse(f"{text} in front of all others would start users' scripts inside", remedy)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,126}", text):
        raise refuse(f"{text!r} is no name of a command", "give the names of programs, such as python")
    return text


Base = Annotated[str, AfterValidator(_base), shown("debian:12", "NAME@sha256:DIGEST")]
DebianPackage = Annotated[
    str,
    matching(_DEBIAN_PACKAGE, "package of a distribution", "write its name alone, such as git"),
    shown("git", pattern=_DEBIAN_PACKAGE),
]
Bind = Annotated[str, AfterValidator(_shown), shown("/home")]
LibraryPattern = Annotated[
    str,
    matching(_PATTERN, "pattern of library files", "begin with /, as /usr/lib64/libcuda.so.*"),
    shown("/usr/lib64/libcuda.so.*", pattern=_PATTERN),
]
PlaceInside = Annotated[str, AfterValidator(_inside), shown("/etc/site.conf")]
CommandName = Annotated[str, AfterValidator(_command), shown("python")]


class Packing(Strict):
    """That a framework is to be had as an image as well."""

    module: Name | None = None
    """The name of the image's module; without it the framework's with `-container` behind."""


def _packing(given: object) -> object:
    """`true` says all; `false` is as if nothing were written."""
    known: dict[str, object] = {"true": {}, "yes": {}, "false": None, "no": None}
    return known.get(str(given).lower(), given) if isinstance(given, str | bool) else given


ChosenPacking = Annotated[
    Packing | None,
    BeforeValidator(_packing, json_schema_input_type=bool | Packing | None),
]


class Containers(Strict):
    """What the images of an environment stand on."""

    base: Base = "debian:12"
    """A distribution, whose packages are locked by hash, or an image by its digest."""
    packages: tuple[DebianPackage, ...] = ()
    """Further packages of the distribution."""


class HostContainers(Strict):
    """What of a machine is seen inside its containers."""

    binds: tuple[Bind, ...] = ("/home",)
    """Directories, at the same path inside; the user's home is seen besides where it lies in one of them."""
    libraries: tuple[LibraryPattern, ...] = ()
    """Files of the machine that programs inside shall load: of the fabric, of the GPU driver."""
    mpi: Literal["host", "image"] = "host"
    """Whose MPI ranks in containers use."""
