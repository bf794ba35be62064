"""Licences read from recipes as Spack's repository and its installed prefixes have them."""

import json
from pathlib import Path

import pytest

from stackgen.lock import SpackLock
from stackgen.recipe_licenses import module_name, recipe_license, spack_licenses

RECIPE = """\
from spack.package import *

def helper():
    license("not a directive")

class Zlib(Package):
    license("GPL-2.0-or-later", when="@:4.5")
    license("LGPL-2.1-or-later OR MIT", when="@4.6:", checked_by="somebody")
    license("GPL-3.0-only", when="+gpl")
    license(computed())
    license(f"X-{1}")

    def patch(self):
        license("Nowhere")
"""


@pytest.mark.parametrize(
    ("version", "variants", "text"),
    [
        ("4.5.3", {"gpl": False}, "GPL-2.0-or-later"),
        ("4.5", {"gpl": True}, "GPL-2.0-or-later AND GPL-3.0-only"),
        ("4.6", {"gpl": False}, "LGPL-2.1-or-later OR MIT"),
        ("4.10", {"gpl": True}, "(LGPL-2.1-or-later OR MIT) AND GPL-3.0-only"),
        ("develop", {"gpl": False}, "LGPL-2.1-or-later OR MIT"),
        ("4.6-rc1", {"gpl": False}, "LGPL-2.1-or-later OR MIT"),
    ],
)
def test_the_licence_of_a_version(version: str, variants: dict[str, bool], text: str) -> None:
    assert recipe_license(RECIPE, version, variants) == text


def test_a_recipe_without_a_licence() -> None:
    assert recipe_license("class A(Package):\n    version('1')\n", "1", {}) == ""


def test_versions_that_are_named_one_by_one() -> None:
    recipe = "class A(Package):\n    license('MIT', when='@1.2,2:3')\n    license('Zlib', when='@=7')\n"
    found = {version: recipe_license(recipe, version, {}) for version in ("1.2.9", "1.3", "3.9", "4", "7")}
    assert found == {"1.2.9": "MIT", "1.3": "", "3.9": "MIT", "4": "", "7": "Zlib"}


def test_the_directories_of_recipes() -> None:
    assert [module_name(name) for name in ("py-numpy", "7zip", "zlib")] == ["py_numpy", "_7zip", "zlib"]


def recipe(prefix: Path, name: str, text: str, repository: str = "spack_repo/builtin") -> None:
    path = prefix / ".spack/repos" / repository / "packages" / module_name(name) / "package.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def locked(**versions: str) -> SpackLock:
    arch = {"platform": "linux", "platform_os": "debian12", "target": "x86_64"}
    nodes = {
        name: {"name": name, "version": version, "arch": arch, "parameters": {"gpl": True}}
        for name, version in versions.items()
    }
    roots = [{"hash": name, "spec": name} for name in nodes]
    return SpackLock(
        name="caffe",
        text=json.dumps({"_meta": {"file-type": "spack-lockfile"}, "roots": roots, "concrete_specs": nodes}),
    )


def test_licences_of_what_is_installed(tmp_path: Path) -> None:
    lock = locked(**{"zlib": "4.6", "py-numpy": "2", "torn": "1", "gone": "1", "bare": "1"})
    prefixes = {name: tmp_path / name for name in ("zlib", "py-numpy", "torn", "gone", "bare")}
    recipe(tmp_path / "zlib", "zlib", RECIPE)
    recipe(tmp_path / "zlib", "py-numpy", "class A:\n    license('of another')\n")
    recipe(tmp_path / "py-numpy", "py-numpy", "class A:\n    license('BSD-3-Clause')\n")
    recipe(tmp_path / "torn", "torn", "class A(:\n")
    recipe(tmp_path / "bare", "bare", "class A:\n    pass\n")
    assert spack_licenses([lock], prefixes) == {
        "numpy": "BSD-3-Clause",
        "zlib": "(LGPL-2.1-or-later OR MIT) AND GPL-3.0-only",
    }


def test_prefixes_that_are_not_there(tmp_path: Path) -> None:
    assert spack_licenses([locked(zlib="1")], {}) == {}
    assert spack_licenses([locked(zlib="1")], {"zlib": tmp_path / "nowhere"}) == {}


@pytest.mark.spack
def test_all_recipes_of_spack_are_read(spack) -> None:
    recipes = sorted((spack.packages / "packages").glob("py_n*/package.py"))
    found = [recipe_license(path.read_text(), "1.0", {}) for path in recipes]
    assert len(recipes) > 50
    assert sum(map(bool, found)) > len(found) / 2
    zlib = (spack.packages / "packages/zlib/package.py").read_text()
    assert recipe_license(zlib, "1.3.1", {}) == "Zlib"
