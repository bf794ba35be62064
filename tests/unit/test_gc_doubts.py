"""What `stackgen gc` keeps where a prefix has several names, or what it is told is incomplete."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from small_releases import publish_new
from test_gc import LATER, NOBODY, collected, here, kept, prefix, register_open, started, theirs

from stackgen import files
from stackgen.errors import InputError, WorkError
from stackgen.gc import pin
from stackgen.publish import publish
from stackgen.registered import Entry, open_register, register, registered
from stackgen.standing import register_for
from stackgen.store import tree_below

__all__ = ["prefix", "register_open"]

VERSIONS = ("1", "1.11.0"), ("2", "1.12.0"), ("3", "1.13.0"), ("4", "1.14.0")


@pytest.fixture
def names(tmp_path: Path) -> tuple[Path, Path]:
    """Two names of one prefix, the second a link."""
    place, link = tmp_path / "gpfs/hpai", tmp_path / "hpai"
    place.mkdir(parents=True)
    link.symlink_to(place)
    return place, link


@pytest.mark.parametrize("built", [(0, 0, 1, 1), (1, 1, 1, 0), (0, 1, 0, 1)])
@pytest.mark.parametrize("asked", [0, 1])
def test_releases_stay_by_whatever_name_they_were_built(
    names: tuple[Path, Path], built: tuple[int, ...], asked: int
):
    for (release, version), name in zip(VERSIONS, built, strict=True):
        publish_new(names[name], release, version)
    collected(names[asked])
    assert here(names[0]) == (["3", "4"], ["1.13.0", "1.14.0"])


@pytest.mark.parametrize("way", ["place", "climbing", "relative"])
def test_a_stack_upon_another_stays_by_whatever_name_it_is_called(
    names: tuple[Path, Path], way: str, monkeypatch: pytest.MonkeyPatch
):
    place, link = names
    for release, version in VERSIONS:
        publish_new(link, release, version)
        (place / "releases" / release).chmod(0o755)
        files.write(place / "releases" / release / "extends.json", "{}")
    monkeypatch.chdir(place)
    called = {"place": place, "climbing": link.parent / "gpfs/../hpai", "relative": Path()}[way]
    collected(called)
    assert here(place) == (["3", "4"], ["1.13.0", "1.14.0"])


def test_users_write_paths_as_they_like(prefix: Path, tmp_path: Path):
    said = f"{prefix}/releases/.:{prefix}/releases/..:{prefix}//releases/./1:{prefix}/pythons/"
    with started("sleep", "60", directory=tmp_path, SAID=said):
        found = collected(prefix)
    assert sorted(kept(found)) == ["1", "4", "5"]


def test_nothing_goes_where_nothing_is_current(prefix: Path):
    (prefix / "current").unlink()
    with pytest.raises(WorkError) as caught:
        collected(prefix)
    assert str(caught.value) == (
        f"{prefix}/current leads to no release, so it cannot be told what users have; nothing is removed; run"
        f" `stackgen rollback {prefix} RELEASE` first"
    )
    assert here(prefix)[0] == list("12345")


def test_a_history_that_was_lost_does_not_make_releases_old(prefix: Path):
    (prefix / "releases/.history.json").unlink()
    assert sorted(kept(collected(prefix, now=datetime.now(UTC)))) == list("12345")
    publish_new(prefix, "6", "1.16.0")
    assert sorted(kept(collected(prefix, now=datetime.now(UTC) + timedelta(days=6)))) == list("123456")
    assert sorted(kept(collected(prefix))) == ["6"]


def test_a_switch_that_was_killed_made_nothing_old(prefix: Path):
    """It had noted release 4 already, when 5 stayed what users got for long."""
    history = prefix / "releases/.history.json"
    said = json.loads(history.read_text())
    said["switches"].append({"release": "4", "how": "rollback", "at": "2026-01-01T00:00:00Z"})
    history.write_text(json.dumps(said))
    publish_new(prefix, "6", "1.16.0")
    found = collected(prefix, now=datetime.now(UTC) + timedelta(days=1))
    assert "5" in kept(found)
    assert kept(found)["5"].startswith("where `stackgen rollback` leads; current until")


def test_a_release_that_went_is_shown_no_more_where_its_removal_was_killed(prefix: Path):
    (prefix / "releases/1").rename(prefix / "releases/.removed-1")
    shown = prefix / "current/modules/Core/hpai/six"
    assert (shown / "1.11.0.lua").exists()
    collected(prefix, kept_for=timedelta(days=1000))
    assert not (shown / "1.11.0.lua").exists()
    assert (shown / "1.12.0.lua").exists()


def test_jobs_in_a_partition_without_a_limit_are_as_long_as_where_nobody_says(prefix: Path):
    scheduler = {"kind": "slurm", "partitions": {"long": {}, "short": {"time": "1:00:00"}}}
    system = {"name": "box", "os": "debian12", "glibc": "2.36", "target": "x86_64", "scheduler": scheduler}
    place = prefix / "releases/5"
    place.chmod(0o755)
    files.write(place / "environment/systems/box.yaml", json.dumps(system))
    assert sorted(kept(collected(prefix, now=datetime.now(UTC) + timedelta(days=6)))) == list("12345")


@pytest.mark.parametrize("days", ["1000000", "nan"])
def test_for_ever_is_for_long(prefix: Path, days: str):
    words = (sys.executable, "-m", "stackgen", "gc", str(prefix), "--dry-run", "--kept-for", days)
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert said.count("kept     release") == 5


def test_a_record_that_is_half_written_counts_for_a_while(prefix: Path, register_open: Path, tmp_path: Path):
    theirs(prefix, tmp_path / "home/my")
    (tmp_path / "home/my/record.json").write_text('{"prefix": "')
    assert "1" in kept(collected(prefix))
    assert "1" not in kept(collected(prefix, now=LATER + timedelta(days=31)))


def test_a_device_is_not_opened(prefix: Path, register_open: Path, tmp_path: Path):
    device = tmp_path / "mine/record.json"
    theirs(prefix, device.parent)
    device.unlink()
    os.mkfifo(device)  # whoever opens it to read has somebody who waits to write go on
    writer = os.fork()
    if not writer:
        with device.open("w"):
            os._exit(0)
    (found,) = registered(prefix)
    assert found.gone
    assert os.waitpid(writer, os.WNOHANG) == (0, 0)
    os.kill(writer, 9)
    os.waitpid(writer, 0)


def test_a_register_elsewhere_is_refused(prefix: Path, register_open: Path, tmp_path: Path):
    register_open.rename(tmp_path / "elsewhere")
    register_open.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WorkError) as caught:
        collected(prefix)
    assert str(caught.value) == (
        f"{register_open} is a link; have a directory there: users leave their entries in it"
    )


HASHES = ("a" * 32, "b" * 32, "c" * 32)


def packages(prefix: Path, *hashes: str) -> dict[str, Path]:
    """Packages of Spack's that are long there; each stands on the next."""
    made = {key: tree_below(prefix) / f"linux-x86_64/{key[0]}-1.0-{key}" for key in hashes}
    for position, place in enumerate(made.values()):
        nodes = [{"name": key[0], "hash": key} for key in hashes[position:]]
        files.write(place / ".spack/spec.json", json.dumps({"spec": {"nodes": nodes}}))
        files.write(place / "lib/libit.so", "")
        os.utime(place, (0, 0))
    return made


