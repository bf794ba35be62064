"""What `doctor` finds: each thing that goes wrong on a login node or in a job, made on the spot."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from small_site import PYTHON, WITH_GPUS, asked, installed, lay, loading, publish, site

from stackgen import files
from stackgen.inside.launcher.description import Site
from stackgen.inside.launcher.doctor import troubles_of
from stackgen.inside.launcher.surroundings import the_loaded_one
from stackgen.inside.launcher.troubles import Trouble, troubles_text
from stackgen.inside.launcher.troubles_gpu import gpu_troubles
from stackgen.inside.launcher.troubles_machine import machine_troubles
from stackgen.plan import Plan

AGAIN = "module unload hpai/tensorflow/2.21.0; module load hpai/tensorflow/2.21.0"


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A site with one release, which is current."""
    found = asked(tmp_path_factory.mktemp("site") / "ai", system=WITH_GPUS)
    for framework in installed(found):
        lay(framework)
    publish(found, installed(found))
    return found


@pytest.fixture
def here(planned: Plan) -> Site:
    return site(planned, installed(planned))


@pytest.fixture
def environ(planned: Plan, tmp_path: Path) -> dict[str, str]:
    """A shell with TensorFlow, and an empty home."""
    (tmp_path / "home").mkdir()
    (framework,) = (one for one in installed(planned) if one.name == "tensorflow")
    return {"HOME": str(tmp_path / "home"), **loading(planned, framework)}


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and this process in the environment of nobody."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for name in os.environ:
        if name.startswith(("PYTHON", "LD_")):
            monkeypatch.delenv(name)
    return tmp_path / "work"


def found(here: Site, environ: Mapping[str, str], name: str = "") -> list[Trouble]:
    """What is found; what this node has of GPUs is left out."""
    told = troubles_of(here, the_loaded_one(here, environ), name, environ)
    return [one for one in told if "GPU" not in one.text]


def only(here: Site, environ: Mapping[str, str], name: str = "") -> Trouble:
    (one,) = found(here, environ, name)
    return one


def test_nothing_is_wrong(here, environ):
    assert found(here, environ) == []
    assert troubles_text([]) == "\nNothing is wrong."


def test_what_is_wrong_comes_first_and_commands_stand_alone():
    told = [
        Trouble("This is as it is.", wrong=False),
        Trouble(
            "A sentence that goes on and on until it does not fit in one line of a terminal.", "unset X\ncd"
        ),
        Trouble("Another."),
    ]
    assert (
        troubles_text(told)
        == """
Wrong:
- A sentence that goes on and on until it does not fit in one line of a
  terminal.
    unset X
    cd
- Another.

Good to know:
- This is as it is.

2 things are wrong."""
    )


def test_nothing_loaded(here):
    bare = {"HOME": "/", "PATH": "/usr/bin:/bin"}
    one = only(here, bare)
    assert one.text.startswith("No framework is loaded: python")
    assert one.remedy == f"module use {here.prefix}/current/modules/Core\nmodule load hpai/pytorch"
    assert only(here, bare, "keras") == Trouble(
        "No framework is loaded, so `import keras` takes whatever your own Python has."
        " hpai/tensorflow/2.21.0 and hpai/tensorflow/2.15.1 have it:",
        "module load hpai/tensorflow/2.21.0",
    )


def over(place: Path, home: str, *, there: bool = True) -> dict[str, str]:
    """A shell with an active virtual environment that was made by a Python in `home`."""
    files.write(place / "pyvenv.cfg", f"home = {home}\ninclude-system-site-packages = true\n")
    (place / "bin").mkdir()
    files.point(place / "bin/python", f"{sys.base_prefix}/bin/python{PYTHON}" if there else "/nowhere/python")
    return {"HOME": "/", "PATH": f"{place}/bin:/usr/bin:/bin", "VIRTUAL_ENV": str(place)}


