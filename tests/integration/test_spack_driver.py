"""Real Spack: plans for this machine equal its own, plans for others are theirs."""

import json
import os
import platform
import re
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

import pytest
import yaml

from stackgen import targets
from stackgen.errors import WorkError
from stackgen.host import detect
from stackgen.progress import Silent
from stackgen.run import LoggedRunner, succeed
from stackgen.spack import SpackHome, spack_command
from stackgen.spack.downloads import downloads
from stackgen.spack.driver import Host, Refused, Solved, Source, Spack, check_specs, solve, sources
from stackgen.spack.graph import graph, problems

pytestmark = pytest.mark.spack

POWER = Host(os="rhel8", target="power9le", glibc="2.28")
THEIRS = {
    POWER: "gcc@11.2.1",
    Host(os="sles15", target="skylake_avx512", glibc="2.31"): "gcc@12.3.0",
    Host(os="sles15", target="zen3", glibc="2.31"): "gcc@12.3.0",
    Host(os="rhel9", target="neoverse_v2", glibc="2.34"): "gcc@13.2.0",
}
TOOLS = ("cmake@3.26.5", "gmake@4.3", "perl@5.32.1+threads", "pkgconf@1.7.3", "python@3.11.4", "zlib@1.2.11")
"""What a distribution brings, so that these solves are small."""


@pytest.fixture
def tool(spack: SpackHome, tmp_path: Path) -> Spack:
    (tmp_path / "scratch").mkdir()
    return Spack(home=spack, run=LoggedRunner(Silent()), scratch=tmp_path / "scratch")


def written(place: Path, compiler: str, target: str, **environments: list[str]) -> dict[str, Path]:
    """Environments as a user would write them, for a system with this compiler and these tools below /usr."""
    languages = {"c": "gcc", "cxx": "g++", "fortran": "gfortran"}
    externals = {text.partition("@")[0]: text for text in TOOLS}
    externals["openmpi"] = "openmpi@4.1.4"
    packages = {
        name: {"buildable": False, "externals": [{"spec": spec, "prefix": "/usr"}]}
        for name, spec in externals.items()
    }
    packages["gcc"] = {
        "buildable": False,
        "externals": [
            {
                "spec": f"{compiler} languages=c,c++,fortran",
                "prefix": "/usr",
                "extra_attributes": {
                    "compilers": {key: f"/usr/bin/{name}" for key, name in languages.items()}
                },
            }
        ],
    }
    required = {virtual: {"require": ["gcc"]} for virtual in languages}
    required |= {"mpi": {"require": ["openmpi"]}, "all": {"require": [f"target={target}"]}}
    concretizer = {"reuse": False, "targets": {"host_compatible": False}, "unify": True}
    (place / "config").mkdir(parents=True)
    for name, content in {"packages": packages | required, "concretizer": concretizer}.items():
        (place / f"config/{name}.yaml").write_text(yaml.safe_dump({name: content}))
    for name, specs in environments.items():
        (place / name).mkdir()
        content = {"specs": specs, "view": False, "include": ["../config"]}
        (place / f"{name}/spack.yaml").write_text(yaml.safe_dump({"spack": content}))
    return {name: place / name for name in environments}


def plainly(directory: Path, tool: Spack) -> str:
    """The lock that Spack makes by itself, for the machine that it runs on."""
    command = spack_command(
        tool.home,
        ("-e", str(directory), "concretize"),
        scopes=None,
        scratch=tool.scratch / f"plain-{directory.name}",
        directory=directory,
    )
    succeed(tool.run, command, "concretizing failed")
    return (directory / "spack.lock").read_text()


def hashes(lock_text: str) -> set[str]:
    return set(graph(lock_text).nodes)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the compiler of this machine is looked for there")
def test_a_plan_through_the_stand_in_is_what_spack_plans_here(tool: Spack, tmp_path: Path):
    """An MPI stack of ten roots over externals, and a numpy with its build tools: same hashes."""
    compiler = Path("/usr/bin/gcc")
    if not (compiler.exists() and shutil.which("g++") and shutil.which("gfortran")):
        pytest.skip("there is no GCC below /usr")
    version = subprocess.run(
        [compiler, "-dumpfullversion"], capture_output=True, text=True, check=True
    ).stdout
    here = detect()
    roots = [
        "hdf5+mpi",
        "fftw+mpi",
        "netcdf-c",
        "bzip2",
        "lz4",
        "libevent",
        "numactl",
        "libaio",
        "jansson",
        "gsl",
    ]
    directories = written(
        tmp_path / "spack",
        f"gcc@{version.strip()}",
        "x86_64_v2",
        many=roots,
        numpy=["py-numpy"],
    )
    host = Host(os=here.os, target=targets.host(), glibc=here.glibc)
    answers = {answer.name: answer for answer in solve(directories, host, tool)}
    assert [path.name for path in directories["many"].iterdir()] == ["spack.yaml"]
    with ThreadPoolExecutor(2) as pool:
        locks = dict(zip(directories, pool.map(plainly, directories.values(), repeat(tool)), strict=True))
    for name, lock in locks.items():
        answer = answers[name]
        assert isinstance(answer, Solved), answer
        assert hashes(answer.lock_text) == hashes(lock), name


