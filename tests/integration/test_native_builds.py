"""Packages built from source for frameworks from wheels: on which MPI, by what, and what becomes of them.

The real mpi4py and h5py are compiled every time, in three minutes, unless STACKGEN_TEST_CACHE names
a directory that keeps what is built for the next time.
"""

import io
import json
import os
import sys
import tarfile
from pathlib import Path

import pytest
from desk import Desk
from stages import Recorder
from wheelhouse import PYTHON, Wheelhouse, pip_wheel

from stackgen import host
from stackgen.build import build
from stackgen.errors import WorkError
from stackgen.lock import Lock, LockedPackage
from stackgen.model import System
from stackgen.mpi import Flavour, Mpi
from stackgen.plan import Plan
from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, Outcome
from stackgen.site import Site

BACKEND = """\
import os, pathlib, socket, subprocess, zipfile

def build_wheel(directory, settings=None, metadata=None):
    pathlib.Path("ext.c").write_text({source!r})
    subprocess.run([os.environ["MPICC"], "-shared", "-fPIC", "-o", "ext.so", "ext.c"], check=True)
    try:
        socket.create_connection(("1.1.1.1", 53), 2)
        network = "up"
    except OSError:
        network = "down"
    seen = dict(os.environ) | {{"NETWORK": network, "NUMBER": os.urandom(8).hex()}}
    name, info = "mpi4py-4.0.0-py3-none-any.whl", "mpi4py-4.0.0.dist-info"
    members = {{
        "mpi4py/__init__.py": "SEEN = " + repr(seen),
        "mpi4py/ext.so": pathlib.Path("ext.so").read_bytes(),
        info + "/METADATA": "Metadata-Version: 2.1\\nName: mpi4py\\nVersion: 4.0.0\\n",
        info + "/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }}
    members[info + "/RECORD"] = "".join(path + ",,\\n" for path in members) + info + "/RECORD,,\\n"
    with zipfile.ZipFile(pathlib.Path(directory) / name, "w") as archive:
        for path in [path for path in members if {extension} or not path.endswith(".so")]:
            archive.writestr(path, members[path])
    return name
"""


@pytest.fixture
def house(tmp_path: Path) -> Wheelhouse:
    if pip_wheel() is None:
        pytest.skip("this machine has no wheel of pip")
    if not list(Path(host.detect().pythons[0].prefix).glob(f"include/python{PYTHON}/Python.h")):
        pytest.skip("this machine has no headers of Python")
    return Wheelhouse(tmp_path)


