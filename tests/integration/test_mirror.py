"""Mirrors: every file comes, whole and once, from wherever the site has it."""

import hashlib
import json
from pathlib import Path

import pytest
from package_index import Index, serving, wheel
from stages import Recorder, planned

from stackgen.errors import InputError, WorkError
from stackgen.lock import Lock
from stackgen.mirror import Mirror, mirror, verify
from stackgen.progress import Silent
from stackgen.resolve import resolve
from stackgen.run import Command, LoggedRunner, Outcome
from stackgen.site import Site

pytestmark = pytest.mark.usefixtures("own_home")

NAMES = ("alpha", "beta", "gamma")
ALPHA, BETA, GAMMA = (f"{name}-1.0-py3-none-any.whl" for name in NAMES)
PIP = "pip-26.0-py3-none-any.whl"


@pytest.fixture
def lock(small_index, run) -> Lock:
    """Three packages of a few hundred KiB and pip."""
    for name in NAMES:
        content = wheel(name, "1.0", NAMES[1:] if name == "alpha" else (), padding=2**18)
        small_index.add(f"{name}-1.0-py3-none-any.whl", content)
    plan = planned(alpha={"version": "newest", "python": "3.11"})
    return resolve(plan, Site(index=small_index.address), run, Silent())


def no_process(command: Command) -> Outcome:
    """A runner that fakes nothing and allows nothing."""
    raise AssertionError(f"{command} was started")


def held(mirror: Mirror, lock: Lock) -> list[str]:
    """The names of the lock's files that the mirror holds."""
    return [file.name for file in sorted(lock.files) if mirror.holds(file)]


def failure(lock: Lock, into: Path, site: Site, run) -> list[str]:
    with pytest.raises(WorkError) as caught:
        mirror({"site": lock}, into, site, run, Silent())
    return str(caught.value).splitlines()


def sha256(lock: Lock, name: str) -> str:
    return next(file.sha256 for file in lock.files if file.name == name)


def row(lock: Lock, name: str) -> str:
    """How a line of the table of failures begins."""
    return f"  {name.partition('-')[0]} 1.0  {name}  sha256 {sha256(lock, name)}  "


def test_every_file_comes_and_the_manifest_says_what_it_is(lock, server, small_index, run, tmp_path):
    made = mirror({"site": lock}, tmp_path / "mirror", Site(index=server.index), run, Silent())
    assert made.lacks(lock) == ()
    assert verify(made.root, Silent()) == ()
    entry = json.loads((made.root / "manifest.json").read_text())["files"]
    alpha = next(file for file in lock.files if file.name == ALPHA)
    assert [line for line in entry if line["path"].endswith(ALPHA)] == [
        {
            "path": f"wheels/{alpha.sha256[:2]}/{alpha.sha256}/{ALPHA}",
            "size": alpha.size,
            "sha256": alpha.sha256,
            "origin": f"{server.address}/files/{ALPHA}",
            "needed_by": ["site"],
        }
    ]
    assert [line["path"] for line in entry] == sorted(line["path"] for line in entry)
    assert made.path(alpha).read_bytes() == small_index.file(ALPHA).read_bytes()


def test_a_second_run_asks_nobody_and_starts_nothing(lock, server, run, tmp_path):
    site = Site(index=server.index)
    mirror({"site": lock}, tmp_path / "mirror", site, run, Silent())
    before = (tmp_path / "mirror" / "manifest.json").stat().st_mtime_ns
    server.manners.asked.clear()
    mirror({"site": lock}, tmp_path / "mirror", site, no_process, Silent())
    assert server.manners.asked == []
    assert (tmp_path / "mirror" / "manifest.json").stat().st_mtime_ns == before


def test_only_what_is_missing_is_fetched(lock, server, run, tmp_path):
    site = Site(index=server.index)
    made = mirror({"site": lock}, tmp_path / "mirror", site, run, Silent())
    made.path(next(file for file in lock.files if file.name == BETA)).unlink()
    server.manners.asked.clear()
    mirror({"site": lock}, tmp_path / "mirror", site, run, Silent())
    assert server.manners.fetched == [BETA]


def test_what_was_altered_is_fetched_again_and_nothing_else(lock, server, run, tmp_path):
    site = Site(index=server.index)
    made = mirror({"site": lock}, tmp_path / "mirror", site, run, Silent())
    beta = made.path(next(file for file in lock.files if file.name == BETA))
    content = beta.read_bytes()
    beta.write_bytes(content[:-1] + b"x")
    assert made.lacks(lock) == ()
    server.manners.asked.clear()
    mirror({"site": lock}, tmp_path / "mirror", site, run, Silent())
    assert server.manners.fetched == [BETA]
    assert beta.read_bytes() == content
    assert verify(made.root, Silent()) == ()


