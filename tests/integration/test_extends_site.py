"""A stack of one's own over a site's, by a real Spack and a real Lmod: only what is new is made."""

import json
from pathlib import Path

import lmod
import pytest
from storeys import Storeys, compiled, storeys

from stackgen.graph import graph
from stackgen.lock import read_lock
from stackgen.store import tree_below

pytestmark = pytest.mark.spack

__all__ = ["storeys"]


@pytest.fixture(scope="module")
def mine(storeys: Storeys) -> Storeys:
    """A user's stack: what the site has, a framework and a package that it has not."""
    before = storeys.looks()
    storeys.ask("mine", "answer", "pebble", six="1.16.0", attrs="newest")
    done = storeys.as_user("build", "mine.yaml")
    assert done.status == 0, done.stderr
    assert compiled(done) == ["pebble@0.3"]
    assert storeys.looks() == before
    return storeys


def test_the_lock_names_the_release_and_its_packages(mine: Storeys):
    lock = read_lock(mine.user / "mine.lock")
    below = read_lock(mine.site / "releases/2026.11/lock")
    said = json.loads((mine.site / "releases/2026.11/release.json").read_text())
    assert lock.inputs["extends"] == {
        "prefix": str(mine.site),
        "release": "2026.11",
        "digest": said["request"],
    }
    ours, theirs = (graph(one.spack[0].text).nodes for one in (lock, below))
    assert {ours[key].name for key in ours.keys() - theirs.keys()} == {"pebble"}


def test_frameworks_of_the_site_are_used_where_they_lie(mine: Storeys):
    release = json.loads((mine.user / "mine/current/release.json").read_text())
    places = {one["name"]: Path(one["prefix"]).parent for one in release["frameworks"]}
    assert places == {"six": mine.site / "pythons", "attrs": mine.user / "mine/pythons"}
    assert [path.name.partition("-")[0] for path in (mine.user / "mine/pythons").iterdir()] == ["attrs"]


def test_nothing_is_compiled_that_the_site_has(mine: Storeys):
    mine.ask("same", "greeting", "answer", six="1.16.0")
    done = mine.as_user("build", "same.yaml", "--offline")
    assert done.status == 2, done.stderr
    assert mine.as_user("lock", "same.yaml").status == 0
    done = mine.as_user("build", "same.yaml", "--offline")
    assert (done.status, compiled(done)) == (0, []), done.stderr
    assert not (mine.user / "same/pythons").exists()


def loaded(core: Path, lines: list[str], work: Path, *more: Path) -> lmod.Session:
    used = [f"module use {path}" for path in more]
    return lmod.session(lmod.shell("bash"), core, [*used, *lines], {}, work)


def test_its_modules_lie_beside_those_of_the_site(mine: Storeys, tmp_path: Path):
    ours, theirs = (place / "current/modules/Core" for place in (mine.user / "mine", mine.site))
    lines = ["module load openmpi", "module load greeting answer pebble", "note loaded", "module purge"]
    noted = loaded(theirs, ["note before", *lines, "note after"], tmp_path, ours).noted
    shown = noted["loaded"]
    assert shown["LOADEDMODULES"].split(":") == [
        "openmpi/4.1.4",
        "greeting/1.2.3",
        "answer/4.2",
        "pebble/0.3",
    ]
    assert Path(shown["GREETING_ROOT"]).is_relative_to(mine.site)
    assert Path(shown["ANSWER_ROOT"]).is_relative_to(mine.site)
    assert Path(shown["PEBBLE_ROOT"]).is_relative_to(mine.user / "mine")
    assert noted["after"] == noted["before"]


def test_an_mpi_that_is_loaded_already_leads_there_too(mine: Storeys, tmp_path: Path):
    ours, theirs = (place / "current/modules/Core" for place in (mine.user / "mine", mine.site))
    lines = ["module load openmpi", f"module use {ours}", "module load pebble answer", "note loaded"]
    noted = loaded(theirs, lines, tmp_path).noted
    assert Path(noted["loaded"]["PEBBLE_ROOT"]).is_relative_to(mine.user / "mine")


