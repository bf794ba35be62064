"""Kernels of a release as files: their names, what Jupyter reads, and how one is started anywhere."""

import json
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from small_jobs import frameworks, planned

from stackgen import files
from stackgen.inside.launcher.deprecation import Deprecation
from stackgen.model import Environment
from stackgen.notebooks import kernel_tree, kernels
from stackgen.notebooks.logo import letters, logo
from stackgen.plan import Plan, plan
from stackgen.release import InstalledFramework
from stackgen.tree import Tree

SLURM = {"kind": "slurm", "partitions": {"batch": {"nodes": "1..4", "cores": 8}}}
PYTHON = '#!/bin/sh\nprintf \'%s\\n\' "$0" "$@"\nexec env\n'
"""Tells how it was started."""


def installed(asked: Plan, **changed: object) -> InstalledFramework:
    (framework,) = frameworks(asked)
    return framework.model_copy(update={"packages": {"ipykernel": "7.4.0"}, **changed})


def tree(site: str = "/site", scheduler: dict[str, object] | None = None, **changed: object) -> Tree:
    asked = planned(scheduler or {"kind": "none"}, site)
    return kernel_tree(asked, (installed(asked, **changed),))


def test_a_kernel_is_what_jupyter_looks_for():
    found = tree()
    place = "share/jupyter/kernels/hpai-tool-1.0"
    assert list(found) == [f"{place}/{name}" for name in ("kernel.json", "logo-svg.svg", "start")] + [
        "share/notebooks/kernel.py"
    ]
    assert found[f"{place}/start"].mode == 0o755
    spec = json.loads(found[f"{place}/kernel.json"].text)
    start = f"/site/releases/1/{place}/start"
    assert spec.pop("argv")[3:] == [start, "-f", "{connection_file}"]
    assert spec == {
        "display_name": "tool 1.0 (hpai 1)",
        "language": "python",
        "interrupt_mode": "signal",
        "metadata": {
            "debugger": True,
            "stackgen": {"module": "hpai/tool/1.0", "release": "1", "start": start},
        },
    }


@pytest.mark.parametrize("changed", [{"packages": {"ipykernell": "1"}}, {"python": ""}])
def test_what_has_no_ipykernel_is_no_kernel(changed: dict[str, object]):
    assert tree(**changed) == Tree()


def test_spacks_ipykernel_is_one_too():
    assert "share/notebooks/kernel.py" in tree(packages={"ipykernel": "6.29.5"}, source="spack")


def test_names_are_those_that_jupyter_takes_and_each_is_one_frameworks():
    asked = planned({"kind": "none"})
    ones = [installed(asked, module="Tool", version=version) for version in ("2.13.0+cpu", "2.13.0-cpu")]
    first, second = kernels(asked, tuple(ones))
    assert first == "hpai-tool-2.13.0-cpu"
    assert second.startswith("hpai-tool-2.13.0-cpu-")


def test_engines_are_there_where_there_are_nodes_to_ask_for():
    engines = {"share/notebooks/engine.py", "share/notebooks/modules/hpai_engines.py"}
    both = {"ipykernel": "7.4.0", "ipyparallel": "9.2.0"}
    assert engines <= set(tree(scheduler=SLURM, packages=both))
    assert not engines & set(tree(packages=both))
    assert not engines & set(tree(scheduler=SLURM))


def started(
    tmp_path: Path, *words: str, settings: dict[str, str] | None = None, **environment: str
) -> list[str]:
    """What the Python of a kernel gets: its words, and then its environment."""
    prefix = tmp_path / "prefix"
    python = prefix / "pythons/tool/bin/python"
    files.write(python, PYTHON, 0o755)
    found = tree(str(prefix), prefix=str(prefix / "pythons/tool"), settings=settings or {})
    files.write_tree(found, prefix / "releases/1")
    spec = json.loads((prefix / "releases/1/share/jupyter/kernels/hpai-tool-1.0/kernel.json").read_text())
    argv = [word.replace("{connection_file}", "/run/kernel.json") for word in spec["argv"]]
    argv[4:4] = words
    done = subprocess.run(
        argv, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, check=False
    )
    assert not done.stderr, done.stderr
    return done.stdout.decode().splitlines()


def of_user(lines: list[str]) -> list[str]:
    """Without what a shell sets by itself."""
    return sorted(line for line in lines if not line.startswith(("PWD=", "SHLVL=", "_=", "OLDPWD=")))


