"""What `stackgen gc` removes and what it keeps, on real disks, with real processes and real owners."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from small_releases import publish_new, staged_release

from stackgen import files
from stackgen.errors import InputError, WorkError
from stackgen.gc import Choice, Collected, collect, pin, pins
from stackgen.inside.launcher.venv_record import VenvRecord, register_venv, write_record
from stackgen.progress import Silent
from stackgen.publish import releases, rollback
from stackgen.registered import Entry, open_register, register
from stackgen.run import Command, Outcome
from stackgen.standing import register_for

LATER = datetime.now(UTC) + timedelta(days=100)
"""When nobody can have a job any more that began while a release was the current one."""
NOBODY = 65534


class NothingToStart:
    """A fake runner for prefixes without Spack: nothing is started."""

    def __call__(self, command: Command) -> Outcome:
        raise AssertionError(f"{command} is started")


def collected(prefix: Path, now: datetime = LATER, *, dry: bool = False, **choice: object) -> Collected:
    return collect(prefix, Choice(**choice), NothingToStart(), Silent(), dry=dry, now=now)


def kept(found: Collected) -> dict[str, str]:
    """Why releases are kept."""
    return {
        thing.name: "; ".join(thing.kept) for thing in found.things if thing.kind == "release" and thing.kept
    }


def here(prefix: Path) -> tuple[list[str], list[str]]:
    """The releases, and the versions of the frameworks, that are there."""
    found = sorted(path.name for path in (prefix / "pythons").iterdir())
    return [one.release.name for one in releases(prefix)], [name.split("-")[1] for name in found]


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """Five releases; the third and the fourth have one framework."""
    made = tmp_path / "hpai"
    for release, version in (
        ("1", "1.11.0"),
        ("2", "1.12.0"),
        ("3", "1.13.0"),
        ("4", "1.13.0"),
        ("5", "1.15.0"),
    ):
        publish_new(made, release, version)
    return made


def test_the_current_release_and_the_one_before_stay_with_what_they_have(prefix: Path):
    found = collected(prefix)
    assert kept(found) == {"4": "where `stackgen rollback` leads", "5": "current"}
    assert here(prefix) == (["4", "5"], ["1.13.0", "1.15.0"])
    shown = (prefix / "current").resolve()
    collected(prefix)  # Lmod on another node may still have read the one that showed what has just gone
    assert list((prefix / "publications").glob("*/*")) == [shown]
    modules = sorted(path.name for path in (shown / "modules/Core/hpai/six").glob("[!.]*"))
    assert modules == ["1.13.0.lua", "1.15.0.lua"]
    assert [thing.name for thing in collected(prefix).things if not thing.kept] == []
    assert rollback(prefix, None).name == "4"


def test_a_dry_run_says_the_same_and_removes_nothing(prefix: Path):
    before = {path: path.lstat().st_mtime_ns for path in prefix.rglob("*") if path.name != "hpai"}
    dry = collected(prefix, dry=True)
    after = {path: path.lstat().st_mtime_ns for path in prefix.rglob("*")}
    assert {path for path in before if path.name != ".lock"} <= after.keys()
    assert here(prefix) == (["1", "2", "3", "4", "5"], ["1.11.0", "1.12.0", "1.13.0", "1.15.0"])
    wet = collected(prefix)
    assert [(thing.kind, thing.path) for thing in wet.things] == [(t.kind, t.path) for t in dry.things]
    assert wet.sizes == dry.sizes
    assert all(size > 0 for size in wet.sizes.values())


def test_what_was_current_lately_may_be_in_use_on_any_node(prefix: Path):
    found = collected(prefix, now=datetime.now(UTC) + timedelta(days=6))
    assert sorted(kept(found)) == ["1", "2", "3", "4", "5"]
    assert "so jobs may use it until" in kept(found)["1"]
    found = collected(prefix, dry=True, now=datetime.now(UTC), kept_for=timedelta())
    assert sorted(kept(found)) == ["4", "5"]
    found = collected(prefix, now=datetime.now(UTC) + timedelta(days=6), kept_for=timedelta(days=2))
    assert sorted(kept(found)) == ["4", "5"]


def test_the_longest_job_decides_for_how_long(prefix: Path):
    scheduler = {
        "kind": "slurm",
        "partitions": {"long": {"time": "21-00:00:00"}, "short": {"time": "1:00:00"}},
    }
    system = {"name": "box", "os": "debian12", "glibc": "2.36", "target": "x86_64", "scheduler": scheduler}
    text = json.dumps(system).replace("21-00:00:00", "504:00:00")
    place = prefix / "releases/5"
    place.chmod(0o755)
    files.write(place / "environment/systems/box.yaml", text)
    assert sorted(kept(collected(prefix, now=datetime.now(UTC) + timedelta(days=20)))) == list("12345")
    assert sorted(kept(collected(prefix, now=datetime.now(UTC) + timedelta(days=22)))) == ["4", "5"]


def test_the_newest_and_pinned_ones_stay(prefix: Path):
    pin(prefix, list("12345"), ["1"], [], "the paper of the group stands on it")
    found = collected(prefix, keep=3)
    assert kept(found) == {
        "1": "pinned: the paper of the group stands on it",
        "3": "one of the newest 3",
        "4": "where `stackgen rollback` leads; one of the newest 3",
        "5": "current; one of the newest 3",
    }
    pin(prefix, list("1345"), [], ["1"], "")
    assert pins(prefix) == {}
    collected(prefix)
    assert here(prefix)[0] == ["4", "5"]


def test_pins_name_releases_that_are_there(prefix: Path):
    with pytest.raises(InputError) as caught:
        pin(prefix, list("12345"), ["2026.11"], [], "")
    assert str(caught.value) == f"there is no release 2026.11 in {prefix}; name one of 1, 2, 3, 4, 5"
    with pytest.raises(InputError) as caught:
        pin(prefix, list("12345"), [], ["1"], "")
    assert str(caught.value) == "release 1 is not pinned; none is"
    files.write(prefix / "releases/.pins.json", "{")
    with pytest.raises(WorkError) as refused:
        collected(prefix)
    assert str(refused.value) == (
        f"{prefix}/releases/.pins.json cannot be read; correct it, or remove it and pin again"
    )


def test_a_release_that_waits_for_its_publication_keeps_what_it_needs(prefix: Path):
    staged_release(prefix, "6", "1.16.0")
    now = datetime.now(UTC) + timedelta(days=20)
    collected(prefix, now=now)
    assert here(prefix)[1] == ["1.13.0", "1.15.0", "1.16.0"]
    collected(prefix)
    assert here(prefix)[1] == ["1.13.0", "1.15.0"]
    assert not (prefix / "staged/6").exists()


def test_a_build_that_was_interrupted_goes_on_with_what_it_has(prefix: Path):
    made = prefix / "pythons/new-1.0-0123456789ab"
    files.write(made / "bin/python", "")
    collected(prefix, now=datetime.now(UTC) + timedelta(hours=23), kept_for=timedelta(days=1))
    assert made.exists()
    collected(prefix)
    assert not made.exists()


def test_leftovers_of_killed_runs_go(prefix: Path):
    for path in ("pythons/.six-x.1234/a", "staged/.7/b", "releases/.removed-9/c", "store/.removed/d/e"):
        files.write(prefix / path, "")
    collected(prefix)
    assert not [path for path in prefix.rglob("*") if path.name in {"a", "b", "c", "e"}]


@contextmanager
def started(*words: str | Path, directory: Path, **environment: str) -> Iterator[int]:
    """A process, once it runs."""
    process = subprocess.Popen(
        list(map(str, words)), cwd=directory, env={"PATH": "/usr/bin:/bin", **environment}
    )
    try:
        time.sleep(0.3)
        yield process.pid
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("way", ["program", "directory", "environment", "file"])
def test_what_a_process_uses_stays(prefix: Path, tmp_path: Path, way: str):
    (python,) = (prefix / "pythons").glob("six-1.11.0-*")
    words: tuple[str | Path, ...] = ("sleep", "60")
    directory, environment = tmp_path, {}
    match way:
        case "program":
            shutil.copy("/usr/bin/sleep", python / "bin/program")
            words = (python / "bin/program", "60")
        case "directory":
            directory = prefix / "releases/1"
        case "environment":
            environment = {"HPAI_RELEASE": f"{prefix}/releases/1"}
        case "file":
            words = ("sh", "-c", f"exec sleep 60 < {python}/bin/python")
    with started(*words, directory=directory, **environment) as process:
        found = collected(prefix)
    name = "program" if way == "program" else "sleep"
    assert kept(found)["1"] == f"used by process {process} of root ({name})"
    assert here(prefix) == (["1", "4", "5"], ["1.11.0", "1.13.0", "1.15.0"])


def theirs(prefix: Path, place: Path, release: str = "1", owner: int = NOBODY, **changes: object) -> Path:
    """What a user has that stands on a release, with its entry; the entry's file."""
    files.write(place / "record.json", json.dumps({"prefix": str(prefix), "release": release}))
    os.chown(place / "record.json", owner, owner)
    entry = {"format": 1, "kind": "venv", "place": str(place), "record": "record.json", "release": release}
    file = prefix / "registered" / f"{owner}-{place.name}.json"
    files.write(file, json.dumps(entry | changes))
    os.chown(file, owner, owner)
    return file


