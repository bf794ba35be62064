"""What admins and users of a small site do, page by page, each command as it is written."""

from pathlib import Path

import pytest
from pages import NO_NETWORK, Shell, follow, login

pytestmark = [pytest.mark.network, pytest.mark.usefixtures("index")]

SITE = """\
name: site
release: 2026.11
system: this
prefix: /site/hpai
frameworks:
  numpy:
    version: newest
    from: wheels
"""


def at(place: Path, name: str, *before: str) -> Shell:
    """A login shell with a home of this name, at a site whose prefix is /site/hpai."""
    made = login(place, name, *before)
    shown = {str(place / "site"): "/site/hpai", str(place / "wheels"): "/site/wheels"}
    return Shell(made.argv, made.environment, made.home, shown)


def user(place: Path) -> Shell:
    """One whose shells read what the site's profile does."""
    made = at(place, "user")
    profile = made.home / ".bash_profile"
    profile.write_text(f"{profile.read_text()}. {place}/site/current/profile.sh\n")
    return made


def test_a_site_and_its_users(tmp_path: Path):
    admin = at(tmp_path, "admin")
    admin.write("environments/site.yaml", SITE)
    assert admin.type("stackgen build environments/site.yaml", failing=False)[0] == 0
    follow("how-to/catalog.md", {"admin": admin})
    follow("how-to/own-stack.md", {"own": at(tmp_path, "user"), "user": user(tmp_path)})
    follow("how-to/retire.md", {"admin": admin, "user": user(tmp_path)})


def test_notebooks_are_offered(tmp_path: Path):
    follow("how-to/notebooks.md", {"admin": login(tmp_path, "admin")})


def test_users_install_from_the_sites_wheelhouse(tmp_path: Path):
    shells = {"admin": at(tmp_path, "admin"), "user": at(tmp_path, "user", *NO_NETWORK)}
    follow("how-to/wheelhouse.md", shells)
