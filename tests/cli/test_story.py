"""One environment's life, told by the commands in their order: each test stands on the one before."""

import json
import os
from pathlib import Path

import pytest
from desk import Desk

from stackgen.site import Site

pytestmark = pytest.mark.network


def lines(path: Path) -> str:
    return f"module use {path}/current/modules/Core\nmodule load hpai/six\n"


def test_lock_says_what_it_found(shared_desk: Desk, index: Site):
    shared_desk.small()
    outcome = shared_desk("lock", "small.yaml")
    assert outcome.status == 0, outcome.stderr
    assert outcome.stdout.startswith("six 1.17.0 for Python 3.")
    assert outcome.stdout.endswith(f"locked in {shared_desk.directory}/small.lock\n")
    before = {path.name: path.read_bytes() for path in (shared_desk.directory / "small.lock").iterdir()}
    assert shared_desk("lock", "small.yaml").status == 0
    assert {
        path.name: path.read_bytes() for path in (shared_desk.directory / "small.lock").iterdir()
    } == before
    assert not any(b"://" in content for content in before.values())


def test_generate_writes_the_modules(shared_desk: Desk):
    outcome = shared_desk("generate", "small.yaml", "-o", "generated")
    assert outcome.status == 0, outcome.stderr
    assert "generated/modules/Core/hpai/six/1.17.0.lua" in outcome.stdout.splitlines()


def test_a_mirror_is_made_and_verified(shared_desk: Desk):
    created = shared_desk("mirror", "create", "small.yaml", "-d", "mirror")
    assert (created.status, created.stdout) == (0, f"{shared_desk.directory}/mirror is complete for small\n")
    verified = shared_desk("mirror", "verify", "mirror")
    assert (verified.status, verified.stdout) == (0, "mirror is whole\n")


def test_an_altered_mirror_is_named(shared_desk: Desk):
    wheel = next((shared_desk.directory / "mirror").rglob("six-*.whl"))
    whole = wheel.read_bytes()
    wheel.write_bytes(whole[:-1] + b"!")
    outcome = shared_desk("mirror", "verify", "mirror")
    assert outcome.status == 1
    assert wheel.name in outcome.stdout
    assert outcome.stderr.splitlines()[-1].startswith("mirror has 1 defect")
    wheel.write_bytes(whole)


def test_the_offline_build_publishes(shared_desk: Desk):
    outcome = shared_desk("build", "small.yaml", "--mirror", "mirror", "--offline")
    assert outcome.status == 0, outcome.stderr
    assert outcome.stdout == lines(shared_desk.directory / "prefix")


def test_a_second_build_has_nothing_to_do(shared_desk: Desk):
    outcome = shared_desk("build", "small.yaml", "--mirror", "mirror", "--offline")
    assert outcome.status == 0
    assert outcome.stderr.startswith("release 1 is published already: nothing to do\n")
    assert outcome.stdout == lines(shared_desk.directory / "prefix")
    machine = json.loads(shared_desk("build", "small.yaml", "--json").stdout)
    assert machine["changed"] is False
    assert machine["release"]["frameworks"][0]["version"] == "1.17.0"


def test_a_comment_in_the_file_changes_nothing(shared_desk: Desk):
    path = shared_desk.small()
    path.write_text(path.read_text() + "# a comment\n")
    outcome = shared_desk("build", "small.yaml", "--offline")
    assert outcome.stderr.startswith("release 1 is published already: nothing to do\n")


def test_the_shell_has_the_environment_without_lmod(shared_desk: Desk):
    words = ("shell", "six", "--prefix", "small.yaml", "python", "-c", "import six; print(six.__file__)")
    outcome = shared_desk(*words)
    assert outcome.status == 0, outcome.stderr
    assert outcome.stdout.startswith(f"{shared_desk.directory}/prefix/pythons/six-1.17.0-")
    wrong = shared_desk("shell", "sixx", "--prefix", "small.yaml")
    assert (wrong.status, wrong.stderr) == (2, "release 1 has no framework sixx; did you mean six?\n")


