"""What a stack of one's own takes from the release that it stands on, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from small_releases import publish_new
from spack_graphs import lock_text, package

from stackgen import files
from stackgen.build import refuse_damaged_base
from stackgen.config import load
from stackgen.errors import InputError, WorkError
from stackgen.extending import known_wheels, record_tree
from stackgen.footing import guarded
from stackgen.graph import graph
from stackgen.lock import SpackLock, inputs, lock_tree, read_lock
from stackgen.modules import module_tree
from stackgen.plan import Plan
from stackgen.project import open_project
from stackgen.publish import publish, rollback
from stackgen.release import installed
from stackgen.store import found_below, tree_below
from stackgen.store.place import DATABASE, directory_name
from stackgen.tree import File, Tree

SYSTEM = {"name": "Box", "os": "debian12", "glibc": "2.36", "target": "x86_64_v3"}
SYSTEM |= {
    "compilers": [{"spec": "gcc@12.2.0", "prefix": "/usr"}],
    "pythons": [{"version": "3.11", "prefix": "/usr"}],
}
SIX = {"six": {"from": "wheels", "version": "newest", "python": "3.11"}}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with two releases, the second current; each says what it was made from."""
    prefix = tmp_path / "hpai"
    for release, version in (("1", "1.11.0"), ("2", "1.12.0")):
        publish_new(prefix, release, version)
        place = prefix / "releases" / release
        place.chmod(0o755)
        asked = {
            "name": "lab",
            "release": release,
            "system": "box",
            "prefix": str(prefix),
            "toolchain": {"compiler": "gcc@12.2.0", "mpi": "openmpi@4.1.4", "other-mpis": ["mpich@4.0.2"]},
            "frameworks": SIX,
        }
        files.write(place / "environment/lab.yaml", yaml.safe_dump(asked))
        files.write(place / "environment/systems/box.yaml", yaml.safe_dump(SYSTEM))
    return prefix


def mine(site: Path, **changes: object) -> Path:
    """A user's environment over the site's stack."""
    asked = {"name": "mine", "release": "1", "extends": str(site), "prefix": str(site.parent / "mine")}
    place = site.parent / "home/mine.yaml"
    text = {key: value for key, value in (asked | {"frameworks": SIX} | changes).items() if value is not None}
    files.write(place, yaml.safe_dump(text, sort_keys=False))
    return place


def locked(site: Path) -> Plan:
    """The user's plan, its lock beside it."""
    project = open_project(mine(site))
    below = read_lock(site / "releases/2/lock")
    files.replace_tree(
        lock_tree(type(below)(environment="mine", inputs=inputs(project.plan), wheels=below.wheels)),
        project.lock_directory,
    )
    return project.plan


def refusal(path: Path, *, renewed: bool = False) -> str:
    with pytest.raises(InputError) as caught:
        load(path, renewed=renewed)
    return str(caught.value).replace(f"{path}:", "")


def test_what_is_not_said_is_as_the_release_has_it(site: Path):
    loaded = load(mine(site))
    assert loaded.system.name == "Box"
    toolchain = loaded.environment.toolchain
    assert toolchain.model_dump(exclude_defaults=True) == {"compiler": "gcc@12.2.0", "mpi": "openmpi@4.1.4"}
    assert loaded.files == (site.parent / "home/mine.yaml",)


def test_what_is_said_counts(site: Path):
    files.write(site.parent / "home/systems/mine.yaml", yaml.safe_dump(SYSTEM | {"name": "Mine"}))
    loaded = load(mine(site, system="mine", toolchain={"mpi": "mpich@4.0.2"}))
    assert loaded.system.name == "Mine"
    toolchain = loaded.environment.toolchain
    assert toolchain.model_dump(exclude_defaults=True) == {"compiler": "gcc@12.2.0", "mpi": "mpich@4.0.2"}


