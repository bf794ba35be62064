"""Versions that users should leave, in real Lmod: what they read, and what is refused."""

import contextlib
import subprocess
import time
from pathlib import Path

import lmod
import pytest

from stackgen.files import write_tree
from stackgen.model import Environment, System
from stackgen.modules import module_tree
from stackgen.plan import Plan, plan
from stackgen.publish.publication import publication
from stackgen.release import InstalledFramework
from stackgen.tree import Tree

HOSTILE = """it's "old" <script>alert(1)</script> ]] --[==[ $HOME `id` %d %{x} \\n! & \\"""
LATER, EARLIER = "2999-12-01", "2020-06-01"
START = f"{lmod.ROOT}/init/bash"
SHELLS = pytest.mark.parametrize("name", lmod.SHELLS)
INSTEAD = "Load hpai/tensorflow/2.21 instead."
OLD, NEW = "hpai/tensorflow/2.12.0", "hpai/tensorflow/2.21.0"


def said(state: str, on: str = EARLIER, instead: str = "tensorflow/2.21", reason: str = "CVE-1.") -> dict:
    return {"state": state, "on": on, "reason": reason, "instead": instead}


def planned(deprecations: dict, versions=("2.12.0", "2.21.0"), release: str = "1", **modules) -> Plan:
    frameworks = {
        f"tensorflow{number}": {"from": "wheels", "version": version, "module": "tensorflow"}
        for number, version in enumerate(versions)
    }
    environment = {"name": "lab", "release": release, "system": "node", "prefix": "/dss/hpai"}
    environment |= {"frameworks": frameworks, "deprecations": deprecations, "modules": modules}
    facts = {"name": "node", "os": "debian12", "glibc": "2.36", "target": "x86_64_v3"}
    pythons = [{"version": "3.11", "prefix": "/usr"}]
    return plan(Environment.model_validate(environment), System.model_validate({**facts, "pythons": pythons}))


def installed(asked: Plan) -> tuple[InstalledFramework, ...]:
    return tuple(
        InstalledFramework(
            name=one.name,
            module="tensorflow",
            version=one.about.version,
            prefix=f"/dss/hpai/pythons/{one.name}",
            python="3.11",
            packages={},
            settings={"KMP_BLOCKTIME": "0"},
        )
        for one in asked.frameworks
    )


def modules(asked: Plan):
    return module_tree(asked, installed(asked))


def written(asked: Plan, place: Path) -> Path:
    write_tree(modules(asked), place)
    return place / "modules/Core"


@pytest.fixture
def bash(tmp_path):
    """Run lines in bash over an environment's modules; the result is a Session."""

    def run(asked: Plan, *lines: str, **given: str):
        core = written(asked, tmp_path / "release")
        return lmod.session(lmod.shell("bash"), core, lines, given, tmp_path)

    return run


