"""Where packages of distributions come from, as site files say it."""

from pathlib import Path

import pytest

from stackgen.distribution.known import KNOWN
from stackgen.errors import InputError
from stackgen.model.container import DISTRIBUTIONS
from stackgen.site import Site, load_site


@pytest.fixture
def loaded(tmp_path: Path):
    """The site of a machine with this file, and maybe the user's own."""

    def load(text: str, of_user: str = "") -> Site:
        for place, content in (("etc/stackgen", text), ("home/.config/stackgen", of_user)):
            (tmp_path / place).mkdir(parents=True)
            if content:
                (tmp_path / place / "site.yaml").write_text(content)
        return load_site({"HOME": str(tmp_path / "home")}, tmp_path / "etc")

    return load


def test_every_distribution_that_may_be_named_is_known():
    assert {name: list(known.editions) for name, known in KNOWN.items()} == {
        name: list(versions) for name, versions in DISTRIBUTIONS.items()
    }


def test_mirrors_and_a_keyring(loaded):
    debian = loaded(
        "distributions:\n"
        "  debian:\n"
        "    mirrors: [https://mirror.site.example/debian/, /srv/debian]\n"
        "    keyring: /etc/stackgen/debian.gpg\n"
    ).distributions["debian"]
    assert debian.mirrors == ("https://mirror.site.example/debian", "file:///srv/debian")
    assert debian.keyring == "/etc/stackgen/debian.gpg"


def test_the_users_own_file_wins(loaded):
    site = loaded("distributions: {debian: {mirrors: [/a]}}\n", "distributions: {debian: {mirrors: [/b]}}\n")
    assert site.distributions["debian"].mirrors == ("file:///b",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "distributions:\n  debain: {mirrors: [/a]}\n",
            "2:3: distributions.debain: 'debain' is no distribution that images can stand on;"
            " write one of debian",
        ),
        (
            "distributions: {debian: {mirrors: []}}\n",
            "1:35: distributions.debian.mirrors: no mirror is named; name one, or take the distribution out",
        ),
        (
            "distributions: {debian: {mirrors: [mirror.example]}}\n",
            "1:36: distributions.debian.mirrors[0]: this is neither an address nor a directory of a mirror;"
            " begin with https://, http://, file:/// or /",
        ),
        (
            'distributions: {debian: {mirrors: [/a], keyring: "/a b"}}\n',
            "1:50: distributions.debian.keyring: '/a b' is no file that can be named to apt;"
            " begin with /, without blanks",
        ),
    ],
)
def test_faults_have_their_places(loaded, tmp_path, text, message):
    with pytest.raises(InputError) as caught:
        loaded(text)
    assert str(caught.value) == f"{tmp_path}/etc/stackgen/site.yaml:{message}"
