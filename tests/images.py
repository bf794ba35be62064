"""A small image of this machine's own programs, and a container's commands over it."""

import os
import re
import secrets
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from stackgen import files
from stackgen.containers import Entrance, command_tree
from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, Outcome

PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
_NEEDED = ("ch-run", "mksquashfs", "flock", "setsid", "bash")
_PROGRAMS = ("dash", "bash", "env", "sleep", "rm", "rmdir", "cat", "ls", "true", "stty", "readlink")
_EMPTY = (*("dev", "home", "proc", "run", "sys", "tmp", "dss", ".stackgen/host/0", ".stackgen/prefix"),)
_LIBRARY = re.compile(r"(/\S+) \(0x")


def why_not() -> str:
    """Why containers cannot run here, or nothing."""
    missing = [name for name in _NEEDED if shutil.which(name, path=PATH) is None]
    if missing:
        return f"not here: {', '.join(missing)} (Debian: charliecloud, squashfs-tools, util-linux)"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse cannot be used"
    return ""


def run(*argv: str, directory: Path = Path("/"), **environment: str) -> Outcome:
    """Run a program to its end with little in its environment."""
    command = Command(
        argv=argv,
        environment={"PATH": PATH, "LANG": "C.UTF-8", **environment},
        directory=directory,
        timeout=120.0,
    )
    return LoggedRunner(Silent())(command)


def root_file_system(root: Path, programs: tuple[str, ...] = _PROGRAMS) -> None:
    """A few programs of this machine with their libraries, and empty directories to bind to."""
    for directory in ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc", *_EMPTY):
        (root / directory).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    for name in ("passwd", "group", "hosts", "resolv.conf"):
        (root / "etc" / name).touch()
    for name in programs:
        copied(Path(str(shutil.which(name, path=PATH))), root)
    (root / "usr/bin/sh").symlink_to("dash")
    (root / ".stackgen/prefix/inside").write_text("of the image\n")


def copied(program: Path, root: Path) -> None:
    """Put a program, and the libraries that it loads, where they are here."""
    libraries = _LIBRARY.findall(run("ldd", str(program)).stdout)
    for path in (program, *map(Path, libraries)):
        there = root / str(path).lstrip("/")
        if not there.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path.resolve(), there)


def squashed(root: Path, image: Path) -> Path:
    """A root file system as an image."""
    run(
        "mksquashfs",
        str(root),
        str(image),
        "-comp",
        "zstd",
        "-Xcompression-level",
        "1",
        "-noappend",
        "-all-root",
    )
    return image


@dataclass(frozen=True)
class Box:
    """A container in a release of its own."""

    entrance: Entrance
    release: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def enter(self) -> str:
        return str(self.release / "containers" / self.entrance.name / "enter")

    def command(self, name: str) -> str:
        return str(self.release / "containers" / self.entrance.name / "bin" / name)

    @property
    def top(self) -> Path:
        """Where all of this user's sessions are."""
        return Path(f"/tmp/{self.entrance.namespace}-containers-{os.geteuid()}")

    @property
    def session(self) -> Path:
        """Where processes outside of jobs find the holder."""
        node = Path("/proc/sys/kernel/hostname").read_text().strip()
        return self.top / f"{self.entrance.digest}-{os.getegid()}-{node}"

    def holder(self) -> tuple[int, int]:
        """The process that is joined, and the one that serves the image."""
        joined, _, served, _ = (self.session / "holder").read_text().split()
        return int(joined), int(served)

    def __call__(self, *words: str, directory: Path = Path("/tmp"), **environment: str) -> Outcome:
        """Run a program inside, as somebody who has a home."""
        around = {"HOME": "/tmp", "USER": "root", **self.variables, **environment}
        return run(self.enter, *words, directory=directory, **around)


def box(image: Path, release: Path, shell: str = "/bin/sh", **changes: object) -> Box:
    """The commands of a container with an image, whose sessions are no other test's; run by a shell."""
    own = secrets.token_hex(6)
    entrance = Entrance(
        name="box",
        module="hpai/box",
        namespace=f"test{own}",
        image=str(image),
        digest=own,
        commands={"sh": "/bin/sh", "cat": "/usr/bin/cat"},
        path=("/usr/local/bin", "/usr/bin", "/bin"),
        seen=("/tmp", "/home"),
    )
    made = replace(entrance, **changes)  # type: ignore[arg-type]
    files.write_tree(command_tree((made,), str(release)), release)
    found = Box(made, release)
    enter = Path(found.enter)
    enter.write_text(enter.read_text().replace("#!/bin/sh", f"#!{shell}", 1))
    return found


def kill(serving: int, container: Box) -> None:
    """End what serves its image; the number may be one of another machine's processes."""
    with suppress(OSError):
        if str(container.top).encode() in Path(f"/proc/{serving}/cmdline").read_bytes():
            os.kill(serving, signal.SIGKILL)


@contextmanager
def ended(container: Box) -> Iterator[Box]:
    """A container that nothing is left of afterwards."""
    try:
        yield container
    finally:
        for holder in container.top.glob("*/holder"):
            kill(int(holder.read_text().split()[2]), container)
        shutil.rmtree(container.top, ignore_errors=True)
