"""Images that nodes of a real Slurm make, once what they are packed from is there."""

import re
from pathlib import Path

import pytest
import yaml
from cluster import Cluster
from desk import Desk
from imagehouse import TEXT, ImageHouse, start_in
from test_container_build import why_not
from yard import Yard

from stackgen import files
from stackgen.images import read_description
from stackgen.lock import Images, Lock, inputs, lock_tree
from stackgen.project import open_project

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.fixture
def yard(desk: Desk, slurm: Cluster) -> Yard:
    """An environment with one framework and its image."""
    made, house = Yard(desk, slurm), ImageHouse(desk.directory)
    base = house.base
    values = {"name": "yard", "release": "1", "system": "this", "prefix": str(house.house.prefix)}
    asked = {
        **values,
        "toolchain": {"mpi": "none"},
        "containers": {"base": f"{base.reference}@{base.digest}"},
        "frameworks": {"greeter": TEXT},
    }
    project = open_project(desk.write("yard.yaml", yaml.safe_dump(asked)))
    wheels = (house.house.lock(house.house.module("greeter", "1.0", "def main(): print('hi')")),)
    locked = Images(images=(base,))
    lock = Lock(environment="yard", inputs=inputs(project.plan), wheels=wheels, images=locked)
    files.write_tree(lock_tree(lock), project.lock_directory)
    return made


def test_a_node_makes_the_image_after_another_has_made_the_prefix(yard: Yard, tmp_path: Path):
    outcome = yard.build("--until", "build")
    assert outcome.status == 0, outcome.stderr
    done = re.findall(
        r"^n\d: (built greeter 1\.0|made the image of greeter-container 1\.0) in", outcome.stderr, re.M
    )
    assert done == ["built greeter 1.0", "made the image of greeter-container 1.0"]
    (image,) = (yard.house.prefix / "images").glob("*.sqfs")
    description = read_description(image)
    covered = tuple(f"@{bind.source}:{bind.target}" for bind in description.covered)
    words = (description.python, "-c", "import greeter; greeter.main()")
    assert start_in(image, *words, mounted=tmp_path / "m", binds=covered) == "hi\n"
    again = yard.build("--until", "build")
    assert (again.status, re.findall(r"^n\d: ", again.stderr, re.M)) == (0, [])
