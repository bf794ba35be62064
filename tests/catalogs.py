"""Prefixes whose releases have all that pages tell of: made by stackgen, but that nothing was installed."""

import json
from pathlib import Path

from stackgen import files
from stackgen.delivered import contents_tree
from stackgen.hierarchy import Described, hierarchy_tree
from stackgen.lock import Lock, LockedFile, LockedPackage, SpackLock, WheelLock, inputs
from stackgen.project import Project, generate, open_project
from stackgen.publish import publish, stage
from stackgen.release import Check, InstalledFramework, Release, Report, installed, release_of

SYSTEM = """\
name: {name}
site: {site}
os: rhel8
glibc: 2.28
target: zen3
nodes: {{count: 120, sockets: 2, cores: 128, memory: 256 GB}}
interconnect: infiniband
accelerators:
  - {{model: {gpu}, count: 4, capability: 8.0}}
pythons:
  - {{version: 3.11, prefix: /usr}}
scheduler:
  kind: slurm
  partitions:
    short: {{nodes: 1..4, time: "00:30:00"}}
    {partition}: {{nodes: 1..64, time: "24:00:00", default: true}}
settings:
  NCCL_SOCKET_IFNAME: {value}
"""
ENVIRONMENT = """\
name: grid
release: {release}
system: grid
prefix: {prefix}
toolchain: {{mpi: openmpi@4.1.6}}
frameworks:
  tensorflow:
    version: newest
    from: wheels
    package: tensorflow
    python: 3.11
    features: [jupyter, ddp, onednn]
    settings: {{NCCL_SOCKET_IFNAME: ib0, NOTE: {value}}}
  tensorflow-old:
    module: tensorflow
    version: 2.15.1
    from: wheels
    package: tensorflow
    python: 3.11
  numpy: {{version: newest, from: wheels, python: 3.11}}
unsupported:
  cntk: {why}
  numpy: {limits}
deprecations:
  tensorflow/2.15: {{state: deprecated, on: 2027-01-31, reason: {reason}, instead: tensorflow}}
"""
_PACKAGES = {
    "tensorflow": {"tensorflow": "2.21.0", "numpy": "2.4.0", "ipykernel": "7.1", "nvidia-nccl-cu12": "2.27"},
    "tensorflow-old": {"tensorflow": "2.15.1", "numpy": "1.26.4"},
    "numpy": {"numpy": "2.4.0"},
}
_LICENSES = {"tensorflow": "Apache-2.0", "numpy": "BSD-3-Clause AND 0BSD"}
_SUMMARIES = {
    "tensorflow": "machine learning for everyone",
    "numpy": "arrays, and all that is done with them",
}


def project(home: Path, release: str = "2026.11", text: str = "") -> Project:
    """An environment on a system; `text` is in every field that takes any."""
    fields = {
        "name": "Grid",
        "site": "The Centre",
        "gpu": "NVIDIA A100",
        "partition": "batch",
        "value": "ib1",
        "why": "It has ended. Its models run in ONNX Runtime, which is not here either.",
        "limits": "It runs on CPUs alone. On GPUs, use CuPy.",
        "reason": "It is no longer mended.",
        **(dict.fromkeys(("name", "site", "gpu", "value", "why", "limits", "reason"), text) if text else {}),
        **({"partition": text} if text else {}),
    }
    quoted = {key: json.dumps(value) for key, value in fields.items()}
    files.write(home / "environments/systems/grid.yaml", SYSTEM.format(**quoted))
    prefix = home / "ai"
    files.write(home / "environments/grid.yaml", ENVIRONMENT.format(**quoted, release=release, prefix=prefix))
    return open_project(home / "environments/grid.yaml")


def locked(asked: Project, **versions: str) -> Lock:
    """Its lock, with other versions of tensorflow's packages."""
    return Lock(
        environment=asked.plan.environment,
        inputs=inputs(asked.plan),
        wheels=tuple(
            WheelLock(
                framework=name,
                python="3.11",
                packages=tuple(
                    sorted(_package(one, version) for one, version in _versions(name, versions).items())
                ),
            )
            for name in sorted(_PACKAGES)
        ),
        spack=(hierarchy_lock(),),
    )


def _versions(framework: str, versions: dict[str, str]) -> dict[str, str]:
    known = _PACKAGES[framework]
    return {**known, **versions} if framework == "tensorflow" else known


def _package(name: str, version: str) -> LockedPackage:
    file = LockedFile(name=f"{name.replace('-', '_')}-{version}-py3-none-any.whl", size=11, sha256="0" * 64)
    return LockedPackage(name=name, version=version, file=file)


