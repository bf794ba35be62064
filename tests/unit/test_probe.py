"""What the probe makes of a machine's files and of the answers of its programs."""

import ast
import io
import os
import re
from pathlib import Path

import archspec.cpu
import archspec.cpu.detect
import pytest
import yaml
from archspec.cpu import TARGETS
from hypothesis import given, settings
from hypothesis import strategies as st

from stackgen import targets
from stackgen.config import load_system
from stackgen.model import System
from stackgen.model.paths import directory
from stackgen.probe import command, schedulers
from stackgen.probe.compilers import compilers_of
from stackgen.probe.description import lmod_version
from stackgen.probe.document import document, flow
from stackgen.probe.externals import externals_of
from stackgen.probe.machine import capability_of, fabric, gpus, os_release
from stackgen.probe.processor import microarchitecture, node_of
from stackgen.probe.reading import ask_nobody, is_line
from stackgen.probing import probe_script, processor_table

TABLE = processor_table()


def put(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def programs(directory, *names):
    for name in names:
        put(directory / name)


# Processors


def archspecs_answer(cpuinfo, machine, monkeypatch):
    """What archspec itself says on a machine with this /proc/cpuinfo."""
    detect = archspec.cpu.detect
    with monkeypatch.context() as patch:
        patch.setattr(detect, "_machine", lambda: machine)
        patch.setattr(detect, "open", lambda _: io.StringIO(cpuinfo), raising=False)
        return detect.host.__wrapped__().name


def machine_of(cpuinfo):
    marks = {"CPU implementer": "aarch64", r"cpu\s*: POWER": "ppc64le", r"(uarch|isa)\s*:": "riscv64"}
    found = [machine for mark, machine in marks.items() if re.search(f"^{mark}", cpuinfo, re.MULTILINE)]
    return found[0] if found else "x86_64"


RECORDED = sorted(Path(archspec.__file__).parent.glob("json/tests/targets/linux-*"))
"""What /proc/cpuinfo says on real machines, as archspec collects it for its own tests."""


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_real_processors_are_named_as_archspec_names_them(path, monkeypatch):
    cpuinfo = path.read_text()
    machine = machine_of(cpuinfo)
    named = microarchitecture(cpuinfo, machine, TABLE)
    assert named == archspecs_answer(cpuinfo, machine, monkeypatch)
    assert named.removesuffix("le") == path.name.rpartition("-")[2].removesuffix("le")


def cpuinfo_of(target, features):
    vendors = {name: code for code, (name,) in TABLE["vendors"].items()}
    if target.family == "ppc64le":
        return f"processor : 0\ncpu : POWER{target.generation} (architected), altivec supported\n"
    if target.family == "riscv64":
        return f"processor : 0\nuarch : {target.name}\n"
    if target.family == "aarch64":
        code = vendors.get(target.vendor, "0x99")
        flags = " ".join(features)
        return f"processor : 0\nFeatures : {flags}\nCPU implementer : {code}\nCPU part : {target.cpu_part}\n"
    return f"processor : 0\nvendor_id : {target.vendor}\nflags : fpu {' '.join(features)}\n\nprocessor : 1\n"


KNOWN = [name for name in targets.NAMES if targets.family(name) in targets.FAMILIES]


@pytest.mark.parametrize("name", KNOWN)
def test_a_processor_with_the_features_of_a_target_is_named_as_archspec_names_it(name, monkeypatch):
    target = TARGETS[name]
    cpuinfo, machine = cpuinfo_of(target, sorted(target.features)), targets.family(name)
    assert microarchitecture(cpuinfo, machine, TABLE) == archspecs_answer(cpuinfo, machine, monkeypatch)


@pytest.mark.parametrize(
    "name", ["skylake_avx512", "mic_knl", "haswell", "ivybridge", "zen3", "power9le", "neoverse_v2"]
)
def test_the_processors_of_the_systems_that_we_know_are_told(name):
    target = TARGETS[name]
    cpuinfo = cpuinfo_of(target, sorted(target.features))
    assert microarchitecture(cpuinfo, targets.family(name), TABLE) == name


FEATURES = {
    family: sorted({f for name in KNOWN if targets.family(name) == family for f in TARGETS[name].features})
    for family in ("x86_64", "aarch64")
}


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_features_that_are_switched_off_lead_to_what_archspec_says(data):
    name = data.draw(st.sampled_from([name for name in KNOWN if targets.family(name) in FEATURES]))
    off = data.draw(st.sets(st.sampled_from(FEATURES[targets.family(name)]), max_size=4))
    cpuinfo = cpuinfo_of(TARGETS[name], sorted(TARGETS[name].features - off))
    with pytest.MonkeyPatch.context() as monkeypatch:
        answer = archspecs_answer(cpuinfo, targets.family(name), monkeypatch)
    assert microarchitecture(cpuinfo, targets.family(name), TABLE) == answer


@pytest.mark.parametrize("machine", targets.FAMILIES)
def test_a_processor_that_says_nothing_is_of_its_family(machine, monkeypatch):
    for cpuinfo in ("", "processor : 0\n"):
        assert microarchitecture(cpuinfo, machine, TABLE) == archspecs_answer(cpuinfo, machine, monkeypatch)


def test_an_unknown_family_has_no_name():
    assert microarchitecture("vendor_id : IBM/S390\n", "s390x", TABLE) == ""


def test_this_processor_is_named_as_the_installed_archspec_names_it():
    cpuinfo = Path("/proc/cpuinfo").read_text()
    assert microarchitecture(cpuinfo, os.uname().machine, TABLE) == targets.host()


def test_cores_of_a_power9_are_counted_by_the_kernels_topology(tmp_path):
    put(tmp_path / "proc/cpuinfo", "processor : 0\ncpu : POWER9, altivec supported\n")
    for thread in range(16):
        place = tmp_path / f"cpu/cpu{thread}/topology"
        put(place / "physical_package_id", f"{thread // 8 * 8}\n")
        put(place / "core_id", f"{thread // 4 * 4}\n")
    assert node_of(tmp_path / "proc", tmp_path / "cpu") == {"sockets": 2, "cores": 4}


# Compilers


def gcc(prefix, short, version="", suffix="", languages=("gcc", "g++", "gfortran")):
    """GCC as distributions install it: its parts below lib/gcc, and programs with or without a suffix."""
    directory = prefix / f"lib/gcc/{os.uname().machine}-linux-gnu" / short
    put(directory / "cc1")
    put(directory / "crtbegin.o", f"\x7fELF\0GCC: (Debian {version}-14+deb12u1) {version}\0".encode())
    programs(prefix / "bin", *(name + suffix for name in languages))


def compilers(root, ask=ask_nobody, **environment):
    return compilers_of(environment, root, ask)


ALL = ["c", "c++", "fortran"]


def test_the_whole_version_of_gcc_is_read_from_what_it_compiled(tmp_path):
    gcc(tmp_path / "usr", "12", "12.2.0")
    assert compilers(tmp_path) == [{"spec": "gcc@12.2.0", "prefix": f"{tmp_path}/usr", "languages": ALL}]


def test_several_gccs_in_one_place_are_told_apart(tmp_path):
    gcc(tmp_path / "usr", "11", "11.4.0", "-11", ("gcc", "g++"))
    gcc(tmp_path / "usr", "12", "12.2.0", "-12")
    binaries = tmp_path / "usr/bin"
    (binaries / "gcc").symlink_to("gcc-12")
    (binaries / "g++").symlink_to("g++-12")
    usr = f"{tmp_path}/usr"
    assert compilers(tmp_path) == [
        {
            "spec": "gcc@12.2.0",
            "prefix": usr,
            "languages": ALL,
            "programs": {"fortran": f"{usr}/bin/gfortran-12"},
        },
        {
            "spec": "gcc@11.4.0",
            "prefix": usr,
            "languages": ["c", "c++"],
            "programs": {"c": f"{usr}/bin/gcc-11", "c++": f"{usr}/bin/g++-11"},
        },
    ]


def test_a_gcc_of_a_module_is_found_on_the_path_by_its_true_place(tmp_path):
    gcc(tmp_path / "apps/gcc/13.2.0", "13.2.0", "13.2.0")
    (tmp_path / "apps/default").symlink_to(tmp_path / "apps/gcc/13.2.0")
    (found,) = compilers(tmp_path, PATH=f"{tmp_path}/apps/default/bin:relative:")
    assert (found["spec"], found["prefix"]) == ("gcc@13.2.0", f"{tmp_path}/apps/gcc/13.2.0")


def test_a_gcc_that_a_link_on_the_path_leads_to_is_found_there(tmp_path):
    gcc(tmp_path / "apps/gcc/13.2.0", "13.2.0", "13.2.0")
    (tmp_path / "home/bin").mkdir(parents=True)
    (tmp_path / "home/bin/gcc").symlink_to(tmp_path / "apps/gcc/13.2.0/bin/gcc")
    (found,) = compilers(tmp_path, PATH=f"{tmp_path}/home/bin")
    assert (found["spec"], found["languages"]) == ("gcc@13.2.0", ALL)


def test_what_a_conda_environment_brings_is_nobody_elses(tmp_path):
    gcc(tmp_path / "conda", "13.2.0", "13.2.0")
    programs(tmp_path / "conda/bin", "mpicc")
    put(tmp_path / "conda/include/mpi.h", '#define MPICH_VERSION "4.2.1"\n')
    put(tmp_path / "conda/conda-meta/history")
    assert compilers(tmp_path, PATH=f"{tmp_path}/conda/bin") == []
    assert externals(tmp_path, PATH=f"{tmp_path}/conda/bin") == []


def test_a_gcc_whose_files_do_not_tell_is_asked_or_else_left_out(tmp_path):
    programs(tmp_path / "usr/bin", "gcc", "g++")
    assert compilers(tmp_path) == []
    (found,) = compilers(tmp_path, lambda *words: "8.5.0\n" if words[1] == "-dumpfullversion" else "")
    assert (found["spec"], found["languages"]) == ("gcc@8.5.0", ["c", "c++"])


def test_what_only_calls_gcc_is_none(tmp_path):
    programs(tmp_path / "usr/bin", "ccache", "gcc-ar", "gcc-nm-12")
    (tmp_path / "usr/bin/gcc").symlink_to("ccache")
    gcc(tmp_path / "a space", "12", "12.2.0")
    assert compilers(tmp_path, PATH=f"{tmp_path}/a space/bin:{tmp_path}/missing") == []


def test_the_compilers_of_vendors_are_told_by_their_places(tmp_path):
    opt = tmp_path / "opt"
    programs(opt / "intel/oneapi/compiler/2023.2.1/linux/bin", "icx", "icpx", "ifx")
    programs(opt / "nvidia/hpc_sdk/Linux_ppc64le/23.9/compilers/bin", "nvc", "nvc++", "nvfortran")
    programs(opt / "cray/pe/cce/17.0.0/bin", "craycc", "crayCC", "crayftn")
    programs(opt / "ibm/xlC/16.1.1/bin", "xlc", "xlC")
    programs(opt / "ibm/xlf/16.1.1/bin", "xlf")
    programs(opt / "AMD/aocc-compiler-4.1.0/bin", "clang", "clang++", "flang")
    icx = opt / "intel/oneapi/compiler/2023.2.1/linux/bin"
    nvc = opt / "nvidia/hpc_sdk/Linux_ppc64le/23.9/compilers/bin"
    assert compilers(tmp_path) == [
        {"spec": "aocc@4.1.0", "prefix": f"{opt}/AMD/aocc-compiler-4.1.0", "languages": ALL},
        {
            "spec": "intel-oneapi-compilers@2023.2.1",
            "prefix": f"{opt}/intel/oneapi",
            "languages": ALL,
            "programs": {"c": f"{icx}/icx", "c++": f"{icx}/icpx", "fortran": f"{icx}/ifx"},
        },
        {
            "spec": "nvhpc@23.9",
            "prefix": f"{opt}/nvidia/hpc_sdk",
            "languages": ALL,
            "programs": {"c": f"{nvc}/nvc", "c++": f"{nvc}/nvc++", "fortran": f"{nvc}/nvfortran"},
        },
        {"spec": "cce@17.0.0", "prefix": f"{opt}/cray/pe/cce/17.0.0", "languages": ALL},
        {
            "spec": "xl@16.1.1",
            "prefix": f"{opt}/ibm/xlC/16.1.1",
            "languages": ALL,
            "programs": {"fortran": f"{opt}/ibm/xlf/16.1.1/bin/xlf"},
        },
    ]


def test_intels_compilers_are_asked_where_their_place_tells_half(tmp_path):
    programs(tmp_path / "opt/intel/oneapi/compiler/2024.2/bin", "icx", "icpx")
    programs(tmp_path / "opt/intel/oneapi/compiler/2023.2.1/linux/bin/intel64", "icc", "icpc", "ifort")
    answers = {
        "icx": "Intel(R) oneAPI DPC++/C++ Compiler 2024.2.1 (2024.2.1.20240711)\n",
        "icc": "icc (ICC) 2021.10.0 20230609\nCopyright (C) 1985-2023 Intel Corporation.\n",
    }
    assert compilers(tmp_path) == []
    specs = [found["spec"] for found in compilers(tmp_path, lambda *words: answers[Path(words[0]).name])]
    assert specs == ["intel-oneapi-compilers@2024.2.1", "intel-oneapi-compilers-classic@2021.10.0"]


def test_llvm_is_told_by_its_resources_or_asked(tmp_path):
    programs(tmp_path / "usr/lib/llvm-14/bin", "clang", "clang++")
    put(tmp_path / "usr/lib/llvm-14/lib/clang/14.0.6/include/stddef.h")
    programs(tmp_path / "usr/lib/llvm-18/bin", "clang", "clang++", "flang-new")
    put(tmp_path / "usr/lib/llvm-18/lib/clang/18/include/stddef.h")
    (tmp_path / "usr/bin").mkdir()
    (tmp_path / "usr/bin/clang").symlink_to("../lib/llvm-14/bin/clang")
    old = {
        "spec": "llvm@14.0.6 +clang ~flang",
        "prefix": f"{tmp_path}/usr/lib/llvm-14",
        "languages": ["c", "c++"],
    }
    new = tmp_path / "usr/lib/llvm-18"
    assert compilers(tmp_path) == [old]
    assert compilers(tmp_path, lambda *_: "Debian clang version 18.1.8 (1)\nTarget: x86_64\n") == [
        old,
        {
            "spec": "llvm@18.1.8 +clang +flang",
            "prefix": str(new),
            "languages": ALL,
            "programs": {"fortran": f"{new}/bin/flang-new"},
        },
    ]


# Externals


def externals(root, ask=ask_nobody, **environment):
    return [(found["spec"], found["prefix"]) for found in externals_of(environment, root, ask)]


def test_mpi_is_what_mpicc_compiles_for(tmp_path):
    opt = tmp_path / "opt"
    programs(tmp_path / "usr/bin", "mpicc", "ompi_info")
    put(tmp_path / "usr/share/openmpi/mpicc-wrapper-data.txt", "project=Open MPI\nversion=4.1.4\n")
    put(tmp_path / "usr/include/mpi.h", '#define MPICH_VERSION "4.0.2"\n')
    programs(opt / "mpich-4/bin", "mpicc")
    put(opt / "mpich-4/include/mpi.h", '#define MPICH_VERSION "4.2.1"\n')
    programs(opt / "mvapich2/2.3.7/bin", "mpicc")
    put(
        opt / "mvapich2/2.3.7/include/mpi.h",
        '#define MPICH_VERSION "3.2.1"\n#define MVAPICH2_VERSION "2.3.7"\n',
    )
    programs(opt / "intel/oneapi/mpi/2021.12/bin", "mpicc")
    put(opt / "intel/oneapi/mpi/2021.12/include/mpi.h", '#define I_MPI_VERSION "2021.12.1"\n')
    programs(opt / "intel/impi/2019.9.304/intel64/bin", "mpicc")
    put(
        opt / "intel/impi/2019.9.304/intel64/include/mpi.h",
        '#define I_MPI_VERSION "2019"\n#define MPICH_VERSION "3.3"\n',
    )
    programs(opt / "cray/pe/mpich/8.1.28/ofi/gnu/12.3/bin", "mpicc")
    programs(opt / "ibm/spectrum_mpi/bin", "mpicc", "ompi_info")
    known = [
        ("openmpi@4.1.4", f"{tmp_path}/usr"),
        ("mpich@4.2.1", f"{opt}/mpich-4"),
        ("mvapich2@2.3.7", f"{opt}/mvapich2/2.3.7"),
        ("intel-oneapi-mpi@2021.12.1", f"{opt}/intel/oneapi"),
    ]
    cray = [("cray-mpich@8.1.28", f"{opt}/cray/pe/mpich/8.1.28/ofi/gnu/12.3")]
    assert externals(tmp_path) == known + cray
    answer = "                 Package: IBM\n            Spectrum MPI: 10.4.0.3rtm4\n"
    spectrum = [("spectrum-mpi@10.4.0.3rtm4", f"{opt}/ibm/spectrum_mpi")]
    assert externals(tmp_path, lambda *_: answer) == known + spectrum + cray


@pytest.mark.parametrize(
    ("file", "text", "spec"),
    [
        ("version.json", '{"cuda" : {\n "name" : "CUDA SDK",\n "version" : "12.4.1"\n}}', "cuda@12.4.1"),
        ("version.json", '{"cuda" : {"name" : "CUDA SDK", "version" : "11.8.20220929"}}', "cuda@11.8"),
        ("version.txt", "CUDA Version 10.1.243\n", "cuda@10.1.243"),
        ("include/cuda.h", "#define CUDA_VERSION 11080\n", "cuda@11.8"),
        ("targets/ppc64le-linux/include/cuda.h", "#define CUDA_VERSION 10020\n", "cuda@10.2"),
    ],
)
def test_cuda_is_told_by_what_every_release_brings(tmp_path, file, text, spec):
    cuda = tmp_path / "usr/local/cuda-x"
    put(cuda / "bin/nvcc")
    put(cuda / file, text)
    (tmp_path / "usr/local/cuda").symlink_to("cuda-x")
    assert externals(tmp_path, PATH=f"{tmp_path}/usr/local/cuda/bin") == [(spec, str(cuda))]


def test_what_lies_in_headers_and_pkg_config_files_is_found(tmp_path):
    usr = tmp_path / "usr"
    put(
        usr / "include/cudnn_version.h",
        "".join(
            f"#define CUDNN_{part} {number}\n"
            for part, number in (("MAJOR", 8), ("MINOR", 9), ("PATCHLEVEL", 7))
        ),
    )
    put(usr / "include/nccl.h", "#define NCCL_MAJOR 2\n#define NCCL_MINOR 18\n#define NCCL_PATCH 5\n")
    put(usr / "include/slurm/slurm_version.h", "#define SLURM_VERSION_NUMBER 0x160508\n")
    put(usr / "lib64/pkgconfig/libibverbs.pc", "libdir=/usr/lib64\nVersion: 1.14.44.0\n")
    put(usr / "lib/x86_64-linux-gnu/pkgconfig/ucx.pc", "prefix = /usr\nVersion: 1.13.1\n")
    put(tmp_path / "opt/cray/libfabric/1.15.2.0/lib64/pkgconfig/libfabric.pc", "Version: 1.15.2.0\n")
    put(usr / "lib64/pkgconfig/libfabric.pc", "Version: 1$(odd)\n")
    assert externals(tmp_path) == [
        ("cudnn@8.9.7", str(usr)),
        ("nccl@2.18.5", str(usr)),
        ("slurm@22.05.8", str(usr)),
        ("libfabric@1.15.2.0", f"{tmp_path}/opt/cray/libfabric/1.15.2.0"),
        ("ucx@1.13.1", str(usr)),
        ("rdma-core@44.0", str(usr)),
    ]


# The rest of the machine


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"sys/class/infiniband/mlx5_0/ports/1/link_layer": "InfiniBand\n"}, "infiniband"),
        ({"sys/class/infiniband/mlx5_0/ports/1/link_layer": "Ethernet\n"}, ""),
        ({"sys/class/infiniband/hfi1_0/ports/1/link_layer": "InfiniBand\n"}, "omni-path"),
        (
            {"sys/class/cxi/cxi0/device/id": "", "sys/class/infiniband/x/ports/1/link_layer": "Ethernet"},
            "slingshot",
        ),
        ({"proc/cray_xt/cname": "c0-0c0s0n1\n"}, "aries"),
        ({}, ""),
    ],
)
def test_the_fabric_is_what_the_kernel_shows(tmp_path, files, name):
    for path, text in files.items():
        put(tmp_path / path, text)
    assert fabric(tmp_path) == name


