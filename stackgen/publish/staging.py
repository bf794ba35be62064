"""A release that is built and not yet published: PREFIX/staged/<release>."""

from pathlib import Path

from pydantic import ValidationError

from stackgen import files
from stackgen.errors import InputError, WorkError
from stackgen.lock import Lock, lock_tree, read_lock
from stackgen.plan import Plan
from stackgen.release import (
    LOCK,
    RELEASE,
    REPORT,
    Release,
    Report,
    read_release,
    release_of,
)
from stackgen.release_changes import changes_between, package_changes
from stackgen.tree import File, Tree


def staged(prefix: Path, release: str) -> Path:
    """Where a release waits for its test and its publication."""
    return prefix / "staged" / release


def place_of(prefix: Path, release: str) -> Path:
    """Where a release lies once it is published."""
    return prefix / "releases" / release


def stage(plan: Plan, lock: Lock, tree: Tree) -> Path:
    """Write the release that a plan and its lock describe, and `tree` in it.

    The same release, where it waits already, keeps its report.
    """
    release = release_of(plan, lock)
    wanted = tree | lock_tree(lock).below(LOCK)
    wanted |= Tree({RELEASE: _json_file(release)})
    directory = staged(Path(plan.prefix), plan.release)
    if not _holds(directory, wanted):
        beside = directory.with_name(f".{directory.name}")
        files.remove(beside)
        files.write_tree(wanted, beside)
        files.remove(directory)
        with files.reported(f"cannot stage {directory}"):
            beside.rename(directory)
    return directory


def _json_file(value: Release) -> File:
    return File(value.model_dump_json(indent=2) + "\n")


def _holds(directory: Path, wanted: Tree) -> bool:
    if not directory.is_dir():
        return False
    found = files.read_tree(directory)
    return {path: found[path].text for path in found if path != REPORT} == {
        path: file.text for path, file in wanted.items()
    }


def keep_report(directory: Path, report: Report) -> None:
    """Leave the report of a test in the staged release that it is of."""
    files.write(directory / REPORT, report.model_dump_json(indent=2) + "\n")


def refuse_other_content(plan: Plan, lock: Lock) -> None:
    """Raise InputError where the release's name is taken by a published one that differs."""
    place = place_of(Path(plan.prefix), plan.release)
    if place.exists():
        compare(place, release_of(plan, lock), lock)


def compare(place: Path, new: Release, lock: Lock) -> None:
    """Raise InputError where the release in a place is not the same as one of its name with this lock."""
    old = read_release(place)
    if old.request == new.request:
        return
    found = (*changes_between(old, new), *_package_changes(place / LOCK, lock))
    changes = ", ".join(found) or "what its modules, its job scripts or its tests are made from changed"
    raise InputError.of(
        f"release {old.name} is published already with other content: {changes}",
        "a release never changes: give this one a new name with `release:` in the environment's file",
    )


def _package_changes(old: Path, new: Lock) -> tuple[str, ...]:
    """Nothing where the old lock is one of another stackgen."""
    try:
        return package_changes(read_lock(old), new)
    except InputError:
        return ()


def tested(directory: Path) -> Release:
    """The release in a directory; WorkError unless the report beside it is its own and nothing failed."""
    release = read_release(directory)
    again = "run `stackgen test` on its environment"
    try:
        report = Report.model_validate_json((directory / REPORT).read_bytes())
    except (OSError, ValidationError):
        raise WorkError(f"release {release.name} is not tested", again) from None
    if (report.release, report.request) != (release.name, release.request):
        raise WorkError(f"release {release.name} was rebuilt after its test", again)
    if not report.passed:
        failed = [f"{check.framework}: {check.name}" for check in report.checks if not check.passed]
        what = ", ".join(failed) or "nothing was checked"
        raise WorkError(f"release {release.name} did not pass its test: {what}", f"see {directory / REPORT}")
    return release
