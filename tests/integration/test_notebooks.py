"""Notebooks by a real server: each framework's kernel, whatever surrounds it, and engines on nodes."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import Cluster
from desk import Desk
from imagehouse import base_of_here
from images import why_not as why_no_containers
from notebook_lab import Lab, PackedLab, small_cluster
from notebook_server import Server, serving
from uv import find_uv_bin

from stackgen import files, host
from stackgen.containers import container_tree
from stackgen.inside.launcher.kernelspec import kernelspec_at, venv_kernelspec, write_kernelspec
from stackgen.notebooks import kernel_tree
from stackgen.progress import Silent
from stackgen.release import Report, installed
from stackgen.run import Command, LoggedRunner
from stackgen.site import Site

pytestmark = pytest.mark.network

TOLD = (
    "import os, sys, {0}; print(sys.executable, {0}.__file__, os.environ.get('HEAT'), os.environ.get('MINE'))"
)


@pytest.fixture(scope="module")
def lab(index: Site, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    desk = Desk(tmp_path_factory.mktemp("lab"))
    desk.write("systems/cluster.yaml", small_cluster())
    made = Lab(desk)
    made.publish("1")
    return made


@pytest.fixture(scope="module")
def hostile(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a server may have around it that was made for another Python."""
    place = tmp_path_factory.mktemp("hostile")
    for name in ("tomli", "pluggy", "ipykernel_launcher"):
        (place / f"{name}.py").write_text("raise ImportError('led astray')\n")
    conda = {"CONDA_PREFIX": "/opt/conda", "CONDA_DEFAULT_ENV": "base", "CONDA_SHLVL": "1"}
    loaded = {"HPAI_PLUGGY_ROOT": lab.framework("pluggy"), "__HPAI_PLUGGY_SET_HEAT": "cold", "HEAT": "cold"}
    path = f"{lab.framework('pluggy')}/bin:{os.environ['PATH']}"
    python = {"PYTHONHOME": sys.base_prefix, "PYTHONPATH": str(place), "VIRTUAL_ENV": "/elsewhere"}
    return {**python, **conda, **loaded, "PATH": path, "MINE": "mine"}


