"""Frameworks in containers under the real test of a release: packed, of somebody else's, and bad ones."""

import gzip
import os
import re
import secrets
import shutil
import sys
import sysconfig
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from imagehouse import ImageHouse, layer_of
from images import copied, why_not
from registry import digest, image
from roots import root_of_programs
from wheelhouse import PYTHON, pip_wheel

from stackgen import files
from stackgen.build import build
from stackgen.containers import command_tree, entrance
from stackgen.images import read_description
from stackgen.lock import Images, Lock, LockedImage, LockedLayer, inputs
from stackgen.model import Environment
from stackgen.modules import module_tree
from stackgen.plan import Plan, plan
from stackgen.progress import Silent
from stackgen.publish import stage
from stackgen.release import Check, Report, installed, read_release
from stackgen.run import Command, LoggedRunner, Outcome
from stackgen.smoke import lmod_start, site_scripts, smoke
from stackgen.smoke.session import Entrance
from stackgen.smoke.stage import trial_of
from stackgen.smoke.trial import Trial

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

HELD = ("sh", "env", "sleep", "mv", "rm", "rmdir", "cat", "true", "dirname", "realpath")
"""What a container's holder and its tests need."""
ASTRAY = "import sys\nsys.path.append({outside!r})\nimport stranger"
VENDOR = """\
import os
__version__ = "1.5"
"""
TOOL = {"version": "1.5", "commands": ["greet"]}
MANNERS = ["arguments, streams, directory and status", "signals"]


@dataclass(frozen=True)
class ContainerSite:
    """A staged release of frameworks and their images, each made by the real builder."""

    root: Path

    @property
    def made(self) -> ImageHouse:
        return ImageHouse(self.root)

    def build(self, texts: dict[str, str], vendor: dict[str, object]) -> tuple[Plan, Path]:
        """Each text as a framework of wheels with an image, and one in an image of somebody else's."""
        house, base = self.made.house, self._base()
        pip = pip_wheel()
        assert pip
        locks = tuple(
            house.lock(house.module(name, "1.0", text, name if name == "good" else ""), house.wheel(pip))
            for name, text in sorted(texts.items())
        )
        entries: dict[str, object] = {
            name: {"from": "wheels", "version": "newest", "python": PYTHON, "package": name, "image": True}
            for name in texts
        }
        entries["good"] = {**entries["good"], "verify": "own.py"}  # type: ignore[dict-item]
        other = self._vendor() if vendor else ()
        if vendor:
            name = f"{other[0].reference}@{other[0].digest}"
            entries["vendor"] = {"from": "container", "python": PYTHON, "image": name, **vendor}
            entries["tool"] = {"from": "container", "image": name, **TOOL}
            other = (*other, replace(other[0], framework="tool"))
        asked = {
            "name": "site",
            "release": "1",
            "system": "this",
            "prefix": str(house.prefix),
            "frameworks": entries,
            "containers": {"base": f"{base.reference}@{base.digest}"},
        }
        made = plan(Environment.model_validate(asked), self.made.system)
        files.write(self.root / "own.py", "import sys\nsys.exit(0 if sys.stdin.read() == '' else 'no')\n")
        lock = Lock(
            environment="site",
            inputs=inputs(made),
            wheels=locks,
            images=Images(images=tuple(sorted((base, *other), key=lambda one: one.framework))),
        )
        build(made, lock, house.mirror, LoggedRunner(Silent()), Silent(), None)
        return made, self._staged(made, lock)

    def _staged(self, made: Plan, lock: Lock) -> Path:
        known = installed(made, lock)
        entrances = [
            entrance(made.namespace, one, read_description(Path(one.image))) for one in known if one.image
        ]
        tree = module_tree(made, known) | command_tree(entrances, made.place)
        return stage(made, lock, tree | site_scripts(made, self.root))

    def _base(self) -> LockedImage:
        _glibc(root_of_programs(self.root / "base", HELD))
        return self.made.base

    def _vendor(self) -> tuple[LockedImage, ...]:
        """An image as a vendor has it: this machine's Python with a package, and a program of theirs."""
        root = root_of_programs(self.root / "vendor", HELD)
        _python(root)
        packages = root / f"usr/lib/python{PYTHON}"
        files.write(packages / "vendor.py", VENDOR)
        files.write(
            packages / "vendor-1.5.dist-info/METADATA", "Metadata-Version: 2.1\nName: vendor\nVersion: 1.5\n"
        )
        files.write(root / "opt/vendor/bin/greet", "#!/bin/sh\necho hello\n", 0o755)
        packed = gzip.compress(layer_of(root), 1, mtime=0)
        whole = image(packed, environment={"PATH": "/opt/vendor/bin:/usr/bin:/bin"})
        known = {
            name: self.made._put(blob) for name, blob in {**whole.blobs, whole.digest: whole.manifest}.items()
        }
        kind = "application/vnd.oci.image.layer.v1.tar+gzip"
        return (
            LockedImage(
                framework="vendor",
                reference="registry.example/vendor",
                digest=whole.digest,
                architecture="x86_64",
                manifest=known[whole.digest],
                config=known[next(name for name in whole.blobs if name != digest(packed))],
                layers=(LockedLayer(file=known[digest(packed)], media_type=kind),),
            ),
        )