@pytest.mark.parametrize(
    ("host", "compiler"), THEIRS.items(), ids=lambda value: getattr(value, "target", None)
)
def test_plans_for_machines_that_are_not_here(host: Host, compiler: str, tool: Spack, tmp_path: Path):
    numpy = {"numpy": ["py-numpy"]} if host == POWER else {}
    directories = written(
        tmp_path / "spack", compiler, host.target, hdf5=["hdf5+mpi"], zlib=["zlib-ng"], **numpy
    )
    heard: list[str] = []
    answers = solve(directories, host, tool, lambda answer: heard.append(answer.name))
    assert sorted(heard) == sorted(directories)
    for answer in answers:
        assert isinstance(answer, Solved), answer
        assert problems(answer.lock_text, host) == ()
        nodes = graph(answer.lock_text).nodes.values()
        assert {(node.os, node.target) for node in nodes if not node.external} == {(host.os, host.target)}
        assert (answer.specs, answer.nodes) == (1, len(nodes))


def test_spack_reads_a_plan_for_another_machine(tool: Spack, tmp_path: Path):
    directories = written(tmp_path / "spack", "gcc@11.2.1", "power9le", zlib=["zlib-ng"])
    [answer] = solve(directories, POWER, tool)
    assert isinstance(answer, Solved), answer
    again = solve(directories, POWER, tool)
    assert isinstance(again[0], Solved)
    assert again[0].lock_text == answer.lock_text
    (directories["zlib"] / "spack.lock").write_text(answer.lock_text)
    words = ("-e", str(directories["zlib"]), "install", "--fake", "--no-check-signature")
    command = spack_command(
        tool.home, words, scopes=None, scratch=tool.scratch / "install", directory=directories["zlib"]
    )
    succeed(tool.run, command, "installing failed")
    assert (directories["zlib"] / "spack.lock").read_text() == answer.lock_text
    installed = json.loads((tool.scratch / "install/cache/opt/.spack-db/index.json").read_text())
    roots = graph(answer.lock_text).roots
    assert installed["database"]["installs"][roots[0]]["installed"]


def test_the_sources_of_a_plan(tool: Spack, tmp_path: Path):
    directories = written(tmp_path / "spack", "gcc@11.2.1", "power9le", few=["readline", "cuda@12.4.1"])
    [answer] = solve(directories, POWER, tool)
    assert isinstance(answer, Solved), answer
    lock = tmp_path / "few.lock"
    lock.write_text(answer.lock_text)
    found = sources(directories, {"few": lock}, POWER, tool)
    by_name = {source.name: source for source in found}
    assert "ppc64le" in by_name["cuda"].urls[0]
    readline = by_name["readline"]
    assert readline == Source(
        package="readline",
        version=readline.version,
        kind="source",
        name="readline",
        sha256=readline.sha256,
        commit="",
        git="",
        urls=readline.urls,
        path=f"_source-cache/archive/{readline.sha256[:2]}/{readline.sha256}.tar.gz",
        file=f"readline-{readline.version}.tar.gz",
    )
    assert re.fullmatch("[0-9a-f]{64}", readline.sha256)
    assert [source.name for source in found if source.kind == "patch"] == ["readline83-001"]
    assert set(found) == set(answer.sources)


def test_what_may_not_be_fetched_is_said_and_what_lies_with_a_recipe_is_left_out(tool: Spack, tmp_path: Path):
    directories = written(tmp_path / "spack", "gcc@11.2.1", "power9le", few=["anicalculator", "zlib-ng"])
    [answer] = solve(directories, POWER, tool)
    assert isinstance(answer, Solved), answer
    by_name = {source.package: source for source in answer.sources}
    licensed = by_name.pop("anicalculator")
    assert (licensed.manual, licensed.urls, licensed.file) == (True, (), "ANIcalculator_v1.tgz")
    assert "zlib-ng" in by_name
    assert "compiler-wrapper" not in by_name
    assert not any(source.manual for source in by_name.values())


def test_packages_that_fetch_while_they_are_built_are_named(tool: Spack, tmp_path: Path):
    """By a tool of their own, and by one that another tool brings."""
    asked = ["py-maturin", "py-rpds-py"]
    directories = written(tmp_path / "spack", "gcc@11.2.1", "power9le", few=asked)
    config = tmp_path / "spack/config/packages.yaml"
    packages = yaml.safe_load(config.read_text())
    rust = {"buildable": False, "externals": [{"spec": "rust@1.85.0", "prefix": "/usr"}]}
    packages["packages"]["rust"] = rust
    config.write_text(yaml.safe_dump(packages))
    [answer] = solve(directories, POWER, tool)
    assert isinstance(answer, Solved), answer
    assert {("py-maturin", "cargo"), ("py-rpds-py", "cargo")} <= set(downloads([answer.lock_text]))