@pytest.mark.parametrize(
    ("model", "capability"),
    [
        ("Tesla V100-SXM2-16GB", "7.0"),
        ("NVIDIA A100-SXM4-40GB", "8.0"),
        ("Tesla P100-PCIE-16GB", "6.0"),
        ("Tesla K80", "3.7"),
        ("NVIDIA H200", "9.0"),
        ("NVIDIA GH200 480GB", "9.0"),
        ("NVIDIA Z900", ""),
    ],
)
def test_the_capability_of_a_known_gpu_follows_from_its_name(model, capability):
    assert capability_of(model) == capability


@pytest.mark.parametrize(
    "version",
    [
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\nGCC\n",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  535.104.05  Release Build\n",
    ],
)
def test_the_driver_is_read_from_proc(tmp_path, version):
    put(tmp_path / "driver/nvidia/version", version)
    put(tmp_path / "driver/nvidia/gpus/0004:04:00.0/information", "Model: \t\t Tesla V100-SXM2-16GB\n")
    assert gpus(tmp_path) == [
        {"model": "Tesla V100-SXM2-16GB", "count": 1, "capability": "7.0", "driver": "535.104.05"}
    ]


def test_an_operating_system_without_os_release_is_told_by_red_hats_file(tmp_path):
    put(tmp_path / "etc/redhat-release", "CentOS release 6.10 (Final)\n")
    assert os_release(tmp_path) == {"ID": "centos", "VERSION_ID": "6.10"}
    put(tmp_path / "etc/os-release", '# made by hand\nID=\'sles\'\nVERSION_ID="15.5"\nPRETTY_NAME="S"\n')
    assert os_release(tmp_path) == {"ID": "sles", "VERSION_ID": "15.5", "PRETTY_NAME": "S"}


