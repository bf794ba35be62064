"""Where Spack installs to, and how it is started there: with nothing of the user's, and no network."""

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stackgen.environments.settings import PADDED_LENGTH
from stackgen.graph import Node, graph
from stackgen.lock import Lock, SpackLock
from stackgen.plan import Plan
from stackgen.run import Command, Runner
from stackgen.sandbox import Sandbox, confined
from stackgen.spack.home import SpackHome
from stackgen.spack.start import spack_environment
from stackgen.store.cache import Cache

PROJECTION = "{architecture.platform}-{architecture.target}/{name}-{version}-{hash}"
"""Where a package lies in the install tree."""
DATABASE = ".spack-db/index.json"
"""Where, below a tree, Spack keeps what it knows of it."""
_FINISHED = ".spack/install_manifest.json"
"""The last file that Spack writes into a prefix."""
_PADDING = "__spack_path_placeholder__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Spack's install tree and all that Spack writes, below a prefix; `readable` is shown in the sandbox."""

    prefix: Path
    home: SpackHome
    run: Runner
    sandbox: Sandbox
    readable: tuple[Path, ...] = ()
    cache: Cache | None = None
    scratch: Path | None = None
    """Where packages are compiled; below the prefix where not named."""
    modules: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that loading an external's module needs."""
    upstream: Path | None = None
    """The install tree of the site's stack that this one stands on: what is there is used, and only read."""
    node: str = ""
    """Where several build into one store, the one that we are on: each compiles at a place of its own."""

    @property
    def root(self) -> Path:
        """What Spack writes beside the packages: configuration, caches, build stages, logs."""
        return self.prefix / "spack"

    @property
    def tree(self) -> Path:
        """The install tree, its name made long enough for a build cache of any shorter prefix."""
        return tree_below(self.prefix)

    @property
    def workplace(self) -> Path:
        """Where packages are compiled: at each run emptied, and kept after one that fails."""
        if self.scratch is None:
            return self.root / "stages" / self.node if self.node else self.root / "stage"
        own = f"stackgen-{hashlib.sha256(os.fsencode(self.prefix)).hexdigest()[:12]}"
        return self.scratch / (f"{own}-{self.node}" if self.node else own)

    @property
    def home_directory(self) -> Path:
        """The HOME of all that Spack starts, and of nothing else."""
        return Path(spack_environment(self.root)["HOME"])

    @property
    def index(self) -> Path:
        """What Spack knows of the packages of this very Spack."""
        return self.root / "cache" / self.home.spack.parent.name

    def environment(self, name: str) -> Path:
        """The directory of a Spack environment."""
        return self.root / "environments" / name

    def command(self, environment: str, words: Iterable[str], *, writable: Iterable[Path] = ()) -> Command:
        """The command `spack -e ENVIRONMENT WORDS`, cut off from the network and from all but its own files.

        `writable` are directories, there already, that it may write to beside its own.
        """
        command = Command(
            argv=(
                *(sys.executable, str(self.home.spack / "bin/spack")),
                *("-e", str(self.environment(environment)), *words),
            ),
            environment=self._environment(),
            directory=self.root,
        )
        cache = (self.cache.directory,) if self.cache else ()
        put = cache if self.cache and self.cache.writable else ()
        return confined(
            command,
            self.sandbox,
            writable=(self.prefix / "store", self.root, self.workplace, *put, *writable),
            readable=(*self.readable, *cache),
        )

    def prefixes(self, lock: SpackLock) -> dict[str, Path]:
        """The prefix of every package of a lock by hash, whether it is there or not."""
        return dict(_prefixes(lock, self.tree, self.upstream))

    def _environment(self) -> dict[str, str]:
        return {
            **self.modules,
            **spack_environment(self.root),
            "PATH": f"{self.root / 'tools'}:/usr/bin:/bin",
            "TMPDIR": str(self.workplace / "tmp"),
        }


def tree_below(prefix: Path) -> Path:
    """The install tree below an environment's prefix."""
    return padded(prefix / "store", PADDED_LENGTH)


def padded(directory: Path, length: int) -> Path:
    """A directory below another one whose path has `length` bytes, as `add_padding` of Spack makes it."""
    missing = length - len(str(directory)) - 1
    if missing <= 0:
        return directory
    padding = (f"{_PADDING}/" * (missing // (len(_PADDING) + 1) + 1))[:missing]
    return directory / (f"{padding[:-1]}_" if padding.endswith("/") else padding)


def prefixes_of(plan: Plan, lock: Lock) -> dict[str, Path]:
    """Where the packages of all environments of a plan's lock lie, by hash."""
    tree, upstream = tree_below(Path(plan.prefix)), upstream_of(plan)
    return {key: path for one in lock.spack for key, path in _prefixes(one, tree, upstream)}


def upstream_of(plan: Plan) -> Path | None:
    """The install tree that a plan's store stands on; None where it stands on none, or on one without."""
    tree = tree_below(Path(plan.extends.prefix)) if plan.extends else None
    return tree if tree and (tree / DATABASE).is_file() else None


def locked_nodes(lock: Lock) -> dict[str, Node]:
    """The packages of all environments of a lock, by hash."""
    return {key: node for one in lock.spack for key, node in graph(one.text).nodes.items()}


def _prefixes(lock: SpackLock, tree: Path, upstream: Path | None) -> Iterator[tuple[str, Path]]:
    for node in graph(lock.text).nodes.values():
        if node.external:
            yield node.hash, Path(node.prefix)
        else:
            below = upstream if upstream and is_finished(upstream, node) else tree
            yield node.hash, below / directory_name(node)


def is_finished(tree: Path, node: Node) -> bool:
    """Whether all of a package is in a tree.

    A power cut may leave the names of files that were not flushed, and nothing in them.
    """
    try:
        return node.external or (tree / directory_name(node) / _FINISHED).stat().st_size > 0
    except OSError:
        return False


def directory_name(node: Node) -> str:
    """Where a package lies below the tree, as `PROJECTION` says."""
    return f"linux-{node.target}/{node.file_name}"
