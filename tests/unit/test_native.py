"""What packages are built from source with, where that comes from, and what makes of them another prefix."""

from pathlib import Path

import pytest
from spack_graphs import lock_text, package

from stackgen.environments import SpackEnvironment, spack_environments
from stackgen.from_source import telling
from stackgen.lock import Lock, LockedFile, LockedPackage, SpackLock, WheelLock
from stackgen.model import Environment, System
from stackgen.mpi import Flavour, Mpi
from stackgen.native import Native, native, native_identity
from stackgen.plan import Plan, plan
from stackgen.release import installed
from stackgen.wheel_cache import WheelCache

SYSTEM = {
    "name": "Grid",
    "os": "debian12",
    "glibc": "2.36",
    "target": "zen3",
    "compilers": [{"spec": "gcc@12.2.0", "prefix": "/usr"}, {"spec": "gcc@13.1.0", "prefix": "/opt/gcc"}],
    "pythons": [{"version": "3.11", "prefix": "/usr"}],
}
OPEN_MPI = {"spec": "openmpi@4.1.4", "prefix": "/usr"}
V100 = {"model": "V100", "count": 4, "capability": "7.0"}
HDF5 = {"spec": "hdf5@1.10.8 +mpi", "prefix": "/opt/hdf5"}


def planned(features=("horovod",), toolchain=None, packages=(), externals=(OPEN_MPI,), **system) -> Plan:
    environment = {
        "name": "e",
        "release": "1",
        "system": "grid",
        "prefix": "/opt/e",
        "toolchain": {"mpi": "openmpi@4.1.4", **(toolchain or {})},
        "packages": packages,
        "frameworks": {"pytorch": {"from": "wheels", "version": "2.13.0", "features": features}},
    }
    facts = {**SYSTEM, "externals": externals, **system}
    return plan(Environment.model_validate(environment), System.model_validate(facts))


def file(name: str, content: str = "0") -> LockedFile:
    return LockedFile(name=name, size=1, sha256=content * 64)


HOROVOD = LockedPackage(name="horovod", version="0.28.1", file=file("horovod-0.28.1.tar.gz"))
MPI4PY = LockedPackage(name="mpi4py", version="4.1.2", file=file("mpi4py-4.1.2.tar.gz"))


def locked(*spack: SpackLock, torch: str = "0", numpy: str = "0") -> Lock:
    packages = (
        HOROVOD,
        MPI4PY,
        LockedPackage(name="numpy", version="2.3.5", file=file("numpy-2.3.5-py3-none-any.whl", numpy)),
        LockedPackage(name="torch", version="2.13.0", file=file("torch-2.13.0-py3-none-any.whl", torch)),
    )
    wheels = WheelLock(framework="pytorch", python="3.11", packages=packages)
    return Lock(environment="e", inputs={}, wheels=(wheels,), spack=spack)


def built(plan: Plan, lock: Lock | None = None, prefixes: dict[str, Path] | None = None) -> Native:
    found = native(plan, plan.wheels[0], lock or locked(), prefixes or {})
    assert found
    return found


def test_a_framework_without_such_features_is_not_built_from_source():
    plain = planned(features=("ddp", "jupyter"))
    assert native(plain, plain.wheels[0], locked(), {}) is None
    assert native_identity(plain, plain.wheels[0], locked()) == {}


def test_horovod_goes_over_mpi_for_its_own_framework_and_target():
    found = built(planned(toolchain={"compiler": "gcc@13"}))
    assert found.mpi == Mpi(spec="openmpi@4.1.4", flavour=Flavour.OPEN_MPI, prefix=Path("/usr"))
    assert found.compiler
    assert found.compiler.prefix == "/opt/gcc"
    assert found.variables("horovod") == {
        "HOROVOD_WITH_PYTORCH": "1",
        "HOROVOD_WITHOUT_MXNET": "1",
        "HOROVOD_WITHOUT_TENSORFLOW": "1",
        "HOROVOD_WITH_MPI": "1",
        "HOROVOD_WITHOUT_GLOO": "1",
        "HOROVOD_CPU_OPERATIONS": "MPI",
        "HOROVOD_BUILD_ARCH_FLAGS": "-march=znver3 -mtune=znver3",
    }
    assert found.libraries("horovod") == ("$ORIGIN/../../torch/lib",)
    assert (found.libraries("mpi4py"), found.edits("mpi4py")) == ((), ())


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (("horovod", "gloo"), {"HOROVOD_WITH_MPI", "HOROVOD_WITH_GLOO"}),
        (("gloo",), {"HOROVOD_WITHOUT_MPI", "HOROVOD_WITH_GLOO"}),
    ],
)
def test_gloo_is_beside_mpi_or_alone(features, expected):
    variables = built(planned(features=features)).variables("horovod")
    assert {name for name in variables if name.endswith(("MPI", "GLOO"))} == expected
    assert variables["HOROVOD_CPU_OPERATIONS"] == ("MPI" if "horovod" in features else "GLOO")
    assert (built(planned(features=features)).mpi is None) == (features == ("gloo",))


