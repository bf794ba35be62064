"""What a release keeps of how it was decided, for the pages that tell its users: `share/catalog.json`."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from stackgen import cuda
from stackgen.config import Loaded
from stackgen.errors import Place
from stackgen.explain import Decision, Word, explain
from stackgen.graph import graph
from stackgen.lock import Lock
from stackgen.model import System
from stackgen.model.base import Strict
from stackgen.plan import ContainerPlan, FrameworkPlan, Packed, Plan, SpackPlan
from stackgen.release import InstalledFramework, installed
from stackgen.release_files import read_told
from stackgen.tree import File, Tree

RECORDED = "share/catalog.json"
"""Its place in a release."""
_OF_GPUS = {"cuda": "NVIDIA", "hip": "AMD"}
"""What code for GPUs is made with, by the names of Spack."""
_NVIDIA = re.compile(r"nvidia-(cu|nccl|nvjitlink)[a-z]*(-\w+)*")
"""Wheels of CUDA's libraries; nvidia-ml-py, which many a package for processors has, is none."""


class Said(Strict):
    """What somebody wants: the value, whose word it is, and where it is written, if it is."""

    value: str
    origin: str
    place: str


class Decided(Strict):
    """A value that holds, and what it overrides, the nearest first."""

    what: str
    said: Said
    instead_of: tuple[Said, ...] = ()


class RecordedFramework(Strict):
    """How a framework was decided."""

    gpu: str
    """Whose GPUs it has code for; empty where for none, or where nobody knows."""
    decided: tuple[Decided, ...]


class Machine(Strict):
    """The system in words; what is not known is empty."""

    os: str
    glibc: str
    target: str
    nodes: str
    interconnect: str
    gpus: tuple[str, ...]


class Recorded(Strict):
    """All of it."""

    format: Literal[1] = 1
    machine: Machine
    decided: tuple[Decided, ...]
    frameworks: dict[str, RecordedFramework]


def recorded_tree(loaded: Loaded, plan: Plan, lock: Lock) -> Tree:
    """The file, of an environment and the lock that fits it."""
    explained = explain(loaded, plan, lock)
    places = _Places(loaded.files)
    planned = {framework.name: framework for framework in plan.frameworks}
    value = Recorded(
        machine=machine(plan.system),
        decided=places.decided(explained.environment),
        frameworks={
            one.name: RecordedFramework(
                gpu=_gpu(planned[one.name], one, lock),
                decided=places.decided(explained.frameworks[one.name]),
            )
            for one in installed(plan, lock)
        },
    )
    return Tree({RECORDED: File(value.model_dump_json(indent=1) + "\n")})


def read_recorded(release: Path) -> Recorded | None:
    """What a release has kept; None of one by an older stackgen."""
    return read_told(release / RECORDED, Recorded)


class _Places:
    """Where something is written, by the names that the files have in the release below `environment/`."""

    def __init__(self, files: Iterable[Path]) -> None:
        read = [path.resolve() for path in files]
        common = os.path.commonpath([path.parent for path in read])
        self._names = {str(path): os.path.relpath(path, common) for path in read}

    def decided(self, decisions: Iterable[Decision]) -> tuple[Decided, ...]:
        return tuple(
            Decided(
                what=one.what, said=self._said(one.word), instead_of=tuple(map(self._said, one.instead_of))
            )
            for one in decisions
        )

    def _said(self, word: Word) -> Said:
        return Said(value=word.value, origin=word.origin, place=self._place(word.place))

    def _place(self, place: Place | None) -> str:
        if place is None:
            return ""
        name = self._names.get(str(Path(place.file).resolve()), Path(place.file).name)
        return f"{name}, line {place.line}" if place.line else name


def machine(system: System) -> Machine:
    """What of a system its users ask for."""
    nodes = system.nodes
    parts = [f"{nodes.cores} cores", nodes.memory or ""] if nodes else []
    return Machine(
        os=system.os,
        glibc=system.glibc,
        target=system.target,
        nodes=f"{nodes.count} of {' and '.join(part for part in parts if part)}" if nodes else "",
        interconnect=system.interconnect or "",
        gpus=tuple(f"{gpu.count} x {gpu.model}" for gpu in system.accelerators),
    )


def _gpu(planned: FrameworkPlan, framework: InstalledFramework, lock: Lock) -> str:
    inner = planned
    if isinstance(planned, ContainerPlan) and isinstance(planned.origin, Packed):
        inner = planned.origin.framework
    if isinstance(inner, SpackPlan):
        text = next(one.text for one in lock.spack if one.name == inner.name)
        return gpu_of({node.name: "" for node in graph(text).used()})
    return gpu_of(framework.packages)


def gpu_of(packages: Mapping[str, str]) -> str:
    """Whose GPUs a framework with these packages has code for; empty where none tells."""
    if cuda.delivered(packages) or any(_NVIDIA.fullmatch(name) for name in packages):
        return "NVIDIA"
    return next((maker for name, maker in _OF_GPUS.items() if name in packages), "")
