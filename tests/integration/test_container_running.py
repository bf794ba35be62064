"""Programs in a container are started as if there were none: words, streams, status, signals, directory."""

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from images import PATH, Box, box, ended, run


@pytest.fixture(scope="module", params=["/bin/dash", "/bin/bash --posix"])
def inside(
    request: pytest.FixtureRequest, small_image: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Box]:
    """By the two shells that are `/bin/sh` where there are supercomputers."""
    with ended(box(small_image, tmp_path_factory.mktemp("release"), request.param)) as container:
        yield container


def started(inside: Box, *words: str | bytes, **options: object) -> subprocess.Popen[bytes]:
    around = {"PATH": PATH, "HOME": "/tmp", "USER": "root"}
    return subprocess.Popen([inside.enter, *words], env=around, cwd="/tmp", **options)  # type: ignore[call-overload]


def line_of(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


def test_words_reach_a_program_byte_for_byte(inside: Box):
    words = ("", " ", "a  b", "two\nlines\n", "*", "$HOME `id`", "'\"\\", "-n", "--", b"\xff", "\n")
    written = [os.fsencode(word) for word in words]
    program = 'for word; do printf "<%s>" "$word"; done'
    with started(inside, "sh", "-c", program, "sh", *written, stdout=subprocess.PIPE) as process:
        assert process.communicate(timeout=10)[0] == b"".join(b"<" + word + b">" for word in written)
    assert process.returncode == 0


@pytest.mark.parametrize("status", [0, 1, 7, 126, 127, 255])
def test_the_status_is_that_of_the_program(inside: Box, status: int):
    assert inside("sh", "-c", f"exit {status}").status == status


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "KILL", "USR1", "QUIT", "SEGV"])
def test_a_signal_ends_the_program_itself(inside: Box, name: str):
    number = getattr(signal, f"SIG{name}")
    program = "ulimit -c 0; echo $$; exec sleep 600"
    with started(inside, "sh", "-c", program, stdout=subprocess.PIPE) as process:
        assert int(line_of(process)) == process.pid
        process.send_signal(number)
        assert process.wait(10) == -number


def test_a_signal_can_be_caught(inside: Box):
    program = "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.05; done"
    with started(inside, "sh", "-c", program, stdout=subprocess.PIPE) as process:
        assert line_of(process) == b"ready\n"
        process.terminate()
        assert process.communicate(timeout=10)[0] == b"caught\n"
        assert process.returncode == 3


def test_the_streams_are_the_callers(inside: Box):
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with started(inside, "sh", "-c", "cat; echo told >&2", **streams) as process:
        assert process.communicate(b"\0\xff in\n", timeout=10) == (b"\0\xff in\n", b"told\n")


def test_a_pipe_ends_with_its_program_although_what_holds_the_container_has_just_begun(inside: Box):
    with ended(box(Path(inside.entrance.image), inside.release.parent / "cold")) as cold:
        with started(cold, "true", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.communicate(timeout=20) == (b"", b"")
        held, serving = cold.holder()
        assert os.getsid(held) == os.getsid(serving) == serving


def test_descriptors_reach_the_program_and_not_what_holds_the_container(tmp_path: Path, small_image: Path):
    opened = {}
    for number in (3, 9, 10, 63):
        path = tmp_path / str(number)
        path.touch()
        opened[number] = f"exec {number}<>{path}"
    program = "for n in 3 9 10 63; do readlink /proc/self/fd/$n; done"
    with ended(box(small_image, tmp_path / "release")) as cold:
        caller = "; ".join([*opened.values(), 'exec "$@"'])
        for _ in "cold", "warm":
            outcome = run("bash", "-c", caller, "bash", cold.enter, "bash", "-c", program, HOME="/tmp")
            assert (outcome.stderr, outcome.status) == ("", 0)
            assert outcome.stdout.splitlines() == [str(tmp_path / str(number)) for number in opened]
        for process in cold.holder():
            links = [os.readlink(link) for link in Path(f"/proc/{process}/fd").iterdir()]
            assert not [link for link in links if link.startswith(f"{tmp_path}/") and "release" not in link]


def test_a_program_can_be_stopped_and_goes_on(inside: Box):
    with started(inside, "sh", "-c", "echo ready; read line; echo $line", stdin=-1, stdout=-1) as process:
        assert line_of(process) == b"ready\n"
        process.send_signal(signal.SIGSTOP)
        assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
        process.send_signal(signal.SIGCONT)
        assert process.communicate(b"on\n", timeout=10)[0] == b"on\n"


def test_limits_mask_and_directory_are_the_callers(inside: Box, tmp_path: Path):
    (tmp_path / "two words\n").mkdir()
    caller = 'umask 027; ulimit -n 77; ulimit -t 60; cd "$1"; shift; exec "$@"'
    program = "umask; ulimit -n; ulimit -t; pwd -P"
    outcome = run(
        *("bash", "-c", caller, "bash", str(tmp_path / "two words\n"), inside.enter, "sh", "-c", program),
        HOME="/tmp",
    )
    assert outcome.stdout == f"0027\n77\n60\n{tmp_path}/two words\n\n"


def test_a_terminal_has_control_of_jobs(inside: Box):
    """As somebody types it: begun, stopped, brought back, interrupted."""
    child, terminal = pty.fork()
    if child == 0:
        around = {"PATH": PATH, "HOME": "/nowhere", "PS1": "# ", "USER": "root", "TERM": "dumb"}
        os.execve("/bin/bash", ("bash", "--norc", "--noprofile", "-i"), around)
    shown = typed(terminal, f"cd /tmp; {inside.enter} sh -c 'echo r''eady; cat'\n", "ready")
    shown += typed(terminal, "word\n", "word\r\nword")
    shown += typed(terminal, "\x1a", "Stopped")
    shown += typed(terminal, "fg\n", "cat")
    shown += typed(terminal, "again\n", "again\r\nagain")
    shown += typed(terminal, "\x03", "# ")
    shown += typed(terminal, "echo status $?\n", "status 130")
    os.write(terminal, b"exit\n")
    os.waitpid(child, 0)
    os.close(terminal)


def typed(terminal: int, text: str, awaited: str) -> str:
    """What a terminal shows after something is typed, up to what is waited for."""
    time.sleep(0.3)  # bash forgets what is typed before it shows its prompt
    os.write(terminal, text.encode())
    shown, deadline = "", time.monotonic() + 30
    while awaited not in shown:
        assert time.monotonic() < deadline, f"{awaited!r} is not in {shown!r}"
        if select.select([terminal], [], [], 0.5)[0]:
            shown += os.read(terminal, 4096).decode()
    return shown
