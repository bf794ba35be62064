"""Spack's sources in a mirror: from whoever has them, by hash, whatever they are called there."""

import dataclasses
import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from package_index import Index, Server, serving
from sourcehouse import Makers, commit, content, locked, source
from stages import Recorder

from stackgen import files
from stackgen.errors import InputError, WorkError
from stackgen.lock import LockedFile, LockedPackage, LockedSource, lock_tree
from stackgen.lock.pylock import pylock_text
from stackgen.mirror import IncompleteError, keep, mirror, prune, put, verify
from stackgen.mirror.manifest import read_manifest
from stackgen.mirror.wanted import relative_path
from stackgen.progress import Silent
from stackgen.run import Command, Outcome
from stackgen.site import Site

pytestmark = pytest.mark.usefixtures("own_home")

ALPHA, BETA, GAMMA = (source(name) for name in ("alpha", "beta", "gamma"))
HIDDEN = source("hidden", manual=True)
DELTA = commit("delta")


def no_process(command: Command) -> Outcome:
    """A runner that fakes nothing and allows nothing."""
    raise AssertionError(f"{command} was started")


class Tasks(Silent):
    """A progress that remembers which tasks there were."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    def task(self, title: str, total: int, *, unit: str = "files"):
        self.titles.append(title)
        return super().task(title, total, unit=unit)


@pytest.fixture
def kit(tmp_path) -> Path:
    return tmp_path / "kit"


@pytest.fixture
def offered(tmp_path) -> Iterator[Server]:
    """A server that has the source of each package as `files/NAME-1.0.tar.gz`."""
    for name in ("alpha", "beta", "gamma"):
        place = tmp_path / "makers/files" / f"{name}-1.0.tar.gz"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content(name))
    with serving(Index(tmp_path / "makers")) as server:
        yield server


def makers(server: Server, *sources: LockedSource) -> Makers:
    return Makers(known={one.path: (f"{server.address}/files/{one.name}",) for one in sources})


def collect(kit: Path, *sources: LockedSource, site: Site | None = None, **more) -> None:
    progress = more.pop("progress", None) or Silent()
    mirror({"site": locked(*sources)}, kit, site or Site(), no_process, progress, **more)


def lacking(kit: Path, *sources: LockedSource, **more) -> list[str]:
    with pytest.raises(IncompleteError) as caught:
        collect(kit, *sources, **more)
    return str(caught.value).splitlines()


def place(kit: Path, one: LockedSource) -> Path:
    return kit / "sources" / one.path


def has(kit: Path, *sources: LockedSource) -> bool:
    """Whether a kit holds exactly these sources, whole."""
    there = {path for path in (kit / "sources").rglob("*") if path.is_file()}
    return there == {place(kit, one) for one in sources} and verify(kit, Silent()) == ()


def test_sources_come_from_their_makers_and_the_manifest_has_their_sizes(kit, offered):
    collect(kit, ALPHA, BETA, upstream=makers(offered, ALPHA, BETA))
    assert has(kit, ALPHA, BETA)
    entry = next(entry for entry in read_manifest(kit).files if ALPHA.sha256 in entry.path)
    assert (entry.path, entry.size, entry.sha256) == (f"sources/{ALPHA.path}", 2**18, ALPHA.sha256)
    assert entry.origin == f"{offered.address}/files/{ALPHA.name}"
    assert entry.needed_by == ("site",)


def test_nothing_missing_nobody_is_asked_and_no_bytes_are_read(kit, offered):
    collect(kit, ALPHA, BETA, upstream=makers(offered, ALPHA, BETA))
    offered.manners.asked.clear()
    asked, tasks = Makers(), Tasks()
    collect(kit, ALPHA, BETA, upstream=asked, progress=tasks)
    assert (asked.asked, offered.manners.asked, tasks.titles) == ([], [], [])


def test_what_was_written_to_is_read_and_fetched_again(kit, offered):
    collect(kit, ALPHA, BETA, upstream=makers(offered, ALPHA, BETA))
    path = place(kit, ALPHA)
    before = path.stat()
    path.write_bytes(bytes(2**18))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    tasks = Tasks()
    collect(kit, ALPHA, BETA, upstream=makers(offered, ALPHA, BETA), progress=tasks)
    assert tasks.titles == ["checking 1 files", "fetching files"]
    assert path.read_bytes() == content("alpha")


def test_a_kit_that_this_user_never_checked_is_read(kit, offered, tmp_path, monkeypatch):
    collect(kit, ALPHA, upstream=makers(offered, ALPHA))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    first, second = Tasks(), Tasks()
    collect(kit, ALPHA, progress=first)
    collect(kit, ALPHA, progress=second)
    assert (first.titles, second.titles) == (["checking 1 files"], [])


def test_what_verify_finds_whole_is_not_read_again_and_what_it_finds_altered_is_mended(kit, offered):
    known = makers(offered, ALPHA, BETA)
    collect(kit, ALPHA, BETA, upstream=known)
    place(kit, BETA).write_bytes(b"x")
    assert [defect.kind for defect in verify(kit, Silent())] == ["altered"]
    tasks = Tasks()
    collect(kit, ALPHA, BETA, upstream=known, progress=tasks)
    assert tasks.titles == ["fetching files"]
    assert has(kit, ALPHA, BETA)


def test_a_mirror_of_the_site_is_asked_first_and_then_the_makers(kit, offered, tmp_path):
    place(tmp_path, ALPHA).parent.mkdir(parents=True)
    place(tmp_path, ALPHA).write_bytes(content("alpha"))
    site = Site(source_mirrors=((tmp_path / "sources").as_uri(), f"{offered.address}/nothing"))
    collect(kit, ALPHA, BETA, site=site, upstream=makers(offered, ALPHA, BETA))
    assert has(kit, ALPHA, BETA)
    fetched = [line for line in offered.manners.asked if "-1.0.tar.gz" in line]
    assert fetched == [f"GET {BETA.name}"]


def test_a_site_may_forbid_to_ask_anybody_else(kit, offered):
    known = makers(offered, ALPHA)
    asked = lacking(kit, ALPHA, DELTA, site=Site(upstream=False), upstream=known)
    assert asked[1:] == [
        f"  alpha 1.0  {ALPHA.name}  sha256 {ALPHA.sha256}  site.yaml names nobody who may have it",
        f"  delta 1.0  {DELTA.name}  commit {DELTA.commit}  site.yaml lets nobody be asked for it",
    ]
    assert known.asked == offered.manners.asked == []


def test_what_python_packages_are_built_from_is_on_the_indexes_of_the_site_too(kit, tmp_path):
    """By whatever name an index has it, and only where the site names an index of its own."""
    sdist = dataclasses.replace(
        source("small-thing"), package="py-small-thing", name="Small_Thing-1.0.tar.gz"
    )
    other = dataclasses.replace(source("odd"), package="py-odd", name="v1.0.tgz")
    index = Index(tmp_path / "index")
    index.add("small-thing-1.0.tar.gz", content("small-thing"))
    (tmp_path / "index/simple/small").rename(tmp_path / "index/simple/small-thing")
    index.add("odd-1.0.tar.gz", content("odd"))
    with serving(index) as server:
        site = Site(index=server.index, upstream=False)
        collect(kit, sdist, other, ALPHA, site=site, given=[_with(tmp_path / "given", ALPHA)])
        assert has(kit, sdist, other, ALPHA)
        asked = len(server.manners.asked)
        closed = Site(index=server.index, no_index=True, upstream=False)
        told = lacking(tmp_path / "second", sdist, site=closed)
        assert told[1].endswith("  site.yaml names nobody who may have it")
        assert len(server.manners.asked) == asked


def _with(directory: Path, one: LockedSource) -> Path:
    directory.mkdir()
    (directory / "x").write_bytes(content(one.package))
    return directory


def test_wrong_bytes_are_not_taken_and_the_next_address_is_asked(kit, offered):
    first, second = f"{offered.address}/files/{BETA.name}", f"{offered.address}/files/{ALPHA.name}"
    collect(kit, ALPHA, upstream=Makers(known={ALPHA.path: (first, second)}))
    assert has(kit, ALPHA)


def test_a_download_that_breaks_off_goes_on_where_it_was(kit, offered):
    offered.manners.breaks[ALPHA.name] = 2
    collect(kit, ALPHA, upstream=makers(offered, ALPHA))
    assert has(kit, ALPHA)
    asked = [f"GET {ALPHA.name}", f"GET {ALPHA.name} from {2**17}", f"GET {ALPHA.name} from {2**17 + 2**16}"]
    assert offered.manners.asked == asked


def test_what_is_sent_as_it_is_is_not_unpacked_whatever_the_server_calls_it(kit, offered):
    offered.manners.encoded.add(ALPHA.name)
    collect(kit, ALPHA, upstream=makers(offered, ALPHA))
    assert has(kit, ALPHA)


@pytest.mark.parametrize(
    "left", [content("alpha"), content("alpha")[:1000], b"rubbish", bytes(2**20)], ids=len
)
def test_what_an_earlier_run_left_is_used_or_dropped(kit, offered, left):
    part = place(kit, ALPHA).with_name(f"{place(kit, ALPHA).name}.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(left)
    collect(kit, ALPHA, upstream=makers(offered, ALPHA))
    assert has(kit, ALPHA)
    if left == content("alpha"):
        assert offered.manners.asked == []


def test_what_cannot_be_had_stands_in_one_table_and_the_rest_is_kept(kit, offered, tmp_path):
    offered.manners.lies[BETA.name] = b"<html>"
    (tmp_path / "makers/files" / GAMMA.name).unlink()
    known = Makers(
        known={
            ALPHA.path: (f"{offered.address}/files/{ALPHA.name}",),
            BETA.path: (f"{offered.address}/files/{BETA.name}",),
            GAMMA.path: ("ftp://127.0.0.1/gamma", f"{offered.address}/files/{GAMMA.name}"),
        },
        refused="fatal: repository not found",
    )
    lock = locked(ALPHA, BETA, GAMMA, DELTA, HIDDEN)
    tree = {f"environments/site.lock/{path}": file.text.encode() for path, file in lock_tree(lock).items()}
    keep(kit, tree, ("site",), Silent())
    site = Site(source_mirrors=(f"{offered.address}/mirror",))
    with pytest.raises(IncompleteError) as caught:
        mirror({"site": lock}, kit, site, no_process, Silent(), upstream=known)
    html = hashlib.sha256(b"<html>").hexdigest()
    by_name = {row.package: row for row in caught.value.lacking}
    assert by_name["beta 1.0"].reasons[:2] == (
        f"{offered.address}/mirror/{BETA.path}: 404 Not Found",
        f"{offered.address}/files/{BETA.name} has the SHA-256 {html}, but the lock says {BETA.sha256}",
    )
    assert by_name["gamma 1.0"].reasons[1:3] == (
        "ftp://127.0.0.1/gamma: only http and https are fetched",
        f"{offered.address}/files/{GAMMA.name}: 404 Not Found",
    )
    assert str(by_name["delta 1.0"]) == (
        f"delta 1.0  delta.git  commit {DELTA.commit}  fatal: repository not found"
    )
    by_hand = "it may not be fetched: get it from its makers, and name its directory by --from"
    assert str(by_name["hidden 1.0"]) == (
        f"hidden 1.0  {HIDDEN.name}  sha256 {HIDDEN.sha256}  {by_hand}, or put it at {place(kit, HIDDEN)}"
    )
    assert str(caught.value).splitlines()[0] == (
        "4 of 5 files could not be had; what came is kept, so run the same command again:"
    )
    assert HIDDEN.path not in known.asked
    missing = {
        f"missing: sources/{one.path} ({one.package} 1.0, {one.name}, {known_by}), needed by site"
        for one in (BETA, GAMMA, DELTA, HIDDEN)
        for known_by in [f"sha256 {one.sha256}" if one.sha256 else f"commit {one.commit}"]
    }
    assert {str(defect) for defect in verify(kit, Silent())} == missing
    assert place(kit, ALPHA).read_bytes() == content("alpha")
    assert list(kit.rglob("*.part")) == []


def test_files_are_taken_from_directories_whatever_they_are_called(kit, tmp_path):
    given = tmp_path / "given"
    (given / "deep/er").mkdir(parents=True)
    (given / "deep/er/x").write_bytes(content("alpha"))
    (given / "beta_1.0.orig.tar.gz").write_bytes(content("beta"))
    (given / HIDDEN.name).write_bytes(content("hidden"))
    (given / GAMMA.name).write_bytes(b"another file of that name")
    (tmp_path / "elsewhere").write_bytes(content("gamma"))
    (given / "linked").symlink_to(tmp_path / "elsewhere")
    (given / "nowhere").symlink_to(tmp_path / "nothing")
    os.mkfifo(given / "pipe")
    collect(kit, ALPHA, BETA, GAMMA, HIDDEN, given=(given,))
    assert has(kit, ALPHA, BETA, GAMMA, HIDDEN)
    assert not any(path.is_symlink() for path in kit.rglob("*"))
    origins = {entry.origin for entry in read_manifest(kit).files}
    assert (given / "deep/er/x").as_uri() in origins


def test_what_cannot_be_read_is_named_where_something_is_still_looked_for(kit, tmp_path):
    given, heard = tmp_path / "given", Recorder()
    given.mkdir()
    (given / ALPHA.name).symlink_to("/proc/self/mem")  # whoever asks, its beginning cannot be read
    (given / "y").write_bytes(content("beta"))
    lacking(kit, ALPHA, BETA, given=(given,), site=Site(upstream=False), progress=heard)
    assert heard.lines == [f"note: {given}/{ALPHA.name} cannot be read, and may be what is looked for"]


def test_another_kit_and_a_mirror_of_spack_are_directories_like_any(kit, tmp_path, offered):
    collect(tmp_path / "other", ALPHA, DELTA, upstream=makers(offered, ALPHA))
    plain = tmp_path / "a mirror"
    (tmp_path / "other/sources").rename(plain)
    collect(tmp_path / "one", ALPHA, BETA, DELTA, upstream=makers(offered, BETA), given=(plain,))
    collect(tmp_path / "two", ALPHA, DELTA, site=Site(source_mirrors=(plain.as_uri(),), upstream=False))
    assert has(tmp_path / "two", ALPHA, DELTA)
    offered.manners.asked.clear()
    asked = Makers()
    collect(kit, ALPHA, BETA, DELTA, upstream=asked, given=(tmp_path / "one",))
    assert has(kit, ALPHA, BETA, DELTA)
    assert asked.asked == offered.manners.asked == []


def test_a_directory_that_is_not_there_is_named(kit, tmp_path):
    with pytest.raises(InputError) as caught:
        collect(kit, ALPHA, given=(tmp_path / "nothing",))
    assert str(caught.value) == f"--from: {tmp_path}/nothing is no directory; name one that is there"


def test_what_somebody_put_into_its_place_is_taken_where_it_is_whole(kit):
    place(kit, HIDDEN).parent.mkdir(parents=True)
    place(kit, HIDDEN).write_bytes(b"something else")
    assert len(lacking(kit, HIDDEN)) == 2
    place(kit, HIDDEN).write_bytes(content("hidden"))
    collect(kit, HIDDEN)
    assert has(kit, HIDDEN)


def test_a_commit_is_packed_once_and_known_by_what_came(kit):
    known = Makers()
    collect(kit, DELTA, upstream=known)
    assert has(kit, DELTA)
    [entry] = read_manifest(kit).files
    assert entry.sha256 == hashlib.sha256(content(DELTA.path)).hexdigest()
    collect(kit, DELTA, upstream=known)
    assert known.asked == [DELTA.path]
    place(kit, DELTA).write_bytes(b"altered")
    collect(kit, DELTA, upstream=known)
    assert known.asked == [DELTA.path, DELTA.path]
    assert has(kit, DELTA)


def test_environments_share_and_what_nobody_needs_goes_when_it_is_asked_to(kit, offered):
    known = makers(offered, ALPHA, BETA, GAMMA)
    both = {"one": locked(ALPHA, BETA), "two": locked(BETA, GAMMA)}
    mirror(both, kit, Site(), no_process, Silent(), upstream=known)
    mirror({"one": locked(ALPHA)}, kit, Site(), no_process, Silent())
    assert has(kit, ALPHA, BETA, GAMMA)
    assert prune(kit, (), Silent()) == ()
    mirror({"two": locked(BETA)}, kit, Site(), no_process, Silent())
    assert prune(kit, (), Silent()) == (f"sources/{GAMMA.path}",)
    assert has(kit, ALPHA, BETA)
    assert prune(kit, ("one",), Silent()) == (f"sources/{ALPHA.path}",)
    assert has(kit, BETA)
    with pytest.raises(InputError) as caught:
        prune(kit, ("one",), Silent())
    assert str(caught.value) == f"{kit} holds nothing for an environment one; it has two"


def test_pruning_keeps_the_files_of_the_whole_kit_and_removes_unfinished_ones(kit, offered):
    keep(kit, {"README": b"read me\n"}, ("site",), Silent())
    collect(kit, ALPHA, upstream=makers(offered, ALPHA))
    part = place(kit, ALPHA).with_name("x.part")
    part.touch()
    assert prune(kit, ("site",), Silent()) == tuple(
        sorted([f"sources/{ALPHA.path}", part.relative_to(kit).as_posix()])
    )
    assert sorted(path.name for path in kit.iterdir()) == [".lock", "README", "manifest.json"]


@contextmanager
def silent_server() -> Iterator[tuple[str, list[int]]]:
    """A server that takes connections and never says a word on them; its address, and how many there were."""
    calls: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                calls.append(1)
                connection.close()

        Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", calls
        listening.shutdown(socket.SHUT_RDWR)


def test_a_server_that_does_not_answer_is_not_waited_for_by_every_file(kit, offered):
    many = [source(f"many{number}", 32) for number in range(40)]
    with silent_server() as (address, calls):
        known = {one.path: (f"{address}/{one.name}",) for one in many}
        site = Site(source_mirrors=(f"{offered.address}/mirror",))
        told = lacking(kit, *many, site=site, upstream=Makers(known=known))
    assert len(told) == 41
    assert len(calls) <= 8 * 4 + 8  # of each connection at once, its attempts


def test_makers_that_nobody_knows_are_told_and_mirrors_asked_all_the_same(kit, offered, tmp_path):
    class Absent(Makers):
        def addresses(self, paths):
            raise WorkError("there is no Spack here", "run `stackgen bootstrap`")

    tasks = Tasks()
    (tmp_path / "makers/_source-cache").mkdir()
    target = tmp_path / "makers" / ALPHA.path
    target.parent.mkdir(parents=True)
    target.write_bytes(content("alpha"))
    collect(kit, ALPHA, site=Site(source_mirrors=(offered.address,)), upstream=Absent(), progress=tasks)
    assert has(kit, ALPHA)
    assert tasks.lines == [
        "note: nobody says where the makers of these sources have them: there is no Spack here; "
        "run `stackgen bootstrap`"
    ]


def test_nothing_is_fetched_through_a_link_out_of_the_kit(kit, offered, tmp_path):
    kit.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (kit / "sources").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError) as caught:
        collect(kit, ALPHA, upstream=makers(offered, ALPHA))
    assert str(caught.value) == f"{kit}/sources is a symbolic link; remove it; a kit has none"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_what_the_tools_of_a_kit_need_stays_needed(kit, offered):
    """A build that brings a file into a kit knows nothing of stackgen's own tools in it."""
    tool = LockedFile(name="tool-1.0-py3-none-any.whl", size=4, sha256=hashlib.sha256(b"tool").hexdigest())
    package = LockedPackage(name="tool", version="1.0", file=tool)
    text = pylock_text((package,), "3.11").encode()
    keep(kit, {"tools/x86_64-2.28-3.11.toml": text}, ("site",), Silent())
    put(kit, relative_path(tool), b"tool")
    collect(kit, ALPHA, upstream=makers(offered, ALPHA))
    entry = next(entry for entry in read_manifest(kit).files if entry.path == relative_path(tool))
    assert entry.needed_by == ("site",)
    assert prune(kit, (), Silent()) == ()
    (kit / relative_path(tool)).unlink()
    assert lacking(kit, ALPHA)[1:] == [
        f"  tool 1.0  {tool.name}  sha256 {tool.sha256}  no lock of these environments names it"
    ]


def test_a_complete_mirror_may_be_read_only(kit, offered):
    collect(kit, ALPHA, DELTA, upstream=makers(offered, ALPHA))
    files.make_read_only(kit)
    try:
        collect(kit, ALPHA, DELTA)
    finally:
        for directory, _, _ in os.walk(kit):
            Path(directory).chmod(0o755)
