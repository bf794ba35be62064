"""What a Spack user would have written by hand: environments, configuration and recipes, from a plan."""

from stackgen.environments.roots import (
    FOR_WHEELS,
    TOOLCHAIN,
    SpackEnvironment,
    is_framework,
    is_shared,
    python_environment,
    spack_environments,
)
from stackgen.environments.written import environment_tree

__all__ = [
    "FOR_WHEELS",
    "TOOLCHAIN",
    "SpackEnvironment",
    "environment_tree",
    "is_framework",
    "is_shared",
    "python_environment",
    "spack_environments",
]
