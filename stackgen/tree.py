"""Trees of files as values, so that what would be written can be compared, joined and tested."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from stackgen.errors import WorkError


@dataclass(frozen=True, slots=True)
class File:
    """A text file to be written; `mode` is its permission bits."""

    text: str
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Tree(Mapping[str, File]):
    """Files by relative POSIX path, always iterated in sorted order.

    Raises WorkError where a path is absolute, leaves the tree, or is both a file and a directory.
    """

    files: Mapping[str, File] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ordered = {path: self.files[path] for path in sorted(self.files)}
        for path in ordered:
            _check_path(path, ordered)
        object.__setattr__(self, "files", ordered)

    def __getitem__(self, path: str) -> File:
        return self.files[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def __or__(self, other: "Tree") -> "Tree":
        """Both trees; the same path with different contents is a WorkError."""
        for path in self.files.keys() & other.files.keys():
            if self[path] != other[path]:
                raise WorkError(f"two generators write {path} differently")
        return Tree({**self.files, **other.files})

    def below(self, directory: str) -> "Tree":
        """The same files, each path below `directory`."""
        return Tree({f"{directory}/{path}": file for path, file in self.files.items()})


def _check_path(path: str, files: Mapping[str, File]) -> None:
    parts = PurePosixPath(path).parts
    if not parts or path != "/".join(parts) or path.startswith("/") or ".." in parts:
        raise WorkError(f"{path!r} is no plain relative path")
    for parent in PurePosixPath(path).parents:
        if str(parent) in files:
            raise WorkError(f"{parent} is a file and a directory at once")
