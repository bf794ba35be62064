"""Releases on a real disk: staged, published, listed, rolled back; only their content is made up."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hierarchies import Made
from hierarchies import locked as spack_locked
from small_releases import locked, planned, publish_new, report, staged_release

from stackgen import files
from stackgen.environments import SpackEnvironment
from stackgen.errors import InputError, WorkError
from stackgen.lock import Lock
from stackgen.lock.inputs import spack_inputs
from stackgen.progress import Silent
from stackgen.publish import (
    Spider,
    current_release,
    place_of,
    publish,
    published,
    refuse_other_content,
    releases,
    rollback,
    stage,
    staged,
)
from stackgen.release import Release, request
from stackgen.run import LoggedRunner
from stackgen.tree import Tree


def core(prefix: Path) -> dict[str, str]:
    tree = files.read_tree(prefix / "current/modules/Core")
    return {path: file.text for path, file in tree.items()}


def names(prefix: Path) -> list[str]:
    return [entry.release.name for entry in releases(prefix)]


def test_stage_writes_the_whole_release(tmp_path: Path) -> None:
    release = staged_release(tmp_path, "1")
    assert set(files.read_tree(staged(tmp_path, "1"))) == {
        "lock/lock.json",
        "lock/pylock.six.toml",
        "modules/Core/hpai/six/1.17.0.lua",
        "release.json",
    }
    assert Release.model_validate_json((staged(tmp_path, "1") / "release.json").read_text()) == release


def test_staging_the_same_again_keeps_its_report(tmp_path: Path) -> None:
    report(tmp_path, staged_release(tmp_path, "1"))
    staged_release(tmp_path, "1")
    assert (staged(tmp_path, "1") / "report.json").exists()


def test_staging_something_else_drops_the_report(tmp_path: Path) -> None:
    report(tmp_path, staged_release(tmp_path, "1"))
    staged_release(tmp_path, "1", "1.16.0")
    assert not (staged(tmp_path, "1") / "report.json").exists()
    assert not (staged(tmp_path, "1") / "modules/Core/hpai/six/1.17.0.lua").exists()


def test_a_published_release_is_current_and_read_only(tmp_path: Path) -> None:
    release = publish_new(tmp_path, "1")
    assert current_release(tmp_path) == release
    assert core(tmp_path) == {"hpai/six/1.17.0.lua": "-- six 1.17.0\n"}
    below = [tmp_path / "releases/1", *(tmp_path / "releases/1").rglob("*")]
    below += (tmp_path / "current").resolve().rglob("*")
    assert not [path for path in below if path.stat().st_mode & 0o222]
    assert not staged(tmp_path, "1").exists()


def test_current_holds_all_files_of_its_release(tmp_path: Path) -> None:
    publish_new(tmp_path, "1")
    assert files.read_tree(tmp_path / "current") == files.read_tree(tmp_path / "releases/1")


def test_published_sees_only_the_current_whole_release_of_that_request(tmp_path: Path) -> None:
    assert published(tmp_path, "1", "0") is None
    release = publish_new(tmp_path, "1")
    assert published(tmp_path, "1", release.request) == release
    assert published(tmp_path, "2", release.request) is None
    assert published(tmp_path, "1", "0") is None
    shutil.rmtree(release.frameworks[0].prefix)
    assert published(tmp_path, "1", release.request) is None


def test_request_changes_with_what_is_built_and_promised_alone(tmp_path: Path) -> None:
    asked = planned(tmp_path, "1")
    lock = locked(asked, "1.17.0")
    assert request(planned(tmp_path, "1"), lock) == request(asked, lock)
    assert request(asked, locked(asked, "1.16.0")) != request(asked, lock)
    assert request(planned(tmp_path, "1", features=["onednn"]), lock) != request(asked, lock)
    assert request(planned(tmp_path, "1", settings={"A": "1"}), lock) != request(asked, lock)
    assert request(planned(tmp_path / "b", "1"), lock) != request(asked, lock)


def test_request_changes_with_what_is_in_the_hierarchy(tmp_path: Path) -> None:
    asked = planned(tmp_path, "1")
    lock = locked(asked, "1.17.0")

    def having(*made: Made, name: str = "toolchain") -> str:
        return request(asked, replace(lock, spack=(spack_locked(made, ["zlib"], name),)))

    zlib, more = Made(name="zlib"), Made(name="more")
    assert having(zlib) != request(asked, lock)
    assert having(zlib) == having(zlib, more)
    assert having(zlib) != having(Made(name="zlib", build="another"))
    assert having(zlib, name="six") == request(asked, lock)


def test_publishing_the_same_again_changes_nothing(tmp_path: Path) -> None:
    publish_new(tmp_path, "1")
    history = (tmp_path / "releases/.history.json").read_text()
    publish_new(tmp_path, "1")
    publish(tmp_path, "1")
    assert (tmp_path / "releases/.history.json").read_text() == history


def test_another_content_under_the_same_name_is_refused(tmp_path: Path) -> None:
    publish_new(tmp_path, "1")
    report(tmp_path, staged_release(tmp_path, "1", "1.16.0"))
    with pytest.raises(InputError) as caught:
        publish(tmp_path, "1")
    assert str(caught.value) == (
        "release 1 is published already with other content: "
        "six: six 1.17.0 -> 1.16.0; a release never changes: "
        "give this one a new name with `release:` in the environment's file"
    )
    assert core(tmp_path) == {"hpai/six/1.17.0.lua": "-- six 1.17.0\n"}


def test_another_content_is_refused_before_it_is_built(tmp_path: Path) -> None:
    publish_new(tmp_path, "1")
    asked = planned(tmp_path, "1", features=["jupyter"])
    refuse_other_content(planned(tmp_path, "1"), locked(asked, "1.17.0"))
    with pytest.raises(InputError) as caught:
        refuse_other_content(asked, locked(asked, "1.17.0"))
    assert str(caught.value) == (
        "release 1 is published already with other content: "
        "what its modules, its job scripts or its tests are made from changed; a release never changes: "
        "give this one a new name with `release:` in the environment's file"
    )


def test_packages_that_differ_are_named(tmp_path: Path) -> None:
    asked = planned(tmp_path, "1")
    before = (Made(name="gone"), Made(name="zlib", version="1.3"), Made(name="hdf5"))
    after = (Made(name="new"), Made(name="zlib", version="1.3.1"), Made(name="hdf5", build="other"))

    def lock(made: tuple[Made, ...]) -> Lock:
        names, environments = tuple(one.name for one in made), ("toolchain", "toolchain.mpich-4")
        wheels = locked(asked, "1.17.0")
        spack = spack_inputs(asked, [SpackEnvironment(name=name, specs=names) for name in environments])
        solved = tuple(spack_locked(made, names, name) for name in environments)
        return replace(wheels, inputs={**wheels.inputs, "spack": spack}, spack=solved)

    files.settle(stage(asked, lock(before), Tree()), place_of(tmp_path, "1"))
    refuse_other_content(asked, lock(before))
    with pytest.raises(InputError) as caught:
        refuse_other_content(asked, lock(after))
    assert str(caught.value) == (
        "release 1 is published already with other content: packages: gone 1.0 -> none,"
        " packages: hdf5@1.0 built otherwise, packages: new none -> 1.0, packages: zlib 1.3 -> 1.3.1;"
        " a release never changes: give this one a new name with `release:` in the environment's file"
    )


@pytest.mark.parametrize("program", ["#!/nowhere/lua\n", "#!/bin/sh\nexit 1\n", "#!/bin/sh\n"])
def test_a_spider_that_does_not_work_is_no_obstacle(tmp_path: Path, program: str) -> None:
    files.write(tmp_path / "lmod/libexec/spider", program, 0o755)
    told = Recorder()
    spider = Spider(lmod=tmp_path / "lmod/init/bash", run=LoggedRunner(told), progress=told)
    assert spider.cache(tmp_path, tmp_path / "current") == Tree()
    assert told.lines == ["no cache for `module spider`: this machine's Lmod cannot make one"]


class Recorder(Silent):
    """A progress that remembers what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def test_nothing_is_published_without_a_passed_report_of_its_own(tmp_path: Path) -> None:
    release = staged_release(tmp_path, "1")
    with pytest.raises(WorkError, match=r"^release 1 is not tested; run `stackgen test` on its environment$"):
        publish(tmp_path, "1")
    report(tmp_path, release, request="0")
    with pytest.raises(WorkError) as caught:
        publish(tmp_path, "1")
    assert str(caught.value) == "release 1 was rebuilt after its test; run `stackgen test` on its environment"
    report(tmp_path, release, passed=False)
    with pytest.raises(WorkError) as caught:
        publish(tmp_path, "1")
    where = staged(tmp_path, "1") / "report.json"
    assert str(caught.value) == f"release 1 did not pass its test: six: import; see {where}"
    assert releases(tmp_path) == ()


