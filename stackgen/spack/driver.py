"""What Spack is asked for: locks of environments, their sources, and whether it knows what specs name."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackgen.errors import Fault
from stackgen.spack.asking import Host, Spack, ask

__all__ = [
    "Host",
    "Refused",
    "Solved",
    "Source",
    "Spack",
    "archive",
    "check_specs",
    "solve",
    "sources",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One thing that a mirror needs for a package."""

    package: str
    version: str
    kind: str
    """`source`, `patch` or `resource`."""
    name: str
    sha256: str
    """Empty where Spack knows none: of a commit, and of what is only checked by another digest."""
    commit: str
    git: str
    urls: tuple[str, ...]
    path: str
    """Where Spack looks for it below a mirror."""
    file: str = ""
    """What its makers call the file."""
    manual: bool = False
    """Whether it may not be fetched: somebody has to accept a licence and put it there."""
    size: int | None = None
    """Bytes, where known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """An environment's lock, the text of `spack.lock` as Spack writes it, and what it took."""

    name: str
    lock_text: str
    seconds: float
    specs: int
    nodes: int
    sources: tuple[Source, ...] = ()
    """What has to be fetched to build it, each once, sorted by package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An environment without a solution: a few lines of what collides, and all that Spack said."""

    name: str
    reasons: tuple[str, ...]
    details: str


def solve(
    directories: Mapping[str, Path],
    host: Host,
    spack: Spack,
    heard: Callable[[Solved | Refused], None] = lambda _: None,
    *,
    reused: Iterable[Path] = (),
) -> tuple[Solved | Refused, ...]:
    """Solve the environments in these directories as if on that host; nothing is written to them.

    `reused` are directories of environments that are solved: what is in them is taken wherever it does.

    Several at once where processors and memory allow; `heard` is told of each as soon as it is done. The
    result is in the order of the directories.
    """
    if not directories:
        return ()
    question = {
        "ask": "solve",
        "directories": {name: str(path) for name, path in directories.items()},
        "reused": [str(path) for path in reused],
    }
    told = ask(question, host, spack, lambda line: heard(_answer(line)))
    answers = {answer.name: answer for answer in map(_answer, told)}
    return tuple(answers[name] for name in directories)


def _answer(line: Mapping[str, Any]) -> Solved | Refused:
    if "lock" not in line:
        return Refused(name=line["name"], reasons=tuple(line["reasons"]), details=line["details"])
    return Solved(
        name=line["name"],
        lock_text=line["lock"],
        seconds=line["seconds"],
        specs=line["specs"],
        nodes=line["nodes"],
        sources=_sorted(map(_source, line["sources"])),
    )


def sources(
    directories: Mapping[str, Path], locks: Mapping[str, Path], host: Host, spack: Spack
) -> tuple[Source, ...]:
    """The sources of the locks of these environments, by the recipes alone: nothing is fetched.

    Each once, sorted by package.
    """
    if not locks:
        return ()
    question = {
        "ask": "sources",
        "environments": {name: [str(directories[name]), str(lock)] for name, lock in locks.items()},
    }
    return _sorted(map(_source, ask(question, host, spack)))


def _sorted(sources: Iterable[Source]) -> tuple[Source, ...]:
    return tuple(sorted(set(sources), key=lambda one: (one.package, one.version, one.kind, one.path)))


def _source(line: Mapping[str, Any]) -> Source:
    return Source(**{**line, "urls": tuple(line["urls"])})


def archive(  # noqa: PLR0913, PLR0917 - what `sources` takes, which of them, and where to
    directories: Mapping[str, Path],
    locks: Mapping[str, Path],
    paths: Collection[str],
    into: Path,
    host: Host,
    spack: Spack,
) -> dict[str, str]:
    """Have Spack fetch and pack these sources, known by their paths, below a directory.

    Why not, for each that could not be had.
    """
    question = {
        "ask": "archive",
        "environments": {name: [str(directories[name]), str(lock)] for name, lock in locks.items()},
        "paths": sorted(paths),
        "into": str(into),
    }
    told = ask(question, host, spack, network=True)
    return {line["path"]: line["reason"] for line in told if line["reason"]}


def check_specs(
    specs: Mapping[str, str], directory: Path | None, host: Host, spack: Spack
) -> tuple[Fault, ...]:
    """What specs name that no recipe has, by the place where each is written; nothing is solved.

    `directory` is an environment whose repositories count, where there are any but Spack's own.
    """
    question = {"ask": "names", "specs": dict(specs), "directory": str(directory) if directory else ""}
    return tuple(Fault(**line) for line in ask(question, host, spack))