def _python(root: Path) -> None:
    """The interpreter that runs the tests, with its standard library, below /usr."""
    program = Path(os.path.realpath(sys.executable))
    library = Path(sysconfig.get_path("stdlib"))
    place = root / f"usr/lib/python{PYTHON}"
    ignored = shutil.ignore_patterns(
        "test", "idlelib", "tkinter", "lib2to3", "config-*", "__pycache__", "site-packages", "dist-packages"
    )
    shutil.copytree(library, place, ignore=ignored, symlinks=True)
    copied(program, root)
    (root / "usr/bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(program, root / f"usr/bin/python{PYTHON}")
    _glibc(root)


def _glibc(root: Path) -> None:
    """All of this machine's C library, beside what is there of it."""
    (own,) = root.rglob("libc.so.6")
    for library in (Path("/") / own.parent.relative_to(root)).glob("lib[cdmpru]*.so.[126]"):
        if not (own.parent / library.name).exists():
            shutil.copy(library, own.parent / library.name)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path]:
    root = tmp_path_factory.mktemp("containers")
    files.write(root / "outside/stranger.py", "")
    astray = ASTRAY.format(outside=str(root / "outside"))
    vendor = {"version": "1.5", "import": "vendor", "commands": ["python", "greet"]}
    return ContainerSite(root).build({"good": "def main(): print('usage: good')", "astray": astray}, vendor)


@pytest.fixture(scope="module")
def report(site: tuple[Plan, Path]) -> Report:
    """Of root, whose TMPDIR is where no container sees it."""
    made, staged = site
    with TemporaryDirectory(dir=Path.home()) as unseen, pytest.MonkeyPatch.context() as changed:
        changed.setattr(tempfile, "tempdir", unseen)
        return smoke(staged, made, LoggedRunner(Silent()), Silent())


def checks(report: Report, framework: str) -> dict[str, Check]:
    return {check.name: check for check in report.checks if check.framework == framework}


def failed(report: Report, framework: str) -> dict[str, str]:
    return {name: check.detail for name, check in checks(report, framework).items() if not check.passed}


def test_a_packed_framework_passes_what_it_passes_without_its_image_and_has_manners(report: Report):
    assert not failed(report, "good")
    assert not failed(report, "good-container")
    outside = list(checks(report, "good"))
    place = outside.index("isolation from a hostile caller") + 1
    assert list(checks(report, "good-container")) == [*outside[:place], *MANNERS, *outside[place:]]
    assert "the site's own" in outside


def test_what_comes_from_the_machine_is_a_fault(report: Report, site: tuple[Plan, Path]):
    outside = site[1].parents[2] / "outside"
    assert failed(report, "astray-container")["isolation"] == (
        f"{outside} is not of the image, {outside}/stranger.py is not of the image, "
        f"stranger comes from {outside}/stranger.py, {outside} is searched"
    )


