"""Images of frameworks that a real Spack has built: what their programs are links to goes along."""

from dataclasses import replace
from pathlib import Path

import pytest
from choir import Choir, choir_recipes, solved
from imagehouse import ImageHouse, start_in
from test_container_build import why_not
from wheelhouse import pip_wheel

from stackgen.build import build
from stackgen.from_spack import Packages
from stackgen.images import Description, read_description
from stackgen.lock import Images
from stackgen.model import Packing
from stackgen.plan import BaseImage, Pulled
from stackgen.plan.containers import packed
from stackgen.progress import Silent
from stackgen.run import LoggedRunner
from stackgen.spack import SpackHome

pytestmark = [pytest.mark.spack, pytest.mark.skipif(bool(why_not()), reason=why_not())]

FRAMEWORKS = {
    "tenor": {
        "from": "spack",
        "version": "1.0",
        "spec": "py-tenor",
        "import": "choir.tenor",
        "python": "3.11",
    },
    "stone": {"from": "spack", "version": "1.0"},
}


@pytest.fixture(scope="module")
def choir(spack: SpackHome, tmp_path_factory: pytest.TempPathFactory) -> Choir:
    wheel = pip_wheel()
    if wheel is None:
        pytest.skip("this machine has no wheel of pip")
    choir = solved(
        tmp_path_factory.mktemp("choir"), FRAMEWORKS, choir_recipes(wheel.name.split("-")[1]), spack
    )
    choir.install()
    choir.build()
    return choir


@pytest.fixture(scope="module")
def images(choir: Choir) -> dict[str, Path]:
    """The image of each framework, by its name."""
    base = ImageHouse(choir.root).base
    containers = tuple(packed(one, Packing()) for one in choir.plan.spack)
    plan = replace(
        choir.plan,
        frameworks=(*choir.plan.frameworks, *containers),
        base=BaseImage(image=Pulled(reference=base.reference, digest=base.digest)),
    )
    lock = replace(choir.lock, images=Images(images=(base,)))
    packages = Packages(prefixes=choir.prefixes)
    run = LoggedRunner(Silent())
    found = build(plan, lock, choir.house.mirror, run, Silent(), None, packages)
    return {one.name: Path(one.image) for one in found if one.image}


def started(image: Path, mounted: Path, *words: str) -> str:
    description: Description = read_description(image)
    covered = tuple(f"@{bind.source}:{bind.target}" for bind in description.covered)
    return start_in(image, *words, mounted=mounted, binds=covered)


def test_a_program_finds_its_libraries_in_the_image(choir: Choir, images: dict[str, Path], tmp_path: Path):
    image = images["stone-container"]
    program = read_description(image).commands["stone"]
    assert started(image, tmp_path / "m", program) == f"{choir.prefix_of('vein')}\n"
    mounts = started(image, tmp_path / "m", "cat", "/proc/self/mountinfo")
    assert f" {choir.prefix_of('stone')} " in mounts
    assert f" {choir.prefix_of('vein')} " in mounts


def test_its_python_imports_what_spack_has_built(choir: Choir, images: dict[str, Path], tmp_path: Path):
    image = images["tenor-container"]
    description = read_description(image)
    script = "import os, choir.tenor as t; print(os.stat(t.__file__).st_dev == os.stat('/').st_dev)"
    assert started(image, tmp_path / "m", description.python, "-c", script) == "True\n"
    assert sorted(description.commands) == [
        *("alto", "pip", "pip3", "pip3.11", "python", "python3", "python3.11", "tenor")
    ]
