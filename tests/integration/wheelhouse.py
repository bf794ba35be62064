"""A mirror of small real wheels and source distributions, with the plans and locks that name them."""

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from package_index import EPOCH, wheel

from stackgen import host
from stackgen.build import build
from stackgen.lock import Lock, LockedFile, LockedPackage, WheelLock
from stackgen.mirror import Mirror
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan
from stackgen.progress import Progress, Silent
from stackgen.release import InstalledFramework
from stackgen.run import LoggedRunner, Runner
from stackgen.sandbox import Sandbox

PYTHON = host.detect().pythons[0].version
"""The Python that tests build with: whichever this machine has first."""


def module(name: str, version: str, text: str = "", script: str = "") -> bytes:
    """A wheel of one module `name`, with a console script that calls the module's `main`."""
    info = f"{name}-{version}.dist-info"
    members = {f"{name}.py": f"__version__ = {version!r}\n{text}"}
    if script:
        members[f"{info}/entry_points.txt"] = f"[console_scripts]\n{script} = {name}:main\n"
    return _with_members(wheel(name, version), f"{name}/__init__.py", members, info)


def _with_members(original: bytes, dropped: str, members: Mapping[str, str], info: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(original)) as source, zipfile.ZipFile(stream, "w") as target:
        texts = {
            name: source.read(name)
            for name in source.namelist()
            if name not in {dropped, f"{info}/RECORD"} and not name.endswith("/padding")
        }
        texts |= {name: text.encode() for name, text in members.items()}
        texts[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*texts, f"{info}/RECORD"]).encode()
        for name, content in texts.items():
            target.writestr(zipfile.ZipInfo(name, EPOCH), content)
    return stream.getvalue()


_BACKEND = """
import pathlib, zipfile

def build_wheel(directory, settings=None, metadata=None):
    result = {{}}
    exec({probe!r}, result)
    name = "{name}-{version}-py3-none-any.whl"
    info = "{name}-{version}.dist-info"
    members = {{
        "{name}.py": "RESULT = " + repr(result["RESULT"]),
        info + "/METADATA": "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n",
        info + "/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }}
    members[info + "/RECORD"] = "".join(path + ",,\\n" for path in members) + info + "/RECORD,,\\n"
    with zipfile.ZipFile(pathlib.Path(directory) / name, "w") as archive:
        for path, text in members.items():
            archive.writestr(path, text)
    return name
"""


def probe(name: str, version: str, code: str, requires: tuple[str, ...] = ()) -> bytes:
    """A source distribution whose build runs `code`; the module keeps the `RESULT` that it leaves."""
    texts = {
        "PKG-INFO": f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n",
        "pyproject.toml": f'[build-system]\nrequires = {list(requires)}\nbuild-backend = "backend"\n'
        f'backend-path = ["."]\n[project]\nname = "{name}"\nversion = "{version}"\n',
        "backend.py": _BACKEND.format(name=name, version=version, probe=code),
    }
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for path, text in texts.items():
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()


@dataclass(frozen=True)
class Wheelhouse:
    """A directory with a mirror, and the prefix that is built from it."""

    root: Path
    python: str = PYTHON

    @property
    def mirror(self) -> Mirror:
        return Mirror(root=self.root / "mirror")

    @property
    def prefix(self) -> Path:
        return self.root / "ai"

    def add(self, name: str, version: str, content: bytes, filename: str = "") -> LockedPackage:
        """Put a file into the mirror; how a lock names it."""
        file = LockedFile(
            name=filename or f"{name}-{version}-py3-none-any.whl",
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        path = self.mirror.path(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return LockedPackage(name=name, version=version, file=file)

    def module(self, name: str, version: str, text: str = "", script: str = "") -> LockedPackage:
        """Put a wheel of one module into the mirror."""
        return self.add(name, version, module(name, version, text, script))

    def probe(self, code: str, requires: tuple[str, ...] = ()) -> LockedPackage:
        """Put a source distribution `probe` into the mirror, whose build runs `code`."""
        return self.add("probe", "1.0", probe("probe", "1.0", code, requires), "probe-1.0.tar.gz")

    def wheel(self, path: Path) -> LockedPackage:
        """Put somebody else's wheel into the mirror."""
        name, version = path.name.split("-")[:2]
        return self.add(name, version, path.read_bytes(), path.name)

    def plan(self, *frameworks: str, system: System | None = None, **environment: object) -> Plan:
        """The plan of an environment with frameworks that are named like their package."""
        entries = {
            name: {"from": "wheels", "version": "newest", "python": self.python, "package": name}
            for name in frameworks
        }
        values = {"name": "site", "release": "1", "system": "this", "prefix": str(self.prefix)}
        asked = Environment.model_validate(values | {"frameworks": entries} | environment)
        return plan(asked, system or host.detect())

    def lock(
        self, *packages: LockedPackage, framework: str = "", build: tuple[LockedPackage, ...] = ()
    ) -> WheelLock:
        """The lock of a framework that is named like the first package, or otherwise."""
        return WheelLock(
            framework=framework or packages[0].name,
            python=self.python,
            packages=tuple(sorted(packages)),
            build_packages=build,
        )

    def build(
        self,
        *locks: WheelLock,
        run: Runner | None = None,
        progress: Progress | None = None,
        sandbox: Sandbox | None = None,
        system: System | None = None,
    ) -> tuple[InstalledFramework, ...]:
        """Build frameworks from the mirror, with real processes."""
        seen = progress or Silent()
        lock = Lock(
            environment="site", inputs={}, wheels=tuple(sorted(locks, key=lambda lock: lock.framework))
        )
        asked = self.plan(*(lock.framework for lock in locks), system=system)
        return build(asked, lock, self.mirror, run or LoggedRunner(seen), seen, sandbox)

    def build_one(self, *packages: LockedPackage, **more: object) -> Path:
        """Build one framework; its prefix."""
        (framework,) = self.build(self.lock(*packages), **more)
        return Path(framework.prefix)


def pip_wheel(version: str = PYTHON) -> Path | None:
    """A wheel of pip that this machine has for a Python's `ensurepip`."""
    prefix = {python.version: python.prefix for python in host.detect().pythons}[version]
    bundled = Path(prefix) / "lib" / f"python{version}" / "ensurepip" / "_bundled"
    candidates = (
        path for place in (bundled, Path("/usr/share/python-wheels")) for path in place.glob("pip-*.whl")
    )
    return next(candidates, None)
