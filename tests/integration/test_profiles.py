"""What login shells read, in real shells with a real Lmod."""

from pathlib import Path

import lmod
import pytest
from lmod import ROOT
from small_site import asked, installed, lay, publish

from stackgen import files
from stackgen.lmod import RC
from stackgen.modules import module_tree
from stackgen.profiles import profile_tree
from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner

READ = {
    "bash": ". {}/profile.sh",
    "zsh": ". {}/profile.sh",
    "tcsh": "source {}/profile.csh",
    "fish": "source {}/profile.fish",
}


@pytest.fixture(scope="module")
def current(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What users see of a release, Lmod's cache included."""
    planned = asked(tmp_path_factory.mktemp("site") / "ai")
    frameworks = installed(planned)
    for framework in frameworks:
        lay(framework)
    publish(planned, frameworks)
    place = Path(planned.prefix, "current")
    files.write_tree(module_tree(planned, frameworks) | profile_tree(planned), place)
    files.write(place / RC, "scDescriptT = {}\n")
    return place


def shell_said(name: str, lines: list[str], work: Path, **given: str) -> list[str]:
    """The last lines that a shell prints."""
    chosen = lmod.shell(name)
    files.write(work / "script", "\n".join([*lines, ""]))
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(work), "USER": "user", "LMOD_PAGER": "none", **given}
    words = (*chosen.start, str(work / "script"))
    done = LoggedRunner(Silent())(Command(argv=words, environment=environment, directory=work, timeout=60))
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("first", ["Lmod first", "profile first"])
def test_users_find_modules_and_launcher(current: Path, tmp_path: Path, name: str, first: str):
    start = f"source {ROOT}/init/{lmod.shell(name).init}"
    read = READ[name].format(current)
    begin = [start, read] if first == "Lmod first" else [read, start]
    said = shell_said(
        name,
        [
            *begin,
            read,
            "hpai | head -1",
            "module load hpai/pytorch",
            "hpai | grep Loaded",
            "printenv PATH",
            "printenv LMOD_RC",
        ],
        tmp_path,
    )
    assert said[:2] == ["AI frameworks on Lab, release 1", "Loaded: hpai/pytorch/2.13.0 of the release 1."]
    prefix = current.parent
    assert said[2].split(":") == [
        f"{prefix}/pythons/pytorch-2.13.0/bin",
        f"{prefix}/releases/1/bin",
        "/usr/bin",
        "/bin",
        f"{current}/bin",
    ]
    assert said[3] == f"{current}/{RC}"


@pytest.mark.parametrize("name", READ)
def test_what_is_there_already_stays(current: Path, tmp_path: Path, name: str):
    read = READ[name].format(current)
    given = {"MODULEPATH": "/mine", "LMOD_RC": "/my/lmodrc.lua"}
    said = shell_said(
        name,
        [read, read, *(f"printenv {one}" for one in ("MODULEPATH", "LMOD_RC", "PATH"))],
        tmp_path,
        **given,
    )
    core = f"{current}/modules/Core"
    assert said == [f"{core}:/mine", "/my/lmodrc.lua", f"/usr/bin:/bin:{current}/bin"]


def test_in_a_shell_that_ends_at_every_fault(current: Path, tmp_path: Path):
    said = shell_said("bash", ["set -eu", READ["bash"].format(current), "echo $MODULEPATH"], tmp_path)
    assert said == [f"{current}/modules/Core"]
