"""What a program in a container finds around it, and what is said where it cannot be started."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from images import PATH, Box, box, ended, run

from stackgen.images import Bind
from stackgen.run import Outcome

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


@pytest.fixture(scope="module")
def inside(small_image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    changes = {
        "environment": {"LD_LIBRARY_PATH": "/.stackgen/lib", "TOOL_HOME": "/opt/tool"},
        "defaults": {"LEVEL": "it's 3", "a.name": "dotted", "EMPTY": ""},
    }
    with ended(box(small_image, tmp_path_factory.mktemp("release"), **changes)) as container:
        yield container


def environment(inside: Box, **variables: str) -> dict[str, str]:
    outcome = inside("env", "-0", **variables)
    assert (outcome.status, outcome.stderr) == (0, "")
    return dict(entry.split("=", 1) for entry in outcome.stdout.split("\0") if entry)


def test_what_finds_programs_and_libraries_is_the_images(inside: Box):
    told = environment(
        inside, PATH=f"/my/bin:{PATH}", LD_LIBRARY_PATH="/my/lib", LD_PRELOAD="", TOOL_HOME="/usr"
    )
    assert told["PATH"] == "/usr/local/bin:/usr/bin:/bin"
    assert told["LD_LIBRARY_PATH"] == "/.stackgen/lib"
    assert told["TOOL_HOME"] == "/opt/tool"
    assert told["STACKGEN_CONTAINER"] == inside.entrance.digest
    assert "LD_PRELOAD" not in told


def test_all_else_passes_as_it_is(inside: Box):
    given = {
        "LINES": "one\ntwo\n",
        "DOLLAR": "$HOME:$PATH",
        "QUOTED": "'quoted'",
        "NOTHING": "",
        "PMIX_RANK": "3",
        "OMPI_COMM_WORLD_SIZE": "2",
        "SG": "é",
        "PYTHONPATH": "/tmp/x",
    }
    told = environment(inside, **given)
    assert {name: told.get(name) for name in given} == given
    assert not [name for name in told if name.startswith("sg_")]


def test_what_the_image_sets_is_there_where_the_user_has_not(inside: Box):
    assert {name: environment(inside)[name] for name in ("LEVEL", "a.name", "EMPTY")} == {
        "LEVEL": "it's 3",
        "a.name": "dotted",
        "EMPTY": "",
    }
    assert environment(inside, LEVEL="", EMPTY="mine") | {"LEVEL": "", "EMPTY": "mine"} == environment(
        inside, LEVEL="", EMPTY="mine"
    )


def test_a_user_without_a_name_is_given_one(inside: Box):
    outcome = run(inside.enter, "sh", "-c", "echo $USER", directory=Path("/tmp"), HOME="/tmp")
    assert outcome.stdout == run("id", "-un").stdout


def test_the_directory_for_temporary_files_passes_where_it_is_seen(inside: Box, tmp_path: Path):
    assert environment(inside, TMPDIR=str(tmp_path))["TMPDIR"] == str(tmp_path)
    assert "TMPDIR" not in environment(inside, TMPDIR="/usr/share")
    (tmp_path / "file").touch()
    assert inside("ls", "/tmp", TMPDIR=str(tmp_path)).stdout == inside("ls", "/tmp").stdout


def test_inside_its_commands_are_simply_its_programs(inside: Box):
    outcome = inside("sh", "-c", f"{inside.enter} sh -c 'exit 4'")
    assert (outcome.status, outcome.stderr) == (4, "")


def test_another_container_cannot_be_entered_from_inside(inside: Box, small_image: Path, tmp_path: Path):
    with ended(box(small_image, tmp_path / "release")) as other:
        outcome = inside("sh", "-c", f"{other.enter} true")
    assert (outcome.status, outcome.stderr) == (
        1,
        "hpai/box: a container cannot be entered from another one; start this outside\n",
    )


@pytest.mark.parametrize(
    ("word", "status", "told"),
    [
        ("no-such", 127, "there is no no-such in the container"),
        ("/no/such", 127, "there is no /no/such in the container"),
        ("./no such", 127, "there is no ./no such in the container"),
        ("/etc", 126, "/etc is in the container, but is no program"),
        ("/etc/passwd", 126, "/etc/passwd is in the container, but is no program"),
    ],
)
def test_what_cannot_be_started_has_the_status_that_shells_give_it(
    inside: Box, word: str, status: int, told: str
):
    outcome = inside(word)
    assert (outcome.status, outcome.stderr) == (status, f"hpai/box: {told}\n")


def test_programs_of_the_user_are_started_by_their_path(inside: Box, tmp_path: Path):
    program = tmp_path / "mine"
    program.write_text("#!/bin/sh\necho $0 $PWD\n")
    program.chmod(0o755)
    assert inside("./mine", directory=tmp_path).stdout == f"./mine {tmp_path}\n"
    assert inside(str(program)).stdout == f"{program} /tmp\n"


def test_without_a_program_it_says_what_it_wants(inside: Box):
    outcome = inside()
    assert (outcome.status, outcome.stderr) == (2, "hpai/box: name a program, as `enter python`\n")


def test_a_directory_that_is_not_seen_inside_is_told(inside: Box):
    inside("true")
    held = inside.holder()
    for place in ("/usr/share", "/etc", "/opt"):
        outcome = inside("true", directory=Path(place))
        assert (outcome.status, outcome.stderr) == (
            1,
            f"hpai/box: the working directory {place} is not seen in the container;"
            " go to one below /tmp, /home\n",
        )
    assert inside.holder() == held
    assert inside("sh", "-c", "pwd", directory=Path("/")).stdout == "/\n"


def test_a_directory_behind_a_link_is_the_one_that_it_leads_to(inside: Box, tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert inside("sh", "-c", "pwd -P", directory=tmp_path / "link").stdout == f"{tmp_path}/real\n"


def test_a_directory_that_is_gone_is_told(inside: Box, tmp_path: Path):
    gone = tmp_path / "gone"
    gone.mkdir()
    outcome = run("sh", "-c", f'rmdir "$PWD"; exec {inside.enter} true', directory=gone, HOME="/tmp")
    assert outcome.status == 1
    assert outcome.stderr.splitlines()[-1].startswith("hpai/box: the working directory ")


def test_a_home_that_is_not_seen_is_told_once(small_image: Path, tmp_path: Path):
    with ended(box(small_image, tmp_path / "release")) as cold:
        told = [cold("true", HOME="/usr/share") for _ in range(2)]
    assert [(one.status, one.stderr) for one in told] == [
        (0, "hpai/box: your home /usr/share is not seen in the container; what is below /tmp, /home is\n"),
        (0, ""),
    ]


def test_an_image_that_is_gone_is_named(tmp_path: Path):
    with ended(box(tmp_path / "gone.sqfs", tmp_path / "release")) as cold:
        outcome = cold("true")
    assert (outcome.status, outcome.stderr) == (
        1,
        f"hpai/box: its image {tmp_path}/gone.sqfs cannot be read;"
        " ask those who have built it to do so again\n",
    )


def test_an_image_that_is_none_is_told_in_the_words_of_charliecloud(tmp_path: Path):
    (tmp_path / "text.sqfs").write_text("not an image\n" * 9)
    with ended(box(tmp_path / "text.sqfs", tmp_path / "release")) as cold:
        outcome = cold("true")
    assert outcome.status == 1
    assert outcome.stderr.startswith("hpai/box: its container cannot be started: ")
    assert outcome.stderr.count("\n") == 1


def test_without_charliecloud_it_says_so(small_image: Path, tmp_path: Path):
    with ended(box(small_image, tmp_path / "release", ch_run="/no/ch-run")) as cold:
        outcome = cold("true")
    assert (outcome.status, outcome.stderr) == (
        1,
        "hpai/box: there is no ch-run on this node; load a module of Charliecloud,"
        " or ask those who run the machine to install it\n",
    )


def apart(cold: Box, doing: str) -> Outcome:
    """A command where this machine is another one."""
    words = ("unshare", "-m", "sh", "-c", f'{doing}; exec "$@"', "sh", cold.enter, "true")
    return run(*words, directory=Path("/tmp"), HOME="/tmp", USER="root")


@ROOT
def test_without_fuse_it_says_what_to_ask_for(small_image: Path, tmp_path: Path):
    gone = "mount -t tmpfs none /dev; mknod /dev/null c 1 3"
    with ended(box(small_image, tmp_path / "release")) as cold:
        outcome = apart(cold, gone)
    assert (outcome.status, outcome.stderr) == (
        1,
        "hpai/box: /dev/fuse cannot be used, by which images are mounted;"
        " ask those who run this machine for the module fuse, and mode 0666\n",
    )


@ROOT
def test_without_room_it_says_so(small_image: Path, tmp_path: Path):
    with ended(box(small_image, tmp_path / "release")) as cold:
        cold.top.mkdir(mode=0o700)
        outcome = apart(cold, f"mount -t tmpfs -o nr_inodes=2,mode=700 none {cold.top}")
        assert (outcome.status, outcome.stderr) == (
            1,
            f"hpai/box: nothing can be written below {cold.top}; make room in /tmp\n",
        )


@ROOT
def test_without_namespaces_it_says_what_to_ask_for(small_image: Path, tmp_path: Path):
    """In a namespace of its own, which may have no others."""
    for path in (tmp_path, *tmp_path.parents[:2], small_image.parent):
        path.chmod(0o755)
    with ended(box(small_image, tmp_path / "release")) as cold:
        none = 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"'
        words = ("unshare", "-Ur", "sh", "-c", none, "sh", cold.enter, "true")
        outcome = run(*words, directory=Path("/tmp"), HOME="/tmp", USER="root")
    assert outcome.status == 1
    assert outcome.stderr.startswith(
        "hpai/box: this machine lets users make no namespaces, which containers need; ask those who run it"
        " to set user.max_user_namespaces and kernel.unprivileged_userns_clone ("
    )
    assert outcome.stderr.count("\n") == 1


def test_binds_are_seen_at_their_places_and_missing_ones_left_out(small_image: Path, tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/file").write_text("of the machine\n")
    binds = (
        Bind(source="/no/such", target="/home"),
        Bind(source=str(tmp_path / "data"), target="/dss"),
        Bind(source=str(tmp_path), target="/.stackgen/host/0"),
    )
    covered = (Bind(source="/.stackgen/prefix", target=str(tmp_path / "data")),)
    with ended(box(small_image, tmp_path / "release", binds=binds, covered=covered)) as container:
        outcome = container("cat", "/dss/file", "/.stackgen/host/0/data/file", f"{tmp_path}/data/inside")
        assert (outcome.stdout, outcome.stderr) == ("of the machine\n" * 2 + "of the image\n", "")
        assert container("ls", "/home").stdout == ""


@ROOT
def test_what_was_mounted_after_the_first_command_is_seen_by_the_next(small_image: Path, tmp_path: Path):
    later = tmp_path / "later"
    later.mkdir()
    with ended(box(small_image, tmp_path / "release")) as container:
        assert container("true").status == 0
        run("mount", "-t", "tmpfs", "none", str(later))
        try:
            (later / "file").write_text("mounted\n")
            outcome = container("cat", "file", directory=later)
        finally:
            run("umount", "-l", str(later))
    assert (outcome.stdout, outcome.stderr) == ("mounted\n", "")


def test_places_may_have_any_name(small_image: Path, tmp_path: Path):
    odd = tmp_path / 'it\'s "$HOME" `id` ü'
    odd.mkdir()
    image = odd / "image.sqfs"
    image.symlink_to(small_image)
    with ended(box(image, odd / "release")) as container:
        outcome = container("sh", "-c", "pwd", directory=odd)
        assert (outcome.stdout, outcome.stderr) == (f"{odd}\n", "")
        outcome = run(container.command("cat"), "/proc/self/comm", directory=odd, HOME="/tmp")
        assert (outcome.stdout, outcome.stderr) == ("cat\n", "")