def test_nvidia_gpus_get_nccl():
    cuda = {"spec": "cuda@12.4.1", "prefix": "/opt/cuda"}
    nccl = {"spec": "nccl@2.22", "prefix": "/opt/nccl"}
    found = built(planned(accelerators=[V100], externals=(OPEN_MPI, cuda)))
    assert found.variables("horovod").items() >= {
        ("CUDA_HOME", "/opt/cuda"),
        ("HOROVOD_BUILD_CUDA_CC_LIST", "70"),
        ("HOROVOD_CUDA_HOME", "/opt/cuda"),
        ("HOROVOD_GPU_OPERATIONS", "NCCL"),
        ("HOROVOD_NCCL_LINK", "SHARED"),
    }
    assert "HOROVOD_NCCL_HOME" not in found.variables("horovod"), "which wheels bring"
    assert found.libraries("horovod") == ("$ORIGIN/../../torch/lib", "$ORIGIN/../../nvidia/nccl/lib")
    other = built(planned(accelerators=[V100], externals=(OPEN_MPI, cuda, nccl)))
    assert other.variables("horovod")["HOROVOD_NCCL_HOME"] == "/opt/nccl"
    assert other.libraries("horovod") == ("$ORIGIN/../../torch/lib",)


def test_h5py_stands_on_the_parallel_hdf5_of_the_system():
    serial = {"spec": "hdf5@1.14 ~mpi", "prefix": "/usr"}
    found = built(planned(features=("h5py",), externals=(OPEN_MPI, serial, HDF5)))
    optimized = {"CFLAGS": "-O1 -DNDEBUG -fwrapv"}
    assert found.variables("mpi4py") == optimized
    assert found.variables("h5py") == {"HDF5_MPI": "ON", "HDF5_DIR": "/opt/hdf5"} | optimized
    assert [source.project for source in found.sources] == ["mpi4py", "h5py"]


def test_where_the_system_has_both_spack_builds_nothing():
    assert spack_environments(planned(("h5py", "horovod"), externals=(OPEN_MPI, HDF5))) == ()


def test_spack_builds_what_the_system_lacks():
    mpich = {"mpi": "mpich@4.2"}
    assert spack_environments(planned(toolchain=mpich)) == (
        SpackEnvironment(name="wheels.mpi", specs=("mpich@4.2",)),
    )
    assert spack_environments(planned(("h5py",))) == (
        SpackEnvironment(name="wheels.mpi", specs=("hdf5 +hl +mpi",)),
    )
    assert spack_environments(planned(("h5py",), toolchain=mpich)) == (
        SpackEnvironment(name="wheels.mpi", specs=("mpich@4.2", "hdf5 +hl +mpi")),
    )
    assert spack_environments(planned(("gloo",), toolchain=mpich)) == (), "Gloo needs none"


def test_what_all_share_is_not_built_a_second_time():
    mpich, both = {"mpi": "mpich@4.2"}, ("hdf5@1.14 +mpi", "zlib")
    assert [one.name for one in spack_environments(planned(("h5py",), mpich, both))] == ["toolchain"]
    assert [one.name for one in spack_environments(planned(("mpi4py",), mpich, ("zlib",)))] == ["toolchain"]
    assert spack_environments(planned(("h5py",), mpich, ("zlib",)))[1:] == (
        SpackEnvironment(name="wheels.mpi", specs=("mpich@4.2", "hdf5 +hl +mpi")),
    )


def test_what_spack_has_built_is_found_by_its_hash():
    text = lock_text(("mpich", "hdf5"), dict((package("mpich", "4.2"), package("hdf5", "1.14", "mpich"))))
    solved = locked(SpackLock(name="wheels.mpi", text=text))
    asked = planned(("h5py",), toolchain={"mpi": "mpich@4.2"})
    prefixes = {"mpich": Path("/store/mpich"), "hdf5": Path("/store/hdf5")}
    found = built(asked, solved, prefixes)
    assert found.mpi == Mpi(spec="mpich@4.2", flavour=Flavour.MPICH, prefix=Path("/store/mpich"))
    assert found.variables("h5py")["HDF5_DIR"] == "/store/hdf5"
    assert found.identity["mpi"] == "mpich"
    assert found.identity == native_identity(asked, asked.wheels[0], solved)["native"], "wherever it lies"