def hierarchy_lock() -> SpackLock:
    """An MPI, a library on it, and a tool."""
    arch = {"platform": "linux", "platform_os": "rhel8", "target": "zen3"}
    on_mpi = {"name": "openmpi", "hash": "openmpi", "parameters": {"deptypes": ["link"], "virtuals": ["mpi"]}}
    nodes = {
        name: {"name": name, "version": version, "arch": arch, "dependencies": needs}
        for name, version, needs in (
            *(("openmpi", "4.1.6", []), ("cmake", "3.31.6", [])),
            ("hdf5", "1.14.6", [on_mpi]),
        )
    }
    roots = [{"hash": name, "spec": name} for name in nodes]
    text = {"_meta": {"file-type": "spack-lockfile"}, "roots": roots, "concrete_specs": nodes}
    return SpackLock(name="toolchain", text=json.dumps(text))


def publish_release(home: Path, release: str = "2026.11", text: str = "", **versions: str) -> Release:
    """Publish a release below `home / "ai"`, tested, and with the files that make it whole."""
    asked = project(home, release, text)
    lock = locked(asked, **versions)
    frameworks = installed(asked.plan, lock)
    for framework in frameworks:
        _fill(framework, text)
    described = {key: _described(key) for key in ("openmpi", "cmake", "hdf5")}
    tree = generate(asked, lock) | hierarchy_tree(asked.plan, lock.spack, described)
    directory = stage(asked.plan, lock, tree | contents_tree(frameworks, {}))
    files.write(directory / "report.json", _report(release_of(asked.plan, lock), text).model_dump_json())
    return publish(asked.prefix, release)


def _fill(framework: InstalledFramework, text: str) -> None:
    """As much of a prefix as pages ask for: the metadata of its packages."""
    packages = Path(framework.prefix, "lib/python3.11/site-packages")
    files.write(Path(framework.prefix, "bin", "python"), "")
    for name, version in framework.packages.items():
        told = {
            "Metadata-Version": "2.4",
            "Name": name,
            "Version": version,
            "License": (text or _LICENSES.get(name, ""))[:80],
            "Summary": text or _SUMMARIES.get(name, ""),
        }
        lines = "".join(f"{key}: {value}\n" for key, value in told.items() if value)
        files.write(packages / f"{name.replace('-', '_')}-{version}.dist-info/METADATA", lines)


def _described(name: str) -> Described:
    place = f"/opt/{name}"
    return Described(hash=name, prefix=place, summary="", homepage="", variants="", effects=())


def _report(release: Release, text: str) -> Report:
    checks = [
        Check(framework=one.name, name=name, passed=True, detail=text)
        for one in release.frameworks
        for name in ("import", "version", "isolation")
    ]
    if text:
        checks.append(Check(framework="numpy", name=text, passed=True, detail=text))
    return Report(release=release.name, request=release.request, checks=tuple(checks))


def measured(bench: Path, release: Release, text: str = "") -> None:
    """What `stackgen bench` leaves of tensorflow, below a directory of its results."""
    head = {
        "format": 1,
        "release": release.name,
        "request": release.request,
        "environment": "grid",
        "system": "Grid",
        "framework": "tensorflow",
        "version": "2.21.0",
    }
    rows = [
        {"nodes": 4, "ranks": 16, "epoch": 3806.0, "linear": 3806.0, "speedup": 1.0, "efficiency": 1.0},
        {"nodes": 8, "ranks": 32, "epoch": None, "linear": None, "speedup": None, "efficiency": None},
    ]
    reasons = ("", text or "no nodes")
    scaled = [{**row, "spread": None, "reason": reason} for row, reason in zip(rows, reasons, strict=True)]
    title = text or "tensorflow 2.21.0, ResNet-50, weak, by its own distribution"
    _keep(
        bench / "scaling/tensorflow/weak/table.json",
        {**head, "title": title, "where": "batch", "rows": scaled},
    )
    rate = {"kernel": "GEMM float32", "delivered": 1.25e12, "pip": None, "ratio": None, "share": 0.913}
    kernels = {"title": "kernels", "rates": [rate], "peak": None, "copy": None, "notes": ["quick"], "raw": {}}
    message = {"way": "ddp", "size": 1024, "seconds": 0.001, "reference": 0.002, "ratio": 0.5}
    sums = {"title": "all-reduce", "ranks": 2, "messages": [message], "notes": [], "raw": {}}
    _keep(bench / "kernels/tensorflow.json", {**head, "kernels": kernels, "collectives": sums})
    start = {"who": "delivered", "warm": 1.5, "cold": None, "opened": 900, "looked_up": 1900}
    _keep(
        bench / "startup/tensorflow.json",
        {**head, "title": "start", "starts": [start], "ratio": None, "notes": [], "raw": {}},
    )


def _keep(path: Path, value: dict[str, object]) -> None:
    files.write(path, json.dumps(value))
