"""The view of a framework that Spack builds: the files of many packages as those of one Python."""

import filecmp
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from stackgen import files
from stackgen.closure import PYTHON, VENV, Closure, is_python_package
from stackgen.errors import WorkError
from stackgen.graph import Node
from stackgen.scripts import LONGEST_START, beside, is_python_script

_SHARED = ("etc", "share")
"""What Python packages look for below their interpreter's prefix, such as Jupyter its kernels."""
_BUILT_IN = "*.dist-info/direct_url.json"
"""It says in which directory, long gone, a package was built."""
_TOLD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A file that a package gives to a view."""

    source: Path
    package: str
    is_program: bool = False
    """Programs are started; all others are copied, for Python asks where they really lie."""


@dataclass(slots=True)
class View:
    """Pieces by their places; of two for one place the first stays."""

    pieces: dict[PurePath, Piece] = field(default_factory=dict)
    conflicts: list[tuple[PurePath, Piece, Piece]] = field(default_factory=list)
    """The place, what lies there, and what would too; equal files are no conflict."""
    _directories: set[PurePath] = field(default_factory=set)

    def add(self, place: PurePath, piece: Piece) -> None:
        """Give a place to a piece, if nobody has it."""
        taken = next((at for at in (place, *place.parents) if at in self.pieces), None)
        if place in self._directories:
            taken = next(at for at in self.pieces if place in at.parents)
        if taken is None:
            self.pieces[place] = piece
            self._directories.update(place.parents)
        elif taken != place or not _equal(self.pieces[taken].source, piece.source):
            self.conflicts.append((place, self.pieces[taken], piece))

    @property
    def warning(self) -> str:
        """The conflicts in one line; empty where there are none."""
        told = [f"{place} of {mine.package}, not of {other.package}" for place, mine, other in self.conflicts]
        more = f", and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
        return (
            f"packages have different files of one name; taken: {', '.join(told[:_TOLD])}{more}"
            if told
            else ""
        )


def view(closure: Closure, prefixes: Mapping[str, Path], imports: str) -> View:
    """What of the packages a framework shows, `prefixes` being theirs by hash.

    All of its Python packages; of the others the programs of the roots alone, and of what they start.
    WorkError where a package is not there.
    """
    made = View()
    for node in closure.nodes:
        if node.external or node.name in {PYTHON, VENV}:
            continue
        prefix = _there(node, prefixes)
        modules = _modules(prefix, closure.python_version) if closure.python else ()
        if modules:
            _add_python(made, node, prefix, modules, closure.python_version)
        elif node in closure.roots and closure.python and imports:
            _add_modules(made, node, prefix, closure.python_version, imports)
        if modules or node in closure.roots:
            _add_programs(made, node, prefix)
    for node in _started(closure):
        _add_programs(made, node, _there(node, prefixes))
    return made


def _there(node: Node, prefixes: Mapping[str, Path]) -> Path:
    prefix = prefixes[node.hash]
    if prefix.is_dir():
        return prefix
    raise WorkError(f"{node} of Spack is not in {prefix}", "run `stackgen build` again, which installs it")


def _modules(prefix: Path, version: str) -> tuple[Path, ...]:
    """Where a package has its modules: in one directory, or in two where compiled ones lie apart."""
    places = {(prefix / library / f"python{version}/site-packages").resolve() for library in ("lib", "lib64")}
    return tuple(sorted(place for place in places if place.is_dir()))


def _add_python(view: View, node: Node, prefix: Path, modules: Iterable[Path], version: str) -> None:
    for directory in modules:
        _add_tree(view, node, directory, packages_place(version))
    for name in _SHARED:
        _add_tree(view, node, prefix / name, PurePath(name))


def _add_modules(view: View, node: Node, prefix: Path, version: str, imports: str) -> None:
    """Caffe, and what is built like it, has its modules in `python`, which no interpreter searches."""
    if (prefix / "python" / imports).exists():
        _add_tree(view, node, prefix / "python", packages_place(version))


def packages_place(version: str) -> PurePath:
    """Where a framework has its Python packages."""
    return PurePath("lib", f"python{version}", "site-packages")


def _add_tree(view: View, node: Node, directory: Path, place: PurePath) -> None:
    for path in _files(directory):
        if not path.match(_BUILT_IN):
            view.add(place / path.relative_to(directory), Piece(source=path, package=str(node)))


def _files(directory: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Every file below a directory, in the same order everywhere; links are what they lead to.

    Bytecode is left out: it would have to be compiled anew wherever times are not kept.
    """
    real = directory.resolve()
    if real in above or not directory.is_dir():
        return
    for path in sorted(directory.iterdir()):
        if not path.is_dir():
            yield from (path,) if path.exists() else ()
        elif path.name != "__pycache__":
            yield from _files(path, (*above, real))


def _add_programs(view: View, node: Node, prefix: Path) -> None:
    directory = prefix / "bin"
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        if path.is_file() and os.access(path, os.X_OK):
            view.add(PurePath("bin", path.name), Piece(source=path, package=str(node), is_program=True))


def _started(closure: Closure) -> Iterator[Node]:
    """What the roots and the packages of Python do no more than start, such as Spark its Java."""
    users = [node for node in closure.nodes if is_python_package(node) or node in closure.roots]
    edges = [edge for user in users for edge in user.edges]
    started = {edge.to for edge in edges if "run" in edge.kinds} - {
        *(edge.to for edge in edges if "link" in edge.kinds),
        *(node.hash for node in users),
    }
    for node in closure.nodes:
        if node.hash in started and not node.external and node.name not in {PYTHON, VENV}:
            yield node


def write(view: View, prefix: Path) -> None:
    """Put a view into a prefix; what is there already stays, the interpreter before all."""
    for place, piece in view.pieces.items():
        target = prefix / place
        if target.exists() or target.is_symlink():
            continue
        with files.reported(f"cannot copy {piece.source}"):
            target.parent.mkdir(parents=True, exist_ok=True)
            _put(piece, target)


def _put(piece: Piece, target: Path) -> None:
    if not piece.is_program:
        shutil.copy2(piece.source, target)
    elif _is_script(piece.source):
        target.write_bytes(beside(piece.source.read_bytes()))
        target.chmod(0o755)
    else:
        # It may look for its files, and the loader for its libraries, from where it really lies.
        target.symlink_to(piece.source.resolve())


def _is_script(path: Path) -> bool:
    with path.open("rb") as stream:
        return is_python_script(stream.read(LONGEST_START))


def _equal(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)