def test_a_lock_that_no_longer_fits_is_refused(shared_desk: Desk):
    shared_desk.small(version="1.16.0", release="2")
    outcome = shared_desk("build", "small.yaml")
    assert (outcome.status, outcome.stdout) == (2, "")
    assert outcome.stderr == (
        f"{shared_desk.directory}/small.lock no longer fits small.yaml:"
        " frameworks.six.requires: six==1.17.0 -> six==1.16.0;"
        f" run `stackgen lock {shared_desk.directory}/small.yaml`\n"
    )


def test_other_content_needs_another_release(shared_desk: Desk):
    path = shared_desk.small(version="1.16.0", release="1")
    assert shared_desk("lock", "small.yaml").status == 0
    outcome = shared_desk("build", "small.yaml")
    assert outcome.status == 2
    assert outcome.stderr.splitlines()[-1].startswith(
        "release 1 is published already with other content: six: version 1.17.0 -> 1.16.0"
    )
    assert path.exists()


def test_the_next_release(shared_desk: Desk):
    shared_desk.small(version="1.16.0", release="2")
    until = shared_desk("build", "small.yaml", "--until", "build")
    assert (until.status, until.stdout) == (0, "")
    untested = shared_desk("publish", "small.yaml")
    assert untested.status == 1
    assert untested.stderr.splitlines()[-1].startswith("release 2 is not tested; ")
    tested = shared_desk("test", "small.yaml")
    assert tested.status == 0, tested.stderr
    assert tested.stdout.startswith("release 2: ")
    published = shared_desk("publish", "small.yaml")
    assert (published.status, published.stdout) == (0, lines(shared_desk.directory / "prefix"))


def test_a_published_release_can_be_tested_again(shared_desk: Desk):
    outcome = shared_desk("test", "small.yaml", "--json")
    assert outcome.status == 0, outcome.stderr
    assert all(check["passed"] for check in json.loads(outcome.stdout)["checks"])


def test_releases_are_listed_and_compared(shared_desk: Desk):
    listed = shared_desk("releases", "prefix").stdout.splitlines()
    assert [line[:3].strip() for line in listed] == ["1", "* 2"]
    compared = shared_desk("diff", "prefix/releases/1", "prefix/releases/2")
    assert compared.stdout == "six: six 1.17.0 -> 1.16.0\n"


def test_rollback_and_forward_again(shared_desk: Desk):
    back = shared_desk("rollback", "prefix")
    assert (back.status, back.stdout) == (0, lines(shared_desk.directory / "prefix"))
    assert "release 1 is current" in back.stderr
    unknown = shared_desk("rollback", "small.yaml", "3")
    assert unknown.status == 2
    forward = shared_desk("rollback", "small.yaml", "2")
    assert "release 2 is current" in forward.stderr


def test_a_prefix_that_is_lost_is_built_again(shared_desk: Desk):
    assert shared_desk("build", "small.yaml").stderr.startswith("release 2 is published already")
    (lost,) = (shared_desk.directory / "prefix/pythons").glob("six-1.16.0-*")
    lost.rename(lost.with_name("elsewhere"))
    outcome = shared_desk("build", "small.yaml")
    assert outcome.status == 0, outcome.stderr
    assert lost.is_dir()
    assert outcome.stdout == lines(shared_desk.directory / "prefix")


def test_an_interrupted_build_says_so(desk: Desk, index: Site):
    desk.small()
    hang = ["--signal=INT", "--kill-after=60", "0.7"]
    outcome = desk(
        *hang,
        os.sys.executable,
        "-m",
        "stackgen",
        "build",
        "small.yaml",
        command=("timeout", "--preserve-status"),
    )
    assert outcome.status == 130
    assert outcome.stderr.endswith("interrupted; the same command goes on where this one stopped\n")
    assert desk("build", "small.yaml").status == 0