def test_lmod_is_the_one_of_the_environment_before_the_distributions(tmp_path):
    (tmp_path / "usr/share/lmod/8.6.19").mkdir(parents=True)
    (tmp_path / "apps/lmod/8.7.32").mkdir(parents=True)
    (tmp_path / "apps/lmod/lmod").symlink_to("8.7.32")
    assert lmod_version({}, tmp_path) == "8.6.19"
    assert lmod_version({"LMOD_PKG": f"{tmp_path}/apps/lmod/lmod"}, tmp_path) == "8.7.32"
    assert lmod_version({"LMOD_VERSION": "8.7.55"}, tmp_path) == "8.7.55"
    assert lmod_version({"LMOD_VERSION": "odd"}, tmp_path / "apps") == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("user/max_user_namespaces", "0"),
        ("kernel/unprivileged_userns_clone", "0"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1"),
    ],
)
def test_a_kernel_that_forbids_user_namespaces_is_believed(tmp_path, name, value):
    put(tmp_path / name, f"{value}\n")
    answer = command.user_namespaces(None, tmp_path)
    assert answer == (False, [f"{name.replace('/', '.')} is {value}"])


# Schedulers

SCONTROL = """\
PartitionName=gpux1 AllowGroups=ALL MaxNodes=4 MaxTime=1-00:00:00 MinNodes=2 TotalNodes=16 X=1
PartitionName=cpu AllowGroups=ALL Default=YES MaxNodes=UNLIMITED MaxTime=UNLIMITED MinNodes=0 TotalNodes=2
PartitionName=yes AllowGroups=ALL MaxNodes=UNLIMITED MaxTime=48:00:00 MinNodes=1 TotalNodes=1
PartitionName=a: "b' #c AllowGroups=ALL MaxNodes=9 MaxTime=00:30:00 TotalNodes=3
PartitionName=empty AllowGroups=ALL MaxNodes=UNLIMITED MaxTime=UNLIMITED MinNodes=0 Nodes=(null) TotalNodes=0
PartitionName=\x1b[31mred AllowGroups=ALL TotalNodes=3
"""


