"""Finding out in real shells: frameworks that are built and published, loaded by a real Lmod."""

import json
import os
from pathlib import Path

import pytest
from lmod import ROOT
from wheelhouse import PYTHON, Wheelhouse

from stackgen import files
from stackgen.delivered import contents_tree
from stackgen.jobs import launcher_tree
from stackgen.lock import Lock, inputs
from stackgen.modules import module_tree
from stackgen.profiles import profile_tree
from stackgen.progress import Silent
from stackgen.publish import keep_report, publish, stage, staged
from stackgen.release import Check, Report, release_of
from stackgen.run import Command, LoggedRunner

pytestmark = pytest.mark.skipif(ROOT is None, reason="Lmod is not installed")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Wheelhouse:
    """A prefix with a release that is published, of a framework and a package that it needs."""
    house = Wheelhouse(tmp_path_factory.mktemp("house"))
    release(house, "1")
    return house


def release(house: Wheelhouse, name: str) -> None:
    """Build a release and make it the current one."""
    packages = (house.module("tool", "1.0", script="tool"), house.module("keras", "3.9.0"))
    locked = house.lock(*packages)
    planned = house.plan("tool", release=name, unsupported={"rapids": "no wheels; use tool"})
    lock = Lock(environment="site", inputs=inputs(planned), wheels=(locked,))
    frameworks = house.build(locked)
    tree = module_tree(planned, frameworks) | launcher_tree(planned, frameworks)
    stage(planned, lock, tree | contents_tree(frameworks, {}) | profile_tree(planned))
    passed = (Check(framework="tool", name="import", passed=True),)
    report = Report(release=name, request=release_of(planned, lock).request, checks=passed)
    keep_report(staged(house.prefix, name), report)
    publish(house.prefix, name)


def typed(house: Wheelhouse, work: Path, *lines: str, **given: str) -> tuple[str, str]:
    """What a login shell says to some lines, and what it complains of; the prefix as AI."""
    start = (f"source {ROOT}/init/bash", f". {house.prefix}/current/profile.sh")
    files.write(work / "script", "\n".join([*start, *lines, ""]))
    home = work / "home"
    home.mkdir(exist_ok=True)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "USER": "user", "LMOD_PAGER": "none", **given}
    words = ("bash", "--noprofile", "--norc", str(work / "script"))
    work_here = work / "work"
    work_here.mkdir(exist_ok=True)
    done = LoggedRunner(Silent())(
        Command(argv=words, environment=environment, directory=work_here, timeout=60)
    )
    here = f"On {os.uname().nodename}"
    return tuple(
        text.replace(str(house.prefix), "AI").replace(here, "Here") for text in (done.stdout, done.stderr)
    )


def prefix_of(house: Wheelhouse) -> str:
    """The framework's prefix, as `typed` shows it."""
    (place,) = (house.prefix / "pythons").glob("tool-*")
    return f"AI/pythons/{place.name}"


def test_from_login_to_an_import(house, tmp_path):
    out, err = typed(
        house, tmp_path, "hpai", "module load hpai/tool", "hpai", "hpai which tool", "hpai which keras"
    )
    assert err == ""
    first, second = out.split("\n\n", 1)[1].split("AI frameworks on ")
    assert "Nothing is loaded.\n\nNext:\n  module load hpai/tool  to use it" in first
    assert "\n> hpai/tool/1.0\n" in second
    assert "Loaded: hpai/tool/1.0 of the release 1.\n\nNext:\n  hpai info " in second
    place = prefix_of(house)
    assert (
        f"""\
hpai/tool/1.0 is a framework of the release 1, and loaded
  prefix  {place}
  python  {place}/bin/python ({PYTHON})

tool is a command
  taken  {place}/bin/tool  (hpai/tool/1.0)

tool is a Python package
  1.0  in hpai/tool/1.0  (loaded)
  import tool, in the loaded Python: {place}/lib/python{PYTHON}/site-packages/tool.py
keras is a Python package
  3.9.0  in hpai/tool/1.0  (loaded)
  import keras, in the loaded Python: {place}/lib/python{PYTHON}/site-packages/keras.py
"""
        in second
    )


