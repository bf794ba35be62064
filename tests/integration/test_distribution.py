"""Packages of a distribution, from a real apt and a small signed archive: locked, mirrored, refused."""

import re
import shutil
from pathlib import Path

import debian_archive
import pytest
from debian_archive import Archive
from package_index import Index, serving

from stackgen.distribution import archives, lock_base
from stackgen.errors import StackgenError
from stackgen.lock import Images, Lock, LockedDeb
from stackgen.mirror import IncompleteError, mirror, prune, verify
from stackgen.plan import Distribution
from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, Outcome
from stackgen.site import DistributionSources, Site

DEBIAN = Distribution(name="debian", version="12", packages=())
LATER = "pool/updates/main"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if reason := debian_archive.why_not():
        pytest.skip(f"no archive: {reason}")
    return tmp_path_factory.mktemp("archives")


@pytest.fixture(scope="module")
def archive(place: Path) -> Archive:
    """The main archive of a distribution."""
    made = debian_archive.usual(place / "debian", place / "gpg")
    made.add("greedy", conflicts="bash")
    made.publish("bookworm")
    return made


@pytest.fixture(scope="module")
def security(place: Path, archive: Archive) -> Archive:
    """The archive beside it that has the newer bash."""
    made = Archive.at(place / "security", archive.home)
    made.add("bash", "1.0+deb12u1", pool=LATER, depends="base-files")
    made.publish("bookworm-security")
    return made


@pytest.fixture(scope="module")
def site(archive: Archive, security: Archive) -> Site:
    return of(archive.root, security.root, keyring=archive.keyring)


def of(*roots: Path, keyring: Path | None) -> Site:
    """A site that has its packages in these directories."""
    sources = DistributionSources.model_validate(
        {"mirrors": tuple(map(str, roots)), "keyring": str(keyring) if keyring else None}
    )
    return Site(distributions={"debian": sources})


def locked(site: Site, *packages: str, architecture: str = "x86_64") -> tuple[LockedDeb, ...]:
    return lock_base(DEBIAN, packages, architecture, site, LoggedRunner(Silent()))


def refusal(site: Site, *packages: str, architecture: str = "x86_64") -> str:
    with pytest.raises(StackgenError) as caught:
        locked(site, *packages, architecture=architecture)
    return str(caught.value)


def test_a_base_is_locked_with_what_it_needs_and_by_no_address(site):
    found = {one.package: one for one in locked(site)}
    assert found["bash"].version == "1.0+deb12u1"
    assert found["bash"].path == f"{LATER}/b/bash/bash_1.0+deb12u1_amd64.deb"
    assert found["bash"].file.name == "bash_1.0+deb12u1_amd64.deb"
    assert found["libproc2-0"].version == "2:4.0.2-3"
    assert found["libproc2-0"].path == "pool/main/l/libproc2-0/libproc2-0_4.0.2-3_amd64.deb"
    assert locked(site) == tuple(sorted(found.values()))


def test_what_only_scripts_would_start_comes_where_it_is_asked_for_alone(site):
    assert not {"debconf", "openssl"} & {one.package for one in locked(site)}
    assert "openssl" in {one.package for one in locked(site, "openssl")}


def test_another_architecture(place, archive):
    made = debian_archive.usual(place / "arm", archive.home, "arm64")
    made.publish("bookworm", "arm64")
    found = locked(of(made.root, keyring=archive.keyring), architecture="aarch64")
    assert {one.file.name.rpartition("_")[2] for one in found} == {"arm64.deb"}


