"""A small root file system of this machine's own programs, for images that something runs in."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

DEBIAN_PYTHON = Path("/usr/bin/python3.11")
PROGRAMS = ("sh", "cat", "env", "ls", "mkdir")


def root_of_programs(root: Path, names: Iterable[str] = PROGRAMS) -> Path:
    """Programs and the libraries that they need, and the directories that every system has."""
    for name in names:
        program = shutil.which(name)
        assert program
        _copy_with_libraries(Path(program), root / "bin" / name, root)
    for directory in ("dev", "etc", "proc", "sys", "tmp", "usr"):
        (root / directory).mkdir(parents=True, exist_ok=True)
    return root


def _copy(source: Path, place: Path) -> None:
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(os.path.realpath(source), place)
        place.chmod(0o755)


def root_with_python(root: Path, names: Iterable[str]) -> Path:
    """The same with the distribution's own Python 3.11, and a package `own` that it looks for first."""
    root_of_programs(root, names)
    _copy_with_libraries(DEBIAN_PYTHON, root / "usr/bin/python3.11", root)
    standard = DEBIAN_PYTHON.parents[1] / "lib/python3.11"
    left_out = shutil.ignore_patterns("test", "config-*", "__pycache__", "idlelib", "ensurepip", "lib2to3")
    shutil.copytree(standard, root / "usr/lib/python3.11", symlinks=True, ignore=left_out)
    for extension in (root / "usr/lib/python3.11/lib-dynload").iterdir():
        _copy_with_libraries(extension, extension, root)
    (root / "usr/lib/python3/dist-packages").mkdir(parents=True)
    (root / "usr/lib/python3/dist-packages/own.py").write_text("whose = 'the image'\n")
    return root


def _copy_with_libraries(program: Path, place: Path, root: Path) -> None:
    _copy(program, place)
    told = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    for word in told.split():
        if word.startswith("/"):
            _copy(Path(word), root / word.lstrip("/"))
