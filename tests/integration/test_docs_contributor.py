"""The tutorials for contributors, as they are written, in a copy of the checkout."""

import shutil
import subprocess
from pathlib import Path

import pytest
from pages import follow, login

pytestmark = [pytest.mark.network, pytest.mark.usefixtures("index")]

CHECKOUT = Path(__file__).parents[2]


def checkout(place: Path) -> None:
    """What a contributor has: the files that are in the repository or would be, as they are now."""
    names = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    listed = subprocess.run(names, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    for name in listed.rstrip("\0").split("\0"):
        if (CHECKOUT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, place / name, follow_symlinks=False)


def test_a_framework_is_added(tmp_path: Path):
    you = login(tmp_path, "you")
    checkout(you.home / "stackgen")
    follow("tutorials/contributor.md", {"you": you})


def test_a_machine_is_described(tmp_path: Path):
    you = login(tmp_path, "you")
    follow("tutorials/system.md", {"you": you})
