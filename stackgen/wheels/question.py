"""What the resolver is asked."""

from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stackgen.platforms import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Requirements on a target; `where` is their place in the YAML file."""

    where: str
    target: Target
    requirements: tuple[str, ...]
    sdists: frozenset[str] = frozenset()
    """Packages to be taken as source distributions; all others come as wheels."""
    dependencies: bool = True

    def lines(self, package: str) -> tuple[str, ...]:
        """The requirements that name a package."""
        name = canonicalize_name(package)
        return tuple(line for line in self.requirements if canonicalize_name(Requirement(line).name) == name)