def test_a_kernel_has_what_the_module_sets_and_nothing_of_the_servers_python(tmp_path: Path):
    prefix = tmp_path / "prefix"
    lines = started(
        tmp_path,
        settings={"HEAT": "it's 20 °C; $HOME", "MINE": "1", "EMPTY": "1", "OMP_NUM_THREADS": "{threads}"},
        MINE="2",
        EMPTY="",
        PYTHONPATH="/elsewhere",
        PYTHONHOME="/elsewhere",
        VIRTUAL_ENV="/elsewhere",
        CONDA_PREFIX="/opt/conda",
        JPY_PARENT_PID="7",
    )
    words = [f"{prefix}/pythons/tool/bin/python", "-X", "frozen_modules=off"]
    words += [f"{prefix}/releases/1/share/notebooks/kernel.py", '{"OMP_NUM_THREADS": "{threads}"}']
    assert lines[:7] == [*words, "-f", "/run/kernel.json"]
    assert of_user(lines[7:]) == [
        "EMPTY=",
        "HEAT=it's 20 °C; $HOME",
        f"HPAI_RELEASE={prefix}/releases/1",
        f"HPAI_TOOL_ROOT={prefix}/pythons/tool",
        "JPY_PARENT_PID=7",
        "MINE=2",
        f"PATH={prefix}/pythons/tool/bin:{prefix}/releases/1/bin:/usr/bin:/bin",
        "PYTHONNOUSERSITE=1",
    ]


def test_a_module_that_the_server_has_loaded_is_taken_off(tmp_path: Path):
    prefix = tmp_path / "prefix"
    lines = started(
        tmp_path,
        settings={"HEAT": "own"},
        HPAI_OTHER_ROOT=f"{prefix}/pythons/other",
        HPAI_DATA_ROOT="/data",
        __HPAI_OTHER_SET_HEAT="other's",
        HEAT="other's",
        __HPAI_OTHER_SET_COLD="1",
        COLD="changed by the user",
        PATH=f"{prefix}/pythons/other/bin:/usr/bin:{prefix}/releases/0/containers/x/bin:/bin:/own dir",
    )
    found = of_user(lines[7:])
    assert [line for line in found if line.startswith(("HPAI_", "__HPAI", "HEAT", "COLD"))] == [
        "COLD=changed by the user",
        "HEAT=own",
        "HPAI_DATA_ROOT=/data",
        f"HPAI_RELEASE={prefix}/releases/1",
        f"HPAI_TOOL_ROOT={prefix}/pythons/tool",
    ]
    assert f"PATH={prefix}/pythons/tool/bin:{prefix}/releases/1/bin:/usr/bin:/bin:/own dir" in found


def test_a_virtual_environment_runs_its_own_python(tmp_path: Path):
    own = tmp_path / "my venv"
    files.write(own / "bin/python", PYTHON, 0o755)
    files.write(own / "pyvenv.cfg", "")
    lines = started(tmp_path, "--venv", str(own))
    assert lines[0] == f"{own}/bin/python"
    assert f"VIRTUAL_ENV={own}" in lines
    assert next(line for line in lines if line.startswith("PATH=")).startswith(f"PATH={own}/bin:{tmp_path}")