def test_a_refusal_names_what_the_user_wrote(tool: Spack, tmp_path: Path):
    directories = written(
        tmp_path / "spack",
        "gcc@11.2.1",
        "power9le",
        fine=["zlib-ng"],
        collide=["lz4@1.9", "lz4@1.10", "zlib-ng"],
    )
    fine, collide = solve(directories, POWER, tool)
    assert isinstance(fine, Solved)
    assert isinstance(collide, Refused)
    assert collide.reasons[0] == "these cannot be had together: lz4@1.9, lz4@1.10"
    assert 1 < len(collide.reasons) <= 6
    assert "requested explicitly" in collide.details


def test_names_are_checked_without_a_solve(tool: Spack):
    specs = {
        "packages[0]": "hdf6+mpi",
        "packages[1]": "hdf5+mp1 ^opempi",
        "packages[2]": "hdf5@99",
        "packages[3]": "hdf5 api=v999",
        "packages[4]": "py-torch@2.3 +cuda cuda_arch=70 ^mpi ^blas",
        "packages[5]": "hdf5@@",
    }
    assert [str(fault) for fault in check_specs(specs, None, POWER, tool)] == [
        "packages[0]: Spack has no package hdf6; did you mean hdf or hdf5 or lhapdf?",
        "packages[1]: hdf5 has no variant mp1; did you mean mpi or map?",
        "packages[1]: Spack has no package opempi; did you mean openmpi or rempi or pnmpi?",
        "packages[2]: hdf5 has no version 99; it has develop-2.0, develop-1.14, develop-1.12, develop-1.10, "
        "develop-1.8, 1.14.6, 1.14.5, 1.14.4-3, ...",
        "packages[3]: the variant api of hdf5 cannot be v999; "
        "it takes default, v110, v112, v114, v16, v18, v200",
        "packages[5]: 'hdf5@@' is no spec: unexpected characters in the spec string; "
        "write it as `spack spec` takes it",
    ]


def test_what_no_solution_can_have_is_told_without_a_solve(tool: Spack):
    specs = {
        "packages[0]": "zlib bzip2",
        "packages[1]": "zlib %",
        "packages[2]": "zlib ^bzip2 ^+shared",
        "packages[3]": "zlib ^/abcdef",
        "packages[4]": "zlib@git.main",
        "packages[5]": "zlib patches=abc",
        "packages[6]": "zlib target=zen9 os=foo",
        "packages[7]": "foo.zlib",
        "packages[8]": "zlib@git.main=1.3.1 target=power9le ^gcc-runtime",
        "toolchain.compiler": "gcc",
        "toolchain.math": "netlib-lapack",
        "toolchain.mpi": "zlib",
        "frameworks.a.spec": "zlib ^python@3.11",
        "frameworks.b.spec": "zlib ^python@3.11",
        "frameworks.b.requires.py-wheel": "py-wheel ^mpi",
        "frameworks.c.spec": "hdf5+mpi ^mpi ^openmpi ^gcc ^libxml2",
    }
    assert [str(fault) for fault in check_specs(specs, None, POWER, tool)] == [
        "packages[0]: 'zlib bzip2' is no spec: expected a single spec, but got more; "
        "write it as `spack spec` takes it",
        "packages[1]: 'zlib %' is no spec: a `%` or `^` names no package; write it as `spack spec` takes it",
        "packages[2]: `+shared` names no package after a `%` or `^`; write its name there",
        "packages[3]: /abcdef is a hash, and nothing is installed yet; name the package instead",
        "packages[4]: nothing tells which version main of zlib is; say it as zlib@git.main=VERSION",
        "packages[5]: zlib cannot be asked for patches=; leave it out; the recipe chooses its patches",
        "packages[6]: zlib is asked for os=foo, and the system is rhel8; leave it out",
        "packages[6]: zlib is asked for target=zen9, and the system is power9le; leave it out",
        "packages[7]: there are no recipes called foo; take one of builtin",
        "toolchain.mpi: zlib provides no mpi; take one of cray-mpich, cray-mvapich2, fujitsu-mpi, hpcx-mpi, "
        "intel-oneapi-mpi, mpi-serial, mpich, mpilander, mpitrampoline, mpt, msmpi, mvapich, mvapich-plus, "
        "mvapich2, nmad, nvhpc, openmpi, spectrum-mpi",
        "frameworks.a.spec: nothing here depends on python, which `^python` asks for; "
        "leave out `^python` and `python:`",
        "frameworks.b.requires.py-wheel: nothing here depends on mpi, which `^mpi` asks for; leave it out",
    ]


def test_workers_end_with_the_process_that_forked_them(tool: Spack, tmp_path: Path):
    directories = written(tmp_path / "spack", "gcc@11.2.1", "power9le", a=["zlib-ng"], b=["py-numpy"])

    def running() -> list[int]:
        words = ["pgrep", "-f", f"ask.py {tool.scratch}"]
        found = subprocess.run(words, capture_output=True, text=True, check=False).stdout
        return [int(line) for line in found.split()]

    def heard(_: Solved | Refused) -> None:
        os.kill(min(running()), signal.SIGKILL)

    with pytest.raises(WorkError, match=r"^Spack failed: "):
        solve(directories, POWER, tool, heard)
    deadline = time.monotonic() + 5
    while running() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running() == []
