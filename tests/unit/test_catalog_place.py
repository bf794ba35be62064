"""The directory of a catalog: what stays in it, what is refused, and that nobody ever sees half of it."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from stackgen.catalog import Catalog, kept_releases, write_site
from stackgen.catalog.pages import STANDING
from stackgen.catalog.values import ReleasePage
from stackgen.errors import InputError, WorkError
from stackgen.progress import Silent
from stackgen.tree import File, Tree


def release(name: str, *, current: bool = False, system: str = "Grid") -> ReleasePage:
    return ReleasePage(
        name=name,
        environment="grid",
        system=system,
        namespace="hpai",
        published="",
        current=current,
        before="",
        changes=(),
        machine=None,
        decided=(),
        frameworks=(),
        levels=(),
        unsupported=(),
        venvs=False,
    )


def catalog(prefix: Path, *names: str) -> Catalog:
    """The first of the releases is current."""
    return Catalog(
        prefix=str(prefix), site="", releases=tuple(release(one, current=one == names[0]) for one in names)
    )


def pages(*names: str, text: str = "") -> Tree:
    files = {"index.html": File(f"overview of {', '.join(names)}{text}")}
    for name in names:
        standing = f"{STANDING[0]}\nstanding\n{STANDING[1]}"
        files[f"releases/{name}/index.html"] = File(f"release {name}{text} {standing}")
        files[f"releases/{name}/frameworks/six.html"] = File(f"six{text} {standing}")
    return Tree(files)


def write(directory: Path, prefix: Path, *names: str, text: str = "") -> int:
    made = catalog(prefix, *names)
    return write_site(pages(*names, text=text), directory, made, kept_releases(directory, made), Silent())


def found(directory: Path) -> dict[str, str]:
    paths = (path for path in directory.rglob("*") if path.is_file() and path.name != ".lock")
    return {path.relative_to(directory).as_posix(): path.read_text() for path in sorted(paths)}


def test_pages_are_written_and_left_alone_where_nothing_changes(tmp_path: Path) -> None:
    assert write(tmp_path / "site", tmp_path / "ai", "1") == 4
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "site").rglob("*.html")}
    assert write(tmp_path / "site", tmp_path / "ai", "1") == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert set(found(tmp_path / "site")) == {"catalog.json", *pages("1")}
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in before)


def test_everybody_may_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write(tmp_path / "site", tmp_path / "ai", "1")
    finally:
        os.umask(before)
    modes = {
        path.stat().st_mode & 0o777 for path in (tmp_path / "site", *(tmp_path / "site/releases").rglob("*"))
    }
    assert modes == {0o755, 0o644}
    assert (tmp_path / "site/index.html").stat().st_mode & 0o777 == 0o644


def test_pages_of_a_release_that_is_gone_stay_and_say_so(tmp_path: Path) -> None:
    site, prefix = tmp_path / "site", tmp_path / "ai"
    write(site, prefix, "2", "1")
    assert kept_releases(site, catalog(prefix, "3", "2")) == ("1",)
    write(site, prefix, "3", "2")
    texts = found(site)
    assert "This release is no longer there" in texts["releases/1/index.html"]
    assert "This release is no longer there" in texts["releases/1/frameworks/six.html"]
    assert "standing\n" in texts["releases/2/index.html"]
    write(site, prefix, "3")
    assert kept_releases(site, catalog(prefix, "3")) == ("2", "1")
    assert write(site, prefix, "3") == 0
    shutil.rmtree(site / "releases/1")
    assert kept_releases(site, catalog(prefix, "3")) == ("2",)


def test_a_page_that_a_release_no_longer_has_goes(tmp_path: Path) -> None:
    site, prefix = tmp_path / "site", tmp_path / "ai"
    write(site, prefix, "1")
    made = catalog(prefix, "1")
    fewer = Tree({path: file for path, file in pages("1").items() if "six" not in path})
    write_site(fewer, site, made, (), Silent())
    assert set(found(site)) == {"catalog.json", *fewer}


def test_a_directory_of_another_prefix_is_refused(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write(site, tmp_path / "ai", "1")
    with pytest.raises(InputError) as caught:
        write(site, tmp_path / "other", "1")
    assert str(caught.value) == (
        f"{site} is the catalog of grid on Grid, which is in {tmp_path}/ai;"
        f" give {tmp_path}/other a directory of its own by -o"
    )
    (tmp_path / "link").symlink_to("ai")
    (tmp_path / "ai").mkdir()
    assert write(site, tmp_path / "link", "1") == 1


def refused(directory: Path, prefix: Path) -> str:
    with pytest.raises((InputError, WorkError)) as caught:
        write(directory, prefix, "1")
    return str(caught.value)


def test_a_directory_with_other_things_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/thesis.tex").touch()
    what = f"{tmp_path}/site holds what no catalog does: thesis.tex"
    told = f"{what}; name an empty directory, or a new one, by -o"
    assert refused(tmp_path / "site", tmp_path / "ai") == told
    assert os.listdir(tmp_path / "site") == ["thesis.tex"]


def test_a_file_in_the_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "site").touch()
    what = f"{tmp_path}/site is a file; name another directory by -o"
    assert refused(tmp_path / "site", tmp_path / "ai") == what
    assert "a file is in the way" in refused(tmp_path / "site/below", tmp_path / "ai")


@pytest.mark.parametrize("below", ["", "site", "releases/1/catalog"])
def test_a_directory_in_the_prefix_is_refused(tmp_path: Path, below: str) -> None:
    directory = tmp_path / "ai" / below
    assert refused(directory, tmp_path / "ai") == (
        f"{directory} lies in the prefix {tmp_path}/ai, which holds what is installed alone;"
        " name a directory outside of it by -o"
    )
    assert not directory.exists()


def test_a_prefix_in_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ai").mkdir()
    what = f"{tmp_path} holds what no catalog does: ai; name an empty directory, or a new one, by -o"
    assert refused(tmp_path, tmp_path / "ai") == what


@pytest.mark.parametrize("text", ["", "[]", '{"format": 7}'])
def test_a_catalog_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    write(tmp_path / "site", tmp_path / "ai", "1")
    (tmp_path / "site/catalog.json").write_text(text)
    what = f"{tmp_path}/site/catalog.json cannot be read; name another directory by -o"
    assert refused(tmp_path / "site", tmp_path / "ai") == what


_FULL = """\
import resource, signal, sys
from pathlib import Path
sys.path[:0] = {path!r}
from test_catalog_place import write
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
write(Path({site!r}), Path({prefix!r}), "2", "1", text="x" * 5000)
"""


def test_where_there_is_no_space_all_is_as_it_was(tmp_path: Path) -> None:
    """No file may be larger than 4 KiB, which ends a write as a full disk does."""
    site, prefix = tmp_path / "site", tmp_path / "ai"
    write(site, prefix, "1")
    before = found(site)
    path = [str(Path(__file__).parent), *sys.path]
    program = _FULL.format(path=path, site=str(site), prefix=str(prefix))
    ended = subprocess.run((sys.executable, "-c", program), capture_output=True, text=True, check=False)
    last = ended.stderr.splitlines()[-1]
    assert last.startswith(f"stackgen.errors.WorkError: cannot write the catalog to {site}: File too large")
    assert found(site) == before


_KILLED = """\
import os, signal, sys
from pathlib import Path
sys.path[:0] = {path!r}
from test_catalog_place import write
left = {after}
def killed(event, arguments):
    global left
    if event == "os.rename" and "/.new-" in str(arguments[0]):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(killed)
