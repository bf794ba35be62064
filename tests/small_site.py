"""A site whose frameworks hold little, as its launcher sees it: real directories, a real Python."""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from stackgen import files
from stackgen.delivered import contents_tree
from stackgen.inside.launcher.description import Site, site_from
from stackgen.jobs import launcher_tree
from stackgen.jobs.launcher import description
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan
from stackgen.release import InstalledFramework

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
WITH_GPUS = {
    "scheduler": {"kind": "slurm", "partitions": {"gpu": {"nodes": "1..4", "gpus": 4}, "cpu": {"gpus": 0}}},
    "accelerators": [{"model": "NVIDIA A100-SXM4-40GB", "count": 4}],
}
SOME = {
    "tensorflow": {"keras": "3.9.0", "numpy": "2.1.0", "nvidia-cuda-runtime-cu12": "12.8.57"},
    "tensorflow-old": {"keras": "2.15.0", "numpy": "1.26.4"},
    "pytorch": {"numpy": "2.1.0", "pyyaml": "6.0.2"},
}
"""Packages of three frameworks, two of which are versions of one module."""
VERSIONS = {"tensorflow": "2.21.0", "tensorflow-old": "2.15.1", "pytorch": "2.13.0"}
MODULES = {"pyyaml": "yaml"}
"""What a package is imported as, where it has another name."""


def asked(
    prefix: Path, release: str = "1", system: Mapping[str, object] | None = None, **more: object
) -> Plan:
    """The plan of the three frameworks."""
    facts = {"name": "Lab", "os": "debian12", "glibc": "2.36", "target": "x86_64_v2", **(system or {})}
    facts = {"nodes": {"count": 4, "sockets": 2, "cores": 8}, **facts}
    frameworks: dict[str, dict[str, object]] = {
        name: {"from": "wheels", "version": VERSIONS[name]} for name in SOME
    }
    frameworks["tensorflow"] |= {"settings": {"TF_SOME": "1"}, "features": ["ddp"]}
    frameworks["tensorflow-old"] |= {"module": "tensorflow", "package": "tensorflow", "import": "tensorflow"}
    values = {
        "name": "lab",
        "release": release,
        "system": "lab",
        "prefix": str(prefix),
        "frameworks": frameworks,
    }
    pythons = [{"version": PYTHON, "prefix": "/usr"}]
    return plan(
        Environment.model_validate(values | more), System.model_validate({"pythons": pythons, **facts})
    )


def installed(planned: Plan) -> tuple[InstalledFramework, ...]:
    """The frameworks as they lie below the plan's prefix."""
    return tuple(
        InstalledFramework(
            name=one.name,
            module=one.about.module,
            version=VERSIONS[one.name],
            prefix=f"{planned.prefix}/pythons/{one.name}-{VERSIONS[one.name]}",
            python=PYTHON,
            packages=SOME[one.name],
            settings=dict(one.about.settings),
        )
        for one in planned.frameworks
    )


def lay(framework: InstalledFramework) -> None:
    """Make its prefix: a virtual environment of this Python, with empty packages."""
    prefix = Path(framework.prefix)
    packages = prefix / "lib" / f"python{PYTHON}" / "site-packages"
    alone = "include-system-site-packages = false\n"
    files.write(prefix / "pyvenv.cfg", f"home = {sys.base_prefix}/bin\n{alone}")
    files.write(prefix / "bin/tensorboard", "#!/bin/sh\n", 0o755)
    for name in ("python", "python3"):
        files.point(prefix / "bin" / name, f"{sys.base_prefix}/bin/python{PYTHON}")
    for name, version in framework.packages.items():
        module = MODULES.get(name, name.replace("-", "_"))
        described = packages / f"{name}-{version}.dist-info"
        files.write(packages / module / "__init__.py", "raise SystemExit('started')\n")
        told = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nSummary: what {name} does\n"
        files.write(described / "METADATA", f"{told}License-Expression: MIT\n")
        files.write(described / "RECORD", f"{module}/__init__.py,,\n{described.name}/METADATA,,\n")


def publish(planned: Plan, frameworks: Iterable[InstalledFramework]) -> Path:
    """Write what the launcher needs of a release, and make it the current one; its launcher."""
    given = tuple(frameworks)
    tree = launcher_tree(planned, given) | contents_tree(given, {})
    shown = Path(planned.prefix, "publications", planned.release, "0")
    for place in (Path(planned.place), shown):
        files.write_tree(tree, place)
    files.point(Path(planned.prefix, "current"), str(shown.relative_to(planned.prefix)))
    return Path(planned.place, "bin", planned.namespace)


def site(planned: Plan, frameworks: Iterable[InstalledFramework]) -> Site:
    """What the launcher reads."""
    told = json.loads(json.dumps(description(planned, tuple(frameworks))))
    return site_from(told, f"{planned.place}/bin/{planned.namespace}")


def loading(planned: Plan, framework: InstalledFramework, path: str = "/usr/bin:/bin") -> dict[str, str]:
    """The environment in which its module is loaded."""
    root = f"HPAI_{framework.module.upper()}_ROOT"
    module = f"hpai/{framework.module}/{framework.version}"
    return {
        root: framework.prefix,
        "HPAI_RELEASE": planned.place,
        "LOADEDMODULES": module,
        "PATH": f"{framework.prefix}/bin:{planned.place}/bin:{path}",
        "PYTHONNOUSERSITE": "1",
        "TF_SOME": "1",
        "__HPAI_TENSORFLOW_SET_TF_SOME": "1",
    }
