"""Spack installs any lock anywhere: what stackgen says of a machine that a lock is not for."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_locks import HERE, locked, node, planned

from stackgen import targets
from stackgen.errors import WorkError
from stackgen.lock import Lock
from stackgen.progress import Silent
from stackgen.run import LoggedRunner
from stackgen.store.machine import check_machine

GCC = "#!/bin/sh\necho 13.2.0\n"

Compiler = Callable[[str], Path]


@pytest.fixture
def compiler(tmp_path: Path) -> Compiler:
    def made(text: str) -> Path:
        program = tmp_path / "bin/gcc"
        program.parent.mkdir(exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)
        return program

    return made


def faults(lock: Lock, **system: object) -> list[str]:
    with pytest.raises(WorkError) as caught:
        check_machine(planned(**system), lock, LoggedRunner(Silent()))
    head, *lines = str(caught.value).splitlines()
    assert head == "the lock of site is not for this machine:"
    return [line.removeprefix("  ") for line in lines]


def test_this_machine_fits_a_lock_for_it(compiler: Compiler):
    gcc = node("gcc", "13.2.0", {"path": "/", "extra_attributes": {"compilers": {"c": str(compiler(GCC))}}})
    check_machine(planned(), locked(node("zlib", "1.3.1"), gcc), LoggedRunner(Silent()))


def test_another_machine_is_told_all_at_once():
    lock = locked(node("zlib", "1.3.1", platform_os="sles15", target="power9le"))
    remedy = "build on a machine of Big"
    assert faults(lock, os="sles15", glibc="2.17", target="power9le") == [
        f"operating system: the lock is for sles15, and this is {HERE['os']}; {remedy}",
        f"C library: the lock is for glibc 2.17, and this is glibc {HERE['glibc']}; {remedy}",
        f"processor: the lock is for power9le, which {targets.host()} cannot run; {remedy}",
    ]


def test_a_compiler_must_be_there_run_and_be_the_one_locked(compiler: Compiler, tmp_path: Path):
    remedy = "install it there, or correct `compilers:` of the system's file and lock again"

    def told(text: str) -> list[str]:
        programs = {"c": str(compiler(text)), "fortran": "/nowhere/gfortran"}
        return faults(
            locked(node("gcc", "13.2.0", {"path": "/", "extra_attributes": {"compilers": programs}}))
        )

    gone = f"gcc@13.2.0: its compiler for fortran should be /nowhere/gfortran, which is not there; {remedy}"
    program = tmp_path / "bin/gcc"
    assert told(GCC) == [gone]
    assert told(GCC.replace("13.2.0", "12.2.0")) == [f"gcc@13.2.0: {program} is 12.2.0; {remedy}", gone]
    assert told(GCC.replace("13.2.0", "13.2.01")) == [f"gcc@13.2.0: {program} is 13.2.01; {remedy}", gone]
    assert told("#!/bin/sh\nexit 1\n") == [f"gcc@13.2.0: {program} does not run; {remedy}", gone]
    assert told("\x7fELF no program") == [f"gcc@13.2.0: {program} does not run; {remedy}", gone]


def test_externals_must_lie_where_they_are_locked(tmp_path: Path):
    remedy = "install it there, or correct `externals:` of the system's file and lock again"
    lock = locked(
        node("openmpi", "4.1.4", {"path": str(tmp_path)}),
        node("cuda", "12.4", {"path": "/nowhere/cuda"}),
        node("intel-oneapi-mkl", "2024.2", {"path": str(tmp_path)}),
    )
    assert faults(lock) == [
        f"openmpi@4.1.4: {tmp_path}/bin/mpicc is not there; {remedy}",
        f"cuda@12.4: its prefix /nowhere/cuda is not there; {remedy}",
    ]


def test_the_modules_of_externals_must_load():
    lock = locked(node("cray-mpich", "8.1", {"path": "/usr", "module": ["no/such/module"]}))
    assert faults(lock) == [
        "cray-mpich@8.1: `module load no/such/module` fails in a login shell;"
        " correct `modules:` of the system's file and lock again"
    ]
