"""The environment that loading a framework's module gives, for machines without Lmod."""

from collections.abc import Mapping
from typing import assert_never

from stackgen.effects import Assign, Clear, Default, DefaultOfRank, Effect, Prepend, effects
from stackgen.inside.threads import expanded, processors_here
from stackgen.release import InstalledFramework


def shell_environment(
    namespace: str, framework: InstalledFramework, release: str, caller: Mapping[str, str]
) -> dict[str, str]:
    """The caller's environment as `module load` would leave it, without Lmod's own book-keeping.

    `release` is the directory of the framework's release.
    """
    environment = dict(caller)
    for effect in effects(namespace, framework, release):
        _apply(effect, {"prefix": framework.prefix, "release": release}, environment)
    return environment


def _apply(effect: Effect, places: Mapping[str, str], environment: dict[str, str]) -> None:
    match effect:
        case Prepend(variable=variable, directory=directory, of=place):
            first = f"{places[place]}/{directory}"
            others = [path for path in environment.get(variable, "").split(":") if path != first]
            environment[variable] = ":".join([first, *others]) if any(others) else first
        case Assign(variable=variable, value=value):
            environment[variable] = value
        case Clear(variable=variable):
            if environment.get(variable):
                del environment[variable]
        case Default(variable=variable, value=value):
            environment.setdefault(variable, value)
        case DefaultOfRank(variable=variable, value=value):
            environment.update(expanded({variable: value}, environment, processors_here()))
        case _:
            assert_never(effect)
