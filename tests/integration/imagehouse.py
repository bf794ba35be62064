"""A small framework from wheels with its image, on a base of this machine's own programs; kills may end it.

`imagehouse.py DIRECTORY` builds it in a process of its own, and prints, before each program, its words.
"""

import gzip
import io
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from registry import digest, image
from roots import root_of_programs
from wheelhouse import PYTHON, Wheelhouse

from stackgen import files, host
from stackgen.build import build
from stackgen.errors import StackgenError
from stackgen.images import Description, read_description
from stackgen.lock import Images, Lock, LockedFile, LockedImage, LockedLayer, blob_name
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan
from stackgen.progress import Progress, Silent
from stackgen.release import InstalledFramework, installed
from stackgen.run import LoggedRunner, Runner
from stackgen.sandbox import Sandbox

GREET = "import os, zlib\ndef main(): print('hello from', os.stat(__file__).st_dev == os.stat('/').st_dev)"
TEXT = {"version": "newest", "from": "wheels", "python": PYTHON, "package": "greeter", "image": True}
USER = "nobody"


@cache
def layer_of(root: Path) -> bytes:
    """A directory as a layer that is not packed."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.add(root, arcname=".")
    return stream.getvalue()


def base_of_here(root: Path, more: tuple[str, ...] = ()) -> Path:
    """A base of this machine's programs, with all of its glibc."""
    root_of_programs(root, ("sh", "cat", "env", "realpath", "dirname", *more))
    (library,) = (path for path in root.rglob("libc.so.6"))
    for name in ("libm", "libdl", "libpthread", "librt", "libutil", "libresolv"):
        for path in Path("/", library.parent.relative_to(root)).glob(f"{name}.so.[0-9]"):
            shutil.copyfile(path, library.parent / path.name)
    return root


@dataclass(frozen=True)
class ImageHouse:
    """A directory with a mirror and a prefix, for the framework `greeter` and its image."""

    root: Path
    containers: Mapping[str, object] = field(default_factory=lambda: {"mpi": "image"})
    """What the system says of its containers."""
    toolchain: Mapping[str, str] = field(default_factory=lambda: {"mpi": "none"})

    @property
    def house(self) -> Wheelhouse:
        return Wheelhouse(self.root)

    @property
    def system(self) -> System:
        """This machine; what it has of its own is seen in no container but where a test says so."""
        here = host.detect().model_dump(by_alias=True)
        return System.model_validate({**here, "containers": self.containers})

    @property
    def base(self) -> LockedImage:
        """The base, whose blobs are in the mirror."""
        place = self.root / "base"
        content = layer_of(place if place.exists() else base_of_here(place))
        packed = gzip.compress(content, 1, mtime=0)
        whole = image(packed)
        blobs = {**whole.blobs, whole.digest: whole.manifest}
        known = {name: self._put(blob) for name, blob in blobs.items()}
        config = next(name for name in whole.blobs if name != digest(packed))
        return LockedImage(
            framework="base",
            reference="registry.example/base",
            digest=whole.digest,
            architecture="x86_64",
            manifest=known[whole.digest],
            config=known[config],
            layers=(
                LockedLayer(
                    file=known[digest(packed)], media_type="application/vnd.oci.image.layer.v1.tar+gzip"
                ),
            ),
        )

    def _put(self, content: bytes) -> LockedFile:
        sha256 = digest(content).removeprefix("sha256:")
        file = LockedFile(name=blob_name(sha256), size=len(content), sha256=sha256)
        place = self.house.mirror.path(file)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.write_bytes(content)
        return file

    def plan(self, base: LockedImage) -> Plan:
        values = {"name": "site", "release": "1", "system": "this", "prefix": str(self.house.prefix)}
        containers = {"base": f"{base.reference}@{base.digest}"}
        asked = {**values, "frameworks": {"greeter": TEXT}, "containers": containers}
        asked["toolchain"] = dict(self.toolchain)
        return plan(Environment.model_validate(asked), self.system)

    def locked(self) -> tuple[Plan, Lock]:
        """The plan and its lock."""
        base = self.base
        packages = (self.house.module("greeter", "1.0", GREET, script="greet"),)
        wheels = (self.house.lock(*packages, framework="greeter"),)
        return self.plan(base), Lock(
            environment="site", inputs={}, wheels=wheels, images=Images(images=(base,))
        )

    def build(
        self, run: Runner | None = None, progress: Progress | None = None, sandbox: Sandbox | None = None
    ) -> InstalledFramework:
        """Build all of it; what is installed of the image."""
        seen = progress or Silent()
        asked, lock = self.locked()
        found = build(asked, lock, self.house.mirror, run or LoggedRunner(seen), seen, sandbox)
        return next(one for one in found if one.image)

    def expected(self) -> InstalledFramework:
        """What would be installed of the image."""
        return next(one for one in installed(*self.locked()) if one.image)

    def describe(self) -> Description:
        """What lies beside the image."""
        return read_description(Path(self.expected().image))


def start_in(image: Path, *words: str, mounted: Path, binds: tuple[str, ...] = ()) -> str:
    """What a program prints in an image with binds `FROM:TO`; `@` is where the image is mounted."""
    mounted.mkdir(exist_ok=True)
    given = [word for bind in binds for word in ("-b", bind.replace("@", str(mounted), 1))]
    argv = ("ch-run", "-m", str(mounted), *given, str(image), "--", *words)
    environment = {"PATH": "/usr/bin:/bin", "USER": USER, "HOME": "/"}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Printing(Silent):
    """A progress that prints at once."""

    def say(self, line: str) -> None:
        print(line, flush=True)  # noqa: T201

    def log(self, text: str) -> None:
        if text.startswith("$ "):
            print(text, flush=True)  # noqa: T201


def main() -> None:
    house = ImageHouse(Path(sys.argv[1]))
    progress = Printing()
    try:
        with files.exclusive(house.house.prefix, progress):
            print(house.build(progress=progress).image)  # noqa: T201
    except StackgenError as error:
        sys.exit(f"refused: {error}")


if __name__ == "__main__":
    main()