def test_a_virtual_environment_over_a_framework_needs_no_module(here, tmp_path):
    place = tmp_path / "mine"
    environ = over(place, f"{here.prefix}/pythons/tensorflow-2.21.0/base/bin")
    begin = f"No framework is loaded: python is {place}/bin/python, of your virtual environment"
    told = f"{begin} over hpai/tensorflow/2.21.0; it needs no module."
    assert only(here, environ) == Trouble(told, wrong=False)
    files.write(place / "lib" / f"python{PYTHON}" / "site-packages/mine.py", "")
    text = f"`import mine` takes {place}/lib/python{PYTHON}/site-packages/mine.py in your virtual environment"
    assert only(here, environ, "mine") == Trouble(f"{text} over hpai/tensorflow/2.21.0.", wrong=False)


@pytest.mark.parametrize("there", [True, False])
def test_a_virtual_environment_over_what_the_release_has_no_more(here, tmp_path, there):
    place = tmp_path / "mine"
    environ = over(place, f"{here.prefix}/pythons/tensorflow-1/base/bin", there=there)
    begin = f"No framework is loaded: python is {place}/bin/python, of your virtual environment"
    text = f"{begin}, and the framework that it was made over has been removed:"
    if there:
        text = f"{begin} over a framework of another release. To have it over one of 1:"
    remedy = f"hpai venv {place} --recreate -m pytorch"
    assert only(here, environ) == Trouble(text, remedy, wrong=not there)


# What is started in place of the module's Python.


def test_a_virtual_environment_of_another_python(here, environ, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "mine"], check=True)
    home = Path(sys.executable).resolve().parent
    environ["PATH"] = f"{tmp_path}/mine/bin:{environ['PATH']}"
    (one,) = found(here, environ)
    assert one.text.startswith(
        f"`python` is {tmp_path}/mine/bin/python, of a virtual environment that is not made over"
        " hpai/tensorflow/2.21.0, but over /"
    )
    assert home.name == "bin"
    assert one.remedy == "deactivate"


def test_a_virtual_environment_over_the_module_is_as_it_should_be(here, environ, tmp_path):
    files.write(tmp_path / "mine/pyvenv.cfg", f"home = {here.prefix}/pythons/tensorflow-2.21.0/base/bin\n")
    (tmp_path / "mine/bin").mkdir()
    files.point(tmp_path / "mine/bin/python", sys.executable)
    environ["PATH"] = f"{tmp_path}/mine/bin:{environ['PATH']}"
    assert only(here, environ) == Trouble(
        f"`python` is {tmp_path}/mine/bin/python, of your virtual environment over hpai/tensorflow/2.21.0:"
        " its packages come first.",
        wrong=False,
    )


def test_conda(here, environ, tmp_path):
    (tmp_path / "conda/conda-meta").mkdir(parents=True)
    (tmp_path / "conda/bin").mkdir()
    files.point(tmp_path / "conda/bin/python", sys.executable)
    environ["PATH"] = f"{tmp_path}/conda/bin:{environ['PATH']}"
    assert only(here, environ) == Trouble(
        f"`python` is {tmp_path}/conda/bin/python, which is conda's, and comes before the module in PATH.",
        f"conda deactivate\n{AGAIN}",
    )


def test_a_path_that_has_lost_the_module(here, environ):
    environ["PATH"] = "/usr/bin:/bin"
    assert only(here, environ) == Trouble(
        "PATH no longer has the programs of hpai/tensorflow/2.21.0,"
        f" in {here.prefix}/pythons/tensorflow-2.21.0/bin.",
        AGAIN,
    )


def test_another_python_first(here, environ):
    environ["PATH"] = f"{Path(sys.base_prefix)}/bin:{environ['PATH']}"
    program = next(
        f"{sys.base_prefix}/bin/{name}"
        for name in ("python", "python3")
        if os.access(f"{sys.base_prefix}/bin/{name}", os.X_OK)
    )
    name = Path(program).name
    assert found(here, environ)[0] == Trouble(
        f"`{name}` is {program}, and not that of hpai/tensorflow/2.21.0, which comes later in PATH.", AGAIN
    )


def test_a_function_that_bash_hands_on(here, environ):
    environ["BASH_FUNC_python%%"] = "() { /usr/bin/python3; }"
    assert only(here, environ) == Trouble(
        "`python` is a function of your shell, which hides the program.", "unset -f python"
    )


# What is imported in place of the module's packages.


