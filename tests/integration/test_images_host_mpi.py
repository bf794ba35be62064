"""Ranks in containers over the Open MPI of this machine, which is in no image."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from imagehouse import ImageHouse, base_of_here
from test_container_build import why_not

from stackgen import files, host
from stackgen.containers import command_tree, entrance
from stackgen.images import read_description

SCRIPT = """\
import ctypes, os, sys
mpi = ctypes.CDLL("libmpi.so.40", mode=ctypes.RTLD_GLOBAL)
world = ctypes.addressof(ctypes.c_char.in_dll(mpi, "ompi_mpi_comm_world"))
double = ctypes.addressof(ctypes.c_char.in_dll(mpi, "ompi_mpi_double"))
plus = ctypes.addressof(ctypes.c_char.in_dll(mpi, "ompi_mpi_op_sum"))
pointer = ctypes.c_void_p
mpi.MPI_Init(None, None)
rank, size = ctypes.c_int(), ctypes.c_int()
mpi.MPI_Comm_rank(pointer(world), ctypes.byref(rank))
mpi.MPI_Comm_size(pointer(world), ctypes.byref(size))
mine, sum_ = ctypes.c_double(rank.value + 1), ctypes.c_double()
mpi.MPI_Allreduce(ctypes.byref(mine), ctypes.byref(sum_), 1, pointer(double), pointer(plus), pointer(world))
mpi.MPI_Barrier(pointer(world))
maps = open("/proc/self/maps").read()
(library,) = {line.split()[-1] for line in maps.splitlines() if "libmpi.so" in line}
print(rank.value, size.value, sum_.value, library, os.path.exists("/etc/debian_version"), flush=True)
mpi.MPI_Finalize()
"""


def no_mpi() -> str:
    if why_not():
        return why_not()
    if not shutil.which("mpirun.openmpi") or not any(
        one.spec.startswith("openmpi@") and one.prefix == "/usr" for one in host.detect().externals
    ):
        return "no Open MPI in /usr"
    return ""


pytestmark = pytest.mark.skipif(bool(no_mpi()), reason=no_mpi())


def test_two_ranks_reduce_over_the_open_mpi_of_the_host(tmp_path: Path):
    spec = next(one.spec for one in host.detect().externals if one.spec.startswith("openmpi@"))
    house = ImageHouse(tmp_path / "site", {"mpi": "host"}, {"mpi": spec})
    # What starts containers needs these inside.
    base_of_here(tmp_path / "site/base", ("bash", "sleep", "mv", "rm", "rmdir", "true"))
    framework = house.build()
    image = Path(framework.image)
    description = read_description(image)
    assert description.links["libmpi.so.40"].startswith("/.stackgen/host/")
    # The session of no other test is taken for ours.
    described = replace(entrance("hpai", framework, description), digest=os.urandom(6).hex())
    files.write_tree(command_tree((described,), str(tmp_path)), tmp_path)
    python = tmp_path / f"containers/{framework.name}/bin/python"
    script = tmp_path / "ranks.py"
    script.write_text(SCRIPT)
    root = ("--allow-run-as-root",) if os.geteuid() == 0 else ()
    words = ("mpirun.openmpi", *root, "--oversubscribe", "-np", "2", python, script)
    around = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/tmp", "USER": "root", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        words, env=around, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    ranks = sorted(line.split() for line in done.stdout.splitlines())
    assert [(*rank[:3], rank[4]) for rank in ranks] == [
        ("0", "2", "3.0", "False"),
        ("1", "2", "3.0", "False"),
    ]
    assert all(rank[3].startswith("/.stackgen/host/") for rank in ranks), ranks
