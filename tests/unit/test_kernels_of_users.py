"""`kernels` of the launcher: what it tells of notebooks, and what it does to a user's own kernelspecs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_jobs import frameworks, planned

from stackgen import files
from stackgen.inside.launcher.kernelspec import (
    kernelspec_at,
    kernelspecs_of_user,
    venv_kernelspec,
    write_kernelspec,
)
from stackgen.jobs import launcher_tree
from stackgen.notebooks import kernel_tree
from stackgen.run import Outcome

OWN = "hpai-tool-1.0-1"


class Lab:
    """A release with a kernel, and a user."""

    def __init__(self, place: Path, *packages: str, kernel: bool = True, kind: str = "none") -> None:
        self.prefix, self.home = place / "site", place / "home"
        asked = planned({"kind": kind}, str(self.prefix))
        (tool,) = frameworks(asked, str(self.prefix / "pythons/tool"))
        tool = tool.model_copy(
            update={"packages": dict.fromkeys(packages or (["ipykernel"] if kernel else []), "1.0")}
        )
        self.release = self.prefix / "releases/1"
        files.write_tree(launcher_tree(asked, (tool,)) | kernel_tree(asked, (tool,)), self.release)
        self.kernels = self.home / ".local/share/jupyter/kernels"
        self.home.mkdir()

    def __call__(self, *words: str, **environment: str) -> Outcome:
        around = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), **environment}
        done = subprocess.run(
            [self.release / "bin/hpai", "kernels", *words],
            env=around,
            capture_output=True,
            text=True,
            check=False,
        )
        return Outcome(status=done.returncode, stdout=done.stdout, stderr=done.stderr)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_those_of_the_release_are_told_with_how_a_server_shows_them(lab: Lab):
    assert lab().stdout == (
        "Kernels of the release 1:\n"
        "  hpai-tool-1.0  tool 1.0 (hpai 1)\n"
        "\n"
        f"Notebook servers that were started with JUPYTER_PATH={lab.prefix}/current/share/jupyter\n"
        "show them; `hpai kernels add` puts them among yours, for any other server.\n"
    )


def test_engines_are_told_of_where_there_are_nodes_for_them(tmp_path: Path):
    lab = Lab(tmp_path, "ipykernel", "ipyparallel", kind="slurm")
    assert lab().stdout.endswith("`from hpai_engines import Cluster` starts engines on nodes.\n")


def test_a_kernel_of_ones_own_stays_with_its_release(lab: Lab):
    outcome = lab("add", "tool")
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.stdout == (
        f"added {OWN}: tool 1.0 (hpai 1)\nin {lab.kernels}; reload the page of a notebook to choose it\n"
    )
    assert sorted(path.name for path in (lab.kernels / OWN).iterdir()) == ["kernel.json", "logo-svg.svg"]
    ours = lab.release / "share/jupyter/kernels/hpai-tool-1.0/kernel.json"
    assert json.loads((lab.kernels / OWN / "kernel.json").read_text()) == json.loads(ours.read_text())
    assert lab().stdout.endswith(f"\n\nYours, in {lab.kernels}:\n  {OWN}  tool 1.0 (hpai 1)\n")
    assert lab("add").stdout == outcome.stdout


def test_one_whose_release_was_removed_is_told_and_goes(lab: Lab):
    lab("add")
    assert lab("remove").stdout == "nothing to remove: whatever your kernels stand on is there\n"
    shutil.rmtree(lab.release / "share/jupyter")
    assert lab().stdout == (
        "The release 1 has no kernels: no Python in it has ipykernel.\n"
        "\n"
        f"Yours, in {lab.kernels}:\n"
        f"  {OWN}  tool 1.0 (hpai 1)  its release is gone\n"
        "\n"
        "`hpai kernels remove` removes those that cannot start any more.\n"
    )
    assert lab("remove").stdout == f"removed {OWN}\n"
    assert not any(lab.kernels.iterdir())


def test_one_is_removed_by_its_name_and_others_kernels_stay(lab: Lab):
    lab("add")
    foreign = lab.kernels / "ir/kernel.json"
    files.write(foreign, '{"argv": ["R"], "display_name": "R", "language": "R"}')
    assert lab("remove", "ir").stderr == (
        f"hpai: the kernel ir is none of hpai; remove {lab.kernels}/ir yourself\n"
    )
    near = lab("remove", "hpai-tool-1.0")
    assert (near.status, near.stderr) == (
        2,
        f"hpai: there is no kernel hpai-tool-1.0 of yours; did you mean {OWN}?\n",
    )
    assert lab("remove", OWN).stdout == f"removed {OWN}\n"
    assert foreign.exists()


def test_one_of_what_is_withdrawn_is_told_and_not_added(lab: Lab):
    place = lab.release / "share/launcher.json"
    place.chmod(0o644)
    gone = {"module": "hpai/tool", "version": "1", "state": "withdrawn", "on": "2026-01-01"}
    told = json.loads(place.read_text()) | {"deprecations": [gone | {"reason": "old", "instead": "hpai/new"}]}
    place.write_text(json.dumps(told))
    assert "  hpai-tool-1.0  tool 1.0 (hpai 1)  withdrawn\n" in lab().stdout
    why = "hpai: hpai/tool/1.0 was withdrawn on 2026-01-01: old. Load hpai/new instead.\n"
    assert (lab("add").stderr, lab("add", "tool").stderr) == (why, why)


def test_what_is_no_kernel_cannot_be_added(tmp_path: Path):
    lab = Lab(tmp_path, kernel=False)
    assert lab("add", "tool").stderr == (
        "hpai: hpai/tool/1.0 can be no kernel: there is no ipykernel in it; ask those who run Lab for it\n"
    )
    assert lab("add").stderr == (
        "hpai: the release 1 has no kernels; ask those who run Lab for ipykernel in it\n"
    )
    assert lab().stdout == "The release 1 has no kernels: no Python in it has ipykernel.\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ad",), "kernels knows no ad; did you mean add?"),
        (("add", "tol"), "there is no module tol; did you mean tool?"),
        (("add", "tool", "x"), "add takes one name, and x is another word"),
        (("remove", "x"), "there is no kernel x of yours; yours are: none"),
    ],
)
def test_wrong_words_are_told(lab: Lab, words: tuple[str, ...], message: str):
    outcome = lab(*words)
    assert (outcome.status, outcome.stderr) == (2, f"hpai: {message}\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="a full disk of its own needs root")
def test_a_home_without_space_is_one_message_and_leaves_nothing(lab: Lab):
    script = f"""
        mount -t tmpfs -o size=4k,nr_inodes=4 tmpfs {lab.home} && mkdir -p {lab.home}/.local/share &&
        {lab.release}/bin/hpai kernels add; echo "status $?"; find {lab.home} -name '*tool*'
    """
    around = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(lab.home)}
    words = ["unshare", "--mount", "sh", "-c", script]
    done = subprocess.run(words, env=around, capture_output=True, text=True, check=False)
    if "unshare" in done.stderr:
        pytest.skip(done.stderr)
    assert done.stdout == "status 1\n"
    assert done.stderr == (
        f"hpai: cannot write the kernel {lab.kernels}/{OWN}: No space left on device;"
        " make room there, or set JUPYTER_DATA_DIR to another directory\n"
    )


def test_users_kernels_lie_where_jupyter_looks_for_them(tmp_path: Path):
    code = "from jupyter_core.paths import jupyter_data_dir; print(jupyter_data_dir())"
    for own in ({}, {"XDG_DATA_HOME": "/x"}, {"JUPYTER_DATA_DIR": "/y", "XDG_DATA_HOME": "/x"}):
        around = {"HOME": str(tmp_path), **own}
        done = subprocess.run(
            [sys.executable, "-c", code], env=around, capture_output=True, text=True, check=True
        )
        expected = kernelspecs_of_user(around)
        assert expected.replace(str(Path.home()), str(tmp_path)) == f"{done.stdout.strip()}/kernels"


def test_the_kernel_of_a_virtual_environment(lab: Lab, tmp_path: Path):
    base = kernelspec_at(str(lab.release / "share/jupyter/kernels/hpai-tool-1.0"))
    assert base is not None
    spec = venv_kernelspec(base, "/home/me/my venv", "mine (tool 1.0)")
    assert spec["argv"][3:] == [
        f"{lab.release}/share/jupyter/kernels/hpai-tool-1.0/start",
        *("--venv", "/home/me/my venv", "-f", "{connection_file}"),
    ]
    assert spec["display_name"] == "mine (tool 1.0)"
    write_kernelspec(str(tmp_path / "kernels/mine"), spec)
    assert kernelspec_at(str(tmp_path / "kernels/mine")) == spec
