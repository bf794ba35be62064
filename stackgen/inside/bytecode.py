"""Compile what is not compiled yet below STAGED, as if it lay below FINAL; run with -I -S - STAGED FINAL.

Bytecode is unchecked: nobody may write there afterwards, so nothing can be out of date. The module
`compileall` would do, but for a full disk, which it keeps to itself.
"""

import contextlib
import importlib.util
import multiprocessing
import os
import py_compile
import sys

staged, final = sys.argv[1:]


def is_compiled(source: str, target: str) -> bool:
    """Whether the bytecode that was copied with a source fits it."""
    try:
        with open(target, "rb") as stream:  # noqa: PTH123 - this loop is hot
            header = stream.read(12)
    except FileNotFoundError:
        return False
    time = int(os.stat(source).st_mtime).to_bytes(8, "little")[:4]  # noqa: PTH116
    return header == importlib.util.MAGIC_NUMBER + bytes(4) + time


def compile_one(source: str) -> None:
    """Packages may bring files that are for other versions of Python: those stay without bytecode."""
    target = importlib.util.cache_from_source(source)
    if is_compiled(source, target):
        return
    mode, place = py_compile.PycInvalidationMode.UNCHECKED_HASH, final + source[len(staged) :]
    with contextlib.suppress(py_compile.PyCompileError):
        py_compile.compile(source, target, dfile=place, doraise=True, invalidation_mode=mode)


sources = [
    os.path.join(directory, name)  # noqa: PTH118
    for directory, _, names in os.walk(staged)
    for name in names
    if name.endswith(".py")
]
with multiprocessing.get_context("fork").Pool(len(os.sched_getaffinity(0))) as pool:
    for _ in pool.imap_unordered(compile_one, sources, chunksize=8):
        pass