def test_environments_share_files_and_the_manifest_says_who_needs_them(lock, small_index, run, tmp_path):
    def needed_by() -> dict[str, list[str]]:
        lines = json.loads((tmp_path / "mirror" / "manifest.json").read_text())["files"]
        return {Path(line["path"]).name: line["needed_by"] for line in lines}

    site = Site(index=small_index.address)
    other = resolve(planned(beta={"version": "newest", "python": "3.12"}), site, run, Silent())
    mirror({"one": lock, "two": other}, tmp_path / "mirror", site, run, Silent())
    assert needed_by() == {
        ALPHA: ["one"],
        BETA: ["one", "two"],
        GAMMA: ["one"],
        PIP: ["one", "two"],
    }
    mirror({"one": other}, tmp_path / "mirror", site, no_process, Silent())
    assert needed_by() == {
        ALPHA: [],
        BETA: ["one", "two"],
        GAMMA: [],
        PIP: ["one", "two"],
    }


def test_files_of_directories_are_copied(lock, small_index, no_network_site, run, tmp_path):
    made = mirror({"site": lock}, tmp_path / "mirror", no_network_site, run, Silent())
    assert verify(made.root, Silent()) == ()
    origin = json.loads((made.root / "manifest.json").read_text())["files"][0]["origin"]
    assert origin.startswith(small_index.root.as_uri())


@pytest.fixture
def no_network_site(small_index) -> Site:
    return Site(links=(str(small_index.root / "files"),), no_index=True)


def test_a_download_that_breaks_off_goes_on_where_it_was(lock, server, small_index, run, tmp_path):
    server.manners.breaks[ALPHA] = 1
    made = mirror({"site": lock}, tmp_path / "mirror", Site(index=server.index), run, Silent())
    assert f"GET {ALPHA} from {small_index.file(ALPHA).stat().st_size // 2}" in server.manners.asked
    assert verify(made.root, Silent()) == ()


def test_a_server_that_cannot_skip_begins_anew(lock, server, run, tmp_path):
    server.manners.breaks[ALPHA] = 1
    server.manners.skips = False
    made = mirror({"site": lock}, tmp_path / "mirror", Site(index=server.index), run, Silent())
    assert server.manners.asked.count(f"GET {ALPHA}") == 2
    assert verify(made.root, Silent()) == ()


def test_a_server_that_is_busy_is_asked_again(lock, server, run, tmp_path):
    server.manners.fails[BETA] = 2
    made = mirror({"site": lock}, tmp_path / "mirror", Site(index=server.index), run, Silent())
    assert held(made, lock) == [ALPHA, BETA, GAMMA, PIP]


def test_what_an_earlier_run_left_is_used(lock, server, run, tmp_path):
    made = Mirror(root=tmp_path / "mirror")
    alpha = next(file for file in lock.files if file.name == ALPHA)
    made.path(alpha).parent.mkdir(parents=True)
    part = made.path(alpha).with_name(f"{ALPHA}.part")
    part.write_bytes((tmp_path / "index" / "files" / ALPHA).read_bytes()[:1000])
    mirror({"site": lock}, made.root, Site(index=server.index), run, Silent())
    assert f"GET {ALPHA} from 1000" in server.manners.asked
    assert not part.exists()
    assert verify(made.root, Silent()) == ()


@pytest.mark.parametrize("left", [1000, 2**20])
def test_what_an_earlier_run_left_damaged_is_dropped(lock, server, run, tmp_path, left):
    made = Mirror(root=tmp_path / "mirror")
    alpha = next(file for file in lock.files if file.name == ALPHA)
    made.path(alpha).parent.mkdir(parents=True)
    made.path(alpha).with_name(f"{ALPHA}.part").write_bytes(bytes(left))
    mirror({"site": lock}, made.root, Site(index=server.index), run, Silent())
    assert verify(made.root, Silent()) == ()


def test_wrong_bytes_get_no_name_and_both_hashes_are_told(lock, server, run, tmp_path):
    content = (tmp_path / "index" / "files" / BETA).read_bytes()
    server.manners.lies[BETA] = content[:-1] + b"x"
    made = Mirror(root=tmp_path / "mirror")
    told = failure(lock, made.root, Site(index=server.index), run)
    found = hashlib.sha256(content[:-1] + b"x").hexdigest()
    assert told == [
        "1 of 4 files could not be had; what came is kept, so run the same command again:",
        f"{row(lock, BETA)}{server.address}/files/{BETA} has the SHA-256 {found}, "
        f"but the lock says {sha256(lock, BETA)}",
    ]
    assert held(made, lock) == [ALPHA, GAMMA, PIP]
    assert [str(path) for path in made.root.rglob("*.part")] == []
    assert [str(defect) for defect in verify(made.root, Silent())] == [
        f"missing: wheels/{sha256(lock, BETA)[:2]}/{sha256(lock, BETA)}/{BETA}, needed by site"
    ]
    server.manners.lies.clear()
    mirror({"site": lock}, made.root, Site(index=server.index), run, Silent())
    assert verify(made.root, Silent()) == ()