@pytest.mark.parametrize(
    ("shell", "remedy"),
    [
        ("/bin/bash", "unset PYTHONHOME"),
        ("/bin/tcsh", "unsetenv PYTHONHOME"),
        ("/usr/bin/fish", "set -e PYTHONHOME"),
    ],
)
def test_variables_that_lead_python_astray(here, environ, shell, remedy):
    environ |= {"PYTHONHOME": "/opt/conda", "SHELL": shell}
    text = "PYTHONHOME is /opt/conda, which leads the Python of hpai/tensorflow/2.21.0 astray."
    assert only(here, environ) == Trouble(text, remedy)


def test_a_python_path_that_hides_packages(here, environ, tmp_path):
    files.write(tmp_path / "lib/keras.py", "")
    files.write(tmp_path / "lib/numpy/__init__.py", "")
    files.write(tmp_path / "lib/notes/keras.txt", "")
    environ["PYTHONPATH"] = f"{tmp_path}/lib:/nowhere"
    assert found(here, environ) == [
        Trouble(
            f"PYTHONPATH leads to {tmp_path}/lib, where keras and numpy hide those of"
            " hpai/tensorflow/2.21.0.",
            "unset PYTHONPATH",
        ),
        Trouble(
            "PYTHONPATH leads to /nowhere first; nothing there hides a package of the module.", wrong=False
        ),
    ]


def test_packages_of_the_home_once_the_guard_is_gone(here, environ):
    packages = Path(environ["HOME"], f".local/lib/python{PYTHON}/site-packages")
    files.write(packages / "keras/__init__.py", "")
    assert found(here, environ) == []
    del environ["PYTHONNOUSERSITE"]
    assert only(here, environ) == Trouble(
        f"PYTHONNOUSERSITE is not set any more, and in {packages} keras hides that of"
        " hpai/tensorflow/2.21.0.",
        "export PYTHONNOUSERSITE=1",
    )


def test_a_script_that_is_called_like_a_package(here, environ, work):
    files.write(work / "keras.py", "")
    files.write(work / "numpy/__init__.py", "")
    files.write(work / "yaml/train.py", "")  # without code of its own it gives way
    assert only(here, environ) == Trouble(
        f"Programs that lie in {work}, and `python -c`, import what is there first: keras and numpy hide"
        " those of hpai/tensorflow/2.21.0.",
        f"mv {work}/keras.py {work}/my_keras.py\nmv {work}/numpy {work}/my_numpy",
    )


def test_a_working_directory_that_is_gone(here, environ, work):
    work.rmdir()
    assert only(here, environ) == Trouble("The working directory has been removed.", "cd")


# One import.


def test_an_import_that_comes_from_the_module(here, environ, monkeypatch):
    place = f"{here.prefix}/pythons/tensorflow-2.21.0/lib/python{PYTHON}/site-packages"
    assert only(here, environ, "keras.layers") == Trouble(
        f"`import keras` takes {place}/keras/__init__.py, which is the module's, keras 3.9.0.", wrong=False
    )


@pytest.mark.parametrize(("name", "origin"), [("sys", "built-in"), ("json", "json/__init__.py")])
def test_an_import_of_pythons_own(here, environ, name, origin):
    one = only(here, environ, name)
    assert one.text.endswith(f"{origin}, which is Python's own.")
    assert not one.wrong


def test_an_import_from_the_working_directory_starts_nothing(here, environ, work):
    files.write(work / "keras.py", "raise SystemExit('started')")
    assert found(here, environ, "keras")[0] == Trouble(
        f"`import keras` takes {work}/keras.py: it lies in the working directory;"
        " and not that of hpai/tensorflow/2.21.0."
    )


def test_an_import_by_the_python_path(here, environ, tmp_path, monkeypatch):
    files.write(tmp_path / "lib/keras/__init__.py", "")
    files.write(tmp_path / "lib/mine.py", "")
    environ["PYTHONPATH"] = str(tmp_path / "lib")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))
    assert found(here, environ, "keras")[0] == Trouble(
        f"`import keras` takes {tmp_path}/lib/keras/__init__.py: PYTHONPATH leads there;"
        " and not that of hpai/tensorflow/2.21.0."
    )
    assert found(here, environ, "mine")[0] == Trouble(
        f"`import mine` takes {tmp_path}/lib/mine.py: PYTHONPATH leads there;"
        " hpai/tensorflow/2.21.0 has none itself.",
        wrong=False,
    )


