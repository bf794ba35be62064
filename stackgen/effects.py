"""What loading a framework does to an environment, as values: modules render them, shell applies them."""

import re
from dataclasses import dataclass
from typing import Literal

from stackgen.inside.threads import UnknownPlaceholderError, pieces_of_setting
from stackgen.release import InstalledFramework


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepend:
    """A directory goes to the front of a search path, and is there once."""

    variable: str
    directory: str
    of: Literal["prefix", "release"] = "prefix"
    """What it lies in: the framework's prefix, or the release, which brings the launcher."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """The variable has this value, whatever it had before."""

    variable: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clear:
    """The variable is not set; an empty one may stay, since all who read it take it for none."""

    variable: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """The variable has this value where the user has given it none; an empty value is one."""

    variable: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultOfRank:
    """As `Default`, with placeholders for what is known in a job alone; nothing where they are not known."""

    variable: str
    value: str
    """As it was written."""
    pieces: tuple[tuple[str, str], ...]
    """Each text, and the placeholder after it, or nothing."""


Effect = Prepend | Assign | Clear | Default | DefaultOfRank

FOREIGN_PYTHON = (
    # https://docs.python.org/3/using/cmdline.html#environment-variables
    *("PYTHONHOME", "PYTHONPATH", "PYTHONPLATLIBDIR", "PYTHONPYCACHEPREFIX", "PYTHONSTARTUP"),
    # CPython's getpath reads these two everywhere, although they are meant for macOS.
    *("PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__"),
    *("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT"),
    # All three, or `conda activate` stumbles over an environment that is half there.
    *("CONDA_DEFAULT_ENV", "CONDA_PREFIX", "CONDA_SHLVL"),
)
"""What leads a Python, or the tools around it, to code that was made for another one."""


def effects(namespace: str, framework: InstalledFramework, release: str) -> tuple[Effect, ...]:
    """What an environment must go through for a framework of a release, which is a directory, in order."""
    isolation: tuple[Effect, ...] = (
        *(Clear(variable=variable) for variable in FOREIGN_PYTHON),
        Assign(variable="PYTHONNOUSERSITE", value="1"),
    )
    return (
        Assign(variable=root_variable(namespace, framework), value=framework.prefix),
        Assign(variable=release_variable(namespace), value=release),
        Prepend(variable="PATH", directory="bin", of="release"),
        _programs(framework),
        *(isolation if framework.python else ()),
        *(_setting(variable, value) for variable, value in sorted(framework.settings.items())),
    )


def _programs(framework: InstalledFramework) -> Prepend:
    """Where its commands are: in its prefix, or in the release, what starts them inside of its image."""
    if framework.image:
        return Prepend(variable="PATH", directory=f"containers/{framework.name}/bin", of="release")
    return Prepend(variable="PATH", directory="bin")


def _setting(variable: str, value: str) -> Effect:
    pieces = _pieces(value)
    if placeholders(value):
        return DefaultOfRank(variable=variable, value=value, pieces=pieces)
    return Default(variable=variable, value=shown(value))


def placeholders(value: str) -> frozenset[str]:
    """The names of what a setting's value leaves to the job."""
    return frozenset(name for _, name in _pieces(value) if name)


def shown(value: str) -> str:
    """A setting's value as people read it: braces single again."""
    return "".join(text + (f"{{{name}}}" if name else "") for text, name in _pieces(value))


def _pieces(value: str) -> tuple[tuple[str, str], ...]:
    """Its texts, each with the placeholder after it; one that an older release has stays what it was."""
    try:
        return tuple(pieces_of_setting(value))
    except UnknownPlaceholderError:
        return ((value, ""),)


def root_variable(namespace: str, framework: InstalledFramework) -> str:
    """The variable that tells where the loaded framework lies, such as HPAI_TENSORFLOW_ROOT."""
    return f"{variable_name(namespace)}_{variable_name(framework.module)}_ROOT"


def release_variable(namespace: str) -> str:
    """The variable that tells where the release of the loaded framework lies, such as HPAI_RELEASE."""
    return f"{variable_name(namespace)}_RELEASE"


def variable_name(name: str) -> str:
    """A name as a part of an environment variable: capitals, and `_` for what shells do not take."""
    plain = re.sub(r"[^A-Z0-9_]", "_", name.upper())
    return f"_{plain}" if plain[0].isdigit() else plain