def prefix(plan: Plan, lock: Lock) -> str:
    (framework,) = installed(plan, lock)
    return framework.prefix


def test_another_mpi_compiler_or_target_makes_another_prefix():
    newer = {"spec": "openmpi@4.1.6", "prefix": "/usr"}
    plans = [
        planned(),
        planned(("horovod", "gloo")),
        planned(toolchain={"mpi": "openmpi@4.1.6"}, externals=(newer,)),
        planned(externals=({**OPEN_MPI, "prefix": "/opt/openmpi"},)),
        planned(toolchain={"compiler": "gcc@13"}),
        planned(target="haswell"),
        planned(features=("ddp",)),
    ]
    assert len({prefix(one, locked()) for one in plans}) == len(plans)


def test_a_wheel_is_the_same_where_all_that_decides_it_is():
    first = built(planned(("horovod", "mpi4py")))
    assert first.key(HOROVOD) == built(planned(("horovod", "mpi4py", "ddp"))).key(HOROVOD)
    assert first.key(HOROVOD).startswith("horovod-0.28.1-")
    both = ("horovod", "mpi4py")
    others = [
        built(planned(both), locked(torch="1")),
        built(planned((*both, "gloo"))),
        built(planned(both, toolchain={"compiler": "gcc@13"})),
        built(planned(both, target="haswell")),
        built(planned(both, glibc="2.31")),
    ]
    assert len({first.key(HOROVOD), *(other.key(HOROVOD) for other in others)}) == 6
    assert first.key(MPI4PY) == others[0].key(MPI4PY), "which knows nothing of frameworks"


@pytest.mark.parametrize(
    ("printed", "cause"),
    [
        (
            "ERROR: Failed building wheel for horovod\n"
            "  /w/mpi_ops.cc:21:10: fatal error: xla/client/xla_builder.h: No such file or directory\n"
            "make: *** [all] Error 2",
            "/w/mpi_ops.cc:21:10: fatal error: xla/client/xla_builder.h: No such file or directory",
        ),
        (
            "CMake Error at CMakeLists.txt:138 (find_package):\n  Could NOT find MPI\nmake: *** Error 2",
            "CMake Error at CMakeLists.txt:138 (find_package): Could NOT find MPI",
        ),
        ("/usr/bin/ld: cannot find -lmpi", "/usr/bin/ld: cannot find -lmpi"),
        (
            "compiling\ncc1: out of memory allocating 65536 bytes after a total of 5998510080 bytes\n"
            "error: command '/usr/bin/gcc' failed with exit code 1",
            "cc1: out of memory allocating 65536 bytes after a total of 5998510080 bytes:"
            " fewer --jobs need less memory",
        ),
        (
            "gcc: fatal error: Killed signal terminated program cc1\ncompilation terminated.",
            "gcc: fatal error: Killed signal terminated program cc1: fewer --jobs need less memory",
        ),
        ("nothing in particular", ""),
        (
            "src/mpi4py/MPI.c:1:10: fatal error: mpi.h: No such file or directory\n",
            "src/mpi4py/MPI.c:1:10: fatal error: mpi.h: No such file or directory: the MPI is there "
            "without its headers; Debian has them in a package of its own, -dev",
        ),
    ],
)
def test_of_a_failed_build_the_telling_line_is_told(printed, cause):
    assert telling(printed) == cause


def test_a_cache_gives_back_what_it_was_given(tmp_path: Path):
    import zipfile

    wheel, taken = tmp_path / "one-1-py3-none-any.whl", tmp_path / "taken"
    taken.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("one.py", "ONE = 1\n" * 100)
    cache = WheelCache(directory=tmp_path / "cache", writable=True)
    assert cache.take("key", taken) is None
    cache.keep("key", wheel)
    found = cache.take("key", taken)
    assert found == taken / wheel.name
    assert found.read_bytes() == wheel.read_bytes()
    place = tmp_path / "cache/key" / wheel.name
    place.write_bytes(place.read_bytes()[:60])
    assert cache.take("key", taken) is None, "what is damaged is built again"
    cache.keep("key", wheel)
    assert cache.take("key", taken) == found
    WheelCache(directory=tmp_path / "cache", writable=False).keep("other", wheel)
    assert not (tmp_path / "cache/other").exists()
