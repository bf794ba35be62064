"""How the command ends when it cannot go on: by a signal, without a home, with nobody to read it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from desk import Desk

from stackgen.run import Outcome

STACKGEN = (sys.executable, "-m", "stackgen")
BASH = ("bash", "-c")
LAST = "interrupted; the same command goes on where this one stopped"
HANGING = """\
import signal, sys
from stackgen.cli import main
import stackgen.doctor
from stackgen.run import Command

def examine(run):
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path
    script = "echo $$ > processes; trap '' TERM HUP INT; sleep 60"
    command = Command(argv=("sh", "-c", script), environment={"PATH": "/usr/bin:/bin"}, directory=Path.cwd())
    with ThreadPoolExecutor() as pool:
        pool.submit(run, command).result()

stackgen.doctor.examine = examine
sys.argv = ["stackgen", "doctor"]
main()
"""
"""A command whose program runs on another thread and would not end by itself."""


def is_alive(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def hanging(desk: Desk) -> tuple[subprocess.Popen[str], int]:
    """The command, and the program that it waits for."""
    defaults = "--default-signal=INT,TERM,HUP"  # tests in the background have some of them ignored
    process = desk.started("env", defaults, sys.executable, "-c", HANGING)
    noted = desk.directory / "processes"
    while not (noted.exists() and noted.read_text().endswith("\n")):
        assert process.poll() is None
    return process, int(noted.read_text())


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_all_that_runs(desk: Desk, number: signal.Signals, status: int):
    process, program = hanging(desk)
    with process:
        process.send_signal(number)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout) == (status, "")
    assert stderr.splitlines() == ["interrupting: tidying up", LAST]
    assert not is_alive(program)


MISSED = """\
import os, signal, sys, threading, time
from stackgen.cli import main
import stackgen.doctor

def examine(run):
    from concurrent.futures import ThreadPoolExecutor

    def elsewhere():
        time.sleep(1)  # by now the main thread waits
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        time.sleep(60)
        os._exit(7)

    pool = ThreadPoolExecutor()
    try:
        pool.submit(elsewhere).result()
    finally:
        os.write(1, b"tidy\\n")
        os._exit(0)

stackgen.doctor.examine = examine
sys.argv = ["stackgen", "doctor"]
main()
"""
"""A command whose main thread waits, and is not woken by the signal, which another one gets."""


def test_a_signal_that_wakes_nobody_is_answered(desk: Desk):
    outcome = desk("--default-signal=TERM", sys.executable, "-c", MISSED, command=("env",))
    assert (outcome.status, outcome.stdout) == (0, "tidy\n")
    assert outcome.stderr.splitlines() == ["interrupting: tidying up"]


def test_what_is_ignored_from_the_start_stays_ignored(desk: Desk):
    words = (*STACKGEN, "init", "my.yaml")
    process = subprocess.Popen(
        ("env", "--ignore-signal=HUP", *words),
        env=desk.environment(),
        cwd=desk.directory,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        process.stderr.read(1)  # it asks
        process.send_signal(signal.SIGHUP)
        process.communicate("\n\n\n\n", timeout=20)
    assert process.returncode == 0


def test_an_interrupt_may_come_as_early_as_it_likes(desk: Desk):
    code = "import os, signal, sys\nfrom importlib.abc import MetaPathFinder\n\n"
    code += "class Hurry(MetaPathFinder):\n    def find_spec(self, name, path, target=None):\n"
    code += "        if name == 'click':\n            os.kill(os.getpid(), signal.SIGINT)\n\n"
    code += "sys.meta_path.insert(0, Hurry())\nfrom stackgen.cli import main\nmain()\n"
    outcome = desk("--default-signal=INT", sys.executable, "-c", code, command=("env",))
    assert (outcome.status, outcome.stdout) == (130, "")
    assert outcome.stderr.splitlines() == ["interrupting: tidying up", LAST]


def shell(desk: Desk, line: str) -> Outcome:
    return desk(line.replace("stackgen", " ".join(STACKGEN)), command=BASH)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("stackgen schema >&-", "cannot go on: Bad file descriptor\n"),
        ("stackgen schema >/dev/full", "cannot go on: No space left on device\n"),
        ("stackgen --help >/dev/full", "cannot go on: No space left on device\n"),
        ("stackgen check gone.yaml 2>&-", ""),
        ("stackgen schema <&- 2>&- >&-", ""),
    ],
)
def test_nobody_takes_the_output(desk: Desk, line: str, message: str):
    outcome = shell(desk, line)
    assert outcome.status in {1, 2}
    assert (outcome.stdout, outcome.stderr) == ("", message)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody without a home")
def test_a_user_without_home_and_name(desk: Desk):
    words = ("-u", "HOME", "-u", "XDG_CACHE_HOME", "setpriv", "--reuid", "4242", "--clear-groups")
    outcome = desk(*words, *STACKGEN, "--help", command=("env",))
    assert (outcome.status, outcome.stderr) == (0, "")


def test_a_home_that_is_not_there_is_no_obstacle(desk: Desk):
    outcome = desk("HOME=/proc/no/home", *STACKGEN, "check", "gone.yaml", command=("env",))
    assert outcome.status == 2
    assert outcome.stderr == "gone.yaml: does not exist; see `stackgen init`\n"


def test_what_the_system_refuses_is_told_in_one_sentence(desk: Desk):
    (desk.directory / "old").mkdir()
    (desk.directory / "old/release.json").mkdir()
    outcome = desk("diff", "old", f"old/{'x' * 300}")
    assert outcome.status in {1, 2}
    assert len(outcome.stderr.splitlines()) == 1
    assert "stackgen has a bug" not in outcome.stderr


def test_a_mistyped_command(desk: Desk):
    outcome = desk("biuld")
    assert outcome.status == 2
    assert outcome.stderr.splitlines()[-1] == "Error: there is no command biuld; did you mean build?"


def test_the_help_fits_a_narrow_terminal(desk: Desk):
    lines = desk("--help").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "..." not in "".join(lines[2:])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("releases", "/no/such"),
            "/no/such is not there; name the prefix that holds the releases, or an environment file",
        ),
        (("shell", "six"), "no prefix is named; give --prefix, or set STACKGEN_PREFIX"),
        (
            ("shell", "--prefix", "/no/such", "six", "ls", "-h"),
            "/no/such is not there; name the prefix that holds the releases, or an environment file",
        ),
    ],
)
def test_a_prefix_that_is_not_there(desk: Desk, words: tuple[str, ...], message: str):
    outcome = desk(*words)
    assert (outcome.status, outcome.stdout, outcome.stderr) == (2, "", f"{message}\n")


def test_a_prefix_of_the_environment_that_is_not_there(desk: Desk):
    outcome = desk("STACKGEN_PREFIX=/no/such", *STACKGEN, "shell", "six", command=("env",))
    message = "STACKGEN_PREFIX names /no/such, which is not there; correct it, or give --prefix\n"
    assert (outcome.status, outcome.stderr) == (2, message)