def test_an_image_of_others_is_tested_as_far_as_it_is_known(report: Report):
    assert not failed(report, "vendor")
    assert list(checks(report, "vendor")) == [
        *("module", "import", "version", "packages", "isolation", "isolation from a hostile caller"),
        *("program python", "program greet", *MANNERS),
    ]


def test_an_image_without_a_python_has_programs_that_start_and_go(report: Report):
    assert not failed(report, "tool")
    names = ["module", "isolation from a hostile caller", "program greet", "unloading"]
    assert list(checks(report, "tool")) == names


def changed(staged: Path, there: Path, **values: str) -> Path:
    """The release with another text of `enter` for good-container, and a container that nobody is in."""
    shutil.copytree(staged, there)
    enter = there / "containers/good-container/enter"
    text = enter.read_text()
    for name, value in {"digest": secrets.token_hex(6), **values}.items():
        text = re.sub(rf"(?m)^sg_{name}=.*$", f"sg_{name}={value}", text)
    enter.write_text(text)
    return there


def test_a_container_that_cannot_start_is_a_failed_check_in_the_words_of_its_command(
    site: tuple[Plan, Path], tmp_path: Path
):
    staged = changed(site[1], tmp_path / "staged", image="/nowhere/image.sqfs")
    found = smoke(staged, site[0], LoggedRunner(Silent()), Silent())
    what = "hpai/good-container: its image /nowhere/image.sqfs cannot be read"
    assert failed(found, "good-container") == {
        "container": f"{what}; ask those who have built it to do so again"
    }
    assert not failed(found, "good")


@dataclass(frozen=True)
class WithoutFuse:
    """Starts programs on a machine that has no /dev/fuse."""

    def __call__(self, command: Command) -> Outcome:
        bare = ("bwrap", "--bind", "/", "/", "--dev", "/dev", "--proc", "/proc")
        argv = (*bare, "--chdir", str(command.directory), "--", *command.argv)
        return LoggedRunner(Silent())(replace(command, argv=argv))


@pytest.mark.skipif(not shutil.which("bwrap"), reason="no bubblewrap")
def test_where_no_image_can_be_mounted_it_is_said_what_to_ask_for(site: tuple[Plan, Path], tmp_path: Path):
    staged = changed(site[1], tmp_path / "staged")
    found = smoke(staged, site[0], WithoutFuse(), Silent())
    assert failed(found, "good-container") == {
        "container": "hpai/good-container: /dev/fuse cannot be used, by which images are mounted; "
        "ask those who run this machine for the module fuse, and mode 0666"
    }


def test_a_container_that_lets_libraries_of_the_caller_in_is_found_out(
    site: tuple[Plan, Path], tmp_path: Path
):
    staged = changed(site[1], tmp_path / "staged")
    enter = staged / "containers/good-container/enter"
    assert "unset LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT\n" in enter.read_text()
    enter.write_text(enter.read_text().replace("unset LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT\n", ""))
    (fault,) = [check for check in trial(site[0], staged, tmp_path).checks() if not check.passed]
    assert fault.name == "isolation from a hostile caller"
    assert re.match(rf"{tmp_path}/hostile/libraries/lib\S+ is not of the image", fault.detail), fault.detail


def trial(made: Plan, staged: Path, scratch: Path, *, lmod: bool = True) -> Trial:
    framework = next(one for one in read_release(staged).frameworks if one.name == "good-container")
    planned = next(one for one in made.containers if one.name == "good-container")
    start = lmod_start() if lmod else None
    way = Entrance(plan=made, framework=framework, core=staged / "modules/Core", lmod=start)
    return trial_of(planned, way, staged, scratch, LoggedRunner(Silent()))


def test_without_lmod_the_environment_of_the_shell_leads_to_the_container(
    site: tuple[Plan, Path], tmp_path: Path
):
    found = trial(site[0], site[1], tmp_path, lmod=False).checks()
    assert [check for check in found if not check.passed] == []
