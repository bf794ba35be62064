"""Compile what is not compiled yet below STAGED, as if it lay below FINAL; run with -I -S - STAGED FINAL.

Bytecode is unchecked: nobody may write there afterwards, so nothing can be out of date. The modules
`compileall` and `py_compile` would do, but that on a full disk the one keeps quiet and the other leaves
half a file (https://github.com/python/cpython/issues/126606).
"""

import marshal
import multiprocessing
import os
import sys
import warnings
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path

staged, final = sys.argv[1:]


def is_compiled(source: str, target: Path) -> bool:
    """Whether the bytecode that was copied with a source fits it."""
    try:
        with target.open("rb") as stream:
            header = stream.read(12)
    except FileNotFoundError:
        return False
    seconds = int(os.stat(source).st_mtime)  # noqa: PTH116 - this loop is hot
    return header == MAGIC_NUMBER + bytes(4) + (seconds % 2**32).to_bytes(4, "little")


def compile_one(source: str) -> None:
    """Packages may bring files that are for other versions of Python: those stay without bytecode."""
    target = Path(cache_from_source(source))
    if is_compiled(source, target):
        return
    text = Path(source).read_bytes()
    try:
        code = compile(text, final + source[len(staged) :], "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    target.parent.mkdir(exist_ok=True)
    unchecked = (0b01).to_bytes(4, "little")
    target.write_bytes(MAGIC_NUMBER + unchecked + source_hash(text) + marshal.dumps(code))


warnings.simplefilter("ignore")
sources = [
    os.path.join(directory, name)  # noqa: PTH118
    for directory, _, names in os.walk(staged)
    for name in names
    if name.endswith(".py")
]
sources.sort(key=os.path.getsize, reverse=True)  # or the last one keeps all but one processor idle
with multiprocessing.get_context("fork").Pool(len(os.sched_getaffinity(0))) as pool:
    for _ in pool.imap_unordered(compile_one, sources, chunksize=4):
        pass
