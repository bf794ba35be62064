from pathlib import Path

import pytest

from stackgen.errors import WorkError
from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner, Outcome
from stackgen.sandbox import Sandbox, choose, confined

COMMAND = Command(argv=("uv", "pip"), environment={"A": "1"}, directory=Path("/ai"), stdin="x", timeout=5)


class FakeRunner:
    """Machines where only some programs work; remembers what was started."""

    def __init__(self, *working: str, missing: tuple[str, ...] = ()) -> None:
        self.working, self.missing, self.started = working, missing, []

    def __call__(self, command: Command) -> Outcome:
        self.started.append(command.argv[0])
        if command.argv[0] in self.missing:
            raise WorkError(f"{command.argv[0]} cannot be started")
        return Outcome(status=0 if command.argv[0] in self.working else 1, stdout="", stderr="")


def test_bubblewrap_shows_everything_and_opens_what_is_named():
    command = confined(COMMAND, Sandbox.BWRAP, (Path("/ai/making"),), readable=(Path("/mirror"),))
    text = " ".join(command.argv)
    assert "--unshare-net" in command.argv
    assert text.endswith(
        "--ro-bind / / --dev /dev --proc /proc --tmpfs /tmp --tmpfs /run"
        " --ro-bind /mirror /mirror --bind /ai/making /ai/making --chdir /ai -- uv pip"
    )


def test_what_is_named_by_a_link_is_there_by_both_names(tmp_path: Path):
    place, link = tmp_path / "place", tmp_path / "link"
    place.mkdir()
    link.symlink_to(place)
    words = ("sh", "-c", 'echo written > "$1/text" && cat "$2/text"', "sh", str(link), str(place))
    run, environment = LoggedRunner(Silent()), {"PATH": "/usr/bin:/bin"}
    command = Command(argv=words, environment=environment, directory=link)
    sandbox = choose(None, run)
    assert run(confined(command, sandbox, (link,))).stdout == "written\n"
    assert (place / "text").read_text() == "written\n"


@pytest.mark.parametrize("sandbox", Sandbox)
def test_all_but_the_words_stays(sandbox: Sandbox):
    command = confined(COMMAND, sandbox, ())
    assert command.argv[-2:] == COMMAND.argv
    assert (command.environment, command.directory, command.stdin, command.timeout) == (
        {"A": "1"},
        Path("/ai"),
        "x",
        5,
    )


def test_unshare_needs_a_user_namespace_unless_it_is_root(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    as_root = confined(COMMAND, Sandbox.UNSHARE, ()).argv
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    as_user = confined(COMMAND, Sandbox.UNSHARE, ()).argv
    assert as_root[:2] == ("unshare", "--net")
    assert as_user[:4] == ("unshare", "--user", "--map-root-user", "--net")


def test_none_is_nothing():
    assert confined(COMMAND, Sandbox.NONE, ()) == COMMAND


@pytest.mark.parametrize(
    ("working", "chosen"),
    [
        (("bwrap", "unshare"), Sandbox.BWRAP),
        (("bwrap",), Sandbox.BWRAP),
        (("unshare",), Sandbox.UNSHARE),
    ],
)
def test_the_best_that_works_is_chosen(working: tuple[str, ...], chosen: Sandbox):
    assert choose(None, FakeRunner(*working)) is chosen


def test_a_missing_bubblewrap_is_no_obstacle():
    assert choose(None, FakeRunner("unshare", missing=("bwrap",))) is Sandbox.UNSHARE


def test_what_is_asked_for_is_taken_or_refused():
    fake = FakeRunner("bwrap", "unshare")
    assert choose(Sandbox.UNSHARE, fake) is Sandbox.UNSHARE
    assert fake.started == ["unshare"]
    with pytest.raises(WorkError, match=r"^the sandbox bwrap does not work on this machine; install"):
        choose(Sandbox.BWRAP, FakeRunner("unshare"))


def test_none_is_never_chosen_but_taken_where_asked_for():
    assert choose(Sandbox.NONE, FakeRunner()) is Sandbox.NONE
    with pytest.raises(WorkError) as caught:
        choose(None, FakeRunner())
    assert str(caught.value) == (
        "neither bubblewrap nor unshare works on this machine; install bubblewrap, or have user namespaces"
        " allowed (sysctl user.max_user_namespaces=15000, and kernel.apparmor_restrict_unprivileged_userns=0"
        " on Ubuntu), or accept a build with the network up by --sandbox none"
    )
