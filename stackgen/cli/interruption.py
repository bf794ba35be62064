"""Ending early: a signal lets all that runs be tidied up, and is what the exit status tells."""

import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WORDS = "interrupting: tidying up\n"
_AGAIN = 0.1
"""Seconds after which a signal that was not answered is sent again."""
_CLEAR_LINE = "\r\x1b[2K"
"""What a terminal shows at the cursor: the bar of a task."""


class Interrupted(BaseException):
    """A signal asked for the end; no `except Exception` is to hold it up."""


class Interruption:
    """What a run knows about the signals that end it."""

    def __init__(self) -> None:
        self._actions: list[Callable[[], None]] = []
        self.signal: int | None = None
        """The signal that came first."""

    @property
    def exit_status(self) -> int:
        """What shells give for a program that this signal has ended."""
        return 128 + (self.signal or signal.SIGINT)

    def catch(self) -> None:
        """Answer signals from now on; those that are ignored already, as under `nohup`, stay so."""
        for number in _SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._answer)
        come, comes = _pipe()
        os.set_blocking(comes, False)
        signal.set_wakeup_fd(comes, warn_on_full_buffer=False)
        threading.Thread(target=self._insist, args=(come,), daemon=True).start()

    def ignore(self) -> None:
        """Let nothing disturb the last words."""
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def at_once(self, action: Callable[[], None]) -> None:
        """Have something done as soon as a signal comes, before everything else is tidied up."""
        self._actions.append(action)

    def _insist(self, come: int) -> None:
        """Send the first signal again until it is answered.

        Python answers on the main thread alone, once that does something: where it waits for another thread
        and the signal came just before, or to another thread, nothing would wake it.
        """
        number = os.read(come, 1)[0]
        time.sleep(_AGAIN)
        while self.signal is None:
            signal.pthread_kill(threading.main_thread().ident or 0, number)
            time.sleep(_AGAIN)

    def _answer(self, number: int, _: FrameType | None) -> None:
        if self.signal is not None:  # one Ctrl-C often comes twice, and tidying up is to end
            return
        self.signal = number
        with suppress(OSError):  # past buffers, which may be in use, to a terminal that may be gone
            os.write(2, f"{_CLEAR_LINE if os.isatty(2) else ''}{_WORDS}".encode())
        for action in self._actions:
            action()
        raise Interrupted


def _pipe() -> tuple[int, int]:
    """A pipe that takes the place of no standard stream, even where such a one is closed."""
    ends = os.pipe()
    above = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 3) for end in ends]
    for end in ends:
        os.close(end)
    return above[0], above[1]