def test_the_system_may_offer_a_stack(site: Path):
    files.write(site.parent / "home/systems/box.yaml", yaml.safe_dump(SYSTEM | {"offers": str(site)}))
    below = load(mine(site, extends="site", system="box")).underlying
    assert below
    assert (below.prefix, below.release) == (str(site), "2")


def test_what_is_locked_stays_where_it_is_when_the_site_moves_on(site: Path):
    assert locked(site).extends == load(mine(site)).underlying
    rollback(site, "1")
    for renewed, release in ((False, "2"), (True, "1")):
        below = load(mine(site), renewed=renewed).underlying
        assert below
        assert below.release == release
    named = load(mine(site, extends=f"{site}/releases/1")).underlying
    assert named
    assert named.release == "1"


def test_a_framework_that_is_asked_for_alike_is_the_same(site: Path):
    plan = locked(site)
    (known,) = known_wheels(plan).values()
    assert known == read_lock(site / "releases/2/lock").wheel_lock("six")
    lock = read_lock(site.parent / "home/mine.lock")
    (framework,) = installed(plan, lock)
    assert Path(framework.prefix).parent == site / "pythons"
    other = open_project(mine(site, frameworks={"six": SIX["six"] | {"version": "1.11.0"}})).plan
    assert known_wheels(other) == {}


def test_a_release_says_what_it_stands_on(site: Path):
    plan = locked(site)
    (file,) = record_tree(plan, read_lock(site.parent / "home/mine.lock")).values()
    said = json.loads((site / "releases/2/release.json").read_text())
    assert json.loads(file.text) == {
        "format": 1,
        "prefix": str(site),
        "release": "2",
        "digest": said["request"],
        "environment": "mine",
        "packages": [],
    }


def test_modules_ask_first_whether_it_is_there(site: Path):
    tree = Tree({"modules/Core/a/1.lua": File("-- a\n"), "modules/Core/a/.modulerc.lua": File("-- rc\n")})
    made = guarded(locked(site), tree)
    assert made["modules/Core/a/.modulerc.lua"].text == "-- rc\n"
    assert made["modules/Core/a/1.lua"].text == (
        f'if mode() == "load" and not isDir("{site}/releases/2") then\n'
        f'   LmodError("this stands on release 2 of {site}, which is gone: give its environment a new'
        ' `release:`, then run `stackgen lock --upgrade` and `stackgen build` on it")\n'
        "end\n\n-- a\n"
    )


def test_its_frameworks_take_the_place_of_those_of_the_site(site: Path):
    plan = open_project(mine(site, modules={"namespace": "own"})).plan
    lock = read_lock(site / "releases/2/lock")
    module = module_tree(plan, installed(plan, lock))["modules/Core/own/six/1.12.0.lua"].text
    assert 'family("hpai_framework")' in module


def test_a_link_leads_to_the_same_stack(site: Path):
    link = site.parent / "link"
    link.symlink_to(site)
    plan = locked(site)
    for asked in (link, link / "releases/2"):
        assert load(mine(site, extends=str(asked))).underlying == plan.extends
    rollback(site, "1")
    assert load(mine(site, extends=str(link))).underlying == plan.extends
    (framework,) = installed(plan, read_lock(site.parent / "home/mine.lock"))
    assert Path(framework.prefix).parent == site / "pythons"
    inside = refusal(mine(site, extends=str(link), prefix=f"{link}/mine"))
    assert inside.startswith(f"4:1: prefix: the prefix {link}/mine and that of the stack which this extends,")


def test_a_release_names_what_it_uses_of_others_there(site: Path):
    plan = locked(site)
    lock = read_lock(site.parent / "home/mine.lock")
    text = lock_text(("tool",), dict((package("tool", "1.0", "zlib"), package("zlib"))))
    lock = replace(lock, spack=(SpackLock(name="toolchain", text=text),))
    tree = tree_below(site)
    files.write(tree / directory_name(graph(text).nodes["zlib"]) / ".spack/install_manifest.json", "{}")
    files.write(tree / DATABASE, json.dumps({"database": {"installs": {"zlib": {"installed": True}}}}))
    (file,) = record_tree(plan, lock, found_below(plan, lock)).values()
    assert json.loads(file.text)["packages"] == ["zlib"]


