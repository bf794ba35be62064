"""The text of a file that somebody named, or a plain sentence about why there is none."""

import stat
from pathlib import Path

from stackgen.errors import InputError, Place
from stackgen.model.base import near

MAX_BYTES = 1_000_000


def read_text(path: Path, *, where: str = "", asked: Place | None = None) -> str:
    """The text of a YAML file; faults are placed at `asked`, where another file names this one."""
    content = _content(path, where, asked)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        place = Place(file=str(path), line=line, column=column)
        raise InputError.of("this is not UTF-8", "save the file as UTF-8", place=place) from None


def _content(path: Path, where: str, asked: Place | None) -> bytes:
    def fault(what: str, remedy: str) -> InputError:
        if asked:
            return InputError.of(f"{path} {what}", remedy, where=where, place=asked)
        return InputError.of(what, remedy, place=Place(file=str(path)))

    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise fault("is a directory", "name a YAML file")
        if not stat.S_ISREG(status.st_mode):
            raise fault("is no regular file", "name a YAML file")
        if status.st_size > MAX_BYTES:
            raise fault(f"is larger than {MAX_BYTES // 1_000_000} MB", "name a YAML file")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise fault("does not exist", _neighbours(path)) from None
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror}", "check its permissions") from None


def _neighbours(path: Path) -> str:
    names = sorted(file.name for file in path.parent.glob("*.yaml"))
    return near(path.name, names, "see `stackgen init`", likeness=0.8)  # .yaml alone is no likeness