def test_a_python_that_cannot_start(here, environ, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    one = found(here, environ, "keras")[0]
    assert one.text.startswith("The Python of hpai/tensorflow/2.21.0 cannot look for keras: ")
    assert one.wrong


@pytest.mark.parametrize(
    ("name", "text", "remedy"),
    [
        (
            "yaml",
            "hpai/tensorflow/2.21.0 has no yaml. hpai/pytorch/2.13.0 has:",
            "module load hpai/pytorch/2.13.0",
        ),
        ("numyp", "hpai/tensorflow/2.21.0 has no numyp; did you mean numpy?", ""),
        (
            "sklearn",
            "hpai/tensorflow/2.21.0 has no sklearn. Add it in a virtual environment of your own:",
            "hpai venv ~/my\n~/my/bin/pip install sklearn",
        ),
    ],
)
def test_an_import_that_is_not_there(here, environ, name, text, remedy):
    assert only(here, environ, name) == Trouble(text, remedy)


def test_an_import_by_the_name_of_its_package(planned, here):
    (framework,) = (one for one in installed(planned) if one.name == "pytorch")
    told = found(here, {"HOME": "/", **loading(planned, framework)}, "PyYAML")
    assert [one.text.split("takes")[0] for one in told] == [
        "The package pyyaml is imported as yaml.",
        "`import yaml` ",
    ]


def test_an_import_by_the_python_that_comes_first(here, environ, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "mine"], check=True)
    environ["PATH"] = f"{tmp_path}/mine/bin:{environ['PATH']}"
    second = found(here, environ, "keras")[1]
    assert second == Trouble(f"`python`, which is {tmp_path}/mine/bin/python, has no keras.")


# Commands, libraries and settings.


def test_commands_that_are_hidden(here, environ, tmp_path):
    files.write(tmp_path / "bin/tensorboard", "", 0o755)
    environ["PATH"] = f"{tmp_path}/bin:{environ['PATH']}"
    text = f"{tmp_path}/bin comes first in PATH, and hides tensorboard of hpai/tensorflow/2.21.0."
    assert only(here, environ) == Trouble(text, AGAIN)


def test_libraries_of_others(here, environ, tmp_path):
    for name in ("libcudart.so.11.0", "libcudnn.so.8", "libmpi.so.40", "libother.so"):
        files.write(tmp_path / "cuda" / name, "")
    files.write(tmp_path / "mpi/libmpi.so", "")
    files.write(tmp_path / "old/libstdc++.so.6.0.1", "")
    files.point(tmp_path / "old/libstdc++.so.6", "libstdc++.so.6.0.1")
    environ["LD_LIBRARY_PATH"] = f"{tmp_path}/cuda::{tmp_path}/mpi:{tmp_path}/old:/nowhere"
    made = "which {} not what it was made with."
    assert found(here, environ) == [
        Trouble(
            "LD_LIBRARY_PATH has hpai/tensorflow/2.21.0 take libcudart and libcudnn"
            f" from {tmp_path}/cuda, {made.format('are')}",
            "unset LD_LIBRARY_PATH",
        ),
        Trouble(f"LD_LIBRARY_PATH has programs take libmpi from {tmp_path}/mpi.", wrong=False),
        Trouble(
            f"LD_LIBRARY_PATH has hpai/tensorflow/2.21.0 take libstdc++ from {tmp_path}/old,"
            f" {made.format('is')}",
            "unset LD_LIBRARY_PATH",
        ),
    ]


def test_libraries_before_all_others(here, environ, tmp_path):
    files.write(tmp_path / "libfast.so", "")
    environ["LD_PRELOAD"] = f"/nowhere/libgone.so {tmp_path}/libfast.so"
    assert found(here, environ) == [
        Trouble(
            "LD_PRELOAD names /nowhere/libgone.so, which is not there: every program complains of it.",
            "unset LD_PRELOAD",
        ),
        Trouble(f"LD_PRELOAD puts {tmp_path}/libfast.so before the libraries of every program.", wrong=False),
    ]


