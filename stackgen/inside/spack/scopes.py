"""Environments on disk become Spack's active one; nothing is written but below the scratch directory."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import spack.config
import spack.environment as ev
import spack.environment.environment as module
import spack.repo
import spack.store

_LONGEST_SOLVE = 900
"""Seconds; ten times what the largest takes. What has no solution may never end."""


_REUSED: list[Any] = []
"""The roots of what may be taken as it is."""


def keep_to(scratch: Path) -> None:
    """Point all that Spack would write, whatever the environments say, to the scratch directory."""
    ours = {
        "config": {
            "install_tree": {"root": str(scratch / "store")},
            "build_stage": [str(scratch / "stage")],
        },
        "concretizer": {"concretization_cache": {"enable": False}, "timeout": _LONGEST_SOLVE},
        "bootstrap": {"enable": False},
    }
    scope = spack.config.InternalConfigScope("stackgen", ours)
    module.env_subdir_path = lambda directory: str(scratch / "environments" / _digest(str(directory)))
    spack.config.CONFIG.push_scope(scope, priority=spack.config.ConfigScopePriority.COMMAND_LINE)


def reuse(directories: Sequence[str]) -> None:
    """Take what is in these solved environments wherever it does, whether it is installed here or not."""
    if not directories:
        return
    sources = [{"type": "environment", "path": directory} for directory in directories]
    chosen = {"concretizer": {"reuse": {"roots": True, "from": sources}}}
    scope = spack.config.InternalConfigScope("stackgen-reuse", chosen)
    spack.config.CONFIG.push_scope(scope, priority=spack.config.ConfigScopePriority.COMMAND_LINE)
    for directory in directories:
        _REUSED.extend(ev.Environment(directory).concrete_roots())


def reused() -> tuple[Any, ...]:
    """What may be taken as it is, by its roots."""
    return tuple(_REUSED)


def activate(directory: Path) -> Any:
    """Make the environment in a directory the active one in place of any other; recipes stay loaded."""
    environment = ev.Environment(directory)
    before = _recipes()
    if active := ev.active_environment():
        active.manifest.deactivate_config_scope()
    module._active_environment = environment
    environment.manifest.prepare_config_scope()
    if _recipes() != before:
        spack.repo.PATH.disable()
        spack.repo.enable_repo(spack.repo.RepoPath.from_config(spack.config.CONFIG))
    return environment


def _recipes() -> Any:
    return spack.config.get("repos")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
