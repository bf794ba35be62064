"""The kinds of text that the YAML files hold, each with its rule and the remedy for breaking it."""

import os
import re
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Annotated

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as ParsedRequirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion
from packaging.version import Version as ParsedVersion
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from stackgen import targets

NEWEST = "newest"

_SYSTEM_DIRECTORIES = frozenset(
    f"/{name}"
    for name in (
        *("bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "media", "mnt", "opt"),
        *("proc", "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var"),
    )
)


class Strict(BaseModel):
    """The base of all that is read from YAML: frozen, and nothing unknown passes."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def refuse(what: str, remedy: str) -> PydanticCustomError:
    """The error of a rule of ours: `config` prints `what; remedy` after the place."""
    return PydanticCustomError("stackgen", "{what}", {"what": what, "remedy": remedy})


def near(word: str, known: Collection[str], remedy: str) -> str:
    """A remedy that names the nearest known words, or `remedy` where none is near."""
    matches = get_close_matches(word, known, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(matches)}?" if matches else remedy


def _python_version(text: str) -> str:
    if not re.fullmatch(r"3\.\d{1,2}", text):
        raise refuse(f"{text!r} is no Python version", "give major and minor, such as 3.11")
    if int(text.split(".")[1]) < 9:
        raise refuse(f"Python {text} is older than 3.9", "stackgen's tools need 3.9 or newer")
    return text


def _framework_version(text: str) -> str:
    if text == NEWEST:
        return text
    try:
        ParsedVersion(text)
    except InvalidVersion:
        try:
            SpecifierSet(text)
        except InvalidSpecifier:
            raise refuse(
                f"{text!r} is neither a version nor a version specifier",
                f"write 2.21.0, 2.21, '>=2.20,<3' or {NEWEST}",
            ) from None
    return text


def _requirement(text: str) -> str:
    try:
        parsed = ParsedRequirement(text)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        raise refuse(
            f"{text!r} is no requirement ({reason})", "write it as pip takes it, such as keras>=3"
        ) from None
    if parsed.url:
        raise refuse(
            f"{text!r} names an address",
            "name the package alone; where to fetch it is the site's configuration",
        )
    return text


def _project_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", text):
        raise refuse(f"{text!r} is no package name", "use letters, digits, '.', '_' and '-'")
    return canonicalize_name(text)


def _import_name(text: str) -> str:
    if not all(part.isidentifier() for part in text.split(".")):
        raise refuse(f"{text!r} is no Python module name", "write it as after `import`")
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.+-]{0,62}", text):
        raise refuse(
            f"{text!r} is no name",
            "use up to 63 small letters, digits, '-', '_', '.' or '+', a letter or digit first",
        )
    return text


def _release(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,62}", text) or text == "current":
        raise refuse(
            f"{text!r} is no release name", "use letters, digits, '-', '_', '.' or '+', such as 2026.11"
        )
    return text


def _line(text: str) -> str:
    if not text.strip():
        raise refuse("the text is empty", "write something or leave the key out")
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise refuse("control characters are not allowed here", "write one line of plain text")
    return text


def _target(text: str) -> str:
    if text not in targets.NAMES:
        raise refuse(
            f"unknown target {text!r}",
            near(text, targets.NAMES, "use a name that archspec knows"),
        )
    return text


def _glibc(text: str) -> str:
    if not re.fullmatch(r"2\.\d{1,2}", text):
        raise refuse(f"{text!r} is no glibc version", "write it as `ldd --version` does, such as 2.28")
    return text


def _operating_system(text: str) -> str:
    if not re.fullmatch(r"[a-z]+[a-z0-9_.]*", text):
        raise refuse(
            f"{text!r} is no operating system", "write it as Spack does, such as rhel8, sles15, debian12"
        )
    return text


def _spec(text: str) -> str:
    if not re.match(r"[a-z0-9][a-z0-9_-]*", text) or re.search(r"[;&|`$<>\\'\n]", text):
        raise refuse(f"{text!r} is no Spack spec", "begin with a package name, such as hdf5@1.14 +mpi")
    return text


def _variable(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
        raise refuse(f"{text!r} is no environment variable", "use letters, digits and '_'")
    if text in {"PATH", "HOME", "LD_PRELOAD", "LD_LIBRARY_PATH", "MODULEPATH"} or text.startswith(
        ("PYTHON", "LMOD_")
    ):
        raise refuse(f"{text} is set by the modules themselves", "leave it out")
    return text


def _directory(text: str) -> str:
    """A directory on a machine that need not be this one: absolute and plain."""
    if not text.startswith("/") or ".." in PurePosixPath(text).parts:
        raise refuse(f"{text!r} is not an absolute path", "begin with /")
    return _plain_path(text)


def _prefix(text: str) -> str:
    """The place of an environment; `~` and `$HOME` stand for the admin's home."""
    expanded = os.path.expandvars(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser raises
    if not expanded.startswith("/"):
        raise refuse(f"the prefix {text!r} is not absolute", "begin with / or ~/")
    plain = _plain_path(os.path.normpath(expanded))
    if ".." in PurePosixPath(expanded).parts:
        raise refuse(f"the prefix {text!r} climbs with '..'", "write the directory itself")
    if plain in _SYSTEM_DIRECTORIES | {"/", "//"} or plain == os.path.normpath(str(Path.home())):
        raise refuse(
            f"the prefix {text!r} belongs to the system or is a home",
            f"choose a directory of its own, such as {plain.rstrip('/')}/hpai",
        )
    return plain


def _plain_path(text: str) -> str:
    if re.search(r"[^A-Za-z0-9._+@=,/-]", text):
        raise refuse(
            f"{text!r} has characters that paths in scripts cannot hold", "use letters, digits and ._+@=,-"
        )
    return text


def _text(value: object) -> object:
    """Let YAML's own types in where a value is built from Python; the loader hands over text only."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


_NUMBER_OR_TEXT = WithJsonSchema({"type": ["string", "number"]})

PythonVersion = Annotated[str, BeforeValidator(_text), AfterValidator(_python_version), _NUMBER_OR_TEXT]
FrameworkVersion = Annotated[str, BeforeValidator(_text), AfterValidator(_framework_version), _NUMBER_OR_TEXT]
Glibc = Annotated[str, BeforeValidator(_text), AfterValidator(_glibc), _NUMBER_OR_TEXT]
ReleaseName = Annotated[str, BeforeValidator(_text), AfterValidator(_release), _NUMBER_OR_TEXT]
SettingText = Annotated[str, BeforeValidator(_text), AfterValidator(_line), _NUMBER_OR_TEXT]
Line = Annotated[str, AfterValidator(_line)]
Name = Annotated[str, AfterValidator(_name)]
Requirement = Annotated[str, AfterValidator(_requirement)]
ProjectName = Annotated[str, AfterValidator(_project_name)]
ImportName = Annotated[str, AfterValidator(_import_name)]
Target = Annotated[str, AfterValidator(_target)]
OperatingSystem = Annotated[str, AfterValidator(_operating_system)]
Spec = Annotated[str, AfterValidator(_spec)]
Variable = Annotated[str, AfterValidator(_variable)]
Directory = Annotated[str, AfterValidator(_directory)]
Prefix = Annotated[str, AfterValidator(_prefix)]
Url = Annotated[str, StringConstraints(pattern=r"^(https?|file)://\S+$")]
