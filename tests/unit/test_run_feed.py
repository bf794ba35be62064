import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from stackgen.errors import WorkError
from stackgen.run import Command, LoggedRunner, TimeLimitError

COUNT = "import sys; print(sum(len(part) for part in iter(lambda: sys.stdin.buffer.read(2**20), b'')))"


def python(code: str, directory: Path) -> Command:
    return Command(argv=(sys.executable, "-I", "-c", code), environment={}, directory=directory, timeout=20)


def megabytes(number: int) -> bytes:
    return b"x" * number * 2**20


def feed(stream: BinaryIO) -> None:
    for _ in range(30):
        stream.write(megabytes(1))


def test_a_program_is_fed_while_it_runs(run: LoggedRunner, tmp_path: Path):
    outcome = run(replace(python(COUNT, tmp_path), feed=feed))
    assert (outcome.status, outcome.stdout) == (0, f"{30 * 2**20}\n")


def test_what_it_says_is_heard_meanwhile(run: LoggedRunner, tmp_path: Path):
    heard: list[str] = []
    code = "import sys\nfor line in sys.stdin.buffer: sys.stdout.write(line.decode() * 10)"

    def lines(stream: BinaryIO) -> None:
        for number in range(20_000):
            stream.write(f"{number:050}\n".encode())

    outcome = run(replace(python(code, tmp_path), feed=lines, heard=heard.append))
    assert (outcome.status, len(heard), heard[-1]) == (0, 200_000, f"{19_999:050}")


def test_what_feeding_raises_ends_the_program(run: LoggedRunner, tmp_path: Path):
    def broken(stream: BinaryIO) -> None:
        stream.write(megabytes(1))
        raise WorkError("layer 2 is broken", "get it anew")

    code = f"{COUNT}; import time; time.sleep(60)"
    started = time.monotonic()
    with pytest.raises(WorkError, match=r"^layer 2 is broken; get it anew$"):
        run(replace(python(code, tmp_path), feed=broken))
    assert time.monotonic() - started < 10


def test_a_program_that_reads_no_more(run: LoggedRunner, tmp_path: Path):
    command = python("import sys; sys.stdin.buffer.read(10); sys.exit('full')", tmp_path)
    outcome = run(replace(command, feed=feed))
    assert (outcome.status, outcome.stderr) == (1, "full\n")


def test_a_fed_program_that_cannot_start(run: LoggedRunner, tmp_path: Path):
    command = Command(argv=("/nowhere/mk",), environment={}, directory=tmp_path, feed=feed)
    with pytest.raises(WorkError, match=r"^/nowhere/mk cannot be started: No such file or directory; "):
        run(command)


@pytest.mark.parametrize("heard", [None, print])
def test_a_fed_program_that_hangs_is_ended(run: LoggedRunner, tmp_path: Path, heard: object):
    command = Command(
        argv=("sleep", "30"),
        environment={"PATH": os.defpath},
        directory=tmp_path,
        timeout=0.3,
        feed=feed,
        heard=heard,  # type: ignore[arg-type]
    )
    with pytest.raises(TimeLimitError, match=r"^`sleep 30` did not end within 0\.3 s$"):
        run(command)


def test_stopping_ends_a_fed_program(run: LoggedRunner, tmp_path: Path):
    command = replace(python("import time; time.sleep(60)", tmp_path), feed=feed)
    stopping = threading.Timer(0.3, run.stop)
    stopping.start()
    assert run(command).status == -9
    stopping.join()
