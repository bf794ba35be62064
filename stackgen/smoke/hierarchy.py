"""Every module of the hierarchy, loaded and unloaded as users do it, many of them in one login shell."""

import json
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackgen.effects import FOREIGN_PYTHON, variable_name
from stackgen.errors import WorkError
from stackgen.lmod import spider_command
from stackgen.release import Check, InstalledFramework, Release
from stackgen.run import Command, Outcome, Runner, TimeLimitError
from stackgen.smoke.session import Caller

_LIMIT, _LIMIT_EACH = 120.0, 20.0
"""Seconds for a shell, and for each module in it."""

_BEGIN = """
[ -n "$LMOD_CMD" ] || . "$1" || exit 97
module use "$2" || exit 97
"""
# Lmod goes on counting after all is unloaded, and ends a MANPATH with :: that ended with : before.
_EACH = f"""{_BEGIN}
counts='^_=|^_ModuleTable|^__LMOD_REF_COUNT_'
seen() {{ env | grep -Ev "$counts" | sed '/^MANPATH=/s/::*$//' | sort; }}
before=$(seen)
while read -r module root needed; do
    echo "= $module"
    if module load $needed $module > "$3" 2>&1; then
        [ -d "${{!root}}" ] || echo "\\$$root is '${{!root}}', which is no directory"
    else
        cat "$3"
    fi
    module unload $module $needed > "$3" 2>&1 || cat "$3"
    after=$(seen)
    [ "$before" = "$after" ] || diff <(echo "$before") <(echo "$after") |
        sed -n 's/^[<>] \\([A-Za-z_][A-Za-z0-9_]*\\)=.*/it leaves \\1 changed/p' | uniq
    before=$after
done
"""
_TOGETHER = f"""{_BEGIN}
shift 2
module load "$@" || exit 97
env -0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Module:
    """A module by its name, what is to be loaded before it, and its file."""

    name: str
    needed: tuple[str, ...]
    path: Path

    @property
    def root(self) -> str:
        """The variable that tells where what it loads lies."""
        return f"{variable_name(self.path.parent.name)}_ROOT"


def hierarchy_checks(staged: Path, release: Release, lmod: Path, run: Runner) -> list[Check]:
    """Whether each module loads, unloads without a trace and is found, and no framework minds them.

    Nothing where a release has no hierarchy.
    """
    found = _modules(staged / "modules")
    if not found:
        return []
    with tempfile.TemporaryDirectory(prefix="stackgen-test-") as scratch:
        shells = _Shells(core=staged / "modules/Core", lmod=lmod, scratch=Path(scratch), run=run)
        spider = shells.spider()
        said = shells.loaded(found)
        each = [_judged(module, said.get(module.path), spider) for module in found]
        return [*each, *_beside(found, release, shells)]


def _modules(modules: Path) -> tuple[_Module, ...]:
    """The packages' modules: `Core/<name>/<version>.lua`, and `<mpi>/<version>/<name>/<version>.lua`."""
    core = [_Module(name=_name(path), needed=(), path=path) for path in modules.glob("Core/*/*.lua")]
    levels = [
        _Module(name=_name(path), needed=(f"{path.parts[-4]}/{path.parts[-3]}",), path=path)
        for path in modules.glob("*/*/*/*.lua")
        if path.relative_to(modules).parts[0] != "Core"
    ]
    shown = (module for module in (*core, *levels) if not module.path.name.startswith("."))
    return tuple(sorted(shown, key=lambda module: module.path))


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name.removesuffix('.lua')}"


def _judged(module: _Module, said: str | None, spider: dict[str, Any] | None) -> Check:
    fault = "the shell ended before its turn" if said is None else said
    if not fault and spider is not None:
        fault = _unfound(module, spider)
    name = f"module on {', '.join(module.needed)}" if module.needed else "module"
    return _check(module.name, name, fault, "through Lmod")


def _unfound(module: _Module, spider: dict[str, Any]) -> str:
    """Why `module spider` leads nobody to a module."""
    if str(module.path) not in spider:
        return "module spider does not find it"
    ways = [tuple(way) for way in spider[str(module.path)].get("parent", ())] or [()]
    if module.needed not in ways:
        told = " or ".join(", ".join(way) for way in ways if way)
        return f"module spider tells to load {told or 'nothing'} before it, not {', '.join(module.needed)}"
    return ""