write(Path({site!r}), Path({prefix!r}), "2", "1", text="new")
"""


@pytest.mark.parametrize("after", range(6))
def test_a_kill_leaves_whole_pages_and_the_old_overview(tmp_path: Path, after: int) -> None:
    site, prefix = tmp_path / "site", tmp_path / "ai"
    write(site, prefix, "1")
    path = [str(Path(__file__).parent), *sys.path]
    program = _KILLED.format(path=path, site=str(site), prefix=str(prefix), after=after)
    ended = subprocess.run((sys.executable, "-c", program), check=False)
    assert ended.returncode == -signal.SIGKILL
    old, new = pages("1"), pages("2", "1", text="new")
    texts = {path: text for path, text in found(site).items() if path.endswith(".html") and path[0] != "."}
    assert texts["index.html"] in {old["index.html"].text, new["index.html"].text}
    assert all(
        text in {tree[path].text for tree in (old, new) if path in tree} for path, text in texts.items()
    )
    if texts["index.html"] == new["index.html"].text:
        assert texts.keys() == new.files.keys()
    write(site, prefix, "2", "1", text="new")
    assert {path for path in found(site) if path.endswith(".html")} == new.files.keys()
    assert not list(site.glob(".new-*"))


def test_two_systems_in_one_prefix_have_pages_in_one_catalog(tmp_path: Path) -> None:
    made = catalog(tmp_path / "ai", "2", "1")
    other = replace(made, releases=(made.releases[0], replace(made.releases[1], system="Other")))
    assert write_site(pages("2", "1"), tmp_path / "site", other, (), Silent()) == 6
