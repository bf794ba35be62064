"""Pages of the documentation as tests: what they have readers type is typed, in shells as readers have."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from desk import Desk
from markdown_it import MarkdownIt

DOCS = Path(__file__).parents[1] / "docs"
PATH = "/usr/local/bin:/usr/bin:/bin"
NO_NETWORK = ("unshare", "--user", "--map-root-user", "--net")
PATIENCE = 600
"""Seconds for one block."""
_INVISIBLE = re.compile(r"<!-- ([a-z]+): ?(.*?) -->")
_FILE = re.compile(r"\{code-block\} \w+")
_CAPTION = re.compile(r":caption: (\S+)\n(?::\S+:.*\n)*\n?")
_TYPED = count(1)
_OTHERS = {"console", "sh", "shell", "zsh", "fish", "tcsh"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a page has a reader do, or shows him: `kind` is bash, output, file, or what a comment says."""

    kind: str
    text: str
    line: int
    name: str = ""


def steps(page: Path) -> Iterator[Step]:
    """What there is to do, in the order of the page; whoever shows a command for another shell is refused."""
    for token in MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8")):
        line = token.map[0] + 1 if token.map else 0
        if token.type == "html_block" and (said := _INVISIBLE.match(token.content)):
            yield Step(kind=said[1], text=said[2], line=line)
        if token.type != "fence":
            continue
        if token.info in _OTHERS:
            raise AssertionError(f"{page}:{line}: write ```bash, and the commands will be tested")
        if token.info in {"bash", "output"}:
            yield Step(kind=token.info, text=token.content, line=line)
        elif _FILE.match(token.info) and (caption := _CAPTION.match(token.content)):
            yield Step(kind="file", name=caption[1], text=token.content[caption.end() :], line=line)


@dataclass
class Shell:
    """A shell that stays open: a program that reads what is typed, its environment and its home."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    home: Path
    shown: Mapping[str, str] = field(default_factory=dict)
    """What pages write in place of paths and names of this machine."""
    _process: subprocess.Popen[str] | None = None

    def type(self, text: str, *, failing: bool) -> tuple[int, str]:
        """The status of lines and what they print; they end at the first that fails, unless that is meant."""
        place = self.home.parent / "typed"
        place.mkdir(exist_ok=True)
        number = next(_TYPED)
        lines, printed, ended = (place / f"{number}.{name}" for name in ("sh", "out", "end"))
        lines.write_text(self._as_here(text))
        strict = "set +e" if failing else "set -e"
        ending = f"{{ echo $? > {ended}.new; mv {ended}.new {ended}; set +e; }} 2>/dev/null"
        self._put(f"{strict}; . {lines} </dev/null >{printed} 2>&1\n{ending}\n")
        deadline = time.monotonic() + PATIENCE
        while not ended.exists():
            if self._started().poll() is not None or time.monotonic() > deadline:
                self.close()
                return -1, printed.read_text() if printed.exists() else "the shell has ended"
            time.sleep(0.02)
        return int(ended.read_text()), self._as_shown(printed.read_text(errors="replace"))

    def write(self, name: str, text: str) -> None:
        """Have a file; a name that begins with a slash is one below the home."""
        path = self.home / name.removeprefix("~/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._as_here(text))

    def close(self) -> None:
        """End it."""
        if self._process:
            self._process.stdin.close()
            self._process.kill()
            self._process.wait()
            self._process = None

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"HOME": str(self.home), **self.environment},
                cwd=self.home,
                text=True,
            )
        return self._process

    def _put(self, text: str) -> None:
        stream = self._started().stdin
        stream.write(text)
        stream.flush()

    def _as_here(self, text: str) -> str:
        for ours, theirs in self.shown.items():
            text = text.replace(theirs, ours)
        return text

    def _as_shown(self, text: str) -> str:
        for ours, theirs in {**self.shown, str(self.home): "/home/you"}.items():
            text = text.replace(ours, theirs)
        return text


def login(place: Path, name: str, *before: str, **more: str) -> Shell:
    """A login shell with a home below `place`; stackgen is at hand, and this machine's index."""
    desk, home = place / "desk", place / name
    programs = desk / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    if not (programs / "stackgen").exists():
        (programs / "stackgen").symlink_to(Path(sys.executable).parent / "stackgen")
    home.mkdir(exist_ok=True)
    (home / ".bash_profile").write_text(f"PATH={programs}:{PATH}\n")
    environment = Desk(desk).environment() | {"PATH": PATH, "LMOD_PAGER": "none", **more}
    environment.pop("HOME")
    return Shell(argv=(*before, "bash", "-l"), environment=environment, home=home)


def follow(page: str, shells: Mapping[str, Shell], **meanings: Callable[[str], None]) -> None:
    """Do all that a page says, in the first of the shells until it names another.

    `meanings` are the comments of this page alone, by their first words.
    """
    path = DOCS / page
    shell, status, printed = next(iter(shells.values())), 0, ""
    try:
        for step in steps(path):
            where = f"{path}:{step.line}"
            match step.kind:
                case "shell":
                    shell = shells[step.text]
                case "fails":
                    status = int(step.text)
                case "file":
                    shell.write(step.name, step.text)
                case "bash":
                    ended, printed = shell.type(step.text, failing=bool(status))
                    assert ended == status, f"{where}: ends with {ended}:\n{step.text}\n{printed}"
                    status = 0
                case "output":
                    assert fits(step.text, printed), f"{where}: says\n{step.text}\nand not\n{printed}"
                case _:
                    meanings[step.kind](step.text)
    finally:
        for one in shells.values():
            one.close()


def fits(told: str, printed: str) -> bool:
    """Whether a page shows what was printed; `...` stands for anything in a line, or for any lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else ".*?".join(map(re.escape, line.split("..."))) + r"\n"
        for line in _even(told)
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _even(printed))) is not None


def _even(text: str) -> list[str]:
    """Lines without blanks at their ends, and without empty ones around."""
    return [line.rstrip() for line in text.strip().splitlines()]
