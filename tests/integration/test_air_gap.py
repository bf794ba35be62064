"""The whole way, with real Spack and by the commands that users type: lock and collect on one side of the
gap; install, build, load and run on the other, in a namespace without network."""

import dataclasses
import json
import os
import random
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import lmod
import pytest
from desk import Desk
from far_side import HOSTILE, FarSide, in_the_way
from source_archives import sources

from stackgen import files, targets
from stackgen.run import Outcome

pytestmark = [pytest.mark.spack, pytest.mark.network, pytest.mark.usefixtures("spack", "index")]

ENVIRONMENTS = Path(__file__).parents[2] / "environments"
FRAMEWORKS = ("coverage/7.10.7", "numpy/2.3.5")
LIBRARIES = ("libaio/0.3.113", "lz4/1.9.4", "tree/2.1.0", "xxhash/0.8.1", "zip/3.0", "zopfli/1.0.3")
ON_MPI = ("armcimpi/0.4", "examl/3.0.22")
MPI = "openmpi/4.1.4"
COMPILED = 10
"""What is compiled: the libraries, what stands on MPI, bzip2 that zip needs, and coverage."""

PASS_ON = """\
#include <armci.h>
#include <mpi.h>
#include <stdio.h>
int main(int argc, char **argv) {
    int rank, size, next, got = -1;
    void *parts[2];
    MPI_Init(&argc, &argv);
    ARMCI_Init();
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    next = (rank + 1) % size;
    ARMCI_Malloc(parts, sizeof(int));
    ARMCI_Put(&rank, parts[next], sizeof(int), next);
    ARMCI_Barrier();
    ARMCI_Get(parts[rank], &got, sizeof(int), rank);
    printf("%d has %d\\n", rank, got);
    ARMCI_Free(parts[rank]);
    ARMCI_Finalize();
    MPI_Finalize();
    return 0;
}
"""
"""Each rank tells the next its number."""


TREE = "0160c535bff2b0dc6a830b9944e981e3427380f63e748da96ced7071faebabf6"
"""The SHA-256 of tree's source."""
THEIRS = {
    "name: Debian 12": "name: Elsewhere",
    'glibc: "2.36"': 'glibc: "2.41"',
    "target: x86_64_v2": "target: power9le",
    "spec: gcc@12.2.0, prefix: /usr": "spec: gcc@12.2.0, prefix: /opt/gcc-12",
    "spec: openmpi@4.1.4, prefix: /usr": "spec: openmpi@4.1.4, prefix: /opt/openmpi",
}
"""How another system differs from ours."""
ELSEWHERE = """\
name: elsewhere
release: 1
system: elsewhere
prefix: /opt/elsewhere
toolchain: {compiler: gcc@12.2.0, mpi: openmpi@4.1.4}
packages: [armcimpi@0.4]
frameworks:
  coverage: {version: 7.10.7, from: spack, python: 3.11, spec: py-coverage, import: coverage}
"""


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The machine with internet: a kit, made from what the site's archives have."""
    _refuse_other_machines()
    desk = Desk(tmp_path_factory.mktemp("near"))
    for name in ("proof.yaml", "systems/debian12.yaml"):
        desk.write(name, (ENVIRONMENTS / name).read_text(encoding="utf-8"))
    outcome = desk("lock", "proof.yaml")
    assert outcome.status == 0, outcome.stderr
    outcome = desk("mirror", "create", "proof.yaml", "-d", "kit", "--from", str(sources()))
    assert outcome.status == 0, outcome.stderr
    return desk


@pytest.fixture(scope="module")
def far(near: Desk, tmp_path_factory: pytest.TempPathFactory) -> FarSide:
    """The machine without: only the kit came over, and whoever builds there has a Spack of his own."""
    root = tmp_path_factory.mktemp("far")
    shutil.move(near.directory / "kit", root / "kit")
    side = FarSide(root=root, kit=root / "kit", prefix=root / "hpai", more=in_the_way(root))
    outcome = side.install()
    assert outcome.status == 0, outcome.stderr
    return side


@dataclass(frozen=True)
class Built:
    """What was told by a build that was killed again and again, and by the one that went on to the end."""

    far: FarSide
    killed: tuple[str, ...]
    outcome: Outcome

    @property
    def cache(self) -> Path:
        """The build cache that it filled."""
        return self.far.root / "cache"