def test_nothing_of_this_machine_is_touched(site, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = sorted(Path("/var/lib/apt/lists").iterdir())
    locked(site)
    assert sorted(Path("/var/lib/apt/lists").iterdir()) == before
    assert not list(tmp_path.iterdir())


def test_a_package_that_is_not_there(site):
    assert refusal(site, "no-such") == (
        "containers.packages: debian:12 has no package no-such for x86_64; correct it"
    )


def test_packages_that_exclude_each_other(site):
    said = refusal(site, "greedy")
    assert said.startswith("containers.packages: debian:12 cannot have all of these packages at once: ")
    assert said.endswith("; take one of them out")
    assert "\n" not in said


def test_an_archive_that_somebody_else_has_signed(place, archive):
    other = Archive.at(place / "other", place / "other-gpg")
    said = refusal(of(archive.root, keyring=other.keyring))
    assert said.startswith("apt cannot read the archives of the distribution: ")
    assert said.endswith(
        "; name the keyring that they are signed with by `keyring:` below `distributions:` in site.yaml"
    )


def test_an_archive_that_nobody_has_signed(place, archive):
    made = debian_archive.usual(place / "unsigned", archive.home)
    made.publish("bookworm", signed=False)
    said = refusal(of(made.root, keyring=archive.keyring))
    assert "is not signed" in said
    assert said.endswith("by `keyring:` below `distributions:` in site.yaml")


def test_an_archive_that_is_being_changed(place, archive):
    made = Archive.at(place / "changing", archive.home)
    made.add("bash")
    made.publish("bookworm")
    lists = next(made.root.rglob("Packages.gz"))
    lists.write_bytes(lists.read_bytes()[:-1])
    said = refusal(of(made.root, keyring=archive.keyring))
    assert said.startswith("apt cannot read the archives of the distribution: Failed to fetch ")
    assert said.endswith(
        "; it is being changed or is not whole: try later, or name another by `distributions:` in site.yaml"
    )


def test_an_archive_without_the_architecture(site):
    assert refusal(site, architecture="ppc64le") == (
        "the archives of Debian have no base-files of debian:12 for ppc64le;"
        " see `distributions.debian.mirrors` in site.yaml"
    )


def test_no_keyring(archive, tmp_path):
    assert refusal(of(archive.root, keyring=tmp_path / "none.gpg")) == (
        f"there is no keyring {tmp_path}/none.gpg, so that no archive can be checked; install the package of"
        " the distribution's keys, or name its file by `keyring:` below `distributions:` in site.yaml"
    )


def test_a_mirror_of_something_else(tmp_path, archive):
    asked = tmp_path / "dists/bookworm/InRelease"
    assert refusal(of(tmp_path, keyring=archive.keyring)) == (
        f"no mirror of Debian has the suite bookworm: cannot read {asked}: No such file or directory"
        f" ({asked}); correct `distributions.debian.mirrors` in site.yaml"
    )


def test_a_machine_without_apt(site, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refusal(site) == (
        "only apt can lock packages of a distribution, and there is none on this machine; lock on Debian or"
        " Ubuntu (`distributions:` in site.yaml says where from), or write"
        " `containers: {base: IMAGE@sha256:...}`"
    )


def answering(text: str):
    """A Runner that stands for the apt of another machine."""

    def fake(command: Command) -> Outcome:
        assert command.argv[1] == "indextargets"
        return Outcome(status=0, stdout=text, stderr="")

    return fake


def test_the_machines_own_sources_serve_another_version_by_a_fake_apt():
    told = (
        "http://mirror.example/debian/|bookworm|main|Debian\n"
        "http://mirror.example/debian/|bookworm-updates|main|Debian\n"
        "http://mirror.example/debian/|bookworm|contrib|Debian\n"
        "http://mirror.example/debian-security/|stable-security|main|\n"
        "http://others.example/|bookworm|main|Somebody\n"
    )
    assert archives("debian", Site(), answering(told)) == (
        "http://mirror.example/debian",
        "http://mirror.example/debian-security",
    )


def test_discs_are_no_archives_and_lists_of_mirrors_are_read_by_a_fake_apt(tmp_path: Path):
    listed = tmp_path / "debian.list"
    listed.write_text("# near\nhttps://one.example/debian\tpriority:1\n\nhttp://two.example/debian/\n")
    told = (
        "cdrom://[Debian GNU/Linux 12.5.0 _Bookworm_]/|bookworm|main|Debian\n"
        f"mirror+file:{listed}/|bookworm|main|Debian\n"
        "mirror+file:/absent/|bookworm-updates|main|Debian\n"
        "file:/srv/debian/|bookworm|main|Debian\n"
    )
    assert archives("debian", Site(), answering(told)) == (
        *("https://one.example/debian", "http://two.example/debian", "file:/srv/debian"),
    )


def test_the_sources_of_another_distribution_are_none_by_a_fake_apt():
    told = "http://mirror.example/ubuntu/|noble|main|Ubuntu\n"
    with pytest.raises(StackgenError) as caught:
        lock_base(DEBIAN, (), "x86_64", Site(), answering(told))
    assert str(caught.value) == (
        "apt on this machine knows no archive of Debian; name one by"
        " `distributions: {debian: {mirrors: [...]}}` in site.yaml, or take an image by its digest for a base"
    )


@pytest.fixture
def locks(site: Site) -> dict[str, Lock]:
    inputs = {"base": {"distribution": "debian:12", "packages": []}}
    return {"small": Lock(environment="small", inputs=inputs, images=Images(base=locked(site)))}


def test_packages_come_from_whichever_archive_has_them(site, locks, tmp_path, run):
    made = mirror(locks, tmp_path / "kit", site, run, Silent())
    assert not made.lacks(*locks.values())
    assert verify(made.root, Silent()) == ()
    bash = next(one for one in locks["small"].images.base if one.package == "bash")
    assert made.path(bash.file) == (
        tmp_path / "kit/packages" / bash.file.sha256[:2] / bash.file.sha256 / bash.file.name
    )
    assert len(prune(made.root, ("small",), Silent())) == len(locks["small"].images.base)


def test_packages_are_taken_by_hash_from_a_directory(site, locks, archive, security, tmp_path, run):
    for number, file in enumerate([*archive.root.rglob("*.deb"), *security.root.rglob("*.deb")]):
        (tmp_path / "given").mkdir(exist_ok=True)
        shutil.copy(file, tmp_path / f"given/{number}")
    nobody = of(tmp_path, keyring=None)
    made = mirror(locks, tmp_path / "kit", nobody, run, Silent(), given=(tmp_path / "given",))
    assert not made.lacks(*locks.values())


def test_a_package_that_the_archive_has_no_longer(site, locks, place, archive, security, tmp_path, run):
    shutil.copytree(archive.root, tmp_path / "later")
    file = next((tmp_path / "later").rglob("dash_*.deb"))
    path = file.relative_to(tmp_path / "later")
    file.unlink()
    later = of(tmp_path / "later", security.root, keyring=archive.keyring)
    with pytest.raises(IncompleteError) as caught:
        mirror(locks, tmp_path / "kit", later, run, Silent())
    (lacking,) = caught.value.lacking
    assert lacking.package == "dash 1.0"
    assert lacking.reasons == (
        f"{tmp_path}/later/{path} cannot be read: No such file or directory",
        f"{security.root}/{path} cannot be read: No such file or directory",
        "its distribution has a newer one by now, which `stackgen lock --upgrade` takes",
    )


def test_a_package_that_is_another_by_now(site, locks, archive, security, tmp_path, run):
    shutil.copytree(archive.root, tmp_path / "later")
    file = next((tmp_path / "later").rglob("dash_*.deb"))
    file.write_bytes(b"!" * file.stat().st_size)
    later = of(tmp_path / "later", security.root, keyring=archive.keyring)
    with pytest.raises(IncompleteError) as caught:
        mirror(locks, tmp_path / "kit", later, run, Silent())
    (lacking,) = caught.value.lacking
    assert f"but the lock says {lacking.sha256}" in lacking.reasons[0]


def test_nobody_knows_a_mirror(locks, tmp_path, run, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(IncompleteError) as caught:
        mirror(locks, tmp_path / "kit", Site(), run, Silent())
    assert {lacking.reasons for lacking in caught.value.lacking} == {
        ("neither site.yaml nor an apt on this machine names a mirror of its distribution",)
    }


def test_credentials_are_used_and_shown_nowhere(archive, security, tmp_path):
    with serving(Index(archive.root)) as server:
        server.manners.login = ("somebody", "se%cret")
        address = server.address.replace("://", "://somebody:se%25cret@")
        sources = DistributionSources(mirrors=(address,), keyring=str(archive.keyring))
        site = Site(distributions={"debian": sources})
        told: list[str] = []
        packages = lock_base(DEBIAN, (), "x86_64", site, LoggedRunner(Telling(told)))
        inputs = {"base": {"distribution": "debian:12", "packages": []}}
        lock = Lock(environment="small", inputs=inputs, images=Images(base=packages))
        made = mirror({"small": lock}, tmp_path / "kit", site, LoggedRunner(Telling(told)), Silent())
        assert not made.lacks(lock)
        server.manners.login = ("somebody", "another")
        with pytest.raises(StackgenError) as caught:
            lock_base(DEBIAN, (), "x86_64", site, LoggedRunner(Telling(told)))
    assert "401 Unauthorized" in str(caught.value)
    shown = "\n".join([*told, str(caught.value), repr(site), (tmp_path / "kit/manifest.json").read_text()])
    assert not re.search("se(%25|%)cret", shown)


class Telling(Silent):
    """Keeps what would be in the log."""

    def __init__(self, told: list[str]) -> None:
        self._told = told

    def log(self, text: str) -> None:
        self._told.append(text)
