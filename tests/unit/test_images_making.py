"""What cannot become an image that anybody could use, and is refused while it is made."""

import pytest

from stackgen.errors import WorkError
from stackgen.images.host import HostParts
from stackgen.images.loader import Loader
from stackgen.images.making import Ground, Recipe, put_together
from stackgen.model import HostContainers
from stackgen.rootfs import Texts
from stackgen.tree import File, Tree


def recipe(*programs: str) -> Recipe:
    tree = Tree(dict.fromkeys(programs, File("#!/bin/sh\n", 0o755)))
    return Recipe(
        name="tool",
        version="1",
        architecture="x86_64",
        ground=Ground(title="tool", sources=(Texts(tree=tree),)),
        prefix=None,
        needed=(),
        added=(),
        packages=None,
        python="",
        commands=(),
        shown=HostContainers(),
        host=HostParts(),
    )


@pytest.mark.parametrize(
    ("programs", "told"),
    [
        (
            ("usr/local/bin/tool",),
            "the image of tool has no /bin/sh, by which its commands are started; take one that has a shell",
        ),
        (
            ("bin/sh", "bin/grep"),
            "nothing in the image of tool becomes a command of its module; name its programs by `commands`",
        ),
    ],
)
def test_an_image_that_nobody_could_use(programs: tuple[str, ...], told: str):
    with pytest.raises(WorkError) as caught:
        put_together(recipe(*programs), Loader(cached={}))
    assert str(caught.value) == told


def test_an_image_with_a_program_of_its_own():
    _, description = put_together(recipe("bin/sh", "usr/local/bin/tool"), Loader(cached={}))
    assert description.commands == {"tool": "/usr/local/bin/tool"}