def test_what_is_not_staged_cannot_be_published(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        publish(tmp_path, "1")
    assert (
        str(caught.value)
        == f"there is no release 1 to publish in {tmp_path}; run `stackgen build` on its environment"
    )


def test_releases_are_listed_by_publication(tmp_path: Path) -> None:
    for name in ("2", "10", "1"):
        publish_new(tmp_path, name)
    (tmp_path / "releases/stray").mkdir()
    (tmp_path / "releases/note.txt").touch()
    assert names(tmp_path) == ["2", "10", "1"]
    assert [entry.release.name for entry in releases(tmp_path) if entry.current] == ["1"]
    assert all(entry.published.endswith("Z") and not entry.missing for entry in releases(tmp_path))


def test_a_release_that_lost_its_python_says_so(tmp_path: Path) -> None:
    release = publish_new(tmp_path, "1")
    shutil.rmtree(release.frameworks[0].prefix)
    assert releases(tmp_path)[0].missing == (release.frameworks[0].prefix,)


def test_modules_of_other_releases_stay_and_are_hidden(tmp_path: Path) -> None:
    publish_new(tmp_path, "1", "1.16.0")
    publish_new(tmp_path, "2", "1.17.0")
    modules = {"hpai/six/1.16.0.lua": "-- six 1.16.0\n", "hpai/six/1.17.0.lua": "-- six 1.17.0\n"}
    lines = 'module_version("hpai/six/1.16.0", "1.16")\nhide_version("hpai/six/1.16.0")\n'
    assert core(tmp_path) == {**modules, "hpai/six/.modulerc.lua": lines}
    rollback(tmp_path, None)
    lines = lines.replace("1.16", "1.17")
    assert core(tmp_path) == {**modules, "hpai/six/.modulerc.lua": lines}


def test_a_module_whose_python_is_gone_is_not_kept(tmp_path: Path) -> None:
    old = publish_new(tmp_path, "1", "1.16.0")
    shutil.rmtree(old.frameworks[0].prefix)
    publish_new(tmp_path, "2", "1.17.0")
    assert core(tmp_path) == {"hpai/six/1.17.0.lua": "-- six 1.17.0\n"}


def test_rollback_goes_back_along_the_publications(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        publish_new(tmp_path, name)
    assert rollback(tmp_path, None).name == "a"
    publish_new(tmp_path, "d")
    assert rollback(tmp_path, None).name == "a"
    assert rollback(tmp_path, None).name == "b"
    assert rollback(tmp_path, "d").name == "d"
    assert current_release(tmp_path) == next(
        entry.release for entry in releases(tmp_path) if entry.release.name == "d"
    )


def test_rollback_of_the_only_release_is_refused(tmp_path: Path) -> None:
    publish_new(tmp_path, "1")
    with pytest.raises(InputError) as caught:
        rollback(tmp_path, None)
    assert str(caught.value) == "no release was published before 1; there is no other in this prefix"


def test_rollback_to_an_unknown_release_names_the_nearest(tmp_path: Path) -> None:
    publish_new(tmp_path, "2026.11")
    with pytest.raises(InputError) as caught:
        rollback(tmp_path, "2026.12")
    assert str(caught.value) == f"there is no release 2026.12 in {tmp_path}; did you mean 2026.11?"


def test_rollback_where_nothing_is_published_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        rollback(tmp_path / "nowhere", None)
    assert (
        str(caught.value)
        == f"nothing is published in {tmp_path / 'nowhere'}; run `stackgen build` on an environment"
    )


def test_rollback_passes_over_releases_that_are_not_whole(tmp_path: Path) -> None:
    publish_new(tmp_path, "1", "1.15.0")
    broken = publish_new(tmp_path, "2", "1.16.0")
    publish_new(tmp_path, "3", "1.17.0")
    shutil.rmtree(broken.frameworks[0].prefix)
    with pytest.raises(WorkError) as caught:
        rollback(tmp_path, "2")
    gone = broken.frameworks[0].prefix
    assert str(caught.value) == f"release 2 is not whole: {gone} is gone; build its environment again"
    assert rollback(tmp_path, None).name == "1"


def test_rollback_from_a_vanished_release(tmp_path: Path) -> None:
    publish_new(tmp_path, "1")
    publish_new(tmp_path, "2")
    files.remove(tmp_path / "releases/2")
    files.remove(tmp_path / "publications/2")
    assert current_release(tmp_path) is None
    assert rollback(tmp_path, None).name == "1"


def test_a_damaged_history_is_refused_with_its_remedy(tmp_path: Path) -> None:
    publish_new(tmp_path, "1")
    history = tmp_path / "releases/.history.json"
    history.write_text("{")
    with pytest.raises(WorkError) as caught:
        releases(tmp_path)
    assert (
        str(caught.value)
        == f"{history} cannot be read; remove it: only a rollback without a release's name needs it"
    )
    history.unlink()
    assert rollback(tmp_path, "1").name == "1"


def test_a_stray_directory_in_the_place_of_a_release_is_refused(tmp_path: Path) -> None:
    (tmp_path / "releases/1").mkdir(parents=True)
    with pytest.raises(WorkError) as caught:
        publish_new(tmp_path, "1")
    assert str(caught.value) == (
        f"{tmp_path / 'releases/1'} is no release: its release.json cannot be read; move it out of the way"
    )


def test_the_history_is_json_for_others(tmp_path: Path) -> None:
    publish_new(tmp_path, "1")
    publish_new(tmp_path, "2")
    rollback(tmp_path, None)
    switches = json.loads((tmp_path / "releases/.history.json").read_text())["switches"]
    assert [(switch["release"], switch["how"]) for switch in switches] == [
        ("1", "publish"),
        ("2", "publish"),
        ("1", "rollback"),
    ]
