"""Compile what is not compiled yet below STAGED, as if it lay below FINAL; run with -I -S - STAGED FINAL.

Bytecode is unchecked: nobody may write there afterwards, so nothing can be out of date.
"""

import compileall
import functools
import multiprocessing
import os
import py_compile
import sys

staged, final = sys.argv[1:]
compile_file = functools.partial(
    compileall.compile_file,
    quiet=2,
    stripdir=staged,
    prependdir=final,
    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
)
sources = [
    os.path.join(directory, name)  # noqa: PTH118 - this loop is hot
    for directory, _, names in os.walk(staged)
    for name in names
    if name.endswith(".py")
]
with multiprocessing.get_context("fork").Pool(len(os.sched_getaffinity(0))) as pool:
    # Packages may bring files that are not for this version of Python: those stay without bytecode.
    for _ in pool.imap_unordered(compile_file, sources, chunksize=8):
        pass
