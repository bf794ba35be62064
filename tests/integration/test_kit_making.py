"""Kits of several environments: what they share is there once, and nothing is asked for twice."""

import json
from pathlib import Path

import pytest
from stages import Recorder

from stackgen.errors import InputError
from stackgen.kit import make_kit
from stackgen.mirror import verify
from stackgen.progress import Silent
from stackgen.project import Project, Tools, lock_project, open_project, read_fitting_lock
from stackgen.run import Command, LoggedRunner, Outcome

pytestmark = pytest.mark.network

SYSTEM = (
    "name: {name}\nos: rhel8\nglibc: 2.28\ntarget: zen3\npythons: [{{version: {python}, prefix: /usr}}]\n"
)
ENVIRONMENT = """\
name: {name}
release: 1
system: {system}
prefix: /site/ai
frameworks:
  six: {{from: wheels, version: {version}}}
"""


def no_process(command: Command) -> Outcome:
    """A runner that fakes nothing and allows nothing."""
    raise AssertionError(f"{command} was started")


def environment(site: Path, name: str, system: str, version: str = "1.17.0", python: str = "3.9") -> Project:
    (site / "systems").mkdir(parents=True, exist_ok=True)
    (site / f"systems/{system}.yaml").write_text(SYSTEM.format(name=system.upper(), python=python))
    (site / f"{name}.yaml").write_text(ENVIRONMENT.format(name=name, system=system, version=version))
    project = open_project(site / f"{name}.yaml")
    lock_project(project, Tools(run=LoggedRunner(Silent()), progress=Silent()))
    return project


def made(kit: Path, index, run, progress, *projects: Project) -> Path:
    locked = {project.plan.environment: (project, read_fitting_lock(project)) for project in projects}
    return make_kit(locked, kit, index, Tools(run=run, progress=progress)).root


def needed(kit: Path) -> dict[str, list[str]]:
    entries = json.loads((kit / "manifest.json").read_text())["files"]
    return {entry["path"].rpartition("/")[2]: entry["needed_by"] for entry in entries}


def test_two_environments_share_and_again_nobody_is_asked(index, run, tmp_path: Path):
    one = environment(tmp_path / "site", "one", "a")
    two = environment(tmp_path / "site", "two", "b", version="1.16.0")
    told = Recorder()
    kit = made(tmp_path / "kit", index, run, told, one, two)
    need = "it lists no Python that stackgen runs on, and needs one of 3.11, 3.12, 3.13"
    assert told.lines == [f"note: A: {need}", f"note: B: {need}"]
    shared = needed(kit)
    assert shared["six-1.17.0-py2.py3-none-any.whl"] == ["one"]
    assert shared["six-1.16.0-py2.py3-none-any.whl"] == ["two"]
    assert shared["x86_64-2.28-3.11.toml"] == shared["install.py"] == ["one", "two"]
    assert [names for name, names in shared.items() if name.startswith("stackgen-")] == [["one", "two"]]
    assert verify(kit, Silent()) == ()
    before = (kit / "manifest.json").stat()
    made(kit, index, no_process, Silent(), one, two)
    made(kit, index, no_process, Silent(), two)
    assert (kit / "manifest.json").stat() == before


def test_an_environment_that_is_added_and_one_that_contradicts(index, run, tmp_path: Path):
    one = environment(tmp_path / "site", "one", "a", python="3.11")
    kit = made(tmp_path / "kit", index, run, Silent(), one)
    two = environment(tmp_path / "site", "two", "a", python="3.11")
    made(kit, index, run, Silent(), two)
    assert needed(kit)["a.yaml"] == ["one", "two"]
    assert [name for name in needed(kit) if name.endswith(".toml") and "-3." in name] == [
        "x86_64-2.28-3.11.toml"
    ]
    assert "environments/one.yaml" in (kit / "README").read_text()
    assert "environments/two.yaml" in (kit / "README").read_text()
    three = environment(tmp_path / "elsewhere", "three", "a", python="3.12")
    with pytest.raises(InputError) as caught:
        made(kit, index, run, Silent(), three)
    assert str(caught.value) == (
        "environments/systems/a.yaml of the kit would be one file for two and another for three;"
        " give their files the same content, or other names, and name both environments"
    )
    assert "three.yaml" not in needed(kit)
    assert verify(kit, Silent()) == ()
