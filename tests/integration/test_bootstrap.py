"""Bootstrapping: small repositories of the test's own with their own pins, and the real Spack once."""

import dataclasses
import io
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from stackgen.bootstrap import bootstrap, verify
from stackgen.errors import InputError, WorkError
from stackgen.pins import Pin, Pins
from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, Outcome
from stackgen.spack import SpackHome, find_spack, spack_command
from stackgen.spack.content import tree_digest
from stackgen.spack.home import incomplete

PROGRAM = """\
#!/bin/sh
import os, pathlib
cache = pathlib.Path(os.environ["SPACK_USER_CACHE_PATH"], "cache/providers")
cache.mkdir(parents=True)
(cache / "index.json").write_text("{}")
"""


def git(directory: Path, *words: str) -> str:
    identity = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**identity, "PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null"}
    command = Command(argv=("git", *words), environment=environment, directory=directory)
    outcome = LoggedRunner(Silent())(command)
    assert outcome.status == 0, outcome.stderr
    return outcome.stdout.strip()


def repository(directory: Path, contents: dict[str, str]) -> Path:
    for name, text in contents.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (directory / "link").symlink_to("README")
    if (directory / "bin").exists():
        (directory / "bin/spack").chmod(0o755)
    git(directory, "init", "--quiet")
    git(directory, "add", ".")
    git(directory, "commit", "--quiet", "-m", "x")
    git(directory, "tag", "v1")
    return directory


@dataclass(frozen=True)
class Upstream:
    spack: Path
    packages: Path
    pins: Pins

    def origins(self) -> tuple[str, ...]:
        return (str(self.packages), str(self.spack))


def pin(repository: Path, name: str, below: str, files: int, sign: str) -> Pin:
    return Pin(
        name=name,
        version="1",
        commit=git(repository, "rev-parse", "HEAD"),
        address=f"file://{repository}",
        tag="v1",
        below=below,
        tree=git(repository, "rev-parse", f"HEAD:{below}"),
        files=files,
        sign=sign,
    )


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    attributes = {".gitattributes": "*.bat text eol=crlf\n", "bin/a.bat": "one\ntwo\n"}
    sources = {"README": "Spack", "bin/spack": PROGRAM, "bin.x": "", "lib/one.py": "one = 1\n", **attributes}
    spack = repository(tmp_path / "upstream/spack-git", sources)
    builtin = {"repo.yaml": "repo: {}\n", "packages/one/package.py": "one = 1\n"}
    placed = {f"repos/spack_repo/builtin/{name}": text for name, text in builtin.items()}
    packages = repository(tmp_path / "upstream/packages-git", {"README": "packages", **placed})
    pins = Pins(
        spack=pin(spack, "spack", "", 7, "bin/spack"),
        packages=pin(packages, "packages", "repos", 2, "spack_repo/builtin/repo.yaml"),
    )
    return Upstream(spack, packages, pins)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "home/spack/x"


