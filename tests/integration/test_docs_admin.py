"""The tutorials for admins, as they are written: every command in order, in real shells."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pages import NO_NETWORK, Shell, follow, login

pytestmark = [pytest.mark.network, pytest.mark.usefixtures("index")]

CHECKOUT = Path(__file__).parents[2]


def test_from_nothing_to_a_published_stack(tmp_path: Path):
    admin = login(tmp_path, "you")
    (admin.home / "stackgen").symlink_to(CHECKOUT)
    follow("tutorials/admin.md", {"admin": admin, "user": login(tmp_path, "you")})


def carried(shells: dict[str, Shell]) -> Callable[[str], None]:
    """What a comment such as `carry: near far kit` does."""

    def carry(words: str) -> None:
        origin, target, name = words.split()
        there = shells[target].home / name
        there.parent.mkdir(exist_ok=True)
        shutil.move(shells[origin].home / name, there)

    return carry


def test_without_internet(tmp_path: Path):  # a longer name would lead to sockets of too long a path
    near = login(tmp_path, "laptop")
    far = {name: login(tmp_path, "cluster", *NO_NETWORK) for name in ("far", "user")}
    shells = {"near": near, **far}
    follow("tutorials/air-gapped.md", shells, carry=carried(shells))
    if shutil.which("gpg"):
        follow("how-to/signed-kits.md", shells, carry=carried(shells))