@pytest.mark.parametrize("lie", [b"", b"short", bytes(2**19), bytes(2**22)], ids=len)
def test_a_file_of_another_size_is_never_taken(lock, server, run, tmp_path, lie):
    server.manners.lies[BETA] = lie
    made = Mirror(root=tmp_path / "mirror")
    assert failure(lock, made.root, Site(index=server.index), run)[1].startswith(f"{row(lock, BETA)}")
    assert held(made, lock) == [ALPHA, GAMMA, PIP]


def test_every_failure_stands_in_one_table(lock, server, small_index, run, tmp_path):
    other = small_index.root / "simple" / "gamma" / "index.html"
    other.write_text(other.read_text().replace(sha256(lock, GAMMA), "0" * 64))
    (small_index.root / "simple" / "beta" / "index.html").unlink()
    small_index.file(ALPHA).unlink()
    told = failure(lock, tmp_path / "mirror", Site(index=server.index), run)
    assert told == [
        "3 of 4 files could not be had; what came is kept, so run the same command again:",
        f"{row(lock, ALPHA)}{server.address}/files/{ALPHA}: 404 Not Found",
        f"{row(lock, BETA)}there is no package beta on the index",
        f"{row(lock, GAMMA)}{server.address}/files/{GAMMA} has the SHA-256 {'0' * 64}, "
        f"but the lock says {sha256(lock, GAMMA)}",
    ]
    assert held(Mirror(root=tmp_path / "mirror"), lock) == [PIP]


def test_a_version_that_the_index_no_longer_has_is_named(lock, run, tmp_path):
    newer = Index(tmp_path / "newer")
    newer.add_wheel("pip", "26.0")
    for name in NAMES:
        newer.add_wheel(name, "2.0")
    told = failure(lock, tmp_path / "mirror", Site(index=newer.address), run)
    assert told[1] == f"{row(lock, ALPHA)}there is no version of alpha==1.0 on the index"
    assert len(told) == 4


def test_credentials_of_the_address_open_files_and_stay_secret(lock, server, tmp_path):
    server.manners.login = ("user", "s3cret")
    progress = Recorder()
    site = Site(index=server.with_login("user", "s3cret"))
    made = mirror({"site": lock}, tmp_path / "mirror", site, LoggedRunner(progress), progress)
    assert made.lacks(lock) == ()
    told = "".join([*progress.lines, *progress.details, (made.root / "manifest.json").read_text()])
    assert "s3cret" not in told


def test_credentials_of_netrc_open_files(lock, server, run, tmp_path, own_home):
    server.manners.login = ("user", "s3cret")
    (own_home / ".netrc").write_text("machine 127.0.0.1 login user password s3cret\n")
    (own_home / ".netrc").chmod(0o600)
    assert mirror({"site": lock}, tmp_path / "m", Site(index=server.index), run, Silent()).lacks(lock) == ()


def test_files_that_are_refused_are_named(lock, server, run, tmp_path):
    server.manners.login = ("user", "s3cret")
    pages = server.with_login("user", "s3cret")
    with serving(Index(tmp_path / "index")) as other:
        other.manners.login = ("user", "other")
        for page in (tmp_path / "index" / "simple").glob("*/index.html"):
            page.write_text(page.read_text().replace("../../files", f"{other.address}/files"))
        told = failure(lock, tmp_path / "mirror", Site(index=pages), run)
        assert told[1] == (
            f"{row(lock, ALPHA)}{other.address}/files/{ALPHA}: 401 Unauthorized; "
            "put user and password into ~/.netrc or into the index's address in site.yaml"
        )
        assert "s3cret" not in "".join(told)


def test_a_damaged_manifest_is_named(lock, small_index, run, tmp_path):
    site = Site(index=small_index.address)
    made = mirror({"site": lock}, tmp_path / "mirror", site, run, Silent())
    (made.root / "manifest.json").write_text("{")
    with pytest.raises(InputError) as caught:
        mirror({"site": lock}, tmp_path / "mirror", site, run, Silent())
    assert str(caught.value) == (
        f"{made.root}/manifest.json: is damaged; "
        "copy the kit again; or, where it was made, remove this and run `stackgen mirror create`"
    )
