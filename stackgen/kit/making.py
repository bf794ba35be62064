"""The stage that makes a kit: a mirror, and beside it all that a machine needs that has no stackgen."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from stackgen.environments import spack_environments
from stackgen.errors import InputError
from stackgen.inventory import Makers
from stackgen.kit.archives import spack_archives
from stackgen.kit.readme import installer_text, readme
from stackgen.kit.tools import ToolLock, pythons, runs_stackgen, tool_lock
from stackgen.kit.wheel import own_package, own_wheel
from stackgen.kit.written import environment_files
from stackgen.lock import Lock
from stackgen.mirror import Content, Mirror, keep, mirror, put
from stackgen.mirror.layout import ENVIRONMENTS
from stackgen.mirror.manifest import Manifest, read_manifest
from stackgen.mirror.wanted import relative_path
from stackgen.model import System
from stackgen.oci import Origins
from stackgen.plan import Platform
from stackgen.platforms import Target
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
    offer = _Offer(root=root, wheel=wheel, site=site, tools=tools)
    chosen = {name: offer.locks(project.plan.system) for name, (project, _) in locked.items()}
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
    origins = Origins(
        locked=tuple((project.plan, lock, project.file.parent) for project, lock in locked.values()),
        site=site,
        run=tools.run,
        progress=tools.progress,
    )
    return mirror(locks, root, site, tools.run, tools.progress, upstream=makers, images=origins, given=given)


def _archives(locked: Locked, root: Path, progress: Progress) -> Mapping[str, Content]:
    """Spack's archives, where any environment needs them."""
    if any(spack_environments(project.plan) for project, _ in locked.values()):
        return spack_archives(root, find_spack(), progress)
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """What a kit has of stackgen's tools, each resolved once."""

    root: Path
    wheel: bytes
    site: Site
    tools: Tools
    known: dict[Target, ToolLock | InputError] = field(default_factory=dict)

    def locks(self, system: System) -> tuple[ToolLock, ...]:
        """The tools for the Pythons of a system; what its admins have to see to is told."""
        platform = Platform(architecture=system.architecture, glibc=system.glibc)
        wanted = [Target(platform=platform, python=python) for python in pythons(system)]
        found = [self._lock(target) for target in wanted]
        usable = tuple(lock for lock in found if isinstance(lock, ToolLock))
        for refusal in (lock for lock in found if isinstance(lock, InputError)):
            self._note(f"stackgen cannot be installed from the kit for one of its Pythons: {refusal}", system)
        if usable and not runs_stackgen(system):
            names = ", ".join(lock.python for lock in usable)
            self._note(f"it lists no Python that stackgen runs on, and needs one of {names}", system)
        return usable

    def _lock(self, target: Target) -> ToolLock | InputError:
        if target not in self.known:
            try:
                self.known[target] = tool_lock(self.root, target, self.wheel, self.site, self.tools.run)
            except InputError as error:
                self.known[target] = error
        return self.known[target]

    def _note(self, what: str, system: System) -> None:
        self.tools.progress.say(f"note: {system.name}: {what}")


def _environments(manifest: Manifest) -> Iterator[str]:
    """The names of the environments in a kit."""
    for entry in manifest.files:
        directory, _, rest = entry.path.partition("/")
        name, _, file = rest.partition("/")
        if directory == ENVIRONMENTS and file == "lock.json":
            yield name.removesuffix(".lock")


def _refuse_conflicts(contents: Mapping[str, Mapping[str, bytes]], manifest: Manifest) -> None:
    """InputError where two environments would have different files at one place of the kit."""
    taken = {
        entry.path: (entry.sha256, name)
        for entry in manifest.files
        for name in entry.needed_by
        if name not in contents and entry.path.startswith(f"{ENVIRONMENTS}/")
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
