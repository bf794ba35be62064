"""One environment's life, told by the commands in their order: each test stands on the one before."""

import json
import shutil
import signal
import sys
from pathlib import Path

import pytest
from desk import Desk

from stackgen.site import Site

pytestmark = pytest.mark.network


@pytest.fixture(scope="module", autouse=True)
def _index(index: Site) -> None:
    """None of these goes without an index."""


def lines(path: Path) -> str:
    return f"module use {path}/current/modules/Core\nmodule load hpai/six\n"


def test_lock_says_what_it_found(shared_desk: Desk):
    shared_desk.small()
    outcome = shared_desk("lock", "small.yaml")
    assert outcome.status == 0, outcome.stderr
    assert outcome.stdout.startswith("six 1.17.0 for Python 3.")
    lock = shared_desk.directory / "small.lock"
    assert outcome.stdout.endswith(f"{lock} is written\n")
    before = {path.name: path.read_bytes() for path in lock.iterdir()}
    again = shared_desk("lock", "small.yaml")
    assert (again.status, again.stderr) == (0, "")
    assert again.stdout.endswith(f"{lock} fits; --upgrade looks for newer versions\n")
    assert shared_desk("lock", "--upgrade", "small.yaml").stdout == outcome.stdout
    assert {path.name: path.read_bytes() for path in lock.iterdir()} == before
    assert not any(b"://" in content for content in before.values())


def test_two_files_of_one_name_do_not_share_a_lock(shared_desk: Desk):
    before = (shared_desk.directory / "small.lock/lock.json").read_bytes()
    copy = shared_desk.small(version="1.16.0", name="copy.yaml")
    outcome = shared_desk("lock", "copy.yaml")
    assert (outcome.status, outcome.stderr) == (
        2,
        "copy.yaml:1:1: name: small.yaml is the environment small already, and small.lock is its lock;"
        " give this one another name\n",
    )
    assert (shared_desk.directory / "small.lock/lock.json").read_bytes() == before
    copy.unlink()


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
    assert outcome.stderr.splitlines()[-1] == (
        "mirror is not whole; copy it again, or, where there is a network,"
        " `stackgen mirror create ENV.yaml -d mirror` mends what is needed; remove what is unknown"
    )
    assert shared_desk("mirror", "create", "small.yaml", "-d", "mirror").status == 0
    assert wheel.read_bytes() == whole


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
    using, nothing, *_ = outcome.stderr.splitlines()
    assert (
        using
        == f"using {shared_desk.directory}/small.lock; `stackgen lock --upgrade` looks for newer versions"
    )
    assert nothing == "release 1 is published already: nothing to do"


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
    assert outcome.stderr.splitlines()[-1] == (
        f"{shared_desk.directory}/small.lock no longer fits small.yaml:"
        " frameworks.six.requires: six==1.17.0 -> six==1.16.0;"
        f" run `stackgen lock {shared_desk.directory}/small.yaml` where there is a network"
    )


def test_other_content_needs_another_release(shared_desk: Desk):
    shared_desk.small(version="1.16.0", release="1")
    assert shared_desk("lock", "small.yaml").status == 0
    refusal = (
        "release 1 is published already with other content: six: six 1.17.0 -> 1.16.0;"
        " a release never changes: give this one a new name with `release:` in the environment's file"
    )
    outcome = shared_desk("build", "small.yaml")
    assert (outcome.status, outcome.stderr.splitlines()[-1]) == (2, refusal)
    other = (
        "release 1 was built from something else than small.yaml and its lock say now;"
        f" run `stackgen build {shared_desk.directory}/small.yaml`\n"
    )
    for command in ("test", "publish"):
        outcome = shared_desk(command, "small.yaml")
        assert (outcome.status, outcome.stderr) == (2, other)


def test_no_command_makes_a_prefix_that_it_only_asks_about(shared_desk: Desk):
    for words in (("test", "small.yaml"), ("publish", "small.yaml")):
        assert shared_desk(*words, "--prefix", f"{shared_desk.directory}/typo").status == 2
    (shared_desk.directory / "empty").mkdir()
    outcome = shared_desk("rollback", "empty")
    assert outcome.stderr == (
        f"nothing is published in {shared_desk.directory}/empty; run `stackgen build` on an environment\n"
    )
    assert not (shared_desk.directory / "typo").exists()
    assert not any((shared_desk.directory / "empty").iterdir())


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
    assert "release 2 is published already" in shared_desk("build", "small.yaml").stderr
    (lost,) = (shared_desk.directory / "prefix/pythons").glob("six-1.16.0-*")
    lost.rename(lost.with_name("elsewhere"))
    outcome = shared_desk("build", "small.yaml")
    assert outcome.status == 0, outcome.stderr
    assert lost.is_dir()
    assert outcome.stdout == lines(shared_desk.directory / "prefix")


def test_a_prefix_that_is_damaged_is_built_again(shared_desk: Desk):
    (damaged,) = (shared_desk.directory / "prefix/pythons").glob("six-1.16.0-*")
    (damaged / "bin").chmod(0o755)
    (damaged / "bin/python").unlink()
    outcome = shared_desk("build", "small.yaml")
    assert outcome.status == 0, outcome.stderr
    assert (damaged / "bin/python").exists()


@pytest.mark.parametrize("umask", ["077", "000"])
def test_the_umask_decides_nothing(shared_desk: Desk, umask: str):
    script = f"umask {umask}; exec {sys.executable} -m stackgen generate small.yaml -o umask-{umask}"
    assert shared_desk("-c", script, command=("sh",)).status == 0
    written = [shared_desk.directory / f"umask-{umask}"]
    written += written[0].rglob("*")
    assert {path.stat().st_mode & 0o777 for path in written} == {0o755, 0o644}


def test_what_users_see_is_mended(shared_desk: Desk):
    shutil.rmtree(shared_desk.directory / "prefix/publications")
    outcome = shared_desk("build", "small.yaml")
    assert (outcome.status, outcome.stdout) == (0, lines(shared_desk.directory / "prefix"))
    assert (shared_desk.directory / "prefix/current/modules/Core/hpai/six/1.16.0.lua").exists()


def test_a_verify_script_of_the_site_is_part_of_what_was_read(shared_desk: Desk):
    path = shared_desk.small(version="1.16.0", release="3")
    path.write_text(path.read_text() + "    verify: own.py\n")
    shared_desk.write("own.py", "import six\n")
    assert shared_desk("build", "small.yaml").status == 0
    (shared_desk.directory / "own.py").unlink()
    outcome = shared_desk("build", "small.yaml")
    assert outcome.status == 2
    assert outcome.stderr.startswith("small.yaml:9:5: frameworks.six.verify: there is no file ")


def test_an_interrupted_build_says_so(desk: Desk):
    desk.small()
    # A test run in the background may have been started with SIGINT ignored.
    words = ("env", "--default-signal=INT", sys.executable, "-m", "stackgen", "build", "small.yaml")
    with desk.started(*words) as process:
        assert process.stderr
        assert process.stderr.readline().startswith("resolving")
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert rest.splitlines()[-1] == "interrupted; the same command goes on where this one stopped"
    assert desk("build", "small.yaml").status == 0
