"""Sources that are no plain file, such as commits: fetched by Spack, packed as its mirrors have them."""

import json
import os
import posixpath
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import spack.error

from stackgen.inside.spack import scopes

_TELLING = ("fatal:", "error:", "ssh:")
"""How the lines begin in which git says what was wrong."""
_HEADLINE = "All fetchers failed"
_LONGEST = 300
"""Characters of a reason."""


def archived(environments: Mapping[str, tuple[str, str]], paths: Collection[str], into: str) -> Iterator[str]:
    """A line of JSON for each path below a mirror: empty where its archive is now there, else why not."""
    waiting = set(paths)
    for directory, lock in environments.values():
        environment = scopes.activate(Path(directory))
        with Path(lock).open(encoding="utf-8") as stream:
            environment._read_lockfile(stream)
        for spec in environment.all_specs_generator():
            for path, stage in () if spec.external else _stages(spec):
                if path in waiting:
                    waiting.discard(path)
                    yield _line(path, _archive(stage, Path(into) / path))
    for path in sorted(waiting):
        yield _line(path, "no recipe names it")


def _line(path: str, reason: str) -> str:
    return json.dumps({"path": path, "reason": reason})


def _stages(spec: Any) -> Iterator[tuple[str, Any]]:
    package = spec.package
    if package.has_code or spec.patches:
        for stage in package.stage:
            yield posixpath.normpath(stage.mirror_layout.path), stage


def _archive(stage: Any, to: Path) -> str:
    """Why there is no archive; empty where there is one."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with _overheard() as said:
        try:
            with stage:
                stage.fetch()
                stage.check()
                stage.fetcher.archive(str(to))
        except (spack.error.SpackError, OSError) as error:
            to.unlink(missing_ok=True)
            return _reason(f"{said()}\n{error}\n{getattr(error, 'long_message', None) or ''}")
    return ""


@contextmanager
def _overheard() -> Iterator[Callable[[], str]]:
    """What is said on stderr, by git too, while the block runs; it is passed on afterwards."""
    with tempfile.TemporaryFile() as heard:
        sys.stderr.flush()
        ours = os.dup(2)
        os.dup2(heard.fileno(), 2)

        def said() -> str:
            sys.stderr.flush()
            heard.seek(0)
            return heard.read().decode(errors="replace")

        try:
            yield said
        finally:
            text = said()
            os.dup2(ours, 2)
            os.close(ours)
            sys.stderr.write(text)


def _reason(text: str) -> str:
    """The line that tells most of what git and Spack say, often over many."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line[line.index(sign) :] for line in lines for sign in _TELLING if sign in line]
    spack = [line for line in lines if line.startswith(_HEADLINE)]
    return (telling or spack or lines or ["nobody says why"])[0][:_LONGEST]
