"""A real Chromium without a screen, spoken to by its DevTools protocol over two pipes.

https://chromedevtools.github.io/devtools-protocol: messages of JSON, each ended by a zero byte.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_WAIT = 30.0
"""Seconds that a page may take."""


def why_not() -> str:
    """Why there is no browser here; empty where there is one."""
    return "" if shutil.which("chromium") else "Chromium is not installed"


@contextmanager
def browser(home: Path) -> Iterator["Browser"]:
    """A Chromium with a profile of its own, which can reach nothing but this machine's files."""
    ours, theirs = os.pipe(), os.pipe()  # what we say, and what it says
    words = (
        *("chromium", "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
        *(
            "--remote-debugging-pipe",
            f"--user-data-dir={home / 'profile'}",
            "--disable-background-networking",
        ),
        *(
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--disable-component-update",
            "--no-default-browser-check",
        ),
        *(("--no-sandbox",) if os.geteuid() == 0 else ()),
    )
    # DevTools expects its two ends at 3 and 4, whatever the numbers are here.
    shell = f'exec "$@" 3<&{ours[0]} 4>&{theirs[1]}'
    process = subprocess.Popen(
        ("/bin/bash", "-c", shell, "chromium", *words),
        pass_fds=(ours[0], theirs[1]),
        env={**os.environ, "HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(ours[0])
    os.close(theirs[1])
    try:
        yield Browser(ours[1], theirs[0])
    finally:
        process.kill()
        process.wait()
        os.close(ours[1])
        os.close(theirs[0])


@dataclass
class Browser:
    """What is said to Chromium, and what it answers."""

    to: int
    back: int
    events: list[dict[str, Any]] = field(default_factory=list)
    _number: int = 0
    _rest: bytes = b""

    def ask(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """The answer to a command; what else Chromium tells meanwhile is kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == self._number:
                if "error" in told:
                    raise RuntimeError(f"{method}: {told['error']}")
                return told["result"]
            self.events.append(told)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not select.select([self.back], [], [], _WAIT)[0]:
                raise TimeoutError("Chromium does not answer")
            read = os.read(self.back, 1 << 20)
            if not read:
                raise RuntimeError("Chromium has ended")
            self._rest += read
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def page(self, *, width: int = 1280, height: int = 900, dark: bool = False) -> "Page":
        """A new page of a size in CSS pixels; up to 500 wide it is a telephone's."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        made = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log", "Network"):
            made.ask(f"{domain}.enable")
        made.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width <= 500,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        made.ask("Emulation.setEmulatedMedia", features=[scheme])
        return made


@dataclass
class Page:
    """A page in the browser."""

    browser: Browser
    session: str
    target: str

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.ask(method, self.session, **parameters)

    def open(self, path: Path, *, scripts: bool = True) -> None:
        """Load a file, and wait until it is whole and, where scripts can tell of it, painted."""
        self.browser.events.clear()
        address = path.absolute().as_uri()
        failed = self.ask("Page.navigate", url=address).get("errorText")
        if failed:
            raise RuntimeError(f"{address}: {failed}")
        self.until("document.readyState === 'complete'")
        if scripts:
            self.value("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")

    def first_paint(self, path: Path) -> float:
        """Load a file; the seconds until something of it is seen."""
        self.ask("Page.bringToFront")
        self.open(path)
        entry = "performance.getEntriesByName('first-contentful-paint')[0]"
        self.until(f"!!{entry}")
        return float(self.value(f"{entry}.startTime")) / 1000

    def value(self, expression: str) -> Any:
        """The value of an expression of JavaScript in the page; a promise is waited for."""
        told = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in told:
            raise RuntimeError(told["exceptionDetails"])
        return told["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait for an expression to be true."""
        end = time.monotonic() + _WAIT
        while not self.value(expression):
            if time.monotonic() > end:
                raise TimeoutError(expression)
            time.sleep(0.01)

    def press(self, key: str, code: int, text: str = "", modifiers: int = 0) -> None:
        """A key, pressed and let go; `modifiers` 8 is shift."""
        one = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        self.ask("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **one)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **one)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.ask("Input.insertText", text=text)

    def requests(self) -> list[str]:
        """All addresses that were asked for since the page was opened, its own included."""
        return [
            one["params"]["request"]["url"]
            for one in self._events("Network.requestWillBeSent")
            if one.get("sessionId") == self.session
        ]

    def complaints(self) -> list[str]:
        """What the console has of errors, warnings and exceptions."""
        logged = [one["params"]["entry"]["text"] for one in self._events("Log.entryAdded")]
        said = [str(one["params"]["args"]) for one in self._events("Runtime.consoleAPICalled")]
        thrown = [
            one["params"]["exceptionDetails"]["text"] for one in self._events("Runtime.exceptionThrown")
        ]
        return [*logged, *said, *thrown]

    def _events(self, method: str) -> list[dict[str, Any]]:
        self.value("0")  # what came before has been told when this is answered
        return [one for one in self.browser.events if one.get("method") == method]

    def picture(self, path: Path) -> None:
        """A screenshot of the whole page."""
        told = self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(told["data"]))

    def close(self) -> None:
        self.browser.ask("Target.closeTarget", targetId=self.target)
