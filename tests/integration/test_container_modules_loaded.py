"""The modules of a container and of its framework in real Lmod, in every shell."""

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import lmod
import pytest
from images import Box, box, ended

from stackgen import files
from stackgen.containers import command_tree
from stackgen.model import Environment, System
from stackgen.modules import module_tree
from stackgen.plan import Plan, plan
from stackgen.release import InstalledFramework


def planned(prefix: Path) -> Plan:
    six = {"from": "wheels", "version": "1.17.0", "package": "six", "import": "six", "image": True}
    asked = {
        "name": "box",
        "release": "1",
        "system": "node",
        "prefix": str(prefix),
        "frameworks": {"six": six},
    }
    facts = {"name": "node", "os": "debian12", "glibc": "2.36", "target": "x86_64_v2"}
    pythons = [{"version": "3.11", "prefix": "/usr"}]
    return plan(Environment.model_validate(asked), System.model_validate({**facts, "pythons": pythons}))


@pytest.fixture(scope="module")
def release(small_image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    asked = planned(tmp_path_factory.mktemp("prefix"))
    prefix = InstalledFramework(
        name="six",
        module="six",
        version="1.17.0",
        prefix="/dss/six",
        python="3.11",
        packages={"six": "1.17.0"},
        settings={"LEVEL": "3"},
    )
    inside = {"source": "container", "image": str(small_image), "name": "six-container"}
    container = prefix.model_copy(update={**inside, "module": "six-container"})
    commands = {"leads-to": "/usr/bin/readlink"}
    with ended(box(small_image, Path(asked.place), name="six-container", commands=commands)) as made:
        named = dataclasses.replace(made.entrance, module="hpai/six-container")
        tree = command_tree((named,), asked.place) | module_tree(asked, (prefix, container))
        files.write_tree(tree, Path(asked.place))
        yield made


@pytest.mark.parametrize("name", lmod.SHELLS)
def test_its_commands_run_inside_and_unloading_leaves_nothing(name: str, release: Box, tmp_path: Path):
    shell = lmod.shell(name)
    lines = (
        *("cd /tmp", "note before", "module load hpai/six-container"),
        *("note loaded", "leads-to /proc/self/exe", "six-container sh -c 'exit 0; '"),
        *("module load hpai/six", "note swapped", "module unload hpai/six", "note after"),
    )
    told = lmod.session(shell, release.release / "modules/Core", lines, {"LEVEL": "mine"}, tmp_path)
    commands = f"{release.release}/containers/six-container/bin"
    loaded, swapped = told.noted["loaded"], told.noted["swapped"]
    assert loaded["PATH"].split(":")[0] == commands
    assert (loaded["HPAI_SIX_CONTAINER_ROOT"], loaded["LEVEL"]) == ("/dss/six", "mine")
    assert "\n/usr/bin/readlink\n" in f"\n{told.output}"
    assert commands not in swapped["PATH"].split(":")
    assert swapped["PATH"].split(":")[0] == "/dss/six/bin"
    assert told.noted["after"] == told.noted["before"]


def test_its_help_is_that_of_a_container(release: Box, tmp_path: Path):
    core = release.release / "modules/Core"
    told = lmod.session(lmod.shell("bash"), core, ("module help hpai/six-container",), {}, tmp_path)
    assert "six-container PROGRAM [ARGUMENT]..." in told.output
    assert os.path.basename(release.entrance.image) in told.output