@pytest.fixture(scope="module")
def server(lab: Lab, hostile: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("server")
    local = directory / f"home/.local/lib/python{host.detect().pythons[0].version}/site-packages"
    files.write(local / "tomli.py", "raise ImportError('led astray')\n")
    with serving(directory, lab.kernels, hostile) as running:
        yield running


def test_the_server_offers_every_framework_with_its_logo(server: Server):
    named = server.kernels()
    assert {name: named[name] for name in named if name.startswith("hpai")} == {
        "hpai-pluggy-1.6.0": "pluggy 1.6.0 (hpai 1)",
        "hpai-tomli-2.2.1": "tomli 2.2.1 (hpai 1)",
    }
    assert server.ask("GET", "kernelspecs/hpai-tomli-2.2.1/logo-svg.svg").startswith(b"<svg ")


def test_a_release_is_published_with_kernels_that_run_alone(lab: Lab):
    report = Report.model_validate_json((lab.release / "report.json").read_bytes())
    found = {
        check.framework: (check.passed, check.detail) for check in report.checks if check.name == "kernel"
    }
    assert found == {"pluggy": (True, "hpai-pluggy-1.6.0"), "tomli": (True, "hpai-tomli-2.2.1")}
    program = lab.release / "share/notebooks/kernel.py"
    text = program.read_text()
    program.chmod(0o644)
    program.write_text("raise SystemExit('broken')")
    try:
        outcome = lab.desk("test", "lab.yaml")
    finally:
        program.write_text(text)
    assert outcome.status == 1
    failed = [line for line in outcome.stderr.splitlines() if line.startswith("failed: ")]
    why = "kernel: the kernel ended as soon as it was started"
    assert failed == [f"failed: pluggy: {why}", f"failed: tomli: {why}"]


def test_a_notebook_runs_in_its_frameworks_own_python(lab: Lab, server: Server):
    python = lab.framework("tomli")
    with server.notebook("hpai-tomli-2.2.1") as notebook:
        program, file, heat, mine = notebook.run(TOLD.format("tomli")).split()
        path = notebook.run("print(*[path for path in sys.path if path])").split()
        assert notebook.run("import hpai_engines, os; print(os.path.dirname(hpai_engines.RELEASE))") == (
            f"{lab.prefix}/releases\n"
        )
    assert (program, heat, mine) == (f"{python}/bin/python", "warm", "mine")
    assert Path(file).is_relative_to(python)
    assert all(Path(place).is_relative_to(python) for place in path)
    assert not list(lab.prefix.glob("releases/**/__pycache__"))
    with server.notebook("hpai-pluggy-1.6.0") as notebook:
        program, _, heat, _ = notebook.run(TOLD.format("pluggy")).split()
    assert (program, heat) == (f"{lab.framework('pluggy')}/bin/python", "cold")


def test_a_cell_is_interrupted_and_the_kernel_goes_on(server: Server):
    with server.notebook("hpai-tomli-2.2.1") as notebook:
        notebook.run("import time; kept = 7")
        cell = notebook.client.execute("print('begun', flush=True); time.sleep(600)")
        time.sleep(1)
        server.ask("POST", f"api/kernels/{notebook.identifier}/interrupt")
        assert notebook.finished(cell).splitlines() == ["begun", "KeyboardInterrupt: "]
        assert notebook.run("print(kept)") == "7\n"


def test_a_notebook_goes_on_while_another_release_is_published(lab: Lab, server: Server):
    with server.notebook("hpai-tomli-2.2.1") as notebook:
        notebook.run("import os; kept = 7")
        lab.publish("2")
        assert notebook.run("import tomli._parser; print(kept, os.environ['HPAI_RELEASE'])") == (
            f"7 {lab.prefix}/releases/1\n"
        )
        assert server.kernels()["hpai-tomli-2.2.1"] == "tomli 2.2.1 (hpai 2)"
    with server.notebook("hpai-tomli-2.2.1") as notebook:
        assert notebook.run("import os; print(os.environ['HPAI_RELEASE'])") == f"{lab.prefix}/releases/2\n"


def test_a_kernel_of_ones_own_whose_release_was_removed(lab: Lab, server: Server):
    home = str(server.runtime.parents[3])
    release = lab.release
    added = lab.desk("kernels", "add", "tomli", command=("env", f"HOME={home}", str(release / "bin/hpai")))
    assert added.status == 0, added.stderr
    own = f"hpai-tomli-2.2.1-{release.name}"
    with server.notebook(own) as notebook:
        assert notebook.run("import tomli; print(tomli.__name__)") == "tomli\n"
    release.rename(release.with_name("away"))
    try:
        with pytest.raises(TimeoutError), server.notebook(own, patience=5):
            pass
    finally:
        release.with_name("away").rename(release)
    message = f"the kernel of hpai/tomli/2.2.1 cannot start: its release {release.name} has been removed,"
    message += " or its disk is not there. Choose another kernel for this notebook.\n"
    assert message in server.log.read_text()


def test_the_kernel_of_a_virtual_environment_over_a_framework(lab: Lab, server: Server, tmp_path: Path):
    own = tmp_path / "my venv"
    words = ("-m", "venv", "--system-site-packages", "--without-pip", str(own))
    made = lab.desk(*words, command=(f"{lab.framework('tomli')}/bin/python",))
    assert made.status == 0, made.stderr
    base = kernelspec_at(str(lab.prefix / "current/share/jupyter/kernels/hpai-tomli-2.2.1"))
    assert base
    place = server.runtime.parent / "kernels/mine"
    write_kernelspec(str(place), venv_kernelspec(base, str(own), "mine"))
    with server.notebook("mine") as notebook:
        told = notebook.run(
            "import os, sys, tomli; print(sys.executable, os.environ['HEAT'], tomli.__file__)"
        )
        assert told.split(" warm ")[0] == f"{own}/bin/python"
        assert told.split()[-1].startswith(lab.framework("tomli"))


ENGINES = """\
import os
os.environ["PYTHONPATH"] = {mpi!r}  # of the user's own
from hpai_engines import Cluster
cluster = Cluster({asked}, log_level=40)
engines = cluster.start_and_connect_sync(activate=True)
"""
REDUCED = """\
%%px --no-stream
import os, socket, sys
from mpi4py import MPI
world = MPI.COMM_WORLD
print(world.rank, world.size, os.environ["RANK"], socket.gethostname(), "OMP_NUM_THREADS" in os.environ, \
    sys.prefix, world.allreduce(world.rank + 1))
"""


@pytest.fixture(scope="module")
def mpi(index: Site, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A user's own mpi4py, which takes the MPI of this machine."""
    place = tmp_path_factory.mktemp("mpi")
    words = (find_uv_bin(), "pip", "install", "--quiet", "--target", str(place), "mpi4py")
    LoggedRunner(Silent())(Command(argv=words, environment=dict(os.environ), directory=place))
    assert (place / "mpi4py").exists()
    return str(place)


@pytest.fixture(scope="module")
def on_cluster(lab: Lab, slurm: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on the login node."""
    with serving(tmp_path_factory.mktemp("login"), lab.kernels, slurm.environment) as running:
        yield running


def test_engines_are_ranks_on_nodes_that_reduce_over_mpi(
    lab: Lab, slurm: Cluster, on_cluster: Server, mpi: str
):
    with on_cluster.notebook("hpai-tomli-2.2.1") as notebook:
        notebook.run(ENGINES.format(mpi=mpi, asked="n=2, nodes=2"), 300)
        told = notebook.run(REDUCED, 120)
        place = lab.framework("tomli")
        assert [line for line in told.splitlines() if line[:1].isdigit()] == [
            f"0 2 0 n1 True {place} 3",
            f"1 2 1 n2 True {place} 3",
        ]
        assert notebook.run("cluster.stop_cluster_sync()", 120).strip() == ""
    slurm.ready()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("n=3, nodes=2", "3 engines cannot be shared evenly by 2 nodes; choose another n= or nodes="),
        ("partition='batsh'", "hpai: there is no partition batsh; did you mean batch?"),
        ("nodes=5", "hpai: batch takes jobs of 1 to 4 nodes, and 5 were asked for"),
        ("time='2'", "hpai: batch ends jobs after 01:00:00, and 02:00:00 was asked for"),
    ],
)
def test_engines_that_cannot_be_are_refused_at_once(on_cluster: Server, asked: str, message: str):
    with on_cluster.notebook("hpai-tomli-2.2.1") as notebook:
        told = notebook.run(ENGINES.format(mpi="", asked=asked))
    assert told.strip() == f"EnginesError: {message}"


@pytest.fixture(scope="module")
def packed(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release with the image, as `build` makes it."""
    if reason := why_no_containers():
        pytest.skip(f"no containers: {reason}")
    made = PackedLab(tmp_path_factory.mktemp("packed"), lab=lab)
    shutil.copytree(lab.prefix / "mirror", made.house.mirror.root)
    base_of_here(made.root / "base", ("sleep", "rm", "rmdir"))  # the container is held by these
    asked, lock = made.locked()
    made.build()
    tree = kernel_tree(asked, installed(asked, lock)) | container_tree(asked, lock, {})
    files.write_tree(tree, Path(asked.place))
    return Path(asked.place)


def test_a_notebook_runs_in_a_container(packed: Path, tmp_path: Path):
    with (
        serving(tmp_path / "server", packed / "share/jupyter") as server,
        server.notebook("hpai-tomli-container-2.2.1") as notebook,
    ):
        assert server.kernels()["hpai-tomli-container-2.2.1"] == "tomli 2.2.1 (hpai 1, container)"
        code = "import os, sys, tomli; print(sys.prefix, os.path.exists('/.stackgen'))"
        prefix, inside = notebook.run(code).split()
        assert (inside, Path(prefix).name.partition("-")[0]) == ("True", "tomli")
        cell = notebook.client.execute("import time; print('begun', flush=True); time.sleep(600)")
        time.sleep(1)
        server.ask("POST", f"api/kernels/{notebook.identifier}/interrupt")
        assert notebook.finished(cell).splitlines() == ["begun", "KeyboardInterrupt: "]


def test_a_container_that_does_not_see_the_servers_directory_says_so(packed: Path, tmp_path: Path):
    spec = kernelspec_at(str(packed / "share/jupyter/kernels/hpai-tomli-container-2.2.1"))
    assert spec
    words = tuple(word.replace("{connection_file}", "/var/nowhere/kernel.json") for word in spec["argv"])
    around = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "USER": "root"}
    outcome = LoggedRunner(Silent())(Command(argv=words, environment=around, directory=tmp_path, timeout=60))
    assert outcome.status == 1
    assert outcome.stderr.splitlines()[-1] == (
        "the notebook server's directory /var/nowhere is not seen here;"
        " start it with JUPYTER_RUNTIME_DIR set to one that is"
    )
