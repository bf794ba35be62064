"""A file and the files it includes, as one mapping whose nodes still know their files."""

from dataclasses import dataclass, field
from functools import reduce
from os.path import realpath
from pathlib import Path

from stackgen.config.nodes import Mapping, Node, Scalar, Sequence, merged, without
from stackgen.config.parse import parse
from stackgen.config.texts import read_text
from stackgen.errors import Fault, InputError, Place

INCLUDE = "include"
MAX_FILES = 64


@dataclass(slots=True)
class Reading:
    """Files as they are read: each once, with everything that is wrong with any of them."""

    files: list[Path] = field(default_factory=list)
    """Absolute, in the order of reading."""
    faults: list[Fault] = field(default_factory=list)
    _mappings: dict[str, Mapping | None] = field(default_factory=dict)
    _chain: list[Path] = field(default_factory=list)

    def read(self, path: Path, asked: Place | None = None) -> Mapping | None:
        """The joined mapping of a file, named by the user or at `asked`; None where it has faults."""
        identity = realpath(path)
        if identity not in self._mappings:
            self.files.append(path.absolute())
            self._chain.append(path)
            self._mappings[identity] = self._joined(path, asked)
            self._chain.pop()
        return self._mappings[identity]

    def _joined(self, path: Path, asked: Place | None) -> Mapping | None:
        try:
            text = read_text(path, where=INCLUDE if asked else "", asked=asked)
        except InputError as error:
            self.faults += error.faults
            return None
        parsed = parse(text, str(path))
        self.faults += parsed.faults
        if parsed.root is None or INCLUDE not in parsed.root.entries:
            return parsed.root
        return self._with_includes(parsed.root, path.parent)

    def _with_includes(self, root: Mapping, directory: Path) -> Mapping | None:
        included = [self._included(node, directory) for node in _items(root.entries[INCLUDE].node)]
        known = [mapping for mapping in included if mapping]
        whole = len(known) == len(included)
        return reduce(merged, [*known, without(root, INCLUDE)]) if whole else None

    def _included(self, node: Node, directory: Path) -> Mapping | None:
        try:
            path = self._path(node, directory)
        except InputError as error:
            self.faults += error.faults
            return None
        return self.read(path, node.place)

    def _path(self, node: Node, directory: Path) -> Path:
        if not isinstance(node, Scalar) or not node.text:
            raise _refusal(node, "no file is named here", "write `include: common.yaml` or a list of files")
        path = directory / node.text
        chain = [realpath(file) for file in self._chain]
        if realpath(path) in chain:
            circle = [*self._chain[chain.index(realpath(path)) :], path]
            what = f"the files include each other: {' -> '.join(map(str, circle))}"
            raise _refusal(node, what, "take one of these includes out")
        if len(self.files) >= MAX_FILES:
            raise _refusal(node, f"more than {MAX_FILES} files are included", "join some of them")
        return path


def _refusal(node: Node, what: str, remedy: str) -> InputError:
    return InputError.of(what, remedy, where=INCLUDE, place=node.place)


def _items(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Sequence) else (node,)