def test_slurms_partitions_have_the_sizes_and_times_of_jobs():
    partitions, remarks = schedulers.slurm_partitions(SCONTROL)
    assert partitions == {
        "gpux1": {"nodes": "2..4", "time": "1-00:00:00"},
        "cpu": {"nodes": "1..2", "default": True},
        "yes": {"nodes": "1", "time": "48:00:00"},
        "a: \"b' #c": {"nodes": "1..3", "time": "00:30:00"},
    }
    assert remarks == [
        "the partition empty has no nodes and is left out",
        "a partition whose name is no plain line is left out",
    ]


def test_slurms_partitions_have_the_cores_and_gpus_of_the_least_of_their_nodes():
    answer = """\
160|gpu:v100:4(S:0-1)|gpux1
128|gpu:2(S:0),gpu:a100:1,nvme:1|gpux1
96+|(null)|cpu
odd|gpu:1|odd
8|gpu:1
"""
    assert schedulers.slurm_shares(answer) == {
        "gpux1": {"cores": 128, "gpus": 3},
        "cpu": {"cores": 96, "gpus": 0},
        "": {"cores": 8, "gpus": 1},
    }
    assert schedulers.slurm_shares("4|(null)|a: b|c\n") == {"a: b|c": {"cores": 4}}


def test_lsfs_queues_have_their_times():
    answer = (
        "\nQUEUE: batch\n  -- all\n\nRUNLIMIT\n 1440.0 min of h1\n\nQUEUE: killable\n\nRUNLIMIT\n 90 min\n"
    )
    assert schedulers.lsf_queues(answer, 4608) == {
        "batch": {"nodes": "1..4608", "time": "24:00:00"},
        "killable": {"nodes": "1..4608", "time": "01:30:00"},
    }