def kept_packages(prefix: Path) -> dict[str, str]:
    found = collected(prefix, dry=True)
    return {one.hash[0]: "; ".join(one.kept) for one in found.things if one.kind == "package" and one.kept}


def test_what_a_package_in_use_stands_on_stays(prefix: Path, tmp_path: Path):
    made = packages(prefix, *HASHES)
    assert kept_packages(prefix) == {}
    with started("sleep", "60", directory=made["b" * 32]) as process:
        found = kept_packages(prefix)
    assert found == {
        "b": f"used by process {process} of root (sleep)",
        "c": f"b-1.0-{'b' * 32} needs it",
    }


@pytest.mark.parametrize("seen", [True, False])
def test_packages_that_a_stack_uses_stay_though_nobody_may_look(
    prefix: Path, register_open: Path, tmp_path: Path, *, seen: bool
):
    packages(prefix, *HASHES)
    entry = Entry(
        kind="stack", place=str(tmp_path / "mine"), record="extends.json", release="1", packages=HASHES[:1]
    )
    if seen:
        said = {"prefix": str(prefix), "release": "1", "packages": HASHES[1:2]}
        files.write(tmp_path / "mine/extends.json", json.dumps(said))
    assert register(prefix, entry)
    assert sorted(kept_packages(prefix)) == (["a", "b"] if seen else ["a"])


