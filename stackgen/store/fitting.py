"""Can packages be built into a prefix, and are those that are there still where they were built?"""

import errno
import fcntl
import os
from pathlib import Path

from stackgen import files
from stackgen.environments import spack_environments
from stackgen.environments.settings import PADDED_LENGTH
from stackgen.errors import Fault, WorkError
from stackgen.plan import Plan
from stackgen.store.place import Store

_NOTE = "prefix"
_LONGEST = PADDED_LENGTH - len("/store") - 2
"""Bytes of a prefix; Spack pads by a directory, so by two at least."""


def unfit(plan: Plan) -> tuple[Fault, ...]:
    """What is wrong with the prefix of a plan for which Spack is to build something."""
    length = len(os.fsencode(plan.prefix))
    if length <= _LONGEST or not spack_environments(plan):
        return ()
    what = f"the prefix {plan.prefix} has {length} bytes, and Spack can build for at most {_LONGEST}"
    return (Fault(where="prefix", what=what, remedy="choose a shorter one"),)


def refuse_moved(store: Store) -> None:
    """WorkError where the packages were built at another place: they work there alone."""
    try:
        before = Path((store.root / _NOTE).read_text(encoding="utf-8").rstrip("\n"))
    except FileNotFoundError:
        return
    if before != store.prefix and not _is_same(before, store.prefix):
        raise WorkError(
            f"what lies in {store.prefix} was built in {before}, and works nowhere else",
            "move it back, or build into an empty prefix: with the same --cache nothing is compiled again",
        )


def remember_place(store: Store) -> None:
    """Note where the packages are built."""
    if not (store.root / _NOTE).exists():
        files.write(store.root / _NOTE, f"{store.prefix}\n")


def has_locks(directory: Path) -> bool:
    """Whether the file system of a directory has the locks that Spack uses; parallel ones may have none."""
    with files.reported(f"cannot work in {directory}"), (directory / ".locks").open("w") as stream:
        try:
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno in {errno.EACCES, errno.EAGAIN}
    return True


def _is_same(one: Path, other: Path) -> bool:
    """Whether two names lead to one directory."""
    return one.exists() and one.samefile(other)