def test_settings_of_the_users_are_shown_beside_the_modules(here, environ):
    del environ["__HPAI_TENSORFLOW_SET_TF_SOME"]
    environ |= {"TF_SOME": "", "OMP_NUM_THREADS": "4"}
    assert found(here, environ) == [
        Trouble("OMP_NUM_THREADS is 4, set by you; the module would set {threads}.", wrong=False),
        Trouble("TF_SOME is empty, set by you; the module would set 1.", wrong=False),
    ]
    del environ["TF_SOME"], environ["OMP_NUM_THREADS"]
    assert only(here, environ) == Trouble("TF_SOME is not set; the module would set it to 1.", wrong=False)


# Releases.


def test_a_framework_that_has_been_removed(here, environ, planned):
    environ["HPAI_TENSORFLOW_ROOT"] = f"{here.prefix}/pythons/tensorflow-1"
    environ["HPAI_RELEASE"] = f"{here.prefix}/releases/0"
    told = found(here, environ)
    assert told[0] == Trouble(
        f"The directory of hpai/tensorflow/2.21.0, {here.prefix}/pythons/tensorflow-1, has been removed,"
        " with the release 0.",
        "module unload hpai/tensorflow; module load hpai/tensorflow",
    )


def test_another_release_that_is_current_by_now(planned, environ):
    old = asked(Path(planned.prefix), release="0")
    before = site(old, installed(old))
    Path(old.place).mkdir(exist_ok=True)
    environ["HPAI_RELEASE"] = old.place
    assert only(before, environ) == Trouble(
        "The loaded release is 0, and the current one is 1. What runs goes on.",
        "module unload hpai/tensorflow; module load hpai/tensorflow",
        wrong=False,
    )
    Path(old.place).rmdir()
    assert only(before, environ) == Trouble(
        "The release 0, which is loaded, has been removed. The current one is 1.",
        "module unload hpai/tensorflow; module load hpai/tensorflow",
    )


def test_two_at_once(here, environ):
    environ["HPAI_PYTORCH_ROOT"] = f"{here.prefix}/pythons/pytorch-2.13.0"
    assert found(here, environ)[0] == Trouble(
        "hpai/pytorch/2.13.0 and hpai/tensorflow/2.21.0 are loaded at once, and each wants its own Python:"
        " the first in PATH has it.",
        "module unload hpai/pytorch/2.13.0 hpai/tensorflow/2.21.0; module load hpai/pytorch/2.13.0",
    )


def test_a_module_whose_variables_are_gone(here):
    told = found(here, {"HOME": "/", "PATH": "/usr/bin", "LOADEDMODULES": "gcc:hpai/tensorflow/2.21.0"})
    assert told == [
        Trouble(
            "Lmod says that hpai/tensorflow/2.21.0 is loaded, but the variables that it sets"
            " have been taken away.",
            AGAIN,
        )
    ]


def test_a_stack_of_ones_own_whose_base_is_gone(here, environ):
    own = here._replace(extends="/nowhere/releases/7")
    assert only(own, environ) == Trouble(
        f"The release that {here.prefix} stands on, /nowhere/releases/7, has been removed."
        " Build its environment again, on another one."
    )
    assert found(here._replace(extends=f"{here.prefix}/releases/1"), environ) == []


# GPUs and the rest of the node: /dev and /proc of a machine that is laid out here.

VERSION = (
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  {}  Wed Nov 20 00:00:00 UTC 2024\n"
    "GCC version:  gcc version 12.2.0\n"
)
OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {}  Release Build  (root@x)\n"
JOB = {"SLURM_JOB_ID": "7", "SLURM_GPUS_ON_NODE": "2"}


def machine(root: Path, gpus: int = 2, told: str = VERSION, version: str = "550.54.15") -> Path:
    for name in [f"nvidia{number}" for number in range(gpus)] + ["nvidiactl", "nvidia-uvm"]:
        files.write(root / "dev" / name, "")
    files.write(root / "proc/driver/nvidia/version", told.format(version))
    return root