def test_the_queues_of_pbs_have_sizes_and_times():
    answer = """\
Queue: workq
    queue_type = Execution
    resources_max.nodect = 128
    resources_min.nodect = 2
    resources_max.walltime = 24:00:00
Queue: route
    queue_type = Route
"""
    assert schedulers.pbs_queues(answer) == {"workq": {"nodes": "2..128", "time": "24:00:00"}}


# The file

LEAST = {"name": "m", "os": "rhel8", "glibc": "2.28", "target": "power9le"}


def loaded(tmp_path, facts, remarks=None):
    path = put(tmp_path / "systems/m.yaml", document(facts, remarks or {}, []))
    return load_system(path)


def test_a_partition_may_be_called_what_yaml_takes_for_something_else(tmp_path):
    partitions, _ = schedulers.slurm_partitions(SCONTROL)
    facts = {**LEAST, "scheduler": {"kind": "slurm", "partitions": partitions}}
    system = loaded(tmp_path, facts)
    assert list(system.scheduler.partitions) == list(partitions)


ODD = (
    "yes",
    "null",
    "~",
    "2026:11",
    "0x1f",
    "1e3",
    "!x",
    "&a",
    "*a",
    "- a",
    "? x",
    "a: b",
    "#c",
    "{a}",
    "|",
    "%d",
)
LINES = (st.sampled_from(ODD) | st.text(min_size=1, max_size=30)).filter(is_line)


