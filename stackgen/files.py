"""The only writer of files: beside the target, flushed to disk, then renamed."""

import ctypes
import errno
import glob
import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from stackgen.errors import WorkError
from stackgen.progress import Progress
from stackgen.tree import File, Tree

_HOLDER = ".lock-holder"
MORE_SPACE = "free some space and run the same command again; what is done is kept"
"""What to do about a full disk."""


def full_disk(told: str) -> str:
    """What a program has told of a disk without space, in the operating system's words; else nothing."""
    full = (os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT))
    return next((words for words in full if words in told), "")


@contextmanager
def reported(doing: str) -> Iterator[None]:
    """Turn what the operating system refuses inside the block into a WorkError that says what was tried."""
    try:
        yield
    except shutil.Error as error:  # of all that could not be copied, each with its reason
        source, _, text = error.args[0][0]
        first = _parsed(source, text)
        raise WorkError(f"{doing}: {_reason(first)}", _remedy(first)) from error
    except OSError as error:
        raise WorkError(f"{doing}: {_reason(error)}", _remedy(error)) from error


def _parsed(source: str, text: str) -> OSError:
    """An error of one file, which `shutil` keeps as text alone."""
    number = re.match(r"\[Errno (\d+)\]", text)
    return OSError(int(number[1]), os.strerror(int(number[1])), str(source)) if number else OSError(text)


def _reason(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{where}"


def _remedy(error: OSError) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return MORE_SPACE
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return "run it as the owner of that directory, or choose another by --prefix, -d or -o"
        case errno.ENOTDIR | errno.EEXIST:
            return "a file is in the way: remove it, or name another directory"
    return ""


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Put a text file in place in one step; readers see the old or the new, never a part."""
    with reported(f"cannot write {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fchmod(stream.fileno(), mode)
                os.fsync(stream.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def remove_unfinished(path: Path) -> None:
    """Remove what killed runs have left of writing a file; for those alone who hold its directory."""
    with reported(f"cannot write {path}"):
        for left in path.parent.glob(f".{glob.escape(path.name)}.????????"):  # as `mkstemp` calls them
            left.unlink(missing_ok=True)


def write_tree(tree: Tree, directory: Path) -> None:
    """Write every file of a tree below a directory; files already there that the tree lacks stay."""
    for path, file in tree.items():
        write(directory / path, file.text, file.mode)


def read_tree(directory: Path) -> Tree:
    """Every file below a directory, hidden ones too; WorkError where one is not text."""
    found = {}
    with reported(f"cannot read {directory}"):
        for path in directory.rglob("*"):
            if path.is_file():
                try:
                    text = path.read_text(encoding="utf-8")
                    mode = 0o755 if path.stat().st_mode & 0o111 else 0o644
                    found[path.relative_to(directory).as_posix()] = File(text, mode)
                except UnicodeDecodeError:
                    raise WorkError(f"{path} is not text", "remove it; it is not stackgen's") from None
    return Tree(found)


def settle(finished: Path, place: Path) -> None:
    """Give a finished directory its final name in one rename, and take every write permission from it."""
    make_read_only(finished)
    with reported(f"cannot rename {finished} to {place}"):
        place.parent.mkdir(parents=True, exist_ok=True)
        # Only who may write to a directory can move it to another parent.
        finished.chmod(0o755)
        finished.rename(place)
        place.chmod(0o555)
        sync(place.parent)


def replace_tree(tree: Tree, directory: Path) -> None:
    """Put a tree in the place of a directory with all that it holds; a kill leaves one of them, or none."""
    beside = directory.with_name(f".{directory.name}.{os.getpid()}")
    write_tree(tree, beside / "new")
    with reported(f"cannot replace {directory}"):
        if directory.exists():
            directory.rename(beside / "old")
        (beside / "new").rename(directory)
    remove(beside)


def point(link: Path, target: str) -> None:
    """Make a symbolic link point to `target` in one rename, whatever it pointed to before."""
    with reported(f"cannot switch {link}"):
        temporary = link.with_name(f".{link.name}.{os.getpid()}")
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target)
        temporary.replace(link)


def sync(directory: Path) -> None:
    """Flush a directory's entries to disk, so that a rename into it survives a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush(directory: Path) -> None:
    """Flush the whole file system of a directory: far quicker than file by file.

    By the system call: the `sync` of CentOS 7 knows no file systems.
    """
    with reported(f"cannot flush {directory} to disk"):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        finally:
            os.close(descriptor)


def sha256(path: Path) -> str:
    """The SHA-256 of a file in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def make_read_only(directory: Path) -> None:
    """Let everybody read everything below a directory and itself, whatever the umask, and nobody write."""
    for root, _, names in os.walk(directory, topdown=False):
        for name in names:
            _allow_reading_alone(os.path.join(root, name))  # noqa: PTH118 - this loop is hot
        os.chmod(root, 0o555)  # noqa: PTH101, S103


def _allow_reading_alone(path: str) -> None:
    mode = os.lstat(path).st_mode
    if not stat.S_ISLNK(mode):
        os.chmod(path, 0o555 if mode & 0o111 else 0o444)  # noqa: PTH101


def remove(directory: Path) -> None:
    """Remove a directory tree, read-only or not; nothing happens where it is not there."""
    if directory.is_symlink() or not directory.exists():
        return
    with reported(f"cannot remove {directory}"):
        for root, _, _ in os.walk(directory):
            Path(root).chmod(0o700)
        shutil.rmtree(directory)


@contextmanager
def exclusive(directory: Path, progress: Progress) -> Iterator[None]:
    """Hold a directory for this process alone; where another holds it, say so once and wait.

    The lock is the kernel's: it goes with its process, a killed one included.
    """
    with reported(f"cannot use {directory}"):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / ".lock").touch(mode=0o644)  # where that is refused, FileLock may try for ever
        lock = FileLock(directory / ".lock", mode=0o644)
        holder = directory / _HOLDER
        try:
            lock.acquire(blocking=False)
        except Timeout:
            progress.say(
                f"waiting for {_text_of(holder) or 'another process'}, which is working in {directory}"
            )
            lock.acquire()
    try:
        remove_unfinished(holder)
        write(holder, f"process {os.getpid()} on {os.uname().nodename}\n")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def holder(directory: Path) -> str:
    """Who holds a directory, in a few words; nothing where nobody does."""
    return _text_of(directory / _HOLDER)


def _text_of(path: Path) -> str:
    """What a file that may vanish any moment says."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