def test_packages_can_be_searched_and_read_by_programs(house, tmp_path):
    out, err = typed(house, tmp_path, "hpai packages tool | grep keras", "hpai packages tool --json")
    assert err == ""
    line, rest = out.split("\n", 1)
    assert line.split()[:2] == ["keras", "3.9.0"]
    assert [one["name"] for one in json.loads(rest)] == ["keras", "tool"]


def test_a_shell_as_it_should_be_has_nothing_wrong(house, tmp_path):
    lines = (
        "module load hpai/tool",
        "hpai doctor; echo $?",
        "hpai doctor json | grep takes",
        "hpai doctor keras; echo $?",
    )
    out, err = typed(house, tmp_path, *lines)
    assert err == ""
    doctor, taken, keras = (part.strip() for part in _parts(out))
    hint = "Aliases and functions of a shell no program sees: `type python` tells them."
    assert doctor == f"Here, hpai/tool/1.0 of the release 1 is loaded.\n\nNothing is wrong.\n{hint}\n0"
    assert taken.startswith("- `import json` takes")
    assert "which is the module's, keras 3.9.0.\n\nNothing is wrong." in " ".join(keras.split("\n  "))


def _parts(out: str) -> list[str]:
    first, rest = out.split("- `import json`", 1)
    taken, keras = rest.split("\nHere", 1)
    return [first, "- `import json`" + taken, "Here" + keras]


def test_what_users_do_to_it_is_found(house, tmp_path):
    files.write(tmp_path / "lib/keras/__init__.py", "")
    files.write(tmp_path / "home/.local/lib" / f"python{PYTHON}" / "site-packages/tool.py", "")
    out, err = typed(
        house,
        tmp_path,
        "module load hpai/tool",
        f"export PYTHONPATH={tmp_path}/lib",
        "unset PYTHONNOUSERSITE",
        "touch random.py",
        "hpai doctor; echo $?",
        "hpai doctor keras | grep -A 2 import",
    )
    assert err == ""
    told = " ".join(out.split())
    assert (
        f"PYTHONPATH leads to {tmp_path}/lib, where keras hides that of hpai/tool/1.0. unset PYTHONPATH"
        in told
    )
    assert f"/home/.local/lib/python{PYTHON}/site-packages tool hides that of hpai/tool/1.0." in told
    assert "import what is there first: random hides that of hpai/tool/1.0." in told
    assert "3 things are wrong. 1" in told
    assert f"`import keras` takes {tmp_path}/lib/keras/__init__.py: PYTHONPATH leads there;" in told


def test_a_virtual_environment_over_the_module_is_no_fault(house, tmp_path):
    lines = (
        "module load hpai/tool",
        f"python -m venv --system-site-packages --without-pip {tmp_path}/mine",
        f". {tmp_path}/mine/bin/activate",
        "hpai doctor keras; echo $?",
    )
    out, err = typed(house, tmp_path, *lines)
    assert err == ""
    told = " ".join(out.split())
    assert f"`python`, which is {tmp_path}/mine/bin/python, takes {prefix_of(house)}/lib" in told
    assert "of your virtual environment over hpai/tool/1.0: its packages come first." in told
    assert "Nothing is wrong." in told
    assert told.endswith(" 0")


def test_a_newer_release_is_told_to_who_has_the_older_one_loaded(tmp_path):
    house = Wheelhouse(tmp_path)
    release(house, "1")
    release(house, "2")
    back = f"ln -sfn publications/1/$(ls {house.prefix}/publications/1) {house.prefix}/current"
    go = f"ln -sfn publications/2/$(ls {house.prefix}/publications/2) {house.prefix}/current"
    out, err = typed(house, tmp_path, back, "module load hpai/tool", go, "hpai", "hpai doctor")
    assert err == ""
    later = """\
Loaded: hpai/tool/1.0 of the release 1.
The current release is 2. What runs goes on; this shell changes to it by
  module unload hpai/tool; module load hpai/tool
"""
    assert out.startswith("AI frameworks on ")
    assert later in out
    assert "- The loaded release is 1, and the current one is 2. What runs goes on.\n" in out
    out, _ = typed(
        house, tmp_path, back, "module load hpai/tool", go, later.splitlines()[2], "hpai | grep Loaded"
    )
    assert out == "Loaded: hpai/tool/1.0 of the release 2.\n"
