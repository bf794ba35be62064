"""Rules that need more of an environment than one value."""

from pathlib import Path

from packaging.utils import canonicalize_name

from stackgen.errors import Fault
from stackgen.model import Environment


def check(environment: Environment, directory: Path) -> list[Fault]:
    """What is wrong with an environment whose file lies in `directory`; the places are still to be found."""
    return [*_missing_scripts(environment, directory), *_same_names(environment)]


def _missing_scripts(environment: Environment, directory: Path) -> list[Fault]:
    return [
        Fault(
            where=f"frameworks.{name}.verify",
            what=f"there is no file {directory / framework.verify}",
            remedy="name a script by its path relative to the environment's file",
        )
        for name, framework in environment.frameworks.items()
        if framework.verify and not (directory / framework.verify).is_file()
    ]


def _same_names(environment: Environment) -> list[Fault]:
    seen: dict[str, str] = {}
    found = []
    for name in environment.frameworks:
        first = seen.setdefault(canonicalize_name(name), name)
        if first != name:
            what = f"{first} and {name} are one name"
            found.append(Fault(where=f"frameworks.{name}", what=what, remedy="rename one of them"))
    return found
