"""What Spack is given: which environments, what each asks for, and files that are the same everywhere."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stackgen.environments import SpackEnvironment, environment_tree, spack_environments
from stackgen.environments.documents import document
from stackgen.environments.recipes import recipe_tree
from stackgen.errors import InputError
from stackgen.model import Environment, System
from stackgen.plan import plan
from stackgen.tree import Tree

GRID = {
    "name": "Grid",
    "os": "rhel8",
    "glibc": "2.28",
    "target": "zen3",
    "compilers": [{"spec": "gcc@13.2.0", "prefix": "/opt/gcc"}],
    "pythons": [{"version": "3.11", "prefix": "/usr"}],
}
V100 = {"model": "V100", "count": 4, "capability": "7.0"}
A100 = {"model": "A100", "count": 4, "capability": "8.0"}
MKL = "intel-oneapi-mkl@2024.2.0"
WHEELS = {"six": {"from": "wheels", "version": "newest"}}


def planned(frameworks=WHEELS, *, packages=(), toolchain=None, **system):
    environment = Environment.model_validate(
        {
            "name": "e",
            "release": "1",
            "system": "grid",
            "prefix": "/opt/e",
            "toolchain": toolchain or {},
            "packages": packages,
            "frameworks": frameworks,
        }
    )
    return plan(environment, System.model_validate({**GRID, **system}))


def spack(version="newest", **more):
    return {"from": "spack", "version": version, **more}


def specs(plan, name):
    (found,) = (one.specs for one in spack_environments(plan) if one.name == name)
    return list(found)


def configured(plan, section):
    text = environment_tree(plan)[f"spack/config/{section}.yaml"].text
    return yaml.safe_load(text)[section]


def test_without_spack_nothing_is_written():
    wheels_only = planned(toolchain={"mpi": "openmpi@5"})
    assert spack_environments(wheels_only) == ()
    assert environment_tree(wheels_only) == Tree()


def test_what_is_shared_and_each_framework_are_solved_apart():
    toolchain = {"compiler": "gcc@13.2.0", "mpi": "openmpi@5", "math": "openblas"}
    frameworks = {"caffe": spack("1.0"), "h2o": spack(), **WHEELS}
    assert spack_environments(planned(frameworks, packages=["hdf5 +mpi"], toolchain=toolchain)) == (
        SpackEnvironment(name="toolchain", specs=("openblas", "openmpi@5", "hdf5 +mpi")),
        SpackEnvironment(name="caffe", specs=("caffe@1.0",)),
        SpackEnvironment(name="h2o", specs=("py-h2o",)),
    )


def test_a_python_for_wheels_is_solved_by_itself_and_once():
    python = {"from": "spack", "version": "3.12"}
    wheels = {name: {"from": "wheels", "version": "1", "python": python} for name in ("jax", "keras")}
    plan = planned(wheels, toolchain={"mpi": "openmpi@5"})
    assert spack_environments(plan) == (SpackEnvironment(name="python-3.12", specs=("python@3.12",)),)


def test_a_python_for_wheels_is_built_where_the_system_has_that_version_too():
    there = [{"spec": "python@3.12.1", "prefix": "/usr"}]
    wheels = {"jax": {"from": "wheels", "version": "1", "python": {"from": "spack"}}}
    plan = planned(wheels, externals=there)
    assert configured(plan, "packages")["python"]["buildable"] is False
    own = yaml.safe_load(environment_tree(plan)["spack/python-3.12/spack.yaml"].text)
    assert own["spack"]["packages"] == {"python:": {"buildable": True, "require": ["target=zen3"]}}


def test_packages_are_solved_on_every_mpi():
    toolchain = {"mpi": "openmpi@5.0.1", "math": MKL, "other-mpis": ["mpich@4.0.2 +slurm", "mvapich"]}
    asked = planned({"pytorch": spack()}, toolchain=toolchain, packages=["hdf5", "zlib"])
    solved = spack_environments(asked)
    assert [one.name for one in solved] == [
        "toolchain",
        "toolchain.mpich-4.0.2",
        "toolchain.mvapich",
        "pytorch",
    ]
    assert solved[0].specs == (MKL, "openmpi@5.0.1", "hdf5", "zlib")
    assert solved[1].specs == ("mpich@4.0.2 +slurm", MKL, "hdf5", "zlib")
    text = environment_tree(asked)["spack/toolchain.mpich-4.0.2/spack.yaml"].text
    assert yaml.safe_load(text)["spack"]["packages"] == {"mpi:": {"require": ["mpich@4.0.2 +slurm"]}}


def test_without_packages_other_mpis_are_of_no_use():
    asked = planned({"pytorch": spack()}, toolchain={"other-mpis": ["mpich"]})
    assert [one.name for one in spack_environments(asked)] == ["pytorch"]


def test_a_toolchain_that_nobody_names_is_not_solved():
    assert [one.name for one in spack_environments(planned({"caffe": spack()}))] == ["caffe"]


@pytest.mark.parametrize(
    ("name", "math", "accelerators", "spec"),
    [
        ("pytorch", "openblas", [], "py-torch@2.3.1 ~mkldnn ~cuda"),
        ("pytorch", MKL, [], "py-torch@2.3.1 +mkldnn ~cuda"),
        ("pytorch", MKL, [V100], "py-torch@2.3.1 +mkldnn +cuda"),
        ("tensorflow", MKL, [V100], "py-tensorflow@2.3.1 +mkl +cuda +nccl"),
        ("jax", MKL, [], "py-jax@2.3.1 ^py-jaxlib~cuda"),
        ("valgrind", MKL, [V100], "valgrind@2.3.1"),
        ("pytorch", MKL, [{"model": "MI250X", "count": 4}], "py-torch@2.3.1 +mkldnn ~cuda"),
    ],
)
def test_the_machine_and_the_toolchain_choose_the_variants(name, math, accelerators, spec):
    plan = planned({name: spack("2.3.1")}, toolchain={"math": math}, accelerators=accelerators)
    assert specs(plan, name) == [spec]


def test_a_spec_of_the_sites_own_stays_as_it_is():
    assert specs(planned({"pytorch": spack(spec="py-torch~distributed")}), "pytorch") == [
        "py-torch~distributed"
    ]


@pytest.mark.parametrize(
    ("toolchain", "accelerators", "horovod"),
    [
        ({}, [], "~cuda controllers=gloo frameworks=pytorch tensor_ops=gloo"),
        ({"mpi": "openmpi@5"}, [], "~cuda controllers=mpi frameworks=pytorch tensor_ops=mpi"),
        ({"mpi": "openmpi@5"}, [V100], "+cuda controllers=mpi frameworks=pytorch tensor_ops=nccl"),
    ],
)
def test_features_are_packages_beside_the_framework(toolchain, accelerators, horovod):
    frameworks = {"torch": spack(spec="py-torch", features=["horovod", "mpi4py", "jupyter", "ddp"])}
    plan = planned(frameworks, toolchain=toolchain, accelerators=accelerators)
    assert specs(plan, "torch") == ["py-torch", f"py-horovod {horovod}", "py-ipykernel", "py-mpi4py"]


@pytest.mark.parametrize(
    ("features", "toolchain", "expected"),
    [
        (["horovod", "gloo"], {"mpi": "openmpi@5"}, "controllers=mpi,gloo frameworks=pytorch tensor_ops=mpi"),
        (["gloo"], {"mpi": "openmpi@5"}, "controllers=gloo frameworks=pytorch tensor_ops=gloo"),
        (["horovod", "gloo"], {}, "controllers=gloo frameworks=pytorch tensor_ops=gloo"),
    ],
)
def test_horovod_goes_over_gloo_where_it_is_asked_for(features, toolchain, expected):
    plan = planned({"pytorch": spack(features=features)}, toolchain=toolchain)
    assert specs(plan, "pytorch")[1:] == [f"py-horovod ~cuda {expected}"]


def test_the_framework_s_own_distribution_needs_no_package_and_h5py_is_parallel():
    plan = planned({"pytorch": spack(features=["ddp", "h5py"])}, toolchain={"mpi": "openmpi@5"})
    assert specs(plan, "pytorch")[1:] == ["py-h5py +mpi"]


def test_what_a_framework_requires_is_solved_with_it():
    frameworks = {"pytorch": spack(features=["mpi4py"], requires=["py-netcdf4 +mpi", "py-h5py"])}
    assert specs(planned(frameworks), "pytorch")[1:] == ["py-h5py", "py-mpi4py", "py-netcdf4 +mpi"]


def test_what_cannot_be_had_of_spack_is_refused():
    with pytest.raises(InputError) as refused:
        planned({"config": spack(spec="h2o"), "h2o": spack(features=["horovod"])})
    assert str(refused.value) == (
        "frameworks.config: config is what stackgen calls files of its own; "
        "call the framework otherwise, and write below it `module: config`\n"
        "frameworks.h2o.features: Horovod serves mxnet and pytorch and tensorflow, not h2o; leave horovod out"
    )


def test_every_node_is_for_the_target_and_its_gpus():
    plan = planned({"caffe": spack()}, accelerators=[A100, V100])
    assert configured(plan, "packages")["all"] == {
        "require": ["target=zen3", {"spec": "cuda_arch=70,80", "when": "+cuda"}]
    }


def test_without_nvidias_gpus_nothing_is_built_for_them():
    assert configured(planned({"caffe": spack()}), "packages")["all"] == {
        "require": ["target=zen3"],
        "variants": ["~cuda", "~rocm"],
    }


def test_the_toolchains_mpi_and_math_are_the_only_ones():
    toolchain = {"mpi": "openmpi@5", "math": "openblas threads=openmp", "cuda": "cuda@12.4"}
    packages = configured(planned({"caffe": spack()}, toolchain=toolchain), "packages")
    assert packages["mpi"] == {"require": ["openmpi@5"]}
    assert packages["blas"] == packages["lapack"] == {"require": ["openblas threads=openmp"]}
    assert packages["cuda"] == {"require": ["target=zen3", "cuda@12.4"]}


@pytest.mark.parametrize(
    ("chosen", "compilers"),
    [
        ("gcc@13", {"c": "gcc@13", "cxx": "gcc@13", "fortran": "gcc@13"}),
        ("llvm@18.1.0", {"c": "llvm@18.1.0", "cxx": "llvm@18.1.0", "fortran": "gcc@13.2.0"}),
        ("gcc@14.1", {"c": "gcc@14.1", "cxx": "gcc@14.1", "fortran": "gcc@14.1"}),
        (None, {"c": "gcc@13.2.0", "cxx": "gcc@13.2.0", "fortran": "gcc@13.2.0"}),
    ],
)
def test_each_language_has_one_compiler(chosen, compilers):
    there = [*GRID["compilers"], {"spec": "llvm@18.1.0", "prefix": "/opt/llvm", "languages": ["c", "c++"]}]
    plan = planned({"caffe": spack()}, toolchain={"compiler": chosen} if chosen else {}, compilers=there)
    packages = configured(plan, "packages")
    assert {name: packages[name]["require"] for name in compilers} == {
        name: [spec] for name, spec in compilers.items()
    }


def test_a_compiler_that_is_too_old_for_the_target_compiles_nothing():
    old = {"spec": "gcc@4.8.5", "prefix": "/usr"}
    packages = configured(planned({"p": spack(spec="zlib")}, compilers=[old, *GRID["compilers"]]), "packages")
    assert packages["c"] == {"require": ["gcc@13.2.0"]}


def test_compilers_are_externals_with_their_programs():
    compiler = {
        "spec": "gcc@13.2.0",
        "prefix": "/opt/gcc",
        "languages": ["c", "c++"],
        "programs": {"c": "/usr/bin/gcc-13"},
    }
    assert configured(planned({"caffe": spack()}, compilers=[compiler]), "packages")["gcc"] == {
        "buildable": False,
        "externals": [
            {
                "spec": "gcc@13.2.0 languages=c,c++",
                "prefix": "/opt/gcc",
                "extra_attributes": {"compilers": {"c": "/usr/bin/gcc-13", "cxx": "/opt/gcc/bin/g++"}},
            }
        ],
    }


@pytest.mark.parametrize(
    ("asked", "buildable"),
    [("hdf5", False), ("hdf5@1", False), ("hdf5@1.14.3", False), ("hdf5@1.1", True), ("hdf5@1.10:", False)],
)
def test_what_is_there_is_built_only_in_another_version(asked, buildable):
    there = [{"spec": "hdf5@1.14.3 +mpi", "prefix": "/opt/hdf5", "modules": ["hdf5/1.14"]}]
    hdf5 = configured(planned(packages=[asked], externals=there), "packages")["hdf5"]
    assert hdf5["buildable"] is buildable
    assert hdf5["externals"] == there


def test_what_is_a_compiler_may_be_there_for_something_else_too():
    compilers = [{"spec": "nvhpc@23.1", "prefix": "/opt/nvhpc"}]
    externals = [{"spec": "nvhpc@22.1 +mpi", "prefix": "/opt/old"}]
    plan = planned({"caffe": spack()}, compilers=compilers, externals=externals)
    there = configured(plan, "packages")["nvhpc"]["externals"]
    assert [one["spec"] for one in there] == ["nvhpc@23.1", "nvhpc@22.1 +mpi"]


@pytest.mark.parametrize("asked", [{"requires": ["hdf5@1.10"]}, {"spec": "netcdf-c ^hdf5@1.10 %gcc"}])
def test_what_a_framework_brings_may_be_another_version_than_is_there(asked):
    there = [{"spec": "hdf5@1.14.3 +mpi", "prefix": "/opt/hdf5"}]
    assert configured(planned({"caffe": spack(**asked)}, externals=there), "packages")["hdf5"]["buildable"]


def test_what_is_there_need_not_be_for_these_gpus():
    there = [
        {"spec": "openmpi@4.1.4 +cuda", "prefix": "/opt/openmpi"},
        {"spec": "nccl@2.21.5-1", "prefix": "/opt/nccl"},
    ]
    packages = configured(planned(packages=["hdf5"], externals=there, accelerators=[V100]), "packages")
    assert packages["openmpi"]["require"] == packages["nccl"]["require"] == ["target=zen3"]
    assert packages["openmpi"]["externals"] == [there[0]]
    assert packages["nccl"]["externals"][0]["spec"] == "nccl@2.21.5-1 +cuda cuda_arch=70"


def test_the_systems_own_mpi_and_math_are_the_toolchains():
    there = [{"spec": "openmpi@4.1.4", "prefix": "/opt/openmpi"}, {"spec": MKL, "prefix": "/opt/mkl"}]
    plan = planned({"pytorch": spack(features=["horovod"])}, externals=there)
    assert plan.toolchain == (("math", MKL), ("mpi", "openmpi@4.1.4"))
    assert configured(plan, "packages")["mpi"] == {"require": ["openmpi@4.1.4"]}
    assert specs(plan, "pytorch") == [
        "py-torch +mkldnn ~cuda",
        "py-horovod ~cuda controllers=mpi frameworks=pytorch tensor_ops=mpi",
    ]
    assert planned(externals=there, toolchain={"mpi": "mpich"}).toolchain == (("math", MKL), ("mpi", "mpich"))


def test_nothing_but_the_prefix_names_a_place():
    tree = environment_tree(planned(packages=["zlib"]))
    assert configured(planned(packages=["zlib"]), "repos") == {
        "stackgen": "../repos/spack_repo/stackgen",
    }
    assert not any(str(Path(__file__).parents[2]) in file.text for file in tree.values())


def test_our_recipes_come_along():
    recipes = recipe_tree()
    tree = environment_tree(planned(packages=["zlib"]))
    assert "spack_repo/stackgen/repo.yaml" in recipes
    assert "spack_repo/stackgen/packages/py_h2o/package.py" in recipes
    assert all(tree[f"spack/repos/{path}"] == file for path, file in recipes.items())


@given(st.permutations(["caffe", "h2o", "jax", "pytorch"]))
def test_the_order_of_frameworks_makes_no_difference(names):
    trees = [environment_tree(planned({name: spack() for name in order})) for order in (names, sorted(names))]
    assert trees[0] == trees[1]


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_texts_stay_texts(text):
    assert yaml.safe_load(document("head", {"key": [text]})) == {"key": [text]}


@pytest.mark.parametrize("text", ["3.10", "1e5", "0o17", "12:30", "on", "null", "", "~cuda", "+1"])
def test_what_some_yaml_takes_for_something_else_is_quoted(text):
    written = document("head", {"key": text}).splitlines()[-1]
    assert written == f"key: '{text}'" or text == "~cuda"
