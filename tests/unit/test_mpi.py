"""Which MPI is meant, and by which programs it compiles and starts."""

from pathlib import Path

import pytest

from stackgen.mpi import Flavour, Mpi, flavour


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("openmpi@4.1.4", Flavour.OPEN_MPI),
        ("mpich@4.0.2 +fortran", Flavour.MPICH),
        ("mvapich2@2.3.7", Flavour.MPICH),
        ("intel-oneapi-mpi@2021.12.0", Flavour.INTEL),
        ("intel-mpi@18.0.2", Flavour.INTEL),
        ("builtin.cray-mpich@8.1.28", Flavour.CRAY),
        ("spectrum-mpi@10.4.0.3", Flavour.SPECTRUM),
        ("hdf5 +mpi", None),
        ("", None),
    ],
)
def test_a_spec_names_an_mpi(spec: str, expected: Flavour | None) -> None:
    assert flavour(spec) == expected


def _mpi(prefix: Path, spec: str, *programs: str) -> Mpi:
    (prefix / "bin").mkdir(parents=True)
    for program in programs:
        (prefix / "bin" / program).touch()
    found = flavour(spec)
    assert found
    return Mpi(spec=spec, flavour=found, prefix=prefix)


def test_of_two_mpis_in_one_prefix_each_has_its_own_programs(tmp_path: Path) -> None:
    names = ("mpicc", "mpicxx", "mpirun", "mpiexec")
    both = [f"{name}{suffix}" for name in names for suffix in ("", ".openmpi", ".mpich")]
    for number, (spec, suffix) in enumerate((("openmpi@4.1.4", "openmpi"), ("mpich@4.0.2", "mpich"))):
        mpi = _mpi(tmp_path / str(number), spec, *both)
        assert mpi.wrapper("c").name == f"mpicc.{suffix}"
        assert mpi.wrapper("c++").name == f"mpicxx.{suffix}"
        assert mpi.launcher == (str(mpi.prefix / f"bin/mpirun.{suffix}"),)


def test_an_mpi_of_its_own_has_the_usual_programs(tmp_path: Path) -> None:
    mpi = _mpi(tmp_path / "impi", "intel-oneapi-mpi@2021.12.0", "mpicc", "mpiicx", "mpicxx", "mpiexec.hydra")
    assert mpi.wrapper("c") == tmp_path / "impi/bin/mpicc"
    assert mpi.wrapper("c++") == tmp_path / "impi/bin/mpicxx"
    assert mpi.launcher == (str(tmp_path / "impi/bin/mpiexec.hydra"),)
    assert mpi.compilers("/usr/bin/gcc", "/usr/bin/g++") == {
        "I_MPI_CC": "/usr/bin/gcc",
        "I_MPI_CXX": "/usr/bin/g++",
    }


def test_crays_ranks_are_started_by_the_scheduler(tmp_path: Path) -> None:
    assert _mpi(tmp_path / "cray", "cray-mpich@8.1.28", "mpicc").launcher == ()


def test_only_open_mpi_has_to_be_told_of_few_processors_and_of_root(tmp_path: Path) -> None:
    ours = _mpi(tmp_path / "openmpi", "openmpi@4.1.4", "mpirun")
    free = ("--bind-to", "none")
    assert ours.start_here(0) == (*ours.launcher, "--oversubscribe", "--allow-run-as-root", *free)
    assert ours.start_here(1000) == (*ours.launcher, "--oversubscribe", *free)
    theirs = _mpi(tmp_path / "mpich", "mpich@4.0.2", "mpirun")
    assert theirs.start_here(0) == theirs.launcher
    assert ours.wrapper("c") == tmp_path / "openmpi/bin/mpicc", "where it would be"


def test_an_mpi_without_a_launcher_starts_nothing(tmp_path: Path) -> None:
    assert _mpi(tmp_path / "openmpi", "openmpi@4.1.4", "mpicc").start_here(0) == ()
