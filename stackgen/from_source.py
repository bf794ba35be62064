"""Packages built from source distributions, inside a prefix in the making: unpack, edit, build, install."""

import re
import shlex
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stackgen import files
from stackgen.combinations import Edit, Source
from stackgen.errors import WorkError
from stackgen.install import install_build_tools, install_built
from stackgen.interpreters import Layout
from stackgen.lock import LockedPackage, WheelLock
from stackgen.native import Native
from stackgen.wheel_cache import WheelCache
from stackgen.workshop import Workshop

_TELLING = re.compile(
    r"out of memory|error:|CMake Error|undefined reference|cannot find|No such file or directory|\bError: "
)
_NO_MEMORY = re.compile(r"out of memory|Killed signal terminated program")
_NO_HEADERS = re.compile(r"\bmpi\.h: No such file")
_NO_CAUSE = re.compile(
    r"subprocess-exited-with-error|metadata-generation-failed|Failed building wheel|^ERROR: "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceBuilds:
    """What is to be built from source into one prefix, and how."""

    native: Native
    lock: WheelLock
    jobs: int
    """Compilers at once."""
    cache: WheelCache

    def build(self, layout: Layout, workshop: Workshop) -> None:
        """Build each package in an open workshop whose prefix has all the others, and install it there."""
        self._check(layout)
        install_build_tools(self.lock, self._tools(workshop), workshop)
        self._write_wrappers(workshop)
        # Extensions of one package side by side: setuptools reads how many from there alone.
        files.write(workshop.home / ".pydistutils.cfg", f"[build_ext]\nparallel = {self.jobs}\n")
        for source in self.native.sources:
            package = next(one for one in self.lock.packages if one.name == source.project)
            wheel = self._cached(source, package, workshop)
            with files.reported(f"cannot link {wheel}"):
                (workshop.wheels / wheel.name).symlink_to(wheel)
            install_built(package, workshop)

    @property
    def projects(self) -> frozenset[str]:
        """The packages that are not installed with the others."""
        return frozenset(source.project for source in self.native.sources)

    @property
    def readable(self) -> tuple[Path, ...]:
        """What the sandbox must not hide."""
        native = self.native
        compiler = (Path(native.compiler.prefix),) if native.compiler else ()
        return tuple(
            path
            for path in (*compiler, native.mpi and native.mpi.prefix, native.hdf5 and native.hdf5.prefix)
            if path and path.exists()
        )

    def _check(self, layout: Layout) -> None:
        """WorkError where something is not there that every build needs."""
        if not (layout.headers / "Python.h").exists():
            what = f"Python {layout.minor} in {layout.prefix} has no headers, and packages are built for it"
            raise WorkError(what, f"install them: Debian has them in python{layout.minor}-dev")
        if (mpi := self.native.mpi) and not mpi.wrapper("c++").exists():
            what = f"the MPI {mpi.spec} is to be in {mpi.prefix}, and {mpi.wrapper('c++')} is not there"
            raise WorkError(what, "correct its prefix in the system's file, or install it with its compilers")
        if (hdf5 := self.native.hdf5) and not (hdf5.prefix / "include/hdf5.h").exists():
            what = f"HDF5 is to be in {hdf5.prefix}, and {hdf5.prefix / 'include/hdf5.h'} is not there"
            raise WorkError(what, "correct its prefix in the system's file, or install it with its headers")

    def _cached(self, source: Source, package: LockedPackage, workshop: Workshop) -> Path:
        """The wheel of a package: one that was built before by all the same, or a new one."""
        key, output = self.native.key(package), workshop.root / "built"
        with files.reported(f"cannot make {output}"):
            output.mkdir(exist_ok=True)
        if found := self.cache.take(key, output):
            return found
        wheel = self._built(source, package, workshop)
        self.cache.keep(key, wheel)
        return wheel

    def _built(self, source: Source, package: LockedPackage, workshop: Workshop) -> Path:
        """The wheel of a package, made from its locked source distribution."""
        unpacked = self._unpack(package, workshop)
        for edit in self.native.edits(source.project):
            _edit(unpacked / edit.file, edit, package)
        output = workshop.root / "built" / "new"
        what = f"cannot build {package.name} {package.version} for {self.lock.framework}"
        workshop.start(
            *(workshop.python, "-m", "pip", "wheel", "--verbose", "--no-build-isolation", "--no-deps"),
            *("--no-index", "--no-cache-dir", "--disable-pip-version-check", "--no-color"),
            *("--wheel-dir", output, unpacked),
            failure=what,
            variables=self._environment(source, workshop),
            telling=telling,
        )
        wheel = next(output.glob("*.whl"))
        _check_wheel(wheel, source, package)
        return wheel

    def _unpack(self, package: LockedPackage, workshop: Workshop) -> Path:
        into = workshop.root / "sources" / package.name
        with files.reported(f"cannot make {into}"):
            into.mkdir(parents=True)
        archive = workshop.wheels / package.file.name
        workshop.start(
            *(workshop.python, "-I", "-B", "-m", "tarfile", "-e", archive, into),
            failure=f"cannot unpack {package.file.name}",
        )
        return next(path for path in into.iterdir() if path.is_dir())

    def _environment(self, source: Source, workshop: Workshop) -> dict[str, str]:
        native, tools = self.native, self._tools(workshop)
        own = native.variables(source.project)
        c, cxx = (
            (native.compiler.program("c"), native.compiler.program("c++"))
            if native.compiler
            else ("cc", "c++")
        )
        wrapper = str(self._wrappers(workshop) / "mpicc")
        return {
            "PATH": f"{self._wrappers(workshop)}:{tools / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": str(tools),
            "PYTHONDONTWRITEBYTECODE": "1",  # which would name the workshop
            "CC": wrapper if source.project == "h5py" else c,
            "CXX": cxx,
            "CXXFLAGS": self._flags(workshop),
            "LDFLAGS": " ".join(f"-Wl,-rpath,{path}" for path in self._foreign),
            "HOROVOD_RPATH": ";".join((*native.libraries(source.project), *map(str, self._foreign))),
            "MAKEFLAGS": f"-j{self.jobs}",
            "CMAKE_BUILD_PARALLEL_LEVEL": str(self.jobs),
            "HOROVOD_CMAKE": str(tools / "cmake/data/bin/cmake"),
            **(native.mpi.compilers(c, cxx) if native.mpi else {}),
            **({"MPI_HOME": str(self._wrappers(workshop).parent), "MPICC": wrapper} if native.mpi else {}),
            **own,
            "CFLAGS": " ".join(filter(None, (own.get("CFLAGS"), self._flags(workshop)))),
            **self._nccl(source, workshop),
        }

    def _nccl(self, source: Source, workshop: Workshop) -> dict[str, str]:
        """The NCCL of wheels under the name that a linker looks for."""
        gpus = self.native.gpus
        if source.project != "horovod" or gpus is None or gpus.nccl:
            return {}
        home = workshop.root / "nccl"
        found = next(workshop.prefix.glob("lib/python*/site-packages/nvidia/nccl"), None)
        if found is None:
            what = f"{self.lock.framework} brings no NCCL, and the system lists none"
            raise WorkError(what, "add nccl to `externals:` of the system's file")
        with files.reported(f"cannot make {home}"):
            (home / "lib").mkdir(parents=True)
            (home / "include").symlink_to(found / "include")
            (home / "lib/libnccl.so").symlink_to(found / "lib/libnccl.so.2")
        return {"HOROVOD_NCCL_HOME": str(home)}

    @property
    def _foreign(self) -> tuple[Path, ...]:
        """Where the loader does not look by itself for the libraries of MPI and HDF5."""
        native = self.native
        found = (native.mpi and native.mpi.prefix, native.hdf5 and native.hdf5.prefix)
        prefixes = [prefix for prefix in found if prefix and prefix != Path("/usr")]
        places = (prefix / name for prefix in prefixes for name in ("lib", "lib64", "lib/release"))
        return tuple(place for place in places if any(place.glob("lib*.so")))

    def _flags(self, workshop: Workshop) -> str:
        """For the target, and without the place of the build in messages and the like."""
        compiler = self.native.compiler
        knows = compiler and compiler.package == "gcc" and int(compiler.version.split(".")[0] or 0) >= 8
        return " ".join(
            filter(None, (self.native.flags, f"-ffile-prefix-map={workshop.root}=." if knows else ""))
        )

    def _write_wrappers(self, workshop: Workshop) -> None:
        """The MPI's compilers and launcher by their usual names: several MPIs may share a prefix."""
        mpi, directory = self.native.mpi, self._wrappers(workshop)
        if mpi is None:
            return
        with files.reported(f"cannot make {directory}"):
            directory.mkdir(parents=True)
        programs: Mapping[str, tuple[str, ...]] = {
            "mpicc": (str(mpi.wrapper("c")),),
            "mpicxx": (str(mpi.wrapper("c++")),),
            "mpic++": (str(mpi.wrapper("c++")),),
            "mpiexec": mpi.launcher or ("false",),
            "mpirun": mpi.launcher or ("false",),
        }
        for name, words in programs.items():
            files.write(directory / name, f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', mode=0o755)

    @staticmethod
    def _tools(workshop: Workshop) -> Path:
        return workshop.root / "tools"

    @staticmethod
    def _wrappers(workshop: Workshop) -> Path:
        return workshop.root / "mpi" / "bin"


def telling(text: str) -> str:
    """Of what a failed build printed, the line that says most: the first in which a compiler complains."""
    lines = [line.strip() for line in text.splitlines()]
    found = [
        number for number, line in enumerate(lines) if _TELLING.search(line) and not _NO_CAUSE.search(line)
    ]
    if not found:
        return ""
    line = lines[found[0]]
    if _NO_MEMORY.search(line):
        return f"{line}: fewer --jobs need less memory"
    if _NO_HEADERS.search(line):
        return f"{line}: the MPI is there without its headers; Debian has them in a package of its own, -dev"
    return f"{line} {lines[found[0] + 1]}".strip() if line.endswith(":") and lines[found[0] + 1 :] else line


def _check_wheel(wheel: Path, source: Source, package: LockedPackage) -> None:
    """WorkError where a build has made no extension, and was content with that."""
    with zipfile.ZipFile(wheel) as archive:
        if not any(name.startswith(f"{source.project}/") and ".so" in name for name in archive.namelist()):
            what = f"the build of {package.name} {package.version} has ended well, and has compiled nothing"
            raise WorkError(what, "the log has what it said")


def _edit(file: Path, edit: Edit, package: LockedPackage) -> None:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        text = ""
    if text.count(edit.old) != 1:
        what = f"{package.file.name} does not hold once, in {edit.file}, what is to be changed: {edit.old}"
        raise WorkError(what, "lock the version of it that stackgen knows")
    files.write(file, text.replace(edit.old, edit.new))
