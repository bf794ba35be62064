"""`stackgen explain`: where each value comes from, and what it overrides."""

import json

import pytest
from desk import Desk

SYSTEM = """\
name: Grid
os: rhel8
glibc: 2.28
target: zen3
externals:
  - {spec: openmpi@4.1.6, prefix: /opt/openmpi}
pythons:
  - {version: 3.11, prefix: /usr}
settings:
  OMP_NUM_THREADS: 4
  TF_ENABLE_ONEDNN_OPTS: 0
"""
COMMON = """\
modules:
  namespace: ai
frameworks:
  tensorflow:
    settings: {TF_X: common, NOTE: "{{a}}"}
"""
ENVIRONMENT = """\
include: common.yaml
name: grid
release: 1
system: grid
prefix: /opt/hpai
frameworks:
  tensorflow:
    version: 2.20.0
    from: wheels
    features: [onednn, mpi4py]
    settings:
      TF_ENABLE_ONEDNN_OPTS: 2
  keras: {version: newest, from: wheels, python: 3.11, package: keras-nightly}
"""


@pytest.fixture
def grid(desk: Desk) -> Desk:
    (desk.directory / "systems").mkdir()
    desk.write("systems/grid.yaml", SYSTEM)
    desk.write("common.yaml", COMMON)
    desk.write("grid.yaml", ENVIRONMENT)
    return desk


def test_the_whole_environment(grid: Desk):
    outcome = grid("explain", "grid.yaml")
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.stdout == (
        """\
environment
  release                 1               of the environment, grid.yaml:3:1
  prefix                  /opt/hpai       of the environment, grid.yaml:5:1
  namespace               ai              of the environment, common.yaml:2:3
  mpi                     openmpi@4.1.6   of the system, systems/grid.yaml:6:6

keras
  from                    wheels          of the environment, grid.yaml:13:28
  version                 newest          of the environment, grid.yaml:13:11
  python                  3.11            of the environment, grid.yaml:13:42
  package                 keras-nightly   of the environment, grid.yaml:13:56
  import                  keras           stackgen knows it
  OMP_NUM_THREADS         4               of the system, systems/grid.yaml:10:3
  TF_ENABLE_ONEDNN_OPTS   0               of the system, systems/grid.yaml:11:3

tensorflow
  from                    wheels          of the environment, grid.yaml:9:5
  version                 2.20.0          of the environment, grid.yaml:8:5
  python                  3.11            of the system, systems/grid.yaml:8:6
  package                 tensorflow-cpu  stackgen knows it
  import                  tensorflow      stackgen knows it
  mpi4py                  mpi4py>=4,<5    of the feature mpi4py, grid.yaml:10:24
  NOTE                    {a}             of the framework, common.yaml:5:30
  OMP_NUM_THREADS         4               of the system, systems/grid.yaml:10:3
    instead of            {threads}       of the feature mpi4py, grid.yaml:10:24
  TF_ENABLE_ONEDNN_OPTS   2               of the framework, grid.yaml:12:7
    instead of            0               of the system, systems/grid.yaml:11:3
    instead of            1               of the feature onednn, grid.yaml:10:16
  TF_NUM_INTRAOP_THREADS  {threads}       of the feature mpi4py, grid.yaml:10:24
  TF_X                    common          of the framework, common.yaml:5:16

{threads} stands for the cores of a rank in a job; elsewhere it is not set
"""
    )


def test_one_variable(grid: Desk):
    assert grid("explain", "grid.yaml", "tensorflow", "OMP_NUM_THREADS").stdout == (
        "tensorflow\n"
        "  OMP_NUM_THREADS  4          of the system, systems/grid.yaml:10:3\n"
        "    instead of     {threads}  of the feature mpi4py, grid.yaml:10:24\n"
        "\n{threads} stands for the cores of a rank in a job; elsewhere it is not set\n"
    )


@pytest.mark.parametrize(("version", "seen"), [("2.15.1", ", tested with 2.15.1"), ("2.15", "")])
def test_what_is_built_for_a_feature(grid: Desk, version: str, seen: str):
    text = ENVIRONMENT.replace("2.20.0", version).replace("mpi4py]", "horovod]")
    grid.write("grid.yaml", text)
    assert grid("explain", "grid.yaml", "tensorflow", "horovod").stdout == (
        f"tensorflow\n  horovod  horovod==0.28.1{seen}  of the feature horovod, grid.yaml:10:24\n"
    )