def told(start: str, *words: str) -> tuple[int, str]:
    """How a kernel that cannot start ends, and what the server's log has of it."""
    argv = json.loads(tree()["share/jupyter/kernels/hpai-tool-1.0/kernel.json"].text)["argv"]
    done = subprocess.run([*argv[:3], start, *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_a_kernel_whose_release_was_removed_says_so_in_one_sentence(tmp_path: Path):
    assert told(str(tmp_path / "start"), "-f", "x.json") == (
        1,
        "the kernel of hpai/tool/1.0 cannot start: its release 1 has been removed, or its disk is not there."
        " Choose another kernel for this notebook.\n",
    )


def test_a_kernel_whose_python_or_virtual_environment_was_removed(tmp_path: Path):
    start = tmp_path / "start"
    files.write(start, tree(prefix=str(tmp_path))["share/jupyter/kernels/hpai-tool-1.0/start"].text, 0o755)
    python = tmp_path / "bin/python"
    message = f"hpai/tool/1.0: its Python {python} is gone; choose another kernel\n"
    assert told(str(start), "-f", "x.json") == (1, message)
    files.write(python, PYTHON, 0o755)
    message = f"hpai/tool/1.0: the virtual environment {tmp_path}/v is gone; choose another kernel\n"
    assert told(str(start), "--venv", f"{tmp_path}/v", "-f", "x.json") == (1, message)


@pytest.mark.parametrize("on", ["2026-01-01", "9999-12-31"])
def test_a_withdrawn_framework_starts_no_kernel_from_its_day_on(tmp_path: Path, on: str):
    left = Deprecation(
        module="hpai/tool", version="1", state="withdrawn", on=on, reason="it's old.", instead="hpai/new"
    )
    bare = planned({"kind": "none"}, "/site")
    asked = replace(bare, deprecations=(left,))
    made = kernel_tree(asked, (installed(asked, prefix=str(tmp_path)),))
    start = tmp_path / "start"
    files.write(start, made["share/jupyter/kernels/hpai-tool-1.0/start"].text, 0o755)
    files.write(tmp_path / "bin/python", "#!/bin/sh\necho started\n", 0o755)
    done = subprocess.run([start, "-f", "x.json"], capture_output=True, text=True, check=False)
    sentence = "hpai/tool/1.0: it was withdrawn on 2026-01-01: it's old. Load hpai/new instead.\n"
    assert (done.stdout, done.stderr) == (("started\n", "") if on > "2999" else ("", sentence))


def test_the_start_is_a_script_of_any_shell(tmp_path: Path):
    script = tmp_path / "start"
    script.write_text(tree()["share/jupyter/kernels/hpai-tool-1.0/start"].text)
    for shell in ("dash -n", "bash --posix -n"):
        subprocess.run([*shlex.split(shell), str(script)], check=True)


def test_logos_are_letters_on_a_colour_of_their_own():
    assert [letters(title) for title in ("TensorFlow", "PyTorch", "JAX", "six", "x", "<>&", "ß-å")] == [
        *("TF", "PT", "JA", "si", "x", "?", "ßå")
    ]
    assert logo("tensorflow", "TensorFlow") == logo("tensorflow", "TensorFlow")
    assert logo("tensorflow", "TensorFlow") != logo("pytorch", "TensorFlow")
    for title in ("TensorFlow", "<script>&"):
        assert ElementTree.fromstring(logo("x", title)).tag.endswith("svg")


def asked(notebooks: object, **frameworks: dict[str, object]) -> Plan:
    values = {"name": "lab", "release": "1", "system": "lab", "prefix": "/site", "frameworks": frameworks}
    return plan(
        Environment.model_validate({**values, "notebooks": notebooks}), planned({"kind": "none"}).system
    )


WHEELS = {"from": "wheels", "version": "newest"}
SPACK = {"from": "spack", "version": "newest"}
IMAGE = {"from": "container", "version": "1", "image": "site/x@sha256:" + 64 * "0"}


def test_notebooks_ask_ipykernel_of_every_framework_with_a_python():
    found = asked(
        "true",
        tool=WHEELS,
        caffe=SPACK,
        pytorch=SPACK,
        other={**SPACK, "python": "3.11"},
        packed={**WHEELS, "image": True},
        boxed={**IMAGE, "python": "3.10"},
        bare=IMAGE,
    )
    assert {one.name: one.requirements for one in found.wheels} == {
        "packed": ("packed", "ipykernel", "pip"),
        "tool": ("tool", "ipykernel", "pip"),
    }
    assert {one.name: one.features for one in found.spack} == {
        "caffe": (),
        "other": ("py-ipykernel",),
        "pytorch": ("py-ipykernel",),
    }
    assert {one.name: one.requirements for one in found.containers} == {
        "bare": (),
        "boxed": ("ipykernel",),
        "packed-container": (),
    }


def test_parallel_notebooks_ask_for_engines_as_well():
    found = asked({"parallel": "true"}, tool=WHEELS, pytorch=SPACK, boxed={**IMAGE, "python": "3.10"})
    assert found.wheels[0].requirements == ("tool", "ipykernel", "ipyparallel", "pip")
    assert found.spack[0].features == ("py-ipykernel", "py-ipyparallel")
    assert found.containers[0].requirements == ("ipykernel", "ipyparallel")


@pytest.mark.parametrize("answer", ["false", "no", None])
def test_without_notebooks_nothing_is_asked(answer: str | None):
    assert asked(answer, tool=WHEELS).wheels[0].requirements == ("tool", "pip")


@pytest.mark.parametrize("answer", ["maybe", "parallel"])
def test_another_answer_is_refused(answer: str):
    with pytest.raises(ValueError, match=f"'{answer}' is no answer"):
        asked(answer, tool=WHEELS)
