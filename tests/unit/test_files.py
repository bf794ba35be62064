import os
import shutil
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from stackgen import files
from stackgen.errors import WorkError
from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner
from stackgen.tree import File, Tree


class Heard(Silent):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def test_write_replaces_in_one_step_and_sets_the_mode(tmp_path: Path):
    target = tmp_path / "new/deep/file"
    files.write(target, "one")
    files.write(target, "two", 0o755)
    assert target.read_text() == "two"
    assert target.stat().st_mode & 0o777 == 0o755
    assert os.listdir(target.parent) == ["file"]


def test_write_where_a_file_is_in_the_way(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkError) as caught:
        files.write(tmp_path / "file/below", "text")
    assert str(caught.value) == (
        f"cannot write {tmp_path}/file/below: File exists ({tmp_path}/file); "
        "a file is in the way: remove it, or name another directory"
    )


def test_replace_tree_leaves_the_tree_alone(tmp_path: Path):
    files.write(tmp_path / "x.lock/pylock.old.toml", "")
    for text in ("1", "2"):
        files.replace_tree(Tree({"lock.json": File(text)}), tmp_path / "x.lock")
    assert files.read_tree(tmp_path / "x.lock") == Tree({"lock.json": File("2")})
    assert os.listdir(tmp_path) == ["x.lock"]


def test_point_switches_a_link(tmp_path: Path):
    link = tmp_path / "current"
    for release in ("releases/1", "releases/2"):
        files.point(link, release)
        assert os.readlink(link) == release
    assert os.listdir(tmp_path) == ["current"]


def test_point_refuses_to_replace_a_directory(tmp_path: Path):
    (tmp_path / "current").mkdir()
    with pytest.raises(WorkError, match=r"^cannot switch .*/current: Is a directory"):
        files.point(tmp_path / "current", "releases/1")


def test_read_only_trees_can_be_removed(tmp_path: Path):
    tree = tmp_path / "tree"
    files.write(tree / "a/b", "text", 0o755)
    (tree / "link").symlink_to("a/b")
    files.make_read_only(tree)
    assert all(path.lstat().st_mode & 0o222 == 0 for path in tree.rglob("*") if not path.is_symlink())
    assert (tree / "a/b").stat().st_mode & 0o777 == 0o555
    files.remove(tree)
    assert not tree.exists()
    files.remove(tree)


def test_exclusive_waits_for_the_holder_and_says_so(tmp_path: Path, run: LoggedRunner):
    script = f"""
import sys, time
from pathlib import Path
from stackgen import files
from stackgen.progress import Silent
with files.exclusive(Path({str(tmp_path)!r}), Silent()):
    print("held", flush=True)
    Path({str(tmp_path / "held")!r}).touch()
    time.sleep(1.5)
    Path({str(tmp_path / "done")!r}).touch()
"""
    command = Command(argv=(sys.executable, "-c", script), environment=dict(os.environ), directory=tmp_path)
    holder = Thread(target=lambda: run(command))
    holder.start()
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    heard = Heard()
    with files.exclusive(tmp_path, heard):
        assert (tmp_path / "done").exists()
    holder.join()
    (line,) = heard.lines
    assert line.startswith("waiting for process ")
    assert line.endswith(f", which is working in {tmp_path}")


def test_exclusive_is_free_again_after_its_block(tmp_path: Path):
    heard = Heard()
    for _ in range(2):
        with files.exclusive(tmp_path, heard):
            pass
    assert heard.lines == []


def test_a_directory_that_takes_no_files_is_not_waited_for():
    with pytest.raises(WorkError) as raised, files.exclusive(Path("/proc"), Silent()):
        pass
    assert str(raised.value) == "cannot use /proc: No such file or directory (/proc/.lock)"


def test_of_many_files_that_cannot_be_copied_the_first_is_told():
    failed = [("a", "b", "[Errno 28] No space left on device: 'a'"), ("c", "d", "[Errno 13] x")]
    with pytest.raises(WorkError) as raised, files.reported("cannot work in b"):
        raise shutil.Error(failed)
    assert str(raised.value) == (
        "cannot work in b: No space left on device (a); "
        "free some space and run the same command again; what is done is kept"
    )


def test_a_file_system_is_flushed_or_it_is_told_why_not(tmp_path: Path):
    files.flush(tmp_path)
    with pytest.raises(WorkError) as caught:
        files.flush(tmp_path / "gone")
    gone = tmp_path / "gone"
    assert str(caught.value) == f"cannot flush {gone} to disk: No such file or directory ({gone})"