def sdist(house: Wheelhouse, source: str = "int one;\n", *, extension: bool = True) -> LockedPackage:
    """A package that compiles one file by the MPI's compiler, named as one that we know."""
    texts = {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": BACKEND.format(source=source, extension=extension),
    }
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for path, text in texts.items():
            member = tarfile.TarInfo(f"mpi4py-4.0.0/{path}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return house.add("mpi4py", "4.0.0", stream.getvalue(), "mpi4py-4.0.0.tar.gz")


def mpi(directory: Path, *programs: str) -> Path:
    """An MPI whose compilers are the system's, and say which they are."""
    (directory / "bin").mkdir(parents=True)
    for program in programs:
        path = directory / "bin" / program
        path.write_text(f'#!/bin/sh\nexec cc -DBY=\\"{program}\\" "$@"\n')
        path.chmod(0o755)
    return directory


def planned(house: Wheelhouse, prefix: Path) -> Plan:
    facts = host.detect().model_dump(mode="json", by_alias=True)
    facts |= {
        "compilers": [{"spec": "gcc@12.2.0", "prefix": "/usr"}],
        "externals": [{"spec": "openmpi@4.1.4", "prefix": str(prefix)}],
        "target": "x86_64_v2" if os.uname().machine == "x86_64" else facts["target"],
    }
    frameworks = {
        "greeter": {"from": "wheels", "version": "newest", "python": PYTHON, "package": "greeter"}
        | {"features": ["mpi4py"]}
    }
    return house.plan("greeter", system=System.model_validate(facts), frameworks=frameworks)


def built(house: Wheelhouse, package: LockedPackage, prefix: Path, cache: Path | None = None) -> Path:
    wheel = pip_wheel()
    assert wheel
    packages = (house.module("greeter", "1.0"), house.wheel(wheel), package)
    lock = Lock(environment="site", inputs={}, wheels=(house.lock(*packages, framework="greeter"),))
    run = LoggedRunner(Silent())
    plan = planned(house, prefix)
    (framework,) = build(plan, lock, house.mirror, run, Recorder(), None, jobs=3, cache=cache)
    return Path(framework.prefix)


def seen(prefix: Path) -> dict[str, str]:
    python = LoggedRunner(Silent())(
        Command(
            argv=(str(prefix / "bin/python"), "-c", "import json, mpi4py; print(json.dumps(mpi4py.SEEN))"),
            environment={},
            directory=prefix,
        )
    )
    assert python.status == 0, python.stderr
    found = json.loads(python.stdout)
    assert isinstance(found, dict)
    return found


def test_a_package_is_built_by_the_mpi_of_the_toolchain_alone(house: Wheelhouse, tmp_path: Path):
    both = ("mpicc", "mpicxx", "mpicc.openmpi", "mpicxx.openmpi", "mpicc.mpich", "mpicxx.mpich")
    there = mpi(tmp_path / "mpi", *both)
    prefix = built(house, sdist(house, 'char *by = "built by " BY;\n'), there)
    extension = next(prefix.glob("lib/python*/site-packages/mpi4py/ext.so"))
    assert b"built by mpicc.openmpi" in extension.read_bytes()
    found = seen(prefix)
    assert found["NETWORK"] == "down"
    assert found["MAKEFLAGS"] == "-j3"
    assert (found["CC"], found["CXX"]) == ("/usr/bin/gcc", "/usr/bin/g++")
    assert found["OMPI_CC"] == "/usr/bin/gcc"
    assert "HOROVOD_WITH_MPI" not in found
    if os.uname().machine == "x86_64":
        assert found["CFLAGS"].startswith("-O1 -DNDEBUG -fwrapv -march=x86-64-v2 -mtune=generic")
    assert {"HOME", "LC_ALL", "MPICC", "PATH", "TMPDIR"} <= found.keys()
    assert found.keys() & {"LD_LIBRARY_PATH", "PYTHONHOME", "USER"} == set(), "nothing of the caller's"


def test_nothing_that_is_installed_names_the_place_of_the_build(house: Wheelhouse, tmp_path: Path):
    prefix = built(house, sdist(house), mpi(tmp_path / "mpi", "mpicc", "mpicxx"))
    naming = [
        path
        for path in prefix.rglob("*")
        if path.is_file() and "mpi4py" not in path.parts and b".making-" in path.read_bytes()
    ]
    assert naming == []
    assert list(prefix.glob("lib/python*/site-packages/*/direct_url.json")) == []


def test_a_failed_build_tells_the_package_and_the_compiler_s_complaint(house: Wheelhouse, tmp_path: Path):
    package = sdist(house, "int one = nothing;\n")
    with pytest.raises(WorkError) as caught:
        built(house, package, mpi(tmp_path / "mpi", "mpicc", "mpicxx"))
    what, remedy = str(caught.value).split("; ")
    assert what.startswith("cannot build mpi4py 4.0.0 for greeter: ext.c:1:11: error: ")
    assert "nothing" in what
    assert remedy == "the log has the details"
    assert "ext.c:1:11" in caught.value.details
    assert [path.name for path in (house.prefix / "pythons").iterdir()] == []


def test_a_build_that_compiles_nothing_is_no_success(house: Wheelhouse, tmp_path: Path):
    with pytest.raises(WorkError) as caught:
        built(house, sdist(house, extension=False), mpi(tmp_path / "mpi", "mpicc", "mpicxx"))
    assert str(caught.value) == (
        "the build of mpi4py 4.0.0 has ended well, and has compiled nothing; the log has what it said"
    )


def test_an_mpi_that_is_not_where_the_system_says_is_told_before_anything_is_compiled(
    house: Wheelhouse, tmp_path: Path
):
    gone = tmp_path / "gone"
    with pytest.raises(WorkError) as caught:
        built(house, sdist(house), gone)
    assert str(caught.value) == (
        f"the MPI openmpi@4.1.4 is to be in {gone}, and {gone}/bin/mpicxx is not there;"
        " correct its prefix in the system's file, or install it with its compilers"
    )


@pytest.mark.parametrize("named", [True, False])
def test_what_is_built_once_is_taken_from_the_cache(house: Wheelhouse, tmp_path: Path, *, named: bool):
    there, package = mpi(tmp_path / "mpi", "mpicc", "mpicxx"), sdist(house)
    cache = tmp_path / "cache" if named else None
    first = built(house, package, there, cache)
    number = seen(first)["NUMBER"]
    other = Wheelhouse(tmp_path / "other") if named else house
    if named:
        (tmp_path / "other").mkdir()
        (tmp_path / "other/mirror").symlink_to(house.mirror.root)
    else:
        first.chmod(0o755)
        first.rename(tmp_path / "away")
    assert seen(built(other, package, there, cache))["NUMBER"] == number
    kept = (cache / "wheels" if cache else house.prefix / "built").glob("mpi4py-4.0.0-*/*.whl")
    assert [path.name for path in kept] == ["mpi4py-4.0.0-py3-none-any.whl"]


OPEN_MPI = Mpi(spec="openmpi@4.1.4", flavour=Flavour.OPEN_MPI, prefix=Path("/usr"))
HDF5 = Path("/usr/lib/x86_64-linux-gnu/hdf5/openmpi")
VERIFY = Path(__file__).parents[2] / "stackgen/verify"
SYSTEMS = Path(__file__).parents[2] / "environments/systems"
REAL = """\
name: parallel
release: 1
system: parallel
prefix: {prefix}
toolchain: {{compiler: gcc@12.2.0, mpi: openmpi@4.1.4}}
frameworks:
  numpy: {{version: 2.3.5, from: wheels, python: 3.11, features: [h5py]}}
"""


@pytest.fixture(scope="module")
def parallel(index: Site, shared_desk: Desk) -> Path:
    """The prefix of a framework with the real mpi4py and h5py, on the MPI and HDF5 of Debian."""
    if not ((HDF5 / "include/hdf5.h").exists() and OPEN_MPI.wrapper("c").exists()):
        pytest.skip("this machine has no parallel HDF5 of Debian's")
    system = (SYSTEMS / "debian12.yaml").read_text()
    hdf5 = f"externals:\n  - {{spec: hdf5@1.10.8 +mpi, prefix: {HDF5}}}"
    shared_desk.write("systems/parallel.yaml", system.replace("externals:", hdf5))
    shared_desk.write("parallel.yaml", REAL.format(prefix=shared_desk.directory / "hpai"))
    kept = os.environ.get("STACKGEN_TEST_CACHE")
    cache = ("--cache", kept) if kept else ()
    command = Command(
        argv=(sys.executable, "-m", "stackgen", "build", "parallel.yaml", "--until", "build", *cache),
        environment=shared_desk.environment(),
        directory=shared_desk.directory,
        timeout=1200,
    )
    outcome = LoggedRunner(Silent())(command)
    assert outcome.status == 0, outcome.stderr
    return next((shared_desk.directory / "hpai/pythons").iterdir())


def ranks(prefix: Path, script: str) -> Outcome:
    program = (str(prefix / "bin/python"), str(VERIFY / script))
    words = (*OPEN_MPI.start_here(os.getuid()), "-n", "2", *program)
    environment = {"PATH": os.defpath, "HOME": str(prefix.parent), "TMPDIR": "/tmp"}
    return LoggedRunner(Silent())(
        Command(argv=words, environment=environment, directory=prefix.parent, timeout=120)
    )


@pytest.mark.network
@pytest.mark.parametrize("script", ["ranks_mpi4py.py", "ranks_h5py.py"])
def test_the_real_mpi4py_and_h5py_work_on_two_ranks(parallel: Path, script: str):
    outcome = ranks(parallel, script)
    assert outcome.status == 0, outcome.stderr
    assert json.loads(outcome.stdout)["ranks"] == 2


@pytest.mark.network
def test_the_real_ones_name_no_place_of_a_build(parallel: Path):
    packages = next(parallel.glob("lib/python*/site-packages"))
    files = (path for name in ("h5py", "mpi4py") for path in packages.glob(f"{name}*/**/*"))
    assert [path for path in files if path.is_file() and b".making-" in path.read_bytes()] == []