@pytest.fixture
def register_open(prefix: Path) -> Path:
    if os.geteuid():
        pytest.skip("only root can be several users")
    return open_register(prefix)


def test_what_users_have_registered_stays(prefix: Path, register_open: Path, tmp_path: Path):
    assert register_open.stat().st_mode & 0o7777 == 0o1777
    place = tmp_path / "home/my"
    theirs(prefix, place)
    found = collected(prefix)
    assert kept(found)["1"] == f"{place}, a venv of nobody"
    assert here(prefix)[0] == ["1", "4", "5"]


def test_what_has_gone_counts_for_a_month(prefix: Path, register_open: Path, tmp_path: Path):
    place = tmp_path / "home/my"
    file = theirs(prefix, place)
    (place / "record.json").unlink()
    first = collected(prefix)
    assert first.told == (
        f"{place}, a venv of nobody, has gone; it counts until {LATER + timedelta(days=30):%Y-%m-%d}",
    )
    assert kept(first)["1"] == f"{place}, a venv of nobody, gone since {LATER:%Y-%m-%d}"
    assert "1" in kept(collected(prefix, now=LATER + timedelta(days=29)))
    last = collected(prefix, now=LATER + timedelta(days=31))
    assert last.told == (f"{place}, a venv of nobody, has gone, and counts no more",)
    assert here(prefix)[0] == ["4", "5"]
    assert not file.exists()