@given(name=LINES, partition=LINES, model=LINES, remark=st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_whatever_a_machine_calls_its_things_the_file_says_the_same(
    tmp_path_factory, name, partition, model, remark
):
    facts = {
        **LEAST,
        "name": name,
        "scheduler": {"kind": "slurm", "partitions": {partition: {"nodes": "1..2"}}},
        "accelerators": [{"model": model, "count": 2}],
    }
    system = loaded(tmp_path_factory.mktemp("file"), facts, {"scheduler": [remark]})
    assert system == System.model_validate(facts)


@given(st.text())
def test_any_text_is_one_scalar_for_every_reader(text):
    assert yaml.safe_load(flow([text])) == [re.sub("[\ud800-\udfff]", "\ufffd", text)]
    assert flow(text).isascii()


# The joined program


def test_the_program_has_every_name_once():
    tree = ast.parse(probe_script(), feature_version=(3, 6))
    named = [
        name
        for statement in tree.body
        for name in (
            [statement.name]
            if isinstance(statement, ast.FunctionDef | ast.ClassDef)
            else [
                node.id
                for node in ast.walk(statement)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            ]
            if isinstance(statement, ast.Assign | ast.AnnAssign)
            else []
        )
    ]
    assert len(named) == len(set(named))
    assert not [node for node in ast.walk(tree) if "stackgen" in (getattr(node, "module", None) or "")]


def test_the_program_holds_archspecs_table():
    (table,) = [
        statement.value
        for statement in ast.parse(probe_script()).body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "TABLE"
    ]
    assert ast.literal_eval(table) == TABLE
    assert set(TABLE["targets"]) == set(KNOWN)


def test_what_the_probe_takes_for_a_plain_path_a_system_file_may_hold():
    for path in ("/usr/lib/llvm-14", "/opt/a+b/c@1=2_3.4"):
        assert directory(path) == path