class Lines(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def archive(repository: Path, path: Path, *words: str) -> Path:
    git(repository, "archive", f"--output={path}", *words, "HEAD")
    return path


def refusal(upstream: Upstream, place: Path, *origins: Path | str) -> str:
    with pytest.raises((WorkError, InputError)) as raised:
        bootstrap(tuple(map(str, origins)), place, LoggedRunner(Silent()), Silent(), upstream.pins)
    assert not place.exists()
    if place.parent.exists():
        assert [path.name for path in place.parent.iterdir()] in ([], [".lock"])
    return str(raised.value)


def test_from_git_then_whole_read_only_and_there_already(upstream, place, run, monkeypatch):
    assert bootstrap(upstream.origins(), place, run, Silent(), upstream.pins)
    verify(place, upstream.pins)
    assert sorted(path.name for path in place.iterdir()) == [
        *("bootstrapped.json", "index", "packages", "spack")
    ]
    assert (place / "index/providers/index.json").read_text() == "{}"
    assert list((place / "spack/lib/__pycache__").iterdir())
    assert not any(path.stat().st_mode & 0o222 for path in place.rglob("*") if not path.is_symlink())
    assert not bootstrap(("/nothing",), place, run, Silent(), upstream.pins)
    monkeypatch.setenv("STACKGEN_SPACK", str(place))
    assert find_spack(upstream.pins).packages == place / "packages/spack_repo/builtin"


def test_from_the_public_addresses_and_the_user_is_told(upstream, place, run):
    heard = Lines()
    assert bootstrap((str(upstream.packages),), place, run, heard, upstream.pins)
    assert heard.lines == [f"Spack 1 is not in {upstream.packages}; fetching it from file://{upstream.spack}"]
    assert incomplete(place, upstream.pins) == ""


@pytest.mark.parametrize("ending", ["tar.gz", "tar"])
def test_from_release_archives_in_a_directory(upstream, place, run, tmp_path, ending):
    kit = tmp_path / "kit"
    kit.mkdir()
    archive(upstream.spack, kit / f"spack-1.{ending}", "--prefix=spack-1/")
    archive(upstream.packages, kit / f"spack-packages-1.{ending}", "--prefix=spack-packages-1/")
    shutil.rmtree(tmp_path / "upstream")
    assert bootstrap((str(kit),), place, run, Silent(), upstream.pins)
    verify(place, upstream.pins)


def test_from_plain_directories(upstream, place, run, tmp_path):
    plain = tmp_path / "plain"
    shutil.copytree(upstream.spack, plain / "spack", symlinks=True, ignore=shutil.ignore_patterns(".git"))
    shutil.copytree(upstream.packages / "repos", plain / "packages/repos")
    (plain / "spack/lib/__pycache__").mkdir()
    (plain / "spack/lib/__pycache__/one.cpython-311.pyc").write_bytes(b"poison")
    shutil.rmtree(tmp_path / "upstream")
    assert bootstrap((str(plain),), place, run, Silent(), upstream.pins)
    assert (place / "spack/lib/__pycache__/one.cpython-311.pyc").read_bytes() != b"poison"


def test_a_half_copied_one(upstream, place, tmp_path):
    half = tmp_path / "half"
    shutil.copytree(upstream.spack, half, symlinks=True, ignore=shutil.ignore_patterns(".git", "lib"))
    assert refusal(upstream, place, half) == (
        "what was given is not Spack 1: it has 6 files, and Spack 1 has 7;"
        " name a whole and unaltered copy, or none, by --from"
    )


@pytest.mark.parametrize("how", ["text", "mode", "link"])
def test_an_altered_one(upstream, place, tmp_path, how):
    other = tmp_path / "other"
    shutil.copytree(upstream.spack, other, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    match how:
        case "text":
            (other / "lib/one.py").write_text("one = 2\n")
        case "mode":
            (other / "lib/one.py").chmod(0o755)
        case "link":
            (other / "link").unlink()
            (other / "link").symlink_to("bin.x")
    assert refusal(upstream, place, other) == (
        "what was given is not Spack 1: some of its 7 files are not those of Spack 1;"
        " name a whole and unaltered copy, or none, by --from"
    )


def test_what_is_not_there_or_no_archive(upstream, place, tmp_path):
    assert refusal(upstream, place, "/nothing") == (
        "/nothing is not there; name a git repository, an archive or a directory"
    )
    file = tmp_path / "spack.zip"
    file.write_text("zip")
    assert refusal(upstream, place, file) == (
        f"{file} is no archive that can be read; take one of .tar, .tar.gz, .tgz, .tar.xz, .txz, .tar.bz2"
    )
    cut = archive(upstream.spack, tmp_path / "spack.tar.gz")
    cut.write_bytes(cut.read_bytes()[:-40])
    assert refusal(upstream, place, cut).startswith(f"{cut} is not a whole archive (")


@pytest.mark.parametrize("bytes_", [b"", b"no archive at all" * 100])
def test_an_archive_of_nothing_is_refused_in_one_line(upstream, place, tmp_path, bytes_):
    file = tmp_path / "spack.tar.gz"
    file.write_bytes(bytes_)
    assert refusal(upstream, place, file) == (
        f"{file} is not a whole archive (file could not be opened successfully); copy it again"
    )


def test_an_origin_without_a_name(upstream, place):
    assert refusal(upstream, place, "") == (
        "nothing is not there; name a git repository, an archive or a directory"
    )


def test_a_directory_that_cannot_be_copied(upstream, place, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(upstream.spack, other, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    os.mkfifo(other / "fifo")
    assert refusal(upstream, place, other) == (f"cannot copy {other}: `{other}/fifo` is a named pipe")


def test_a_machine_without_git(upstream, place, monkeypatch):
    monkeypatch.setenv("PATH", "/nothing")
    assert refusal(upstream, place) == ("there is no git; install it, or name release archives by --from")


def test_an_address_that_does_not_answer(upstream, place, tmp_path):
    assert refusal(upstream, place, f"file://{tmp_path}/nothing") == (
        f"git cannot fetch Spack 1 from file://{tmp_path}/nothing: "
        f"fatal: '{tmp_path}/nothing' does not appear to be a git repository; name another origin by --from"
    )


def test_an_address_that_never_answers(upstream, place):
    def impatient(command: Command) -> Outcome:
        return LoggedRunner(Silent())(dataclasses.replace(command, timeout=command.timeout and 0.5))

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"git://127.0.0.1:{silent.getsockname()[1]}/spack.git"
        with pytest.raises(WorkError) as raised:
            bootstrap((address,), place, impatient, Silent(), upstream.pins)
    assert str(raised.value) == f"{address} does not answer within 60 s; name another origin by --from"


@pytest.mark.parametrize(
    ("name", "target", "words"),
    [
        ("s/../../out", "", "which leads out of it"),
        ("s/l", "/etc/passwd", "a link that leads out of it"),
        ("s/l", "../../etc", "a link that leads out of it"),
        ("s/bin/fifo", "fifo", "which is no plain file"),
        ("s/../a\nb", "", "which leads out of it"),
    ],
)
def test_an_archive_that_is_a_trap(upstream, place, tmp_path, name, target, words):
    trap = tmp_path / "trap.tar"
    with tarfile.open(trap, "w") as made:
        made.addfile(tarfile.TarInfo("s/bin/spack"), io.BytesIO())
        member = tarfile.TarInfo(name)
        if target == "fifo":
            member.type = tarfile.FIFOTYPE
        elif target:
            member.type, member.linkname = tarfile.SYMTYPE, target
        made.addfile(member, io.BytesIO())
    assert refusal(upstream, place, trap) == (
        f"{trap} holds {name if name.isprintable() else repr(name)}, {words}; do not trust it"
    )
    assert not (tmp_path / "out").exists()


def test_a_place_that_holds_something_else(upstream, place, run):
    place.mkdir(parents=True)
    (place / "thesis").write_text("")
    with pytest.raises(InputError) as raised:
        bootstrap(upstream.origins(), place, run, Silent(), upstream.pins)
    assert str(raised.value) == f"{place} holds something else already; name another place, or remove it"


def test_one_that_lost_a_file_is_noticed_and_made_again(upstream, place, run):
    bootstrap(upstream.origins(), place, run, Silent(), upstream.pins)
    (place / "spack/lib").chmod(0o755)
    (place / "spack/lib/one.py").unlink()
    assert incomplete(place, upstream.pins) == f"{place}/spack is not whole: it has 6 files of 7"
    assert bootstrap(upstream.origins(), place, run, Silent(), upstream.pins)
    verify(place, upstream.pins)


def test_one_that_was_altered_is_found_by_reading_it(upstream, place, run):
    bootstrap(upstream.origins(), place, run, Silent(), upstream.pins)
    (place / "spack/lib/one.py").chmod(0o644)
    (place / "spack/lib/one.py").write_text("one = 2\n")
    with pytest.raises(WorkError) as raised:
        verify(place, upstream.pins)
    assert str(raised.value) == (
        f"{place}/spack was altered: some of its 7 files are not those of Spack 1;"
        f" remove {place}, and run `stackgen bootstrap`"
    )


def test_a_spack_of_another_version(upstream, place, run, monkeypatch):
    bootstrap(upstream.origins(), place, run, Silent(), upstream.pins)
    newer = dataclasses.replace(upstream.pins.spack, version="2", tree="0" * 40)
    monkeypatch.setenv("STACKGEN_SPACK", str(place))
    with pytest.raises(WorkError) as raised:
        find_spack(dataclasses.replace(upstream.pins, spack=newer))
    assert str(raised.value) == f"{place} has spack 1, and 2 is needed; run `stackgen bootstrap`"


def test_two_at_once_make_one(upstream, place):
    fork = multiprocessing.get_context("fork")
    with fork.Pool(2) as pool:
        words = (upstream.origins(), place, LoggedRunner(Silent()), Silent(), upstream.pins)
        made = [pool.apply_async(bootstrap, words) for _ in range(2)]
        assert sorted(result.get(timeout=60) for result in made) == [False, True]
    verify(place, upstream.pins)


@dataclass(frozen=True)
class Dying:
    """Starts so many programs, then is killed."""

    left: list[int]

    def __call__(self, command: Command) -> Outcome:
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left.pop()
        return LoggedRunner(Silent())(command)


def test_killed_before_any_of_its_programs_nothing_half_is_there(upstream, place, run):
    fork, programs = multiprocessing.get_context("fork"), 0
    while not place.exists():
        words = (upstream.origins(), place, Dying([0] * programs), Silent(), upstream.pins)
        process = fork.Process(target=bootstrap, args=words)
        process.start()
        process.join()
        programs += 1
        assert process.exitcode == (0 if place.exists() else -signal.SIGKILL)
        assert programs < 40
    assert programs > 8
    verify(place, upstream.pins)
    assert sorted(path.name for path in place.parent.iterdir()) == [".lock", "x"]


def test_the_digest_is_gits_own(upstream):
    checkout = upstream.spack.with_name("checkout")
    git(upstream.spack, "worktree", "add", "--quiet", str(checkout), "HEAD")
    (checkout / ".git").unlink()
    (checkout / "empty/deeper").mkdir(parents=True)
    assert (checkout / "bin/a.bat").read_bytes() == b"one\r\ntwo\r\n"
    assert tree_digest(checkout) == upstream.pins.spack.tree


@pytest.mark.spack
def test_the_real_spack_runs_read_only_offline_and_on_its_own(spack: SpackHome, tmp_path: Path, run):
    """In a namespace where its tree cannot be written by anybody, without a network, in a hostile home."""
    home = tmp_path / "home"
    for name in (".spack", ".config/spack"):
        (home / name).mkdir(parents=True)
        (home / name / "config.yaml").write_text("{{{ broken")
    question = "import clingo, spack.repo as r; print(len(r.PATH.provider_index.providers), clingo.__file__)"
    scratch = tmp_path / "scratch"
    command = spack_command(spack, ("python", "-c", question), scopes=None, scratch=scratch, directory=home)
    place = spack.spack.parent
    script = f'mount --bind {place} {place} && mount -o remount,ro,bind {place} && exec "$@"'
    confined = ("unshare", "--net", "--mount", "--map-root-user", "sh", "-c", script, "sh", *command.argv)
    began = time.monotonic()
    outcome = run(dataclasses.replace(command, argv=confined))
    assert (outcome.status, outcome.stderr) == (0, "")
    count, clingo = outcome.stdout.split()
    assert int(count) > 30
    assert clingo.startswith(sys.prefix)
    assert time.monotonic() - began < 15  # the index was made beforehand


@pytest.mark.spack
def test_the_real_spack_is_what_is_pinned(spack: SpackHome):
    verify(spack.spack.parent)
