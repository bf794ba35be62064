"""What the page of a framework tells, from its release's files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from stackgen.catalog.told import Kernel, Launcher, Loadable, Queue
from stackgen.catalog.values import UNKNOWN, FrameworkPage, Line, Partition, Script, Setting, Table
from stackgen.delivered import read_contents
from stackgen.effects import placeholders, shown
from stackgen.inside.launcher.deprecation import Deprecation, deprecation_of, is_withdrawn, today
from stackgen.inside.launcher.times import clocked
from stackgen.inside.threads import PLACEHOLDERS
from stackgen.jobs import SHAPES, Shape, directory_name
from stackgen.model import Feature
from stackgen.modules import short_versions
from stackgen.recorded import Recorded, RecordedFramework, Said, gpu_of
from stackgen.release import Check, InstalledFramework, Release

_FEATURES: Mapping[str, str] = {
    Feature.JUPYTER: "works in notebooks",
    Feature.ONEDNN: "oneDNN does the work, and a test has seen it",
    Feature.MKL: "MKL does the matrix products, and a test has seen it",
    Feature.HOROVOD: "trains on many nodes by Horovod, over the machine's MPI",
    Feature.GLOO: "trains on many nodes by Horovod, without any MPI",
    Feature.MPI4PY: "mpi4py, on the machine's MPI",
    Feature.H5PY: "h5py on a parallel HDF5, on the machine's MPI",
    Feature.DDP: "trains on many nodes by its own means, and a test has seen it",
}
_REASONS: Mapping[str, str] = {
    "OMP_NUM_THREADS": "or each rank of a node would start as many threads as the node has cores",
    "TF_NUM_INTRAOP_THREADS": "or each rank of a node would start as many threads as the node has cores",
    "SLURM_PMIX_FENCE": "or ranks that Slurm starts may send to others before those are ready, and end them",
    "TF_ENABLE_ONEDNN_OPTS": "TensorFlow uses oneDNN by itself on the newest processors alone",
}
"""Why stackgen sets what features and schedulers ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """The release that a framework is in."""

    place: Path
    release: Release
    launcher: Launcher
    recorded: Recorded | None
    kernels: tuple[Kernel, ...]
    missing: tuple[str, ...]
    deprecations: tuple[Deprecation, ...]
    """What the current release says of versions: it holds for those of older ones, too."""

    @property
    def modules(self) -> dict[str, list[str]]:
        """The versions of each module."""
        found: dict[str, list[str]] = {}
        for one in self.release.frameworks:
            found.setdefault(one.module, []).append(one.version)
        return found


def framework_page(
    framework: InstalledFramework,
    around: Around,
    checks: tuple[Check, ...],
    measured: tuple[Table, ...],
    changes: tuple[str, ...],
) -> FrameworkPage:
    """The page of a framework; older releases say less of it."""
    module = framework.loaded_as(around.release.namespace)
    told = next((one for one in around.launcher.frameworks if one.module == module), None)
    told = told or Loadable(module=module, default=len(around.modules[framework.module]) == 1)
    recorded = around.recorded.frameworks.get(framework.name) if around.recorded else None
    decided = recorded.decided if recorded else ()
    packages = read_contents(around.place, framework).packages
    leaving = deprecation_of(around.deprecations, module)
    own = (one.summary for one in packages if one.name in {framework.name, framework.module})
    return FrameworkPage(
        installed=framework,
        title=told.title or framework.name,
        summary=told.summary or next(own, ""),
        homepage=told.homepage if urlsplit(told.homepage).scheme in {"http", "https"} else "",
        module=module,
        default=told.default,
        lines=tuple(_lines(framework, around, default=told.default)),
        gpu=_gpu(framework, recorded),
        features=tuple((name, _FEATURES.get(name, "")) for name in told.features),
        packages=packages,
        settings=tuple(_settings(framework, recorded)),
        decided=tuple(one for one in decided if one.what not in framework.settings),
        partitions=_partitions(framework, around),
        kernels=tuple(one.display_name for one in around.kernels if one.metadata.stackgen.module == module),
        checks=checks,
        measured=measured,
        changes=tuple(line.removeprefix(f"{framework.name}: ") for line in changes),
        leaving=leaving,
        withdrawn=leaving is not None and is_withdrawn(leaving, today()),
        limits=_limits(framework, around.launcher),
        missing=framework.place in around.missing,
    )


def _gpu(framework: InstalledFramework, recorded: RecordedFramework | None) -> str:
    found = (recorded.gpu if recorded else "") or gpu_of(framework.packages)
    return found or (UNKNOWN if framework.image and not framework.is_packed else "")


def _lines(framework: InstalledFramework, around: Around, *, default: bool) -> Iterator[Line]:
    """Every way to load it, the shortest first."""
    module = f"{around.release.namespace}/{framework.module}"
    if default:
        yield Line(text=module, meaning="the default, which may be another in a new release")
    versions = around.modules[framework.module]
    for short in sorted(name for name, full in short_versions(versions).items() if full == framework.version):
        yield Line(text=f"{module}/{short}", meaning=f"the newest {short} that there is")
    yield Line(text=f"{module}/{framework.version}", meaning="this one, and no other")


def _settings(framework: InstalledFramework, recorded: RecordedFramework | None) -> Iterator[Setting]:
    said = {one.what: one for one in recorded.decided} if recorded else {}
    for variable, value in sorted(framework.settings.items()):
        decided = said.get(variable)
        word = decided.said if decided else Said(value="", origin="", place="")
        ours = word.origin.startswith(("of the feature", "of the scheduler"))
        reasons = [_REASONS[variable]] if ours and variable in _REASONS else []
        yield Setting(
            variable=variable,
            value=shown(value),
            origin=word.origin,
            place=word.place,
            why="; ".join([*reasons, *_filled(value)]),
            instead_of=tuple(map(_overridden, decided.instead_of)) if decided else (),
        )


def _overridden(word: Said) -> str:
    return f"{word.value} {word.origin}" + (f" ({word.place})" if word.place else "")


def _filled(value: str) -> list[str]:
    return [
        f"{{{name}}} is {meaning}; outside of jobs it is not set"
        for name, meaning in PLACEHOLDERS.items()
        if name in placeholders(value)
    ]


def _partitions(framework: InstalledFramework, around: Around) -> tuple[Partition, ...]:
    """Its job scripts, the texts of the default partition's alone: the others differ in numbers."""
    directory = around.place / "jobs" / framework.name
    queues = [one for one in around.launcher.queues if _scripts_in(directory, one)]
    shown_in = next((one for one in queues if one.default), queues[0] if queues else None)
    return tuple(
        Partition(
            name=one.name,
            nodes=f"{one.least}" if one.least == one.most else f"{one.least} to {one.most}",
            time=clocked(one.seconds) if one.seconds else "",
            scripts=tuple(
                Script(
                    shape=SHAPES[Shape(path.stem)],
                    path=str(path.relative_to(around.place)),
                    text=path.read_text(encoding="utf-8") if one is shown_in else "",
                )
                for path in _scripts_in(directory, one)
            ),
        )
        for one in queues
    )


def _scripts_in(directory: Path, queue: Queue) -> list[Path]:
    below = directory / directory_name(queue.name)
    return [path for shape in SHAPES if (path := below / f"{shape}.sh").is_file()]


def _limits(framework: InstalledFramework, launcher: Launcher) -> str:
    said = {name.lower(): why for name, why in launcher.unsupported.items()}
    return said.get(framework.name) or said.get(framework.module) or ""