def test_what_cannot_be_stood_on_is_refused(site: Path):
    nowhere = site.parent / "nowhere"
    assert {
        words: refusal(mine(site, **changes))
        for words, changes in {
            "nothing": {"extends": str(nowhere)},
            "no such release": {"extends": f"{site}/releases/3"},
            "nobody offers": {"extends": "site"},
            "relative": {"extends": "hpai"},
            "inside": {"prefix": f"{site}/mine"},
            "the same": {"prefix": str(site)},
        }.items()
    } == {
        "nothing": f"3:10: extends: nothing is published in {nowhere}; name the prefix of a site's stack",
        "no such release": f"3:10: extends: there is no release 3 in {site}; name one of 1, 2",
        "nobody offers": "3:10: extends: no system's file offers a stack; name a prefix; or a `system:` whose"
        " file says `offers: PREFIX`",
        "relative": "3:10: extends: the prefix 'hpai' is not absolute; begin with / or ~/",
        "inside": f"4:1: prefix: the prefix {site}/mine and that of the stack which this extends, {site}, lie"
        " within each other; choose a directory of your own",
        "the same": f"4:1: prefix: the prefix {site} and that of the stack which this extends, {site}, lie"
        " within each other; choose a directory of your own",
    }


def test_damaged_releases_are_refused(site: Path):
    path, release = mine(site), site / "releases/2"
    (release / "environment/lab.yaml").unlink()
    assert refusal(path) == (
        f"3:10: extends: release 2 of {site} does not say what it was made from; ask its admin to build it"
        " again"
    )
    files.write(release / "extends.json", "{}")
    assert refusal(path) == (
        f"3:10: extends: {site} extends another stack itself; name the one below it, or ask its owner what it"
        " stands on"
    )
    (release / "extends.json").unlink()
    (release / "release.json").chmod(0o644)
    (release / "release.json").write_text("[]")
    assert refusal(path) == (
        f"3:10: extends: {release} is no release that can be read; name the prefix of a site's stack, or ask"
        " its admin"
    )


def test_a_lock_that_is_damaged_is_its_admins_affair(site: Path):
    plan = locked(site)
    file = site / "releases/2/lock/lock.json"
    file.chmod(0o644)
    file.write_text("{")
    with pytest.raises(InputError) as caught:
        known_wheels(plan)
    assert str(caught.value) == (
        f"extends: the lock of the release {site}/releases/2 cannot be read: is no JSON; ask its admin to"
        " build it again under a new name"
    )


def test_a_release_that_has_gone_is_told_of(site: Path):
    locked(site)
    path = mine(site)
    rollback(site, "1")
    (site / "releases/2").rename(site / "releases/.away")
    assert refusal(path) == (
        f"3:10: extends: release 2 of {site}, which this stands on, is gone; to stand on the current one,"
        f" give this a new `release:`, then run `stackgen lock --upgrade {path}` and build"
    )
    assert load(path, renewed=True).underlying
    (site / "current").unlink()
    assert refusal(path) == (
        f"3:10: extends: release 2 of {site}, which this stands on, is gone; name another prefix, then run"
        f" `stackgen lock --upgrade {path}` and build"
    )
    (site / "releases/.away").rename(site / "releases/2")
    publish(site, "2")
    assert load(path).underlying


def test_a_framework_that_the_site_has_lost_is_not_made_in_its_place(site: Path):
    plan = locked(site)
    lock = read_lock(site.parent / "home/mine.lock")
    refuse_damaged_base(plan, lock)
    (framework,) = installed(plan, lock)
    Path(framework.prefix, "bin/python").unlink()
    with pytest.raises(WorkError) as caught:
        refuse_damaged_base(plan, lock)
    assert str(caught.value) == (
        f"release 2 of {site} is not whole: {framework.prefix} is gone; ask its admin to build it again"
    )
