"""The only starter of processes."""

import codecs
import os
import selectors
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread, Timer
from typing import BinaryIO, NoReturn, Protocol

from stackgen.errors import WorkError
from stackgen.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to start: its words, its whole environment, its working directory; nothing is inherited."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    stdin: str = ""
    feed: Callable[[BinaryIO], None] | None = None
    """Writes its standard input while it runs, in place of `stdin`, on another thread; what it raises ends
    the program and is raised here, but a program that reads no more cuts it short."""
    timeout: float | None = None
    """Seconds."""
    heard: Callable[[str], None] | None = None
    """Told each line of standard output as it comes, its end left off; what it raises ends the program."""
    noticed: Callable[[str], None] | None = None
    """The same for standard error, where `heard` is there too."""
    patience: float = 0.0
    """Seconds that it has to tidy up once it is told to end (SIGTERM); killed at once where 0."""

    def __str__(self) -> str:
        return shlex.join(self.argv)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a finished program left: exit status (negative: a signal's number) and its two streams."""

    status: int
    stdout: str
    stderr: str


class TimeLimitError(WorkError):
    """A command did not end within its time; it and all that it started are gone."""


class Runner(Protocol):
    """What starts commands; the one thing that tests may replace."""

    def __call__(self, command: Command) -> Outcome:
        """Run to the end and return the outcome, whatever the status; WorkError where it cannot start."""
        ...


class LoggedRunner:
    """Starts real processes and notes each, its status and its streams in the log."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._running: dict[subprocess.Popen[str], Command] = {}
        self._stopped = False

    def __call__(self, command: Command) -> Outcome:
        """Run to the end; a program that cannot be started or runs out of time is a WorkError."""
        self._progress.log(f"$ cd {command.directory} && {command}")
        try:
            outcome = self._finished(command)
        except subprocess.TimeoutExpired:
            raise TimeLimitError(f"`{command}` did not end within {command.timeout:g} s") from None
        self._progress.log(f"[{outcome.status}]\n{outcome.stdout}{outcome.stderr}".rstrip())
        return outcome

    def stop(self) -> None:
        """End all that runs, on whichever thread, and start nothing any more; signal handlers may call it."""
        self._stopped = True
        for process, command in tuple(self._running.items()):
            if command.patience:
                process.terminate()
                killer = Timer(command.patience, _end_what_is_left, (process,))
                killer.daemon = True
                killer.start()
            else:
                _end(process)

    def _finished(self, command: Command) -> Outcome:
        with _started(command) as process:
            self._running[process] = command
            try:
                if self._stopped:  # looked at after the process is known: `stop` or we end it
                    raise WorkError(f"`{command}` is not started any more")
                stdout, stderr = _fed(process, command) if command.feed else _streams(process, command)
            except BaseException:
                _end_in_time(process, command.patience)
                raise
            finally:
                self._running.pop(process)
        return Outcome(status=process.returncode, stdout=stdout, stderr=stderr)


def _started(command: Command) -> subprocess.Popen[str]:
    """A process in a session of its own, so that nothing it starts outlives a time limit or an interrupt."""
    try:
        return subprocess.Popen(
            command.argv,
            env=dict(command.environment),
            cwd=command.directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise _not_started(command, error) from None


def _not_started(command: Command, error: OSError) -> WorkError:
    if error.filename == command.directory:  # an object that is ours: programs are told as text
        return WorkError(f"the directory {command.directory} cannot be worked in: {error.strerror}")
    remedy = "see `stackgen doctor`" if isinstance(error, FileNotFoundError) else ""
    return WorkError(f"{command.argv[0]} cannot be started: {error.strerror}", remedy)


def _fed(process: subprocess.Popen[str], command: Command) -> tuple[str, str]:
    """As `_streams`, with another thread that writes its input; what stops that one is raised."""
    assert command.feed
    feeding = _Feeding(process, command.feed)
    feeding.start()
    try:
        streams = _streams(process, command)
    except BaseException:
        _end_in_time(process, command.patience)  # or what is fed might wait for it
        raise
    finally:
        feeding.join()
    if feeding.failure:
        raise feeding.failure
    return streams


class _Feeding(Thread):
    """Writes a process's input; ends the process where that fails."""

    def __init__(self, process: subprocess.Popen[str], feed: Callable[[BinaryIO], None]) -> None:
        super().__init__(daemon=True)
        assert process.stdin
        stream = process.stdin.detach()  # type: ignore[attr-defined]
        process.stdin = None  # or whoever waits for the process would close it
        self._process, self._feed, self._stream = process, feed, stream
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Feed to the end."""
        try:
            self._feed(self._stream)
            self._stream.close()
        except BrokenPipeError:
            pass  # it has ended, or does not care, as with `communicate`
        except BaseException as error:
            self.failure = error
            _end(self._process)
        finally:
            with suppress(OSError):
                self._stream.close()


def _streams(process: subprocess.Popen[str], command: Command) -> tuple[str, str]:
    """What the program wrote, when it has ended; TimeoutExpired where it takes too long."""
    if command.heard is None:
        return process.communicate("" if command.feed else command.stdin, command.timeout)
    deadline = time.monotonic() + (float("inf") if command.timeout is None else command.timeout)
    streams = _listen(process, command, deadline)
    process.wait(_left(command, deadline))
    return streams


def _listen(process: subprocess.Popen[str], command: Command, deadline: float) -> tuple[str, str]:
    """Read both streams to their ends, telling of whole lines on the way."""
    assert process.stdout
    assert process.stderr
    assert command.heard
    if not command.feed:
        _give(process, command.stdin)
    output, errors = _Text(command.heard), _Text(command.noticed)
    with selectors.DefaultSelector() as watched:
        watched.register(process.stdout, selectors.EVENT_READ, output)
        watched.register(process.stderr, selectors.EVENT_READ, errors)
        while watched.get_map():
            for key, _ in watched.select(_left(command, deadline)):
                part = os.read(key.fd, 2**20)
                key.data.add(part)
                if not part:
                    watched.unregister(key.fileobj)
    return output.text, errors.text


def _give(process: subprocess.Popen[str], text: str) -> None:
    """Give what the pipe holds at once; with more, the program and we could wait for each other forever."""
    assert process.stdin
    assert len(text.encode()) <= 2**12, "give it a file"
    with suppress(BrokenPipeError):  # it may not care, as with `communicate`
        process.stdin.write(text)
        process.stdin.close()


def _left(command: Command, deadline: float) -> float | None:
    """Seconds until the deadline; TimeoutExpired once there are none."""
    if command.timeout is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise subprocess.TimeoutExpired(command.argv, command.timeout)
    return left


class _Text:
    """Bytes on their way to text, line by line."""

    def __init__(self, heard: Callable[[str], None] | None) -> None:
        self.text = ""
        self._heard, self._parts, self._begun = heard, codecs.getincrementaldecoder("utf-8")("replace"), ""

    def add(self, part: bytes) -> None:
        """Take what came; nothing means that it was the last."""
        text = self._parts.decode(part, final=not part)
        self.text += text
        if self._heard is None:
            return
        *lines, self._begun = (self._begun + text).split("\n")
        if not part and self._begun:
            lines.append(self._begun)
        for line in lines:
            self._heard(line)


def _end_in_time(process: subprocess.Popen[str], patience: float) -> None:
    """Let a process that has patience tidy up, and kill what is left."""
    try:
        if patience:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience)
    finally:  # an impatient user interrupts this, too
        _end(process)


def _end_what_is_left(process: subprocess.Popen[str]) -> None:
    """Kill a process that had time enough; where it has gone, its number may be another's by now."""
    if process.poll() is None:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """Kill a process with all that it started; it may have ended by itself in the meantime."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


class NotFoundError(WorkError):
    """A user's own command is not there; the exit status is what shells give."""

    exit_status = 127


def become(words: tuple[str, ...], environment: Mapping[str, str]) -> NoReturn:
    """Go on as another program with this environment; WorkError where it cannot be started."""
    ignored = (signal.SIGPIPE, signal.SIGXFSZ)  # by Python, for itself
    ours = {number: signal.signal(number, signal.SIG_DFL) for number in ignored}
    try:
        os.execvpe(words[0], words, environment)  # noqa: S606 - a shell in between would change the words
    except OSError as error:
        for number, answer in ours.items():
            signal.signal(number, answer)
        kind = NotFoundError if isinstance(error, FileNotFoundError) else WorkError
        raise kind(f"{words[0]} cannot be started: {error.strerror}") from None


def succeed(run: Runner, command: Command, failure: str, remedy: str = "") -> Outcome:
    """The outcome of a command that must end with 0; otherwise WorkError with its last words."""
    outcome = run(command)
    if outcome.status == 0:
        return outcome
    words = (outcome.stderr.strip() or outcome.stdout.strip()).splitlines()
    raise WorkError(
        f"{failure}: {words[-1] if words else f'exit status {outcome.status}'}",
        remedy,
        details=f"$ {command}\n{outcome.stdout}{outcome.stderr}",
    )
