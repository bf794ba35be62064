"""`stackgen catalog` as sites use it: what it says, and what it refuses."""

from pathlib import Path

import pytest
from catalogs import measured, publish_release
from desk import Desk


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("site")
    release = publish_release(made, "2026.11")
    measured(made / "bench", release)
    return made


def test_a_catalog_is_written_and_said(desk: Desk, home: Path) -> None:
    outcome = desk("catalog", str(home / "ai"), "-o", "pages")
    site = desk.directory / "pages"
    assert (outcome.status, outcome.stdout) == (0, f"{site}/index.html\n")
    assert outcome.stderr == "1 release with pages, of which 2026.11 is current: 6 files written\n"
    assert "Measured on this machine" not in framework(site)
    outcome = desk("catalog", str(home / "ai"), "-o", "pages", "--bench", str(home / "bench"))
    assert outcome.stderr == "1 release with pages, of which 2026.11 is current: 1 file written\n"
    assert "Measured on this machine" in framework(site)
    outcome = desk(
        "catalog", str(home / "environments/grid.yaml"), "-o", "pages", "--bench", str(home / "bench")
    )
    assert outcome.stderr == "1 release with pages, of which 2026.11 is current: nothing has changed\n"


def framework(site: Path) -> str:
    return (site / "releases/2026.11/frameworks/tensorflow.html").read_text()


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (
            ("{home}/nowhere", "-o", "pages"),
            2,
            "{home}/nowhere is not there; name the prefix that holds the releases, or an environment file",
        ),
        (
            ("{home}", "-o", "pages"),
            2,
            "nothing is published in {home}; run `stackgen build` on an environment",
        ),
        (
            ("{home}/ai", "-o", "{home}/ai/pages"),
            2,
            "{home}/ai/pages lies in the prefix {home}/ai, which holds what is installed alone;"
            " name a directory outside of it by -o",
        ),
        (
            ("{home}/ai", "-o", "pages", "--bench", "{home}/nowhere"),
            2,
            "{home}/nowhere is not there; give --bench a directory of `stackgen bench -o`",
        ),
        (
            ("{home}/ai", "-o", "{home}"),
            2,
            "{home} holds what no catalog does: ai; name an empty directory, or a new one, by -o",
        ),
        (
            ("{home}/ai", "-o", "/proc/pages"),
            1,
            "cannot make /proc/pages: No such file or directory (/proc/pages)",
        ),
        (("{home}/ai",), 2, "Missing option '-o'"),
    ],
)
def test_what_is_refused(desk: Desk, home: Path, words: tuple[str, ...], status: int, says: str) -> None:
    outcome = desk("catalog", *(word.format(home=home) for word in words))
    assert (outcome.status, outcome.stdout) == (status, "")
    assert says.format(home=home) in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert not (desk.directory / "pages").exists()
