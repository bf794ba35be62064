"""What lies beside the environment's file and goes into an image: packed, so that locks and kits have it."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from stackgen import files
from stackgen.errors import InputError, StackgenError
from stackgen.lock import Images
from stackgen.oci.packing import EPOCH, Counted, pack
from stackgen.plan import ContainerPlan, Dockerfile, Plan

CONTEXT, ADDED = "context.tar", "added.tar"
"""The directory of a Dockerfile, and the files that are added to an image at their places."""


def context_archives(container: ContainerPlan, directory: Path) -> Iterator[tuple[str, tuple[str, int]]]:
    """The archives of a framework by name, each with digest and size; InputError where a file is lacking."""
    for name in context_names(container):
        yield name, write_context(container, directory, name)


def context_names(container: ContainerPlan) -> tuple[str, ...]:
    """The archives that a framework has."""
    built = (CONTEXT,) if isinstance(container.origin, Dockerfile) else ()
    return (*((ADDED,) if container.files else ()), *built)


def write_context(
    container: ContainerPlan, directory: Path, name: str, out: BinaryIO | None = None
) -> tuple[str, int]:
    """Write one of these archives, or only measure it: its digest and its size in bytes."""
    where = f"frameworks.{container.name}"
    if name == CONTEXT:
        assert isinstance(container.origin, Dockerfile)
        context = (directory / container.origin.path).parent
        _refuse_ours(context, directory, f"{where}.dockerfile")
        return pack(context, out, f"{where}.dockerfile", any_umask=True)
    return _added(container.files, directory, out, f"{where}.files")


def _refuse_ours(context: Path, directory: Path, where: str) -> None:
    """InputError where a Dockerfile is built with all that lies beside the environment, its lock included."""
    if directory.resolve().is_relative_to(context.resolve()):
        what = "the Dockerfile lies beside the environment's file, and is built with all that lies there"
        remedy = "give it a directory of its own, with what it copies"
        raise InputError.of(what, remedy, where=where)


def _added(
    placed: tuple[tuple[str, str], ...], directory: Path, out: BinaryIO | None, where: str
) -> tuple[str, int]:
    counted = Counted(out)
    with tarfile.open(fileobj=counted, mode="w|", format=tarfile.PAX_FORMAT, bufsize=2**20) as archive:
        for place, path in sorted(placed):
            source = directory / path
            with files.reported(f"cannot read {source}"):
                if not source.is_file():
                    raise InputError.of(f"{source} is no file", "correct its name", where=f"{where}.{place}")
                content, mode = source.read_bytes(), source.stat().st_mode
            member = tarfile.TarInfo("/".join(part for part in place.split("/") if part not in {"", "."}))
            member.size, member.mtime = len(content), EPOCH
            member.mode = 0o755 if mode & 0o111 else 0o644
            archive.addfile(member, io.BytesIO(content))
    return f"sha256:{counted.hash.hexdigest()}", counted.size


def changed_contexts(plan: Plan, images: Images, directory: Path) -> tuple[str, ...]:
    """What of the files that go into images has changed since it was locked, a line each.

    What is not here at all, as where a kit was unpacked, has not: the lock has it.
    """
    locked = {(one.framework, file.name): file.sha256 for one in images.contexts for file in one.files}
    found = []
    for container in plan.containers:
        for name in context_names(container):
            try:
                now, _ = write_context(container, directory, name)
            except StackgenError:
                continue
            if now != f"sha256:{locked.get((container.name, name))}":
                what = "files that are added" if name == ADDED else "directory of the Dockerfile"
                found.append(f"frameworks.{container.name}: the {what} changed")
    return tuple(found)


def context_files(container: ContainerPlan, directory: Path) -> Iterator[Path]:
    """Every file beside the environment's that goes into an image, links and what they lead to included."""
    for _, path in container.files:
        yield directory / path
    if isinstance(container.origin, Dockerfile):
        beside = (directory / container.origin.path).parent
        yield from (path for path in sorted(beside.rglob("*")) if path.is_file())