def test_entries_are_not_believed(prefix: Path, register_open: Path, tmp_path: Path):
    mine = tmp_path / "mine"
    theirs(prefix, mine / "of-root")
    os.chown(mine / "of-root/record.json", 0, 0)
    theirs(prefix, mine / "no-json").write_text("{")
    theirs(prefix, mine / "large").write_text(" " * 2_000_000)
    theirs(prefix, mine / "outside", release="../../etc")
    theirs(prefix, mine / "climbing", record="../../record.json")
    theirs(prefix, mine / "escape", kind="\x1b[31m")
    link = theirs(prefix, mine / "link")
    link.unlink()
    link.symlink_to("/etc/shadow")
    theirs(prefix, mine / "to-a-link")
    (mine / "to-a-link/record.json").unlink()
    (mine / "to-a-link/record.json").symlink_to("/etc/shadow")
    os.mkfifo(register_open / "fifo.json")
    (register_open / "directory.json").mkdir()
    files.write(register_open / "odd\nname.json", "")
    found = collected(prefix)
    assert here(prefix)[0] == ["4", "5"]
    assert found.told == (
        "the entry 65534-climbing.json of nobody does not count: it is no entry",
        "the entry 65534-escape.json of nobody does not count: it is no entry",
        "the entry 65534-large.json of nobody does not count: it is too large",
        "the entry 65534-link.json of root does not count: it is a link",
        "the entry 65534-no-json.json of nobody does not count: it is no entry",
        "the entry 65534-of-root.json of nobody does not count: it names what belongs to another user",
        "the entry 65534-outside.json of nobody does not count: it is no entry",
        "the entry 65534-to-a-link.json of nobody does not count: its record is a link",
        "the entry directory.json of root does not count: it is no plain file",
        "the entry fifo.json of root does not count: it is no plain file",
        "the entry 'odd\\nname.json' of root does not count: it is no entry",
    )


def test_a_link_among_the_parts_leads_nowhere(prefix: Path, tmp_path: Path):
    precious = tmp_path / "precious"
    files.write(precious / "file", "")
    (prefix / "pythons/link-1.0-0123456789ab").symlink_to(precious)
    (prefix / "pythons/.link").symlink_to(precious)
    os.utime(prefix / "pythons/link-1.0-0123456789ab", (0, 0), follow_symlinks=False)
    collected(prefix)
    assert (precious / "file").exists()
    assert here(prefix)[1] == ["1.13.0", "1.15.0"]


