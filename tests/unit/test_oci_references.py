"""Names of images: what they mean, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackgen.errors import InputError
from stackgen.oci import parse_reference

DIGEST = f"sha256:{'0123456789abcdef' * 4}"


@pytest.mark.parametrize(
    ("text", "repository"),
    [
        ("debian", "docker.io/library/debian"),
        ("debian:12", "docker.io/library/debian"),
        ("intel/tensorflow", "docker.io/intel/tensorflow"),
        ("docker.io/debian", "docker.io/library/debian"),
        ("index.docker.io/library/debian", "docker.io/library/debian"),
        ("registry.example/a/b_c/d-e.f:1.0-x", "registry.example/a/b_c/d-e.f"),
        ("localhost/a", "localhost/a"),
        ("localhost:5000/a:5000", "localhost:5000/a"),
        ("Registry.Example:443/a", "registry.example:443/a"),
        ("[::1]:5000/a", "[::1]:5000/a"),
    ],
)
def test_a_name_is_completed_and_its_digest_wins_over_its_tag(text, repository):
    assert str(parse_reference(f"{text}@{DIGEST}")) == f"{repository}@{DIGEST}"


def refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_reference(text, "frameworks.x.image")
    return str(caught.value)


NAMES = "write HOST/NAME@sha256: and its 64 digits, all of the name in small letters"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@" + DIGEST,
        f"a b@{DIGEST}",
        f"a\nb@{DIGEST}",
        f"Debian@{DIGEST}",
        f"docker://debian@{DIGEST}",
        f"https://registry.example/a@{DIGEST}",
        f"../a@{DIGEST}",
        f"a//b@{DIGEST}",
        f"registry.example/a@{DIGEST}@{DIGEST}",
        f"registry.example/--all@{DIGEST}",
        f"user:secret@registry.example/a@{DIGEST}",
        f"registry.example/a:{'t' * 129}@{DIGEST}",
    ],
)
def test_what_is_no_name_is_refused_and_not_shown_raw(text):
    assert refusal(
        text
    ) == f"frameworks.x.image: {ascii(text)[:82].rstrip()} is no name of an image; {NAMES}" or (
        len(text) > 80 and refusal(text).endswith(f"is no name of an image; {NAMES}")
    )
    assert "\n" not in refusal(text)


def test_a_name_without_a_digest_is_refused_with_the_command_that_shows_it():
    assert refusal("registry.example/a:1") == (
        "frameworks.x.image: the image registry.example/a:1 has no digest, so it may be another tomorrow; "
        "`skopeo inspect --format '{{.Digest}}' docker://registry.example/a:1` shows it: "
        "write registry.example/a:1@sha256:..."
    )


@pytest.mark.parametrize(
    "digest", ["sha256:abc", f"{DIGEST}\n", f"{DIGEST} --all", f"sha512:{'a' * 128}", DIGEST.upper()]
)
def test_a_digest_of_another_kind_is_refused(digest):
    shown = ascii(digest if len(digest) <= 80 else f"{digest[:80]}...")
    assert refusal(f"a@{digest}") == (
        f"frameworks.x.image: {shown} is no digest of an image; "
        "write sha256: and its 64 digits, in small letters"
    )


def told(text: str) -> str:
    """The name, or why it is none."""
    try:
        return str(parse_reference(text))
    except InputError as error:
        return str(error)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_a_name_or_refused_on_one_line(text):
    for candidate in (text, f"{text}@{DIGEST}", f"registry.example/{text}"):
        assert len(told(candidate).splitlines()) == 1


def test_a_name_of_endless_length_is_refused():
    assert "is no name of an image" in refusal(f"{'a/' * 200}a@{DIGEST}")
