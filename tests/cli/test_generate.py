"""`stackgen generate` without a lock, without Spack and without a network."""

import shutil
from pathlib import Path

import pytest
from desk import Desk

GOLDEN = Path(__file__).parents[1] / "golden/spack-cpu"


@pytest.fixture
def site(desk: Desk) -> Desk:
    """A desk with an environment that is not locked."""
    shutil.copytree(GOLDEN, desk.directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("out"))
    return desk


def test_what_spack_is_given_needs_no_lock(site: Desk):
    outcome = site("generate", "in.yaml", "-o", "made")
    assert (outcome.status, outcome.stderr) == (
        0,
        "note: no modules without a lock; `stackgen lock in.yaml` makes it\n",
    )
    made = site.directory / "made"
    assert outcome.stdout.splitlines() == sorted(
        str(path.relative_to(site.directory)) for path in made.rglob("*") if path.is_file()
    )
    for wanted in (GOLDEN / "out").rglob("*.yaml"):
        assert (made / wanted.relative_to(GOLDEN / "out")).read_bytes() == wanted.read_bytes()


def test_every_time_the_same(site: Desk):
    for directory in ("one", "two"):
        assert site("generate", "in.yaml", "-o", directory).status == 0
    one, two = (
        {path.relative_to(site.directory / name): path.read_bytes() for path in files if path.is_file()}
        for name in ("one", "two")
        for files in [(site.directory / name).rglob("*")]
    )
    assert one == two


def test_where_there_is_nothing_for_spack_a_lock_is_needed(site: Desk):
    file = site.directory / "in.yaml"
    head = file.read_text().split("toolchain:")[0]
    file.write_text(f"{head}frameworks:\n  six: {{version: newest, from: wheels, python: 3.11}}\n")
    outcome = site("generate", "in.yaml", "-o", "made")
    assert (outcome.status, outcome.stdout) == (2, "")
    assert "there is no lock here; run `stackgen lock " in outcome.stderr
