"""`stackgen shell`: whose words are whose, and what a command that is not there ends with."""

import sys

import pytest
from desk import Desk
from small_releases import publish_new

from stackgen.run import Outcome


@pytest.fixture
def published(desk: Desk) -> Desk:
    publish_new(desk.directory / "prefix", "1")
    return desk


def shell(desk: Desk, *words: str) -> Outcome:
    return desk(*words, command=("env", "SHELL=/bin/true", sys.executable, "-m", "stackgen", "shell"))


@pytest.mark.parametrize(
    "words",
    [("six", "--prefix", "prefix"), ("--prefix", "prefix", "six"), ("--prefix=prefix", "six", "--")],
)
def test_options_belong_to_the_command_from_its_name_on(published: Desk, words: tuple[str, ...]):
    outcome = shell(published, *words, "echo", "-h", "--prefix", "x", "--", "six")
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "-h --prefix x -- six\n", "")


@pytest.mark.parametrize("words", [("six", "--prefix", "prefix"), ("--prefix", "prefix", "six")])
def test_without_a_command_there_is_a_shell(published: Desk, words: tuple[str, ...]):
    outcome = shell(published, *words)
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "", "")


def test_a_command_that_is_not_there(published: Desk):
    outcome = shell(published, "--prefix", "prefix", "six", "no-such-command")
    message = "no-such-command cannot be started: No such file or directory\n"
    assert (outcome.status, outcome.stderr) == (127, message)


def test_a_command_dies_of_a_closed_pipe_as_it_does_in_any_shell(published: Desk):
    line = f"{sys.executable} -m stackgen shell --prefix prefix six yes | head -1; echo ${{PIPESTATUS[0]}}"
    assert published("-c", line, command=("bash",)).stdout == "y\n141\n"


def test_names_of_releases_are_completed(published: Desk):
    words = ("COMP_WORDS=stackgen rollback prefix ", "COMP_CWORD=3", "_STACKGEN_COMPLETE=bash_complete")
    code = "import sys; sys.argv[0] = 'stackgen'; from stackgen.cli import main; main()"
    outcome = published(*words, sys.executable, "-c", code, command=("env",))
    assert outcome.stdout == "plain,1\n"
