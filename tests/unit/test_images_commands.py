"""What the module of an image offers where the site names nothing."""

from stackgen.images.commands import commands_of_image
from stackgen.rootfs import Texts, root_file_system
from stackgen.tree import File, Tree

PATH = ("/opt/tool/bin", "/usr/bin")


def test_what_the_distribution_brings_is_left_out_but_for_python():
    program = File("#!/bin/sh\n", 0o755)
    names = (
        "opt/tool/bin/trainer",
        "opt/tool/bin/sh",
        "opt/tool/bin/env",
        "usr/bin/grep",
        "usr/bin/python3.11",
    )
    inside = root_file_system([Texts(tree=Tree(dict.fromkeys(names, program)))])
    assert commands_of_image(inside, PATH) == {
        "python3.11": "/usr/bin/python3.11",
        "trainer": "/opt/tool/bin/trainer",
    }


def test_programs_whose_names_nobody_can_type_are_left_out():
    program = File("#!/bin/sh\n", 0o755)
    names = ("good-1.2_x++", "_good", "line\nfeed", "two words", "\udcff", "-option", "[")
    tree = Tree({f"opt/tool/bin/{name}": program for name in names})
    assert sorted(commands_of_image(root_file_system([Texts(tree=tree)]), PATH)) == ["_good", "good-1.2_x++"]