@pytest.fixture(scope="module")
def built(far: FarSide) -> Built:
    """The environment, built and published on the far side."""
    words = ("--cache", str(far.root / "cache"))
    moments = [random.uniform(1, 12) for _ in range(3)]
    killed = tuple(far.kill(moment, *far.building(*words)) for moment in moments)
    outcome = far.build(*words)
    assert outcome.status == 0, f"killed after {moments}: {outcome.stderr}"
    return Built(far, killed, outcome)


def _refuse_other_machines() -> None:
    release = Path("/etc/os-release").read_text(encoding="utf-8")
    if 'VERSION_ID="12"' not in release or "ID=debian" not in release:
        pytest.skip("environments/systems/debian12.yaml describes Debian 12, and this is another system")
    for program in ("mpicc", "gfortran", "cmake", "automake", "libtoolize", "pkg-config"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed; `make test` says which packages of Debian are wanted")
    if lmod.ROOT is None:
        pytest.skip("Lmod is not installed")


def test_a_kit_is_whole(far: FarSide):
    outcome = far(far.stackgen, "mirror", "verify", str(far.kit))
    assert outcome.status == 0, outcome.stderr


def test_what_is_killed_goes_on(built: Built):
    """What was built before a kill is not built again."""
    told = (*built.killed, built.outcome.stderr)
    done = [package for one in told for package in _packages(one)]
    assert sorted(done) == sorted({*done})
    assert len(done) >= COMPILED


def test_the_lines_that_a_build_prints_can_be_pasted(built: Built):
    current = built.far.prefix / "current"
    assert built.outcome.stdout.splitlines() == [
        f"export LMOD_RC={current}/lmod/lmodrc.lua",
        f"module use {current}/modules/Core",
        "module load hpai/coverage",
    ]


def test_nothing_is_written_but_the_prefix_the_cache_and_a_log(built: Built):
    far = built.far
    there = {path.name for path in far.root.iterdir()} - {"another", "told", "user"}
    assert there == {"cache", "home", "hpai", "in-the-way", "kit", "stackgen"}
    written = {str(path.relative_to(far.home)) for path in far.home.rglob("*") if path.is_file()}
    own = (".cache/stackgen/", ".local/state/stackgen/log/")
    assert {name for name in written if not name.startswith(own)} == {f".spack/{name}" for name in HOSTILE}


def test_a_user_sees_what_was_asked_for_and_no_hash(built: Built):
    frameworks = (f"hpai/{name}" for name in FRAMEWORKS)
    assert _seen(built.far.shell("module -t --redirect avail")) == {*frameworks, *LIBRARIES, MPI}


def test_what_stands_on_mpi_is_found_by_spider_and_loaded_after_it(built: Built):
    outcome = built.far.shell("module --redirect spider examl/3.0.22")
    assert f"      {MPI}" in [line.rstrip() for line in outcome.stdout.splitlines()], outcome.stdout
    assert built.far.shell("module load examl").status != 0
    assert {*ON_MPI} <= _seen(built.far.shell(f"module load {MPI}", "module -t --redirect avail"))


def test_a_program_on_mpi_runs_on_two_ranks(built: Built):
    """Four sequences and a tree of them, which both ranks work at."""
    outcome = built.far.shell(
        "module load openmpi examl",
        r"printf '4 8\na ACGTACGT\nb ACGTACGA\nc ACGATCGT\nd ACCATCGA\n' > small.phy",
        "echo '(a,b,(c,d));' > small.tree",
        "parse-examl -s small.phy -m DNA -n small > parsed",
        "mpirun --oversubscribe -n 2 examl -s small.binary -t small.tree -m GAMMA -n out -f e > out",
        "grep -o 'MPI Process Number: 1' out",
        "grep -c '^Likelihood tree 0: -' ExaML_info.out",
    )
    assert outcome.status == 0, outcome.stdout + outcome.stderr
    assert outcome.stdout.splitlines() == ["MPI Process Number: 1", "1"]


def test_a_user_compiles_against_a_library_on_mpi(built: Built):
    (built.far.root / "user").mkdir(exist_ok=True)
    (built.far.root / "user/pass_on.c").write_text(PASS_ON, encoding="utf-8")
    outcome = built.far.shell(
        "module load openmpi armcimpi",
        'lib="$ARMCIMPI_ROOT/lib"',
        'mpicc pass_on.c -I"$ARMCIMPI_ROOT/include" -L"$lib" -Wl,-rpath,"$lib" -larmci -o pass_on',
        "mpirun --oversubscribe -n 2 ./pass_on | sort",
    )
    assert (outcome.status, outcome.stdout) == (0, "0 has 1\n1 has 0\n"), outcome.stderr


@pytest.mark.parametrize("module", [*LIBRARIES, *ON_MPI, *(f"hpai/{name}" for name in FRAMEWORKS)])
def test_every_module_loads_and_leaves_no_trace(built: Built, module: str):
    loaded = ["module load openmpi"] if module in ON_MPI else []
    noted = "env | grep -vE '^(_|__LMOD|_ModuleTable|LMOD_)' | sort >"
    outcome = built.far.shell(
        *loaded, f"{noted} before", f"module load {module}", f"module unload {module}", f"{noted} after",
        "diff before after",
    )  # fmt: skip
    assert (outcome.status, outcome.stdout) == (0, ""), outcome.stderr


def test_the_frameworks_run(built: Built):
    outcome = built.far.shell(
        "module load hpai/numpy",
        "python -c 'import numpy; print(numpy.__version__, numpy.ones(3).sum())'",
        "numpy-config --version",
        "module load hpai/coverage",
        "python -c 'import coverage.tracer; print(coverage.__version__)'",
        "coverage --version | head -1",
    )
    assert outcome.status == 0, outcome.stderr
    assert outcome.stdout.splitlines() == [
        *("2.3.5 3.0", "2.3.5", "7.10.7"),
        "Coverage.py, version 7.10.7 with C extension",
    ]


def test_what_is_published_was_tested(built: Built):
    report = json.loads((built.far.prefix / "current/report.json").read_text(encoding="utf-8"))
    modules = {*LIBRARIES, *ON_MPI, "coverage", "numpy"}
    assert {check["framework"] for check in report["checks"]} >= modules
    assert [check for check in report["checks"] if not check["passed"]] == []


def test_nothing_to_do_is_told_in_the_same_words(built: Built):
    again = built.far.build()
    assert (again.status, again.stdout) == (0, built.outcome.stdout)
    assert _packages(again.stderr) == []


def test_another_prefix_is_filled_from_the_build_cache(built: Built):
    """Spack notes in each package where it came from."""
    other = dataclasses.replace(built.far, prefix=built.far.root / "another/prefix")
    outcome = other.build("--cache", str(built.cache))
    assert outcome.status == 0, outcome.stderr
    assert _packages(outcome.stderr) == []
    assert len(_packages(outcome.stderr, "taken from the build cache")) >= COMPILED
    packages = [path.parent for path in other.prefix.rglob(".spack/spec.json")]
    assert len(packages) >= COMPILED
    assert [path for path in packages if not (path / "binary_distribution").exists()] == []
    outcome = other.shell(
        "module load lz4 hpai/coverage", "echo there | lz4 -c | lz4 -dc", "coverage --version"
    )
    assert outcome.status == 0, outcome.stderr
    assert outcome.stdout.startswith("there\nCoverage.py, version 7.10.7 with C extension\n")
    assert str(other.prefix) in other.shell("module load zip", "command -v zip").stdout


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.unlink()
    file.write_bytes(content)


def _cut(file: Path) -> None:
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content[: len(content) // 2])


DAMAGE = pytest.mark.parametrize(
    ("damage", "kind", "detail"),
    [
        (_flip, "altered", "its SHA-256 is {sha256}"),
        (_cut, "altered", "it has {half} bytes, not {size}"),
        (Path.unlink, "missing", ""),
    ],
    ids=["a flipped bit", "half of it", "missing"],
)


@DAMAGE
def test_a_damaged_source_is_told_before_anything_is_built(far, tmp_path, damage, kind, detail):
    side = _with_a_copy(far, tmp_path)
    (file,) = side.kit.glob(f"sources/**/{TREE}.tgz")
    detail = _damaged(file, damage, detail)
    verified = side(side.stackgen, "mirror", "verify", str(side.kit))
    assert verified.status == 1
    assert verified.stdout.startswith(f"{kind}: {file.relative_to(side.kit)} (")
    outcome = side.build()
    assert outcome.status == 1
    assert outcome.stderr.splitlines()[1:] == [
        f"the mirror {side.kit} does not hold all that is to be built from; {_remedy(side)}:",
        f"  {kind}: tree 2.1.0  source tree-2.1.0.tgz (sha256 {TREE})" + (f": {detail}" if detail else ""),
    ]
    assert not (side.prefix / "store").exists()


@DAMAGE
def test_a_damaged_wheel_is_told_before_anything_is_built(far, tmp_path, damage, kind, detail):
    side = _with_a_copy(far, tmp_path)
    (file,) = side.kit.glob("wheels/*/*/numpy-*.whl")
    detail = _damaged(file, damage, detail)
    verified = side(side.stackgen, "mirror", "verify", str(side.kit))
    assert verified.status == 1
    assert verified.stdout.startswith(f"{kind}: {file.relative_to(side.kit)} (")
    outcome = side.build()
    lacks = f"lacks {file.name} (sha256 {file.parent.name})"
    holds = f"does not hold what the lock names: {file.name} ({detail})"
    said = f"the mirror {side.kit} {holds if 'SHA-256' in detail else lacks}; {_remedy(side)}"
    assert (outcome.status, outcome.stderr.splitlines()[1:]) == (1, [said])
    assert not (side.prefix / "store").exists()


def _damaged(file: Path, damage: Callable[[Path], None], detail: str) -> str:
    """Damage a file, and say of what is left what is expected of others."""
    size = file.stat().st_size
    damage(file)
    sha256 = files.sha256(file) if file.exists() else ""
    return detail.format(sha256=sha256, half=size // 2, size=size)


def _remedy(side: FarSide) -> str:
    command = f"stackgen mirror create ENV.yaml -d {side.kit}"
    whole = f"copy it again, or make it whole with `{command}` where there is a network"
    return f"{whole}, or name another with --mirror"


def test_what_does_not_belong_in_a_kit_is_told(far: FarSide, tmp_path: Path):
    side = _with_a_copy(far, tmp_path)
    (side.kit / "sources/stranger.tar.gz").write_text("who?", encoding="utf-8")
    outcome = side(side.stackgen, "mirror", "verify", str(side.kit))
    assert (outcome.status, outcome.stdout) == (1, "unknown: sources/stranger.tar.gz\n")


def test_another_machine_s_lock_is_refused_with_all_that_differs(near: Desk, far: FarSide):
    text = (ENVIRONMENTS / "systems/debian12.yaml").read_text(encoding="utf-8")
    for ours, theirs in THEIRS.items():
        assert ours in text
        text = text.replace(ours, theirs)
    near.write("systems/elsewhere.yaml", text)
    file = near.write("elsewhere.yaml", ELSEWHERE)
    outcome = near("lock", "elsewhere.yaml")
    assert outcome.status == 0, outcome.stderr
    outcome = dataclasses.replace(far, prefix=far.root / "another/machine").build(file=file)
    assert (outcome.status, outcome.stdout) == (1, "")
    assert outcome.stderr.splitlines()[1:] == [
        "the lock of elsewhere is not for this machine:",
        "  C library: the lock is for glibc 2.41, and this is glibc 2.36; build on a machine of Elsewhere",
        f"  processor: the lock is for power9le, which {targets.host()} cannot run;"
        " build on a machine of Elsewhere",
        *(
            f"  gcc@12.2.0: its compiler for {language} should be /opt/gcc-12/bin/{program}, which is not"
            " there; install it there, or correct `compilers:` of the system's file and lock again"
            for language, program in (("c", "gcc"), ("cxx", "g++"), ("fortran", "gfortran"))
        ),
        "  openmpi@4.1.4: its prefix /opt/openmpi is not there; install it there, or correct `externals:` of"
        " the system's file and lock again",
    ]
    assert not (far.root / "another/machine/store").exists()


def _with_a_copy(far: FarSide, directory: Path) -> FarSide:
    """The same machine with a kit of the test's own, and a prefix where nothing is."""
    shutil.copytree(far.kit, directory / "kit", copy_function=os.link)
    return dataclasses.replace(far, kit=directory / "kit", prefix=directory / "hpai")


def _packages(told: str, how: str = "built in") -> list[str]:
    """The packages that a build says it has built, or has otherwise."""
    return re.findall(rf"^\d+ of \d+: (\S+) {how}", told, re.M)


def _seen(outcome: Outcome) -> set[str]:
    """The modules of ours that `module -t --redirect avail` shows, by their whole names."""
    seen, ours = set(), False
    for line in outcome.stdout.splitlines():
        if line.endswith(":"):
            ours = "/hpai/" in line
        elif ours and not line.endswith("/") and "(@" not in line:
            seen.add(line)
    return seen