def test_what_an_admin_has_registered_its_owner_may_register_anew(
    prefix: Path, register_open: Path, tmp_path: Path
):
    record = tmp_path / "mine/extends.json"
    files.write(record, json.dumps({"prefix": str(prefix), "release": "1"}))
    os.chown(record, NOBODY, NOBODY)
    assert list(register_for(prefix, record.parent))
    (entry,) = register_open.iterdir()
    assert entry.stat().st_uid == NOBODY
    assert kept(collected(prefix, dry=True))["1"] == f"{record.parent}, a stack of nobody"


_REGISTER = """
import os, sys
from pathlib import Path
from tempfile import TemporaryDirectory
from stackgen.registered import Entry, register
os.setresuid(65534, 65534, 65534)
entry = Entry(kind="stack", place=sys.argv[2], record="extends.json", release="1")
sys.exit(not register(Path(sys.argv[1]), entry))
"""


def test_who_takes_the_name_of_an_entry_hinders_nobody(register_open: Path):
    """The name follows from what is registered, so anybody may have been there before."""
    with TemporaryDirectory(prefix="stackgen-site-") as directory:  # what pytest makes is root's alone
        site, mine = Path(directory, "site"), Path(directory, "mine")
        Path(directory).chmod(0o755)
        site.mkdir()
        place = open_register(site)
        files.write(mine / "extends.json", json.dumps({"prefix": str(site), "release": "1"}))
        os.chown(mine / "extends.json", NOBODY, NOBODY)
        words = (sys.executable, "-c", _REGISTER, str(site), str(mine))
        subprocess.run(words, check=True)
        (file,) = place.iterdir()
        file.unlink()
        file.write_text("{}")
        subprocess.run(words, check=True)
        assert len(list(place.iterdir())) == 2
        assert sorted(one.fault for one in registered(site)) == ["", "it is no entry"]


def test_what_stands_on_another_prefix_is_not_registered(prefix: Path, register_open: Path, tmp_path: Path):
    said = {"prefix": f"{tmp_path}/other", "release": "1"}
    files.write(tmp_path / "mine/extends.json", json.dumps(said))
    with pytest.raises(InputError) as caught:
        list(register_for(prefix, tmp_path / "mine"))
    assert str(caught.value) == f"{tmp_path}/mine stands on a release of {tmp_path}/other; name that prefix"


def test_why_a_release_is_pinned_is_one_line(prefix: Path):
    with pytest.raises(InputError) as caught:
        pin(prefix, list("12345"), ["1"], [], "a\nb")
    assert str(caught.value) == (
        "'a\\nb' says not why: control characters are not allowed here; say it in one plain line"
    )


def test_a_release_that_is_published_again_is_no_new_switch(prefix: Path):
    before = (prefix / "releases/.history.json").read_text()
    publish(prefix, "5")
    assert (prefix / "releases/.history.json").read_text() == before