def of_gpus(here: Site, environ: Mapping[str, str], root: Path) -> list[Trouble]:
    return gpu_troubles(here, the_loaded_one(here, environ), environ, str(root))


def test_gpus_that_are_as_they_should_be(here, environ, tmp_path):
    assert of_gpus(here, environ | JOB, machine(tmp_path)) == []
    assert of_gpus(here, environ | JOB | {"CUDA_VISIBLE_DEVICES": "1,0"}, tmp_path) == []
    assert of_gpus(here, environ, machine(tmp_path, told=OPEN)) == []


def test_no_gpus_outside_of_jobs(here, environ, tmp_path):
    assert of_gpus(here, environ, tmp_path) == [
        Trouble(
            "There is no GPU on this node. Jobs on Lab get them:",
            "hpai run -p gpu -g 1 script.py",
            wrong=False,
        )
    ]


def test_a_job_that_has_asked_for_none(here, environ, tmp_path):
    assert of_gpus(here, environ | {"SLURM_JOB_ID": "7"}, tmp_path) == [
        Trouble(
            "The job 7 has asked for no GPU. Ask for one when it is submitted, in a script by the line",
            "#SBATCH --gres=gpu:1",
        )
    ]


def test_a_job_where_there_are_none(here, environ, tmp_path):
    job = {"SLURM_JOB_ID": "7", "SLURM_JOB_PARTITION": "cpu"}
    text = "The job 7 runs in cpu, whose nodes have no GPUs. Others have:"
    told = [Trouble(text, "hpai run -p gpu -g 1 script.py", wrong=False)]
    assert of_gpus(here, environ | job, tmp_path) == told


def test_gpus_of_another_job(here, environ, tmp_path):
    for number in range(2):  # which nobody can open for writing, as what a job has not been given
        (tmp_path / f"dev/nvidia{number}").mkdir(parents=True)
    files.write(tmp_path / "dev/nvidia-uvm", "")
    told = of_gpus(here, environ | {"SLURM_JOB_ID": "7"}, tmp_path)
    assert [one.text.split(". ")[0] for one in told] == [
        "The job 7 has asked for no GPU",
        f"{tmp_path}/dev/nvidia0 may not be opened by you: the GPUs here are not yours, or another job's.",
    ]
    assert of_gpus(here, environ | {"SLURM_JOB_ID": "7"}, machine(tmp_path / "free")) == []


def test_a_node_that_has_lost_its_gpus(here, environ, tmp_path):
    assert of_gpus(here, environ | JOB, tmp_path) == [
        Trouble(
            "The job has asked for GPUs, but this node shows none (/dev/nvidia0). Tell those who run Lab"
            f" the name of this node, {os.uname().nodename}."
        )
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", "CUDA_VISIBLE_DEVICES is empty, which hides all GPUs."),
        ("-1", "CUDA_VISIBLE_DEVICES is -1, which hides all GPUs."),
        ("NoDevFiles", "CUDA_VISIBLE_DEVICES is NoDevFiles, which hides all GPUs."),
        ("2,3", "CUDA_VISIBLE_DEVICES is 2,3, but the GPUs here are 0 to 1."),
    ],
)
def test_gpus_that_a_variable_hides(here, environ, tmp_path, value, text):
    told = of_gpus(here, environ | JOB | {"CUDA_VISIBLE_DEVICES": value}, machine(tmp_path))
    assert told == [Trouble(text, "unset CUDA_VISIBLE_DEVICES")]


@pytest.mark.parametrize("form", [VERSION, OPEN])
def test_a_driver_that_is_too_old(here, environ, tmp_path, form):
    assert of_gpus(here, environ | JOB, machine(tmp_path, told=form, version="470.82.01")) == [
        Trouble(
            "The driver of the GPUs here is 470.82.01, and CUDA 12.8 of hpai/tensorflow/2.21.0"
            " wants 525.60.13 or newer. Tell those who run Lab."
        )
    ]


