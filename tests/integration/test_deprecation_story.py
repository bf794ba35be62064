"""A site deprecates a version and withdraws it: by the commands, from real wheels, without building anew."""

import subprocess

import lmod
import pytest
from desk import Desk

pytestmark = pytest.mark.network

ENVIRONMENT = """\
name: lab
release: {release}
system: this
prefix: {prefix}
frameworks:
  six: {{version: 1.17.0, from: wheels}}
  old: {{version: 1.16.0, from: wheels, package: six, import: six, module: six}}
deprecations:
  six/1.16: {{state: {state}, on: {on}, reason: it is <b>old</b>, instead: six/1.17}}
"""


def test_withdrawing_costs_a_release_and_no_build(index, tmp_path):
    desk, prefix = Desk(tmp_path), tmp_path / "prefix"

    def build(release: str, state: str, on: str):
        desk.write("lab.yaml", ENVIRONMENT.format(release=release, prefix=prefix, state=state, on=on))
        return desk("build", "lab.yaml")

    first = build("1", "deprecated", "2999-01-01")
    assert first.status == 0, first.stderr
    refused = build("1", "withdrawn", "2026-01-01")
    change = "hpai/six/1.16: deprecated from 2999-01-01 -> withdrawn from 2026-01-01"
    assert (refused.status, refused.stderr.splitlines()[-1]) == (
        2,
        f"release 1 is published already with other content: {change};"
        " a release never changes: give this one a new name with `release:` in the environment's file",
    )
    shell = ("shell", "old", "--prefix", str(prefix), "python", "-c", "import six; print(six.__version__)")
    started = desk(*shell)
    soon = "hpai/six/1.16.0 is deprecated and will be withdrawn on 2999-01-01: it is <b>old</b>."
    assert (started.stdout, started.stderr) == ("1.16.0\n", f"{soon} Load hpai/six/1.17 instead.\n")
    second = build("2", "withdrawn", "2026-01-01")
    assert second.status == 0, second.stderr
    told = "hpai/six/1.16.0 was withdrawn on 2026-01-01: it is <b>old</b>. Load hpai/six/1.17 instead."
    assert f"not testing old 1.16.0: {told}" in second.stderr.splitlines()
    assert "built " not in second.stderr
    assert second.stdout.splitlines()[-1] == "module load hpai/six"
    loaded = _loaded(prefix / "current/modules/Core", "hpai/six/1.16")
    assert told in " ".join(loaded.split())
    started = desk(*shell)
    assert (started.status, started.stderr) == (1, f"{told}\n")
    launcher = desk("venv", "my", "-m", "six/1.16", command=(str(prefix / "current/bin/hpai"),))
    assert (launcher.status, launcher.stderr) == (1, f"hpai: {told}\n")


def _loaded(core, module: str) -> str:
    """What a job script reads that has loaded this for years."""
    chosen = lmod.shell("bash")
    words = f"source {lmod.ROOT}/init/{chosen.init}; module use {core}; module load {module}"
    done = subprocess.run((*chosen.start, "-c", words), capture_output=True, text=True, check=False)
    assert done.returncode != 0
    return done.stderr
