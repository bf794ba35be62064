"""What a stack of one's own takes from the release that it stands on, instead of making it once more."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from stackgen.environments import SpackEnvironment
from stackgen.errors import InputError
from stackgen.graph import graph
from stackgen.lock import Json, Lock, SpackLock, WheelLock, framework_inputs, read_lock, spack_inputs
from stackgen.plan import Plan
from stackgen.tree import File, Tree
from stackgen.underlying import INPUT, RECORD

_GIVEN = "spack/config/packages.yaml", "spack/config/concretizer.yaml", "spack/repos/"


def underlying_lock(plan: Plan) -> Lock | None:
    """The lock of the release that a plan stands on; None where it stands on none."""
    return _read(plan.extends.lock) if plan.extends else None


@lru_cache(maxsize=4)
def _read(directory: Path) -> Lock:
    try:
        return read_lock(directory)
    except InputError as error:
        what = f"the lock of the release {directory.parent} cannot be read: {error.faults[0].what}"
        raise InputError.of(what, "ask its admin to build it again under a new name", where=INPUT) from None


def known_wheels(plan: Plan) -> dict[str, WheelLock]:
    """By framework, what the release has resolved the same requirements to: it is not asked again."""
    below = underlying_lock(plan)
    asked = below.inputs.get("frameworks") if below else None
    if below is None or not isinstance(asked, dict) or not _same_platform(plan, below):
        return {}
    same = {
        framework.name: name
        for framework in plan.wheels
        for name, inputs in asked.items()
        if inputs == framework_inputs(framework)
    }
    return {ours: replace(below.wheel_lock(theirs), framework=ours) for ours, theirs in same.items()}


def _same_platform(plan: Plan, below: Lock) -> bool:
    return below.platform == plan.platform


def known_solution(plan: Plan, environment: SpackEnvironment) -> SpackLock | None:
    """What the release has solved the same environment of Spack's to; None where it was asked for another."""
    below = underlying_lock(plan)
    if below is None or environment.name not in {one.name for one in below.spack}:
        return None
    asked, theirs = spack_inputs(plan, (environment,)), below.inputs.get("spack")
    assert isinstance(asked, dict)
    if not isinstance(theirs, dict) or _decisive(asked, environment) != _decisive(theirs, environment):
        return None
    same_glibc = below.platform.glibc == plan.platform.glibc
    return next(one for one in below.spack if one.name == environment.name) if same_glibc else None


def _decisive(inputs: Mapping[str, Json], environment: SpackEnvironment) -> Json:
    """What of a lock's inputs decides the solution of one environment."""
    environments, files = inputs.get("environments"), inputs.get("files")
    if not isinstance(environments, dict) or not isinstance(files, dict):
        return None
    own = (*_GIVEN, f"spack/{environment.name}/")
    return {
        **inputs,
        "environments": environments.get(environment.name),
        "files": {path: digest for path, digest in files.items() if path.startswith(own)},
    }


def reused(plan: Plan) -> tuple[SpackLock, ...]:
    """The solutions whose packages are taken wherever they do; those of the release, in its order."""
    below = underlying_lock(plan)
    return below.spack if below else ()


def packages_below(plan: Plan) -> frozenset[str]:
    """The hashes of what Spack has built for the release."""
    return frozenset(key for one in reused(plan) for key in graph(one.text).nodes)


def record_tree(plan: Plan, lock: Lock, there: Iterable[str] = ()) -> Tree:
    """What a release says of the one that it stands on; nothing where it stands on none.

    `there` are the hashes of what the store below has, be it of other releases: it is used as well.
    """
    below = plan.extends
    if below is None:
        return Tree()
    taken = {key for one in lock.spack for key in graph(one.text).nodes} & {*packages_below(plan), *there}
    said = {"format": 1, **below.identity, "environment": plan.environment, "packages": sorted(taken)}
    return Tree({RECORD: File(json.dumps(said, indent=2) + "\n")})
