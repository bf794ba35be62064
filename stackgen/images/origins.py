"""From a lock and a mirror to what an image is made from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import assert_never

from stackgen.charliecloud import CHARLIECLOUD, SQUASHFS, prefix_of
from stackgen.distribution import base_sources
from stackgen.from_wheels import require_intact
from stackgen.images.host import host_parts, owner
from stackgen.images.loader import Loader
from stackgen.images.making import Ground, Recipe
from stackgen.lock import Lock, LockedImage, WheelLock
from stackgen.mirror import Mirror
from stackgen.mpi import Mpi
from stackgen.native import toolchain_mpi
from stackgen.oci import added_files, added_packages, built_image, config_of, layers_of
from stackgen.plan import (
    Archive,
    BaseImage,
    ContainerPlan,
    Directory,
    Distribution,
    Dockerfile,
    Packed,
    Plan,
    Pulled,
    SpackPlan,
)
from stackgen.plan.containers import BASE
from stackgen.release import InstalledFramework, closure_of
from stackgen.rootfs import RootFs, Source, Squasher, squasher
from stackgen.run import Runner
from stackgen.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """What all images of an environment are made from."""

    plan: Plan
    lock: Lock
    mirror: Mirror
    prefixes: Mapping[str, Path]
    """Of what Spack has installed, by hash."""
    loader: Loader
    run: Runner

    def recipe(self, container: ContainerPlan, framework: InstalledFramework, workshop: Workshop) -> Recipe:
        """What an image is made from; WorkError where something of it is not here, or not what is locked."""
        shown = self.plan.system.containers
        mpi = self._mpi if shown.mpi == "host" else None
        host = host_parts(mpi, shown.libraries, self.loader, self.run)
        is_packed = isinstance(container.origin, Packed)
        return Recipe(
            name=container.name,
            version=framework.version,
            architecture=self.plan.platform.architecture,
            ground=self._base if is_packed else self._own(container, workshop),
            prefix=Path(framework.prefix) if is_packed else None,
            needed=tuple(self._needed(container)),
            added=added_files(container.name, self.lock.images.contexts, self.mirror),
            packages=self._packages(container, workshop),
            python=container.python,
            commands=container.commands,
            shown=shown,
            releases=f"{self.plan.prefix}/releases",
            host=host,
            whose=owner(mpi) if mpi else "",
        )

    @property
    def _mpi(self) -> Mpi | None:
        return toolchain_mpi(self.plan, self.lock, self.prefixes)

    @property
    def _base(self) -> Ground:
        """What packed frameworks stand on."""
        base = self.plan.base
        match base:
            case Distribution(name=name, version=version):
                packages = self.lock.images.base
                require_intact(self.mirror, {package.file for package in packages})
                sources = base_sources(
                    packages,
                    self.plan.platform.architecture,
                    lambda package: self.mirror.path(package.file),
                )
                remedy = f"name a newer one, such as `containers: {{base: {name}:{int(version) + 1}}}`"
                return Ground(title=f"{name}:{version}", sources=sources, remedy=remedy)
            case BaseImage():
                remedy = "name a newer one by `containers: {base: ...}`, such as debian:13"
                return replace(self._image(self.lock.images.of(BASE)[0]), remedy=remedy)
            case None:
                raise AssertionError("a packed framework stands on something")
        assert_never(base)

    def _own(self, container: ContainerPlan, workshop: Workshop) -> Ground:
        """What an image of others has."""
        match container.origin:
            case Pulled() | Archive() | Directory():
                return self._image(self.lock.images.of(container.name)[0])
            case Dockerfile(path=path):
                wheels = self._wheels(container)
                found = self._prefix(CHARLIECLOUD)
                program = found / "bin/ch-image" if found else None
                built = built_image(
                    container, self.lock.images, wheels, self.mirror, workshop, ch_image=program
                )
                environment = dict(built.config.environment)
                return Ground(title=path, sources=(built.source,), environment=environment)
            case Packed():
                raise AssertionError("it stands on the base")
        assert_never(container.origin)

    def _wheels(self, container: ContainerPlan) -> WheelLock | None:
        """What is added to its Python."""
        return self.lock.wheel_lock(container.name) if container.requirements else None

    def _packages(
        self, container: ContainerPlan, workshop: Workshop
    ) -> Callable[[RootFs, str], tuple[Source, ...]] | None:
        wheels = None if isinstance(container.origin, Packed) else self._wheels(container)
        if wheels is None:
            return None
        return partial(added_packages, wheels, self.plan.platform, mirror=self.mirror, workshop=workshop)

    def squasher(self, run: Runner) -> Squasher:
        """What makes an image of a root file system; WorkError where there is none that can."""
        return squasher(run, self._prefix(SQUASHFS))

    def _prefix(self, package: str) -> Path | None:
        return prefix_of(package, self.plan, self.lock, self.prefixes)

    def _image(self, image: LockedImage) -> Ground:
        name = image.reference or f"the image of {image.framework}"
        config = config_of(image, self.mirror)
        return Ground(
            title=name, sources=(layers_of(image, self.mirror),), environment=dict(config.environment)
        )

    def _needed(self, container: ContainerPlan) -> Iterator[Path]:
        """Where a packed framework's links lead to: what Spack has installed of its closure."""
        match container.origin:
            case Packed(framework=SpackPlan() as framework):
                for node in closure_of(framework, self.lock).nodes:
                    if not node.external:
                        yield self.prefixes[node.hash]