def test_a_framework_without_gpus(here, planned, tmp_path):
    (framework,) = (one for one in installed(planned) if one.name == "pytorch")
    text = (
        "hpai/pytorch/2.13.0 is built for processors alone, and uses no GPU wherever it runs."
        " hpai/tensorflow/2.21.0 can."
    )
    assert of_gpus(here, loading(planned, framework), tmp_path) == [Trouble(text, wrong=False)]
    assert of_gpus(here, loading(planned, framework), machine(tmp_path)) == [Trouble(text)]


def test_a_home_that_is_not_there(here, environ):
    environ["HOME"] = "/nowhere"
    assert only(here, environ) == Trouble(
        "HOME is /nowhere, which is not there: nothing can be kept, caches of programs included."
    )
    environ["TMPDIR"] = "/nowhere"
    assert found(here, environ)[1] == Trouble(
        "TMPDIR is /nowhere, which is not there: programs that write temporary files fail.", "unset TMPDIR"
    )


def test_a_home_without_room(here, environ, tmp_path):
    home = Path(environ["HOME"])
    if (
        os.getuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "full", home], check=False).returncode
    ):
        pytest.skip("nothing can be mounted here")
    try:
        one = only(here, environ)
    finally:
        subprocess.run(["umount", home], check=True)
    assert one.text == f"{home}, for your home, has 0 MB left: make room."
    assert one.remedy == f"du -xh --max-depth=1 {home} | sort -h | tail"


def test_what_containers_need(here, environ, tmp_path):
    files.write(tmp_path / "proc/sys/user/max_user_namespaces", "0\n")
    one = the_loaded_one(here, environ)
    inside = one._replace(framework=one.framework._replace(image="/x.sqfs"))
    assert machine_troubles(here, inside, environ, str(tmp_path)) == [
        Trouble(
            "/dev/fuse cannot be used, by which images are mounted. Ask those who run Lab for the"
            " module fuse, and mode 0666."
        ),
        Trouble(
            "This machine lets users make no namespaces, which containers need. Ask those who run Lab to set"
            " user.max_user_namespaces."
        ),
    ]
    assert machine_troubles(here, one, environ, str(tmp_path)) == []


# A framework in a container: its commands are programs of the release, here such as start no container.


@pytest.fixture
def contained(planned: Plan, tmp_path: Path) -> tuple[Site, dict[str, str], Path]:
    """A site whose TensorFlow runs in an image, a shell that has it loaded, and its command `python`."""
    image = tmp_path / "image.sqfs"
    image.touch()
    inside = [
        one.model_copy(update={"image": str(image), "prefix": str(image), "source": "container"})
        for one in installed(planned)
        if one.name == "tensorflow"
    ]
    own = asked(tmp_path / "ai")
    publish(own, inside)
    programs = Path(own.place, "containers/tensorflow/bin")
    environ = {"HOME": str(tmp_path), **loading(own, inside[0])}
    environ["PATH"] = f"{programs}:{environ['PATH']}"
    return site(own, inside), environ, programs / "python"


def test_an_import_in_a_container(contained):
    own, environ, python = contained
    files.write(python, f'#!/bin/sh\nexec {sys.base_prefix}/bin/python{PYTHON} "$@"\n', 0o755)
    (one,) = [one for one in found(own, environ, "json") if "json" in one.text]
    assert one.text.endswith("/json/__init__.py, which is Python's own.")


def test_a_container_that_cannot_be_started_says_so_itself(contained):
    own, environ, python = contained
    words = "hpai/tensorflow: /dev/fuse cannot be used, by which images are mounted; ask those who run it"
    files.write(python, f"#!/bin/sh\necho '{words}' >&2\nexit 1\n", 0o755)
    told = found(own, environ, "keras")
    assert told[0] == Trouble(f"The Python of hpai/tensorflow/2.21.0 cannot look for keras: {words}.")


def test_a_container_whose_image_is_gone(contained, tmp_path):
    own, environ, _ = contained
    (tmp_path / "image.sqfs").unlink()
    assert found(own, environ, "keras")[0] == Trouble(
        f"The image of hpai/tensorflow/2.21.0, {tmp_path}/image.sqfs, is gone or cannot be read.",
        "module unload hpai/tensorflow; module load hpai/tensorflow",
    )
