"""Frameworks in images, and what packed images stand on."""

from collections.abc import Iterable
from dataclasses import replace

from stackgen.model import ContainerFramework, Containers, Packing
from stackgen.plan.values import (
    About,
    Archive,
    Base,
    BaseImage,
    ContainerPlan,
    Directory,
    Distribution,
    Dockerfile,
    FrameworkPlan,
    Origin,
    Packed,
    Pulled,
    SpackPlan,
    WheelsPlan,
)

BASE = "base"
"""What the lock calls the image that packed ones stand on; no framework can be called so where it is one."""


def packed_module(module: str, packing: Packing) -> str:
    """The name of the module of a packed framework."""
    return packing.module or f"{module}-container"


def packed(framework: WheelsPlan | SpackPlan, packing: Packing) -> ContainerPlan:
    """The image of a framework: all that it promises, under a module of its own."""
    module = packed_module(framework.about.module, packing)
    return ContainerPlan(
        name=packed_module(framework.name, packing),
        about=replace(framework.about, module=module),
        origin=Packed(framework=framework),
        python=framework.python if isinstance(framework, WheelsPlan) else "",
        imports=framework.imports,
        commands=(),
        requirements=(),
        files=(),
    )


def container(
    name: str, about: About, framework: ContainerFramework, kernel: tuple[str, ...] = ()
) -> ContainerPlan:
    """A framework in an image of others; its Python, where it has one, gets what notebooks need."""
    added = kernel if framework.python else ()
    return ContainerPlan(
        name=name,
        about=about,
        origin=_origin(framework),
        python=framework.python or "",
        imports=framework.imports or "",
        commands=framework.commands,
        requirements=tuple(sorted({*framework.requires, *added})),
        files=tuple(sorted(framework.files.items())),
    )


def _origin(framework: ContainerFramework) -> Origin:
    if framework.archive is not None:
        return Archive(path=framework.archive)
    if framework.directory is not None:
        return Directory(path=framework.directory)
    if framework.dockerfile is not None:
        return Dockerfile(path=framework.dockerfile)
    return pulled(framework.image or "")


def pulled(text: str) -> Pulled:
    """An image as it is written, its name and digest apart."""
    reference, _, digest = text.partition("@")
    return Pulled(reference=reference, digest=digest)


def base(containers: Containers, frameworks: Iterable[FrameworkPlan]) -> Base | None:
    """What packed images stand on; None where there are none."""
    if not any(isinstance(one, ContainerPlan) and isinstance(one.origin, Packed) for one in frameworks):
        return None
    if "@" in containers.base:
        return BaseImage(image=pulled(containers.base))
    name, _, version = containers.base.partition(":")
    return Distribution(name=name, version=version, packages=tuple(sorted(set(containers.packages))))