def test_an_image_and_what_spack_builds(grid: Desk):
    image = f"registry.example/jax@sha256:{'0' * 64}"
    text = ENVIRONMENT.partition("  tensorflow:")[0].replace("include: common.yaml\n", "")
    text += f"  jax: {{version: 0.7, from: container, image: {image}}}\n"
    text += "  caffe: {version: 1.0, from: spack, python: 3.11, spec: caffe ~cuda}\n"
    grid.write("grid.yaml", text)
    assert grid("explain", "grid.yaml", "jax", "image").stdout == (
        f"jax\n  image  {image}  of the environment, grid.yaml:6:40\n"
    )
    assert grid("explain", "grid.yaml", "caffe", "spec").stdout == (
        "caffe\n  spec  caffe@1.0 ~cuda ^python@3.11  of the environment, grid.yaml:7:52\n"
    )


def test_a_packed_framework_and_what_it_stands_on(grid: Desk):
    packed = "    from: wheels\n    image: true\n"
    grid.write("grid.yaml", ENVIRONMENT.replace("    from: wheels\n", packed, 1))
    (told,) = [line.split() for line in grid("explain", "grid.yaml").stdout.splitlines() if " base " in line]
    assert told == ["base", "debian:12", "stackgen's", "default"]
    told = grid("explain", "grid.yaml", "tensorflow-container", "image").stdout
    assert told == "tensorflow-container\n  image  of tensorflow  of the environment, grid.yaml:10:5\n"


def test_for_machines(grid: Desk):
    outcome = grid("explain", "grid.yaml", "tensorflow", "OMP_NUM_THREADS", "--json")
    here = {"file": "systems/grid.yaml", "line": 10, "column": 3}
    feature = {"file": "grid.yaml", "line": 10, "column": 24}
    assert json.loads(outcome.stdout) == {
        "environment": [],
        "frameworks": {
            "tensorflow": [
                {
                    "what": "OMP_NUM_THREADS",
                    "value": "4",
                    "origin": "of the system",
                    **here,
                    "instead_of": [{"value": "{threads}", "origin": "of the feature mpi4py", **feature}],
                }
            ]
        },
    }


def test_this_machine_has_no_file(desk: Desk):
    desk.small()
    lines = desk("explain", "small.yaml", "six", "python").stdout.splitlines()
    assert lines[1].endswith("  of this machine")


def test_an_option_stands_in_for_the_file(grid: Desk):
    first = grid("explain", "grid.yaml", "--prefix", "/elsewhere").stdout.splitlines()[2]
    assert first == "  prefix                  /elsewhere      of the environment, --prefix"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("tensorflw",), "the environment has no framework tensorflw; did you mean tensorflow?"),
        (("jax",), "the environment has no framework jax; it has keras, tensorflow"),
        (("keras", "pyton"), "nobody says anything of pyton for keras; did you mean python?"),
        (
            ("keras", "NCCL_DEBUG"),
            "nobody says anything of NCCL_DEBUG for keras; there are from, version, python, package, import, "
            "OMP_NUM_THREADS, TF_ENABLE_ONEDNN_OPTS",
        ),
    ],
)
def test_what_is_not_there(grid: Desk, words: tuple[str, ...], message: str):
    outcome = grid("explain", "grid.yaml", *words)
    assert (outcome.status, outcome.stdout, outcome.stderr) == (2, "", f"{message}\n")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "TF_X: '{x}'",
            "grid.yaml:12:13: frameworks.tensorflow.settings.TF_X: '{x}': {x} is no placeholder; "
            "write {threads}, or {{ and }} for braces",
        ),
        (
            "TF_X: 'a}'",
            "grid.yaml:12:13: frameworks.tensorflow.settings.TF_X: 'a}': a brace stands alone; "
            "write {threads}, or {{ and }} for braces",
        ),
        (
            "LD_LIBRARY_PATH: /x",
            "grid.yaml:12:7: frameworks.tensorflow.settings.LD_LIBRARY_PATH: LD_LIBRARY_PATH is set by the "
            "modules themselves; leave it out",
        ),
    ],
)
def test_settings_that_cannot_be(grid: Desk, setting: str, message: str):
    grid.write("grid.yaml", ENVIRONMENT.replace("TF_ENABLE_ONEDNN_OPTS: 2", setting))
    outcome = grid("explain", "grid.yaml")
    assert (outcome.status, outcome.stdout, outcome.stderr) == (2, "", f"{message}\n")