@pytest.fixture
def small_disk(tmp_path):
    """A directory that takes no byte more; by a mount of its own, or the test is skipped."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place), check=False)
    if mounted.returncode:
        pytest.skip("mounting needs root")
    with (place / "fill").open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while stream.write(b"x" * 4096):
            pass
    yield place
    subprocess.run(("umount", place), check=True)


def lines_of(session: lmod.Session) -> str:
    return " ".join(session.output.split())


@SHELLS
def test_a_deprecated_version_says_so_once_a_day(name, tmp_path):
    asked = planned({"tensorflow/2.12.0": said("deprecated", LATER, reason="Keras 2 ends.")})
    core = written(asked, tmp_path / "release")
    shell = lmod.shell(name)
    load = ["module load hpai/tensorflow/2.12", "note loaded", "module purge", "note purged"]
    session = lmod.session(
        shell, core, ["note before", *load, "module load hpai/tensorflow/2.12.0"], {}, tmp_path
    )
    told = f"{OLD} is deprecated and will be withdrawn on {LATER}: Keras 2 ends. {INSTEAD}"
    assert lines_of(session) == told
    assert session.noted["loaded"]["HPAI_TENSORFLOW_ROOT"] == "/dss/hpai/pythons/tensorflow0"
    assert session.noted["purged"] == session.noted["before"]
    stamp = tmp_path / ".local/state/hpai/told/tensorflow-2.12.0.shell"
    assert stamp.read_text() == time.strftime("%Y-%m-%d\n")


def test_on_the_next_day_it_says_so_again_and_in_jobs_by_themselves(bash, tmp_path):
    asked = planned({"tensorflow/2.12.0": said("deprecated")})
    stamp = tmp_path / ".local/state/hpai/told/tensorflow-2.12.0.shell"
    stamp.parent.mkdir(parents=True)
    stamp.write_text("2026-01-01\n")
    session = bash(
        asked,
        f"module load {OLD}; module purge",
        f"SLURM_JOB_ID=7 SLURM_PROCID=3 bash -c '. {START}; module load {OLD}; echo rank'",
        f"SLURM_JOB_ID=7 SLURM_PROCID=0 bash -c '. {START}; module load {OLD}; echo job'",
        f"SLURM_JOB_ID=7 SLURM_PROCID=0 bash -c '. {START}; module load {OLD}; echo again'",
    )
    told = f"{OLD} is deprecated and may be withdrawn any day: CVE-1. {INSTEAD}"
    assert lines_of(session).replace(told, "TOLD") == "rank job again TOLD TOLD"


@pytest.mark.parametrize("home", ["", "/proc/nowhere", "relative", "/dev/full", "/dev/null"])
def test_a_home_that_takes_no_stamp_is_no_error(bash, home):
    asked = planned({"tensorflow/2.12.0": said("deprecated")})
    session = bash(
        asked, f"module load {OLD} && echo fine", f"bash -c '. {START}; module load {OLD}'", HOME=home
    )
    # Lmod loads it a second time, after unloading it.
    told = f"{OLD} is deprecated and may be withdrawn any day: CVE-1. {INSTEAD}"
    assert lines_of(session) == f"fine {told} {told}"


def test_a_full_home_is_no_error(bash, small_disk):
    asked = planned({"tensorflow/2.12.0": said("deprecated")})
    session = bash(asked, f"module load {OLD} && echo fine", HOME=str(small_disk))
    assert lines_of(session) == f"fine {OLD} is deprecated and may be withdrawn any day: CVE-1. {INSTEAD}"


@SHELLS
def test_a_withdrawn_version_says_what_to_load_instead(name, tmp_path):
    asked = planned({"tensorflow/2.12": said("withdrawn", reason=HOSTILE)})
    core = written(asked, tmp_path / "release")
    session = lmod.session(
        lmod.shell(name),
        core,
        [
            "note before",
            "module load hpai/tensorflow/2.12",
            "note after",
            "module load hpai/tensorflow",
            "note default",
        ],
        {},
        tmp_path,
    )
    told = f"{OLD} was withdrawn on {EARLIER}: {' '.join(HOSTILE.split())}. {INSTEAD}"
    assert told in lines_of(session)
    assert session.noted["after"] == session.noted["before"]
    assert session.noted["default"]["LOADEDMODULES"] == NEW


def test_a_withdrawn_version_is_listed_nowhere(bash):
    asked = planned({"tensorflow/2.12": said("withdrawn"), "theano/1.0": said("withdrawn")})
    lines = [
        "module -t avail",
        "module -t spider",
        "module spider theano",
        "module is-avail theano || echo none",
    ]
    session = bash(asked, *lines)
    assert {word for word in session.output.split() if "/" in word and "release" not in word} == {
        "hpai/tensorflow/",
        "hpai/tensorflow/2.21(@hpai/tensorflow/2.21.0)",
        "hpai/tensorflow/2.21.0",
    }


def test_a_version_that_was_never_here_is_refused_too(bash):
    asked = planned({"theano/1.0": said("withdrawn"), "tensorflow/2.9": said("withdrawn")})
    session = bash(asked, "module load hpai/theano", "module load hpai/tensorflow/2.9", "note after")
    for module in ("hpai/theano/1.0", "hpai/tensorflow/2.9"):
        assert f"{module} was withdrawn on {EARLIER}: CVE-1. {INSTEAD}" in lines_of(session)
    assert "LOADEDMODULES" not in session.noted["after"]


def test_a_version_that_will_be_withdrawn_is_there_until_its_day(bash):
    asked = planned({"tensorflow/2.12": said("withdrawn", LATER)})
    session = bash(asked, "module -t avail", f"module load {OLD}", "note loaded")
    assert f"{OLD} is deprecated and will be withdrawn on {LATER}: CVE-1. {INSTEAD}" in lines_of(session)
    assert OLD in session.output.split()
    assert session.noted["loaded"]["LOADEDMODULES"] == OLD


@SHELLS
def test_who_has_it_loaded_when_it_is_withdrawn_can_unload_it(name, tmp_path):
    before, now = planned({}), planned({"tensorflow/2.12": said("withdrawn")}, ("2.21.0",), "2")
    core, after = written(before, tmp_path / "release"), tmp_path / "after"
    own = Tree({path: file for path, file in modules(before).items() if not path.endswith(".modulerc.lua")})
    write_tree(publication(modules(now), [own], tmp_path / "release", now.deprecations), after)
    move = f"mv {tmp_path}/release {tmp_path}/before; mv {after} {tmp_path}/release"
    lines = ["note before", f"module load {OLD}", f"sh -c '{move}'", f"module load {OLD}", "note refused"]
    lines += ["module unload hpai/tensorflow", "note unloaded"]
    session = lmod.session(lmod.shell(name), core, lines, {}, tmp_path)
    assert f"{OLD} was withdrawn on {EARLIER}: CVE-1. {INSTEAD}" in lines_of(session)
    assert session.noted["refused"]["LOADEDMODULES"] == OLD
    assert session.noted["unloaded"] == session.noted["before"]


def test_what_nothing_is_left_of_can_be_unloaded_by_its_sentence(tmp_path):
    """Its release has been removed; what a shell has of it is told by the environment."""
    before, now = planned({}), planned({"tensorflow/2.12.0": said("withdrawn")}, ("2.21.0",), "2")
    core, after = written(before, tmp_path / "release"), tmp_path / "after"
    written(now, after)
    move = f"mv {tmp_path}/release {tmp_path}/before; mv {after} {tmp_path}/release"
    lines = ["note before", f"module load {OLD}", move, "module purge", "note purged"]
    noted = lmod.session(lmod.shell("bash"), core, lines, {}, tmp_path).noted
    left = {name for name in noted["purged"] if name not in noted["before"]}
    assert {name for name in left if "KMP_BLOCKTIME" not in name} == set()
    assert noted["purged"]["PATH"] == noted["before"]["PATH"]