def test_what_is_no_prefix_is_refused(prefix: Path, tmp_path: Path):
    with pytest.raises(InputError) as caught:
        collected(tmp_path)
    assert str(caught.value) == f"nothing is published in {tmp_path}; name the prefix of a stack"
    shutil.copytree(prefix, tmp_path / "copy", symlinks=True)
    shutil.move(prefix, tmp_path / "moved")
    with pytest.raises(InputError) as caught:
        collected(tmp_path / "copy")
    assert str(caught.value) == f"what is published in {tmp_path}/copy was built in {prefix}; run it there"
    assert here(tmp_path / "copy")[0] == list("12345")


def test_a_prefix_has_other_names(prefix: Path, tmp_path: Path):
    (tmp_path / "other").symlink_to(prefix)
    collected(tmp_path / "other")
    assert here(prefix) == (["4", "5"], ["1.13.0", "1.15.0"])


def test_nothing_goes_where_a_release_cannot_be_read(prefix: Path):
    damaged = prefix / "releases/2/release.json"
    damaged.chmod(0o644)
    damaged.write_text("{")
    with pytest.raises(WorkError) as caught:
        collected(prefix)
    assert str(caught.value) == (
        f"{prefix}/releases/2 is no release that can be read, so it cannot be told what it needs; nothing is"
        " removed; move it out of the prefix"
    )
    assert here(prefix)[1] == ["1.11.0", "1.12.0", "1.13.0", "1.15.0"]


_COLLECT = """
import sys
from datetime import datetime
from pathlib import Path
from stackgen.gc import Choice, collect
from stackgen.inside.launcher.venv_record import VenvRecord, register_venv, write_record
from stackgen.progress import Silent
print("ready", flush=True)
collect(Path(sys.argv[1]), Choice(), None, Silent(), now=datetime.fromisoformat(sys.argv[2]))
"""


def test_a_kill_at_any_moment_leaves_what_is_whole(prefix: Path):
    random.seed(7)
    for _ in range(12):
        words = (sys.executable, "-c", _COLLECT, str(prefix), LATER.isoformat())
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(random.uniform(0, 0.02))
            process.send_signal(signal.SIGKILL)
        assert {"4", "5"} <= {one.release.name for one in releases(prefix)}
        assert [one.missing for one in releases(prefix)] == [()] * len(releases(prefix))
        assert (prefix / "current/modules/Core/hpai/six/1.15.0.lua").is_file()
    collected(prefix)
    assert here(prefix) == (["4", "5"], ["1.13.0", "1.15.0"])
    assert not list(prefix.rglob(".removed*"))


def test_who_cannot_register_is_told(prefix: Path, tmp_path: Path):
    entry = Entry(kind="stack", place=str(tmp_path), record="extends.json", release="5")
    assert not register(prefix, entry)
    open_register(prefix)
    assert register(prefix, entry)
    assert register(prefix, entry)
    assert len(list((prefix / "registered").iterdir())) == 1


def test_an_environment_that_the_launcher_has_registered_stays(prefix: Path, tmp_path: Path):
    open_register(prefix)
    place = tmp_path / "my"
    place.mkdir()
    write_record(str(place), VenvRecord("made", str(prefix), "2", "six", "", "3.11"))
    register_venv(SimpleNamespace(prefix=str(prefix), release="2"), str(place))  # all that it asks of a site
    found = collected(prefix)
    assert kept(found)["2"] == f"{place}, a venv of {Path.home().owner()}"
    assert found.told == ()


def test_an_admin_registers_for_who_cannot(prefix: Path, tmp_path: Path):
    place = tmp_path / "my"
    with pytest.raises(InputError) as caught:
        list(register_for(prefix, place))
    assert str(caught.value) == f"{prefix} has no register; run `stackgen gc {prefix} --open-register`"
    open_register(prefix)
    with pytest.raises(InputError) as caught:
        list(register_for(prefix, place))
    assert str(caught.value) == (
        f"{place} is neither a stack that extends another nor a virtual environment over a release; name the"
        " prefix of the stack, or the directory of the environment"
    )
    place.mkdir()
    write_record(str(place), VenvRecord("made", str(prefix), "2", "six", "", "3.11"))
    assert list(register_for(prefix, place)) == [f"{place} stands on release 2, which is kept for it"]
    assert sorted(kept(collected(prefix))) == ["2", "4", "5"]
