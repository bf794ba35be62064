"""How a container is entered, from the description of its image; and the commands of a release as files."""

from dataclasses import replace

import pytest

from stackgen.containers import Entrance, command_tree, entrance
from stackgen.containers.entrance import is_own, outermost
from stackgen.images import Bind, Description
from stackgen.release import InstalledFramework

RELEASE = "/dss/hpai/releases/1"
FRAMEWORK = InstalledFramework(
    name="tool",
    module="tool-container",
    version="1.0",
    prefix="/sw/hpai/pythons/tool-1.0-0123456789ab",
    python="3.11",
    packages={},
    settings={},
    source="container",
    image="/sw/hpai/images/tool-1.0-ba9876543210.sqfs",
)
DESCRIPTION = Description(
    name="tool",
    version="1.0",
    sha256="c" * 64,
    size=1,
    architecture="x86_64",
    commands={"python": f"{FRAMEWORK.prefix}/bin/python", "train": "/opt/train"},
    python=f"{FRAMEWORK.prefix}/bin/python",
    environment={
        "PATH": f"{FRAMEWORK.prefix}/bin:/usr/bin",
        "LD_LIBRARY_PATH": "/.stackgen/lib",
        "TOOL_HOME": "/opt/tool",
        "TOOL_LEVEL": "3",
    },
    mount_points=("/dss", "/home", "/mnt", "/proc", "/run", "/sw/hpai/releases", "/tmp"),
    binds=("/home", "/dss", "/dss/projects"),
    host=(Bind(source="/usr/lib/fabric", target="/.stackgen/host/0"),),
    links={},
    prefix=FRAMEWORK.prefix,
    covered=(Bind(source="/.stackgen/prefix/0", target=FRAMEWORK.prefix),),
)


def made() -> Entrance:
    return entrance("hpai", FRAMEWORK, DESCRIPTION)


def test_what_tells_a_place_is_the_images_and_the_rest_the_users():
    assert made().path == (f"{FRAMEWORK.prefix}/bin", "/usr/bin")
    assert made().environment == {"LD_LIBRARY_PATH": "/.stackgen/lib", "TOOL_HOME": "/opt/tool"}
    assert made().defaults == {"TOOL_LEVEL": "3"}


@pytest.mark.parametrize(
    ("name", "text", "own"),
    [
        ("PATH", "", True),
        ("LD_LIBRARY_PATH", "lib", True),
        ("CUDA_HOME", "/usr/local/cuda", True),
        ("LANG", "C.UTF-8", False),
        ("EMPTY", "", False),
    ],
)
def test_whose_variable_wins(name: str, text: str, own: bool):  # noqa: FBT001 - a case of a table
    assert is_own(name, text) is own


def test_what_is_shown_is_bound_before_the_hosts_libraries_and_what_that_hides_comes_last():
    same = ("/home", "/dss", "/run", "/sw/hpai/releases")
    assert made().binds == (*(Bind(source=path, target=path) for path in same), *DESCRIPTION.host)
    assert made().covered == DESCRIPTION.covered
    assert made().seen == ("/tmp", "/home", "/dss")


def test_a_directory_in_another_is_seen_with_it():
    assert outermost(("/a/b", "/a", "/ab", "/a/b/c")) == ("/a", "/ab")


def test_every_command_is_a_program_and_there_is_one_for_all_else():
    tree = command_tree((made(),), RELEASE)
    place = "containers/tool"
    assert {path: file.mode for path, file in tree.items()} == {
        f"{place}/bin/python": 0o755,
        f"{place}/bin/tool-container": 0o755,
        f"{place}/bin/train": 0o755,
        f"{place}/enter": 0o755,
        f"{place}/hold": 0o644,
        f"{place}/start": 0o644,
    }
    lines = tree[f"{place}/bin/python"].text.splitlines()
    assert lines[:3] == [
        "#!/bin/sh",
        f'set -- {FRAMEWORK.prefix}/bin/python "$@"',
        f"sg_enter={RELEASE}/{place}/enter",
    ]


def test_a_command_of_the_image_has_its_name_before_ours():
    own = replace(made(), commands={"tool-container": "/opt/own"})
    text = command_tree((own,), RELEASE)["containers/tool/bin/tool-container"].text
    assert 'set -- /opt/own "$@"\n' in text


def test_several_containers_lie_beside_each_other():
    tree = command_tree((made(), replace(made(), name="other")), RELEASE)
    assert {path.split("/")[1] for path in tree} == {"tool", "other"}
    assert dict(command_tree((), RELEASE)) == {}
