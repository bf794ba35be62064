"""What uv 0.13 says where a test can hardly bring it about, and what users are told instead."""

import pytest

from stackgen.errors import InputError, StackgenError, WorkError
from stackgen.plan import Platform
from stackgen.platforms import Target
from stackgen.wheels import Question
from stackgen.wheels.refusals import refusal

QUESTION = Question(
    where="frameworks.alpha",
    target=Target(platform=Platform(architecture="x86_64", glibc="2.28"), python="3.11"),
    requirements=("alpha==1.*", "pip"),
)

SAID: dict[str, tuple[str, type[StackgenError], str]] = {
    "certificate": (
        "error: Failed to fetch: https://index.example.org/simple/six/\n"
        "  cause: error sending request for url (https://index.example.org/simple/six/)\n"
        "  cause: client error (Connect)\n"
        "  cause: invalid peer certificate: UnknownIssuer\n",
        WorkError,
        "https://index.example.org/simple/six/ cannot be fetched: invalid peer certificate: UnknownIssuer; "
        "name the certificates of your index by SSL_CERT_FILE",
    ),
    "proxy": (
        "error: Request failed after 3 retries in 9.4s\n"
        "  cause: Failed to fetch: https://index.example.org/simple/six/\n"
        "  cause: tunnel error: failed to create underlying connection\n"
        "  cause: tcp connect error\n"
        "  cause: Connection refused (os error 111)\n",
        WorkError,
        "https://index.example.org/simple/six/ cannot be fetched: Connection refused (os error 111); "
        "check the network and HTTPS_PROXY, or name an index that is reachable in site.yaml",
    ),
    "server error": (
        "error: Request failed after 3 retries in 5.2s\n"
        "  cause: Failed to fetch: https://index.example.org/simple/six/\n"
        "  cause: HTTP status server error (503 Service Unavailable) for url (https://index.example.org/simple/six/)\n",
        WorkError,
        "https://index.example.org/simple/six/ cannot be fetched: "
        "HTTP status server error (503 Service Unavailable); "
        "check the network and HTTPS_PROXY, or name an index that is reachable in site.yaml",
    ),
    "forbidden": (
        "error: No solution found when resolving dependencies\n"
        "  cause: Because six was not found in the package registry and you require six, "
        "we can conclude that your requirements are unsatisfiable.\n\n"
        "hint: An index (https://index.example.org/simple) returned a 403 Forbidden error. "
        "Check that the index URL is correct and the credentials are valid.\n",
        WorkError,
        "the index https://index.example.org/simple refuses access (403 Forbidden); "
        "put user and password into ~/.netrc or into the index's address in site.yaml",
    ),
    "directory": (
        "error: Failed to read `--find-links` directory: /srv/wheels\n"
        "  cause: Permission denied (os error 13)\n",
        WorkError,
        "/srv/wheels cannot be read; correct it in site.yaml or pip's configuration",
    ),
    "only pre-releases": (
        "error: No solution found when resolving dependencies\n"
        "  cause: Because there is no version of alpha==1.* and you require alpha==1.*, "
        "we can conclude that your requirements are unsatisfiable.\n\n"
        "hint: Pre-releases are available for `alpha` in the requested range (e.g., 1.0rc1), "
        "but pre-releases weren't enabled (try: `--prerelease=allow`)\n",
        InputError,
        "frameworks.alpha: there is no version of alpha==1.* on the index; "
        "ask for another version, or for a pre-release, such as 1.0rc1, by its name",
    ),
    "unknown reasoning": (
        "error: No solution found when resolving dependencies\n"
        "  cause: Because of the moon, we can conclude that your requirements are unsatisfiable.\n",
        InputError,
        "frameworks.alpha: the requirements cannot be met: Because of the moon, we can conclude that your "
        "requirements are unsatisfiable; see the log for the rest",
    ),
    "unknown failure": (
        "error: the sky fell\n  down\n",
        WorkError,
        "frameworks.alpha: uv failed: error: the sky fell down; see the log",
    ),
    "nothing": ("", WorkError, "frameworks.alpha: uv failed: ; see the log"),
}


@pytest.mark.parametrize("case", SAID)
def test_what_uv_says_in_our_words(case):
    stderr, kind, message = SAID[case]
    error = refusal(QUESTION, stderr)
    assert type(error) is kind
    assert str(error) == message
    if isinstance(error, WorkError):
        assert error.details == stderr
