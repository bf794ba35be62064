"""What a Spack user would have written by hand: environments, configuration and recipes, from a plan."""

from stackgen.environments.roots import (
    SpackEnvironment,
    is_framework,
    is_shared,
    python_environment,
    spack_environments,
)
from stackgen.environments.written import environment_tree

__all__ = [
    "SpackEnvironment",
    "environment_tree",
    "is_framework",
    "is_shared",
    "python_environment",
    "spack_environments",
]