def test_a_new_release_of_the_site_changes_nothing(mine: Storeys, tmp_path: Path):
    mine.publish("2026.12", "greeting", six="1.17.0")
    done = mine.as_user("build", "mine.yaml")
    assert done.status == 0
    assert done.stderr.startswith("release 1 is published already: nothing to do\n")
    ours = mine.user / "mine/current/modules/Core"
    noted = loaded(ours, ["module load openmpi answer pebble hpai/six", "note loaded"], tmp_path).noted
    assert noted["loaded"]["HPAI_SIX_ROOT"].startswith(f"{mine.site}/pythons/six-1.16.0-")
    assert mine.as_user("check", "mine.yaml").status == 0


def told(text: str) -> str:
    """The one line that it is."""
    return " ".join(text.split())


def test_a_base_that_has_gone_is_told_of_with_what_to_do(mine: Storeys, tmp_path: Path):
    base, away = mine.site / "releases/2026.11", mine.site / "releases/.away"
    base.rename(away)
    try:
        found = {words: mine.as_user(*words) for words in (("check", "mine.yaml"), ("build", "mine.yaml"))}
        ours = mine.user / "mine/current/modules/Core"
        lines = ["module load openmpi", "module load hpai/attrs", "module list"]
        output = loaded(ours, lines, tmp_path).output
    finally:
        away.rename(base)
    said = (
        f"mine.yaml:1:10: extends: release 2026.11 of {mine.site}, which this stands on, is gone; to stand on"
        " the current one, give this a new `release:`, then run `stackgen lock --upgrade mine.yaml` and"
        " build\n"
    )
    for done in found.values():
        assert (done.status, done.stderr) == (2, said)
    gone = (
        f"this stands on release 2026.11 of {mine.site}, which is gone: give its environment a new"
        " `release:`, then run `stackgen lock --upgrade` and `stackgen build` on it"
    )
    assert told(output).count(gone) == 2
    assert "No modules loaded" in output


def test_what_users_stand_on_is_kept_and_all_else_goes(mine: Storeys):
    site, stack = mine.site, mine.user / "mine"
    assert mine("gc", str(site), "--open-register").status == 0
    kept = mine("gc", str(site), "--register", str(stack))
    assert kept.stderr == f"{stack}/releases/1 stands on release 2026.11, which is kept for it\n"
    mine.publish("2027.01", "greeting", six="1.17.0")
    done = mine("gc", str(site), "--kept-for", "0")
    assert f"kept     release      2026.11  {stack}/releases/1, a stack of nobody\n" in done.stdout
    assert installed(site) == ["answer", "compiler-wrapper", "gcc-runtime", "greeting", "teeth", "tongue"]
    assert mine.as_user("build", "mine.yaml").status == 0

    (entry,) = (site / "registered").iterdir()
    entry.unlink()
    done = mine("gc", str(site), "--kept-for", "0")
    removed = [line.split()[1:3] for line in done.stdout.splitlines() if line.startswith("removed")]
    assert removed[0] == ["release", "2026.11"]
    assert installed(site) == ["compiler-wrapper", "gcc-runtime", "greeting", "teeth", "tongue"]
    assert "answer" not in known_to_spack(site)
    assert [path.name.split("-")[1] for path in (site / "pythons").iterdir()] == ["1.17.0"]
    assert not (site / "store/.removed").exists()


def test_what_has_gone_is_built_again_where_it_is_needed_again(mine: Storeys):
    mine.publish("2027.02", "greeting", "answer")
    assert "answer" in known_to_spack(mine.site)
    mine.ask("mine", "answer", "pebble", release="2", six="1.16.0", attrs="newest")
    assert mine.as_user("lock", "--upgrade", "mine.yaml").status == 0
    done = mine.as_user("build", "mine.yaml")
    assert (done.status, compiled(done)) == (0, []), done.stderr
    (entry,) = (mine.site / "registered").iterdir()
    assert json.loads(entry.read_text())["release"] == "2027.02"


def installed(site: Path) -> list[str]:
    """The packages that lie in the site's store, by name."""
    found = tree_below(site).glob("linux-*/[!.]*")
    return sorted(path.name.rpartition("-")[0].rpartition("-")[0] for path in found)


def known_to_spack(site: Path) -> set[str]:
    """What Spack has as installed."""
    index = tree_below(site) / ".spack-db/index.json"
    records = json.loads(index.read_text())["database"]["installs"].values()
    return {record["spec"]["name"] for record in records if record["installed"]}