def _beside(found: Sequence[_Module], release: Release, shells: "_Shells") -> Iterator[Check]:
    """Whether each framework is complete in itself, whatever is loaded before it."""
    mpis = {module.needed for module in found if module.needed}
    mpi = min(mpis, default=())
    core = [module.name for module in found if not module.needed and (module.name,) not in mpis]
    level = [module.name for module in found if mpi and module.needed == mpi]
    for framework in release.frameworks:
        module = framework.loaded_as(release.namespace)
        outcome = shells.together((*core, *mpi, *level, module))
        yield _check(framework.name, "after all of the hierarchy", _disturbed(framework, outcome), module)


def _disturbed(framework: InstalledFramework, outcome: Outcome) -> str:
    if outcome.status:
        return _plain(outcome.stderr) or f"exit status {outcome.status}"
    left = dict(entry.split("=", 1) for entry in outcome.stdout.split("\0") if "=" in entry)
    if left.get("PATH", "").split(":")[0] != f"{framework.prefix}/bin":
        return "its programs are not the first in PATH"
    foreign = [name for name in FOREIGN_PYTHON if left.get(name)]
    return f"{', '.join(foreign)} stays set" if foreign else ""


def _plain(text: str) -> str:
    """What Lmod says, on one line, without its frame and its advice."""
    for end in ("Please check", "Try: ", "While processing", "If you don't understand"):
        text = re.sub(rf"{end}.*?(?=^it |^\$|\Z)", "", text, flags=re.DOTALL | re.MULTILINE)
    return " ".join(text.replace("Lmod has detected the following error:", "").split())


def _check(about: str, name: str, fault: str, detail: str) -> Check:
    return Check(framework=about, name=name, passed=not fault, detail=fault or detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shells:
    """Clean login shells with these modules."""

    core: Path
    lmod: Path
    scratch: Path
    run: Runner

    def loaded(self, found: Sequence[_Module]) -> dict[Path, str]:
        """What went wrong with each module that had its turn; nothing where nothing did."""
        count = min(4, os.cpu_count() or 1, len(found))
        shares = [found[start::count] for start in range(count)]
        with ThreadPoolExecutor(max_workers=count) as pool:
            answers = list(pool.map(self._one_by_one, range(count), shares))
        return {path: text for answer in answers for path, text in answer.items()}

    def _one_by_one(self, number: int, found: Sequence[_Module]) -> dict[Path, str]:
        lines = "".join(f"{' '.join((module.name, module.root, *module.needed))}\n" for module in found)
        said = str(self.scratch / f"said{number}")
        limit = _LIMIT + _LIMIT_EACH * len(found)
        outcome = self._shell(_EACH, (said,), lines, limit)
        parts = f"\n{outcome.stdout}".split("\n= ")[1:]
        texts = [_plain(part.partition("\n")[2]) for part in parts]
        answers = {module.path: text for module, text in zip(found, texts, strict=False)}
        if outcome.status and len(texts) < len(found):
            answers[found[len(texts)].path] = _plain(outcome.stderr) or "the shell ended"
        return answers

    def together(self, names: tuple[str, ...]) -> Outcome:
        """The environment after these modules were loaded at once."""
        return self._shell(_TOGETHER, names, "", _LIMIT + _LIMIT_EACH * len(names))

    def spider(self) -> dict[str, Any] | None:
        """What `module spider` knows, by the files of modules; None where nothing here can tell."""
        command = spider_command(self.lmod, self.core, "jsonSoftwarePage", self.scratch)
        if command is None:
            return None
        try:
            outcome = self.run(command)
        except WorkError:
            return None
        try:
            pages = json.loads(outcome.stdout)
            return {version["path"]: version for page in pages for version in page["versions"]}
        except (ValueError, KeyError, TypeError):
            return {}

    def _shell(self, script: str, words: tuple[str, ...], lines: str, limit: float) -> Outcome:
        home = self.scratch / "home"
        home.mkdir(exist_ok=True)
        argv = ("bash", "-l", "-c", script, "login", str(self.lmod), str(self.core), *words)
        caller = Caller(home=home)
        command = Command(argv=argv, environment=caller.login, directory=home, stdin=lines, timeout=limit)
        try:
            return self.run(command)
        except TimeLimitError:
            return Outcome(status=1, stdout="", stderr=f"did not end within {limit:g} s")
