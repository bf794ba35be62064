"""Plain Spack takes what we generate: every file by its own schema, wherever the tree lies, and solves it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from stackgen import files
from stackgen.config import load
from stackgen.environments import environment_tree
from stackgen.host import detect
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan
from stackgen.run import Command, LoggedRunner
from stackgen.spack import SpackHome, spack_command
from stackgen.spack.driver import Host, Solved, Spack, solve

pytestmark = pytest.mark.spack

GOLDEN = Path(__file__).parents[1] / "golden"
SECTIONS = ("concretizer", "config", "mirrors", "modules", "packages", "repos")
SETTINGS = f"import json, spack.config as c; print(json.dumps({{s: c.get(s) for s in {SECTIONS}}}))"

ByHand = Callable[..., str]


@pytest.fixture
def by_hand(spack: SpackHome, run: LoggedRunner, tmp_path: Path) -> ByHand:
    """Runs `spack WORDS` and gives what it prints."""

    def answer(*words: str) -> str:
        scratch = tmp_path / "scratch"
        outcome = run(spack_command(spack, words, scopes=None, scratch=scratch, directory=tmp_path))
        assert outcome.status == 0, outcome.stderr
        return outcome.stdout

    return answer


def written(plan: Plan, directory: Path) -> Path:
    """The tree of a plan, moved after it was written."""
    files.write_tree(environment_tree(plan), directory / "made")
    return Path(shutil.move(directory / "made", directory / "moved")) / "spack"


@pytest.mark.parametrize(
    ("case", "target"), [("spack-cpu", "skylake_avx512"), ("spack-gpu", "power9le")], ids=["cpu", "gpu"]
)
def test_spack_accepts_every_file(case: str, target: str, by_hand: ByHand, tmp_path: Path):
    loaded = load(GOLDEN / case / "in.yaml")
    spack = written(plan(loaded.environment, loaded.system), tmp_path)
    known = json.loads(by_hand("-e", str(spack / "pytorch"), "python", "-c", SETTINGS))
    assert known["packages"]["all"]["require"][0] == f"target={target}"
    assert known["packages"]["gcc"]["externals"][0]["extra_attributes"]["compilers"].keys() == {
        "c",
        "cxx",
        "fortran",
    }
    assert known["concretizer"]["reuse"] is False
    assert known["mirrors"] == {}
    assert known["repos"].keys() == {"builtin", "stackgen"}
    assert known["modules"]["default"]["enable"] == ["lmod"]
    assert known["modules"]["prefix_inspections"]["./bin"] == ["PATH"]
    assert known["config"]["install_tree"]["padded_length"] == 128


@pytest.mark.parametrize(
    ("case", "own"),
    [
        ("spack-cpu", {"mpi": "intel-oneapi-mpi@2021.12.1"}),
        ("spack-gpu", {"cuda": "cuda@11.8.0", "blas": "openblas@0.3.30"}),
    ],
    ids=["cpu", "gpu"],
)
def test_the_toolchains_own_are_the_only_ones(
    case: str, own: dict[str, str], spack: SpackHome, run: LoggedRunner, tmp_path: Path
):
    loaded = load(GOLDEN / case / "in.yaml")
    system = loaded.system
    directory = written(plan(loaded.environment, system), tmp_path) / "toolchain"
    host = Host.of(system)
    (answer,) = solve({"toolchain": directory}, host, Spack(home=spack, run=run, scratch=tmp_path))
    assert isinstance(answer, Solved), answer
    nodes = json.loads(answer.lock_text)["concrete_specs"].values()
    providers = {virtual: set() for virtual in own}
    versions = {node["hash"]: f"{node['name']}@{node['version']}" for node in nodes}
    for edge in (edge for node in nodes for edge in node.get("dependencies", ())):
        used = {*edge["parameters"]["virtuals"], edge["name"]} & own.keys()
        for virtual in used:
            providers[virtual].add(versions[edge["hash"]])
    assert providers == {virtual: {spec} for virtual, spec in own.items()}
    built_for_gpus = [node["parameters"] for node in nodes if node["parameters"].get("cuda")]
    assert [parameters["cuda_arch"] for parameters in built_for_gpus] == [["70"]] * len(built_for_gpus)
    assert bool(built_for_gpus) == bool(system.accelerators)


def here(run: LoggedRunner) -> System:
    """This machine with its GCC alone, however little else it has."""
    asked = Command(argv=("gcc", "-dumpfullversion"), environment={"PATH": "/usr/bin"}, directory=Path("/"))
    compiler = {"spec": f"gcc@{run(asked).stdout.strip()}", "prefix": "/usr"}
    return System.model_validate({**detect().model_dump(by_alias=True), "compilers": [compiler]})


def test_our_recipe_is_sound_and_solved_by_hand(by_hand: ByHand, run: LoggedRunner, tmp_path: Path):
    system = here(run)
    wanted = Environment.model_validate(
        {
            "name": "here",
            "release": "1",
            "system": "this",
            "prefix": str(tmp_path / "prefix"),
            "frameworks": {"h2o": {"from": "spack", "version": "newest"}},
        }
    )
    environment = str(written(plan(wanted, system), tmp_path) / "h2o")
    assert "failed" not in by_hand("-e", environment, "audit", "packages", "py-h2o")
    by_hand("-e", environment, "concretize")
    lock = json.loads((Path(environment) / "spack.lock").read_text())
    nodes = {node["name"]: node for node in lock["concrete_specs"].values()}
    assert nodes["py-h2o"]["namespace"] == "stackgen"
    assert nodes["python"]["namespace"] == "builtin"
    assert {node["version"] for node in lock["concrete_specs"].values() if node["name"] == "gcc"} == {
        system.compilers[0].spec.partition("@")[2]
    }
    targets = {node["arch"]["target"] for node in nodes.values() if isinstance(node["arch"]["target"], str)}
    assert targets <= {system.target}
