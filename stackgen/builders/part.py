"""A part of a build: what a node is asked to do, and how it knows that it sees what is asked for."""

from typing import Literal

from stackgen.model.base import Strict
from stackgen.sandbox import Sandbox

Kind = Literal["packages", "framework", "test"]


class Part(Strict):
    """Goes to a node as JSON; paths are the same there."""

    kind: Kind
    name: str = ""
    """The framework's, or the directory of the release to test."""
    first: bool = True
    """Of those who install packages: it goes on, whatever locks the file system has."""
    file: str
    """The environment's."""
    prefix: str
    holder: str
    """What the prefix says of who holds it; a directory that says another thing is not this one."""
    request: str
    """The digest of the plan and its lock."""
    mirror: str = ""
    sandbox: Sandbox | None = None
    cache: str = ""
    scratch: str = ""
    jobs: int = 0

    def __str__(self) -> str:
        match self.kind:
            case "packages":
                return "Spack's packages"
            case "framework":
                return self.name
            case "test":
                return "the tests"
