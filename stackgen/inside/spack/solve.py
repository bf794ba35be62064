"""Environments in, `spack.lock` out."""

import gc
import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import spack.error
import spack.repo
import spack.util.spack_json as sjson

from stackgen.inside.spack import leaves, refusals, scopes, sources, workers


def solved(directories: Mapping[str, str], *, plainly: bool = False) -> Iterator[str]:
    """A line of JSON for every environment, as soon as it is solved or known to have no solution."""
    if not plainly:
        leaves.leave_out()
    _load_once(directories)
    tasks = [_task(name, Path(directory)) for name, directory in directories.items()]
    yield from workers.answers(tasks)


def _load_once(directories: Mapping[str, str]) -> None:
    """Read here, once, what every worker would otherwise read for itself."""
    scopes.activate(Path(next(iter(directories.values()))))
    _ = spack.repo.PATH.provider_index, spack.repo.PATH.tag_index, spack.repo.PATH.patch_index
    gc.collect()
    gc.freeze()


def _task(name: str, directory: Path) -> Callable[[], str]:
    return lambda: json.dumps({"name": name, **_solved(directory)})


def _solved(directory: Path) -> dict[str, Any]:
    gc.disable()  # a worker ends before its garbage counts
    start = time.monotonic()
    environment = scopes.activate(directory)
    try:
        _concretize(environment)
    except spack.error.SpackError as error:
        return {"reasons": refusals.reasons(error, environment), "details": str(error.long_message or error)}
    lock = environment._to_lockfile_dict()
    return {
        "lock": _text(lock),
        "sources": [line for spec in environment.all_specs() for line in sources.needed(spec)],
        "seconds": round(time.monotonic() - start, 2),
        "specs": len(lock["roots"]),
        "nodes": len(lock["concrete_specs"]),
    }


def _concretize(environment: Any) -> None:
    """A refusal has to be Spack's own: it is asked again about what only other variants would bring."""
    try:
        environment.concretize(force=True)
    except spack.error.UnsatisfiableSpecError:
        if not leaves.take_back():
            raise
        environment.concretize(force=True)


def _text(lock: Mapping[str, Any]) -> str:
    stream = io.StringIO()
    sjson.dump(lock, stream=stream)
    return stream.getvalue()
