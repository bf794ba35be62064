"""The stage that makes a kit: a mirror, and beside it all that a machine needs that has no stackgen."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from stackgen.environments import spack_environments
from stackgen.errors import InputError
from stackgen.inventory import Makers
from stackgen.kit.archives import spack_archives
from stackgen.kit.readme import installer_text, readme
from stackgen.kit.tools import ToolLock, pythons, tool_lock
from stackgen.kit.wheel import own_package, own_wheel
from stackgen.kit.written import DIRECTORY, environment_files
from stackgen.lock import Lock
from stackgen.mirror import Content, Mirror, keep, mirror, put
from stackgen.mirror.manifest import Manifest, read_manifest
from stackgen.mirror.wanted import relative_path
from stackgen.model import System
from stackgen.plan import Platform
from stackgen.progress import Progress
from stackgen.project import Project, Tools
from stackgen.site import Site
from stackgen.spack.home import find_spack

Locked = Mapping[str, tuple[Project, Lock]]
"""Environments by name, each with its lock."""


def make_kit(locked: Locked, root: Path, site: Site, tools: Tools, given: Collection[Path] = ()) -> Mirror:
    """The kit in a directory, complete for these environments; what it has whole is not made again.

    Files that lie below the `given` directories are taken from there.
    Errors as those of `mirror`; InputError where two environments differ in what a file of theirs says.
    """
    contents = {name: environment_files(project, lock) for name, (project, lock) in locked.items()}
    before = read_manifest(root)
    _refuse_conflicts(contents, before)
    wheel = own_wheel()
    chosen = {
        name: tuple(_tools(root, project.plan.system, wheel, site, tools))
        for name, (project, _) in locked.items()
    }
    put(root, relative_path(own_package(wheel).file), wheel)
    archives = _archives(locked, root, tools.progress)
    shared = {
        "README": readme({*contents, *_environments(before)}),
        "install.py": installer_text(),
    }
    for name, (project, _) in locked.items():
        texts = {path: text for lock in chosen[name] for path, text in lock.texts.items()}
        spack = archives if spack_environments(project.plan) else {}
        keep(root, {**contents[name], **texts, **spack, **shared}, (name,), tools.progress)
    locks = {
        name: replace(lock, wheels=(*lock.wheels, *(tool.wheels for tool in chosen[name])))
        for name, (_, lock) in locked.items()
    }
    makers = Makers(locked=tuple((project.plan, lock) for project, lock in locked.values()), run=tools.run)
    return mirror(locks, root, site, tools.run, tools.progress, upstream=makers, given=given)


def _archives(locked: Locked, root: Path, progress: Progress) -> Mapping[str, Content]:
    """Spack's archives, where any environment needs them."""
    if any(spack_environments(project.plan) for project, _ in locked.values()):
        return spack_archives(root, find_spack(), progress)
    return {}


def _tools(root: Path, system: System, wheel: bytes, site: Site, tools: Tools) -> Iterator[ToolLock]:
    """stackgen's tools for the Pythons of a system; a Python that has none is told."""
    platform = Platform(architecture=system.architecture, glibc=system.glibc)
    refusals = []
    for python in pythons(system):
        try:
            yield tool_lock(root, platform, python, wheel, site, tools.run)
        except InputError as error:
            refusals.append(str(error))
    for refusal in refusals:
        tools.progress.say(f"note: stackgen itself cannot be installed from the kit there: {refusal}")


def _environments(manifest: Manifest) -> Iterator[str]:
    """The names of the environments in a kit."""
    for entry in manifest.files:
        directory, _, rest = entry.path.partition("/")
        name, _, file = rest.partition("/")
        if directory == DIRECTORY and file == "lock.json":
            yield name.removesuffix(".lock")


def _refuse_conflicts(contents: Mapping[str, Mapping[str, bytes]], manifest: Manifest) -> None:
    """InputError where two environments would have different files at one place of the kit."""
    taken = {
        entry.path: (entry.sha256, name)
        for entry in manifest.files
        for name in entry.needed_by
        if name not in contents and entry.path.startswith(f"{DIRECTORY}/")
    }
    for name, files in contents.items():
        for path, content in files.items():
            sha256 = hashlib.sha256(content).hexdigest()
            there, whose = taken.setdefault(path, (sha256, name))
            if there != sha256:
                raise InputError.of(
                    f"{path} of the kit would be one file for {whose} and another for {name}",
                    "give their files the same content, or other names, and name both environments",
                )
