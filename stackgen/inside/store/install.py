"""Started as `spack -e ENVIRONMENT python install.py QUESTION`: installs locks, tells of it in lines of JSON.

Each line has the hash of a package and what has become of it: `phase` it is in now, `done` (`built`,
`cached`, `there`), `failed` or `skipped`. Spack itself writes to stderr. The exit status is 1 where a
package has failed.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import spack.builder
import spack.config
import spack.environment
import spack.error
import spack.hooks
import spack.installer
import spack.package_base
import spack.store
import spack.util.log_parse

_LINES, _WIDTH = 15, 160
"""How much of a log is told; a line of JSON stays below what a pipe takes in one piece."""
_PR_SET_PDEATHSIG = 1

answers = os.dup(1)


def tell(spec: Any, **what: Any) -> None:
    """Write one line, from whichever process."""
    line = json.dumps({"hash": spec.dag_hash(), **what}, separators=(",", ":"))
    os.write(answers, line.encode() + b"\n")


class Installer(spack.installer.PackageInstaller):  # type: ignore[misc]
    """Spack's own, which tells what it does."""

    def start_task(self, task: Any, *others: Any) -> None:
        """Tell that a package's turn has come."""
        if not task.pkg.spec.external:
            tell(task.pkg.spec, phase="start")
        super().start_task(task, *others)

    def _flag_installed(self, pkg: Any, *others: Any) -> None:
        fresh = spack.installer.package_id(pkg.spec) not in self.installed
        super()._flag_installed(pkg, *others)
        if fresh and not pkg.spec.external:
            tell(pkg.spec, done=_how(pkg))

    def _update_failed(self, task: Any, mark: Any = None, exc: Any = None) -> None:
        spec, log = task.pkg.spec, task.pkg.log_path
        if exc is None:
            tell(spec, skipped=True)
        else:
            tell(
                spec, failed=str(exc)[:_WIDTH], lines=_lines(exc, log), log=log if Path(log).exists() else ""
            )
        super()._update_failed(task, mark, exc)


def _how(pkg: Any) -> str:
    if pkg.installed_from_binary_cache:
        return "cached"
    return "built" if spack.installer.package_id(pkg.spec) in _BUILT else "there"


_BUILT: set[str] = set()


def _lines(exc: Any, log: str) -> list[str]:
    """The lines that matter: the log's errors as Spack finds them, or its end, or Spack's own words."""
    if getattr(exc, "name", "") != "ProcessError" or not Path(log).exists():
        text = getattr(exc, "long_message", None) or ""
        return [line[:_WIDTH] for line in text.splitlines() if line.strip()][:_LINES]
    errors, _ = spack.util.log_parse.parse_log_events(log, 2, 1)
    found: dict[int, str] = {}
    for error in errors:
        found.update({number: error[number] for number in range(error.start, error.end)})
        if len(found) >= _LINES:
            break
    lines = [found[number] for number in sorted(found)] or Path(log).read_text(
        "utf-8", "replace"
    ).splitlines()
    kept = lines[:_LINES] if found else lines[-_LINES:]
    return [line.rstrip()[:_WIDTH] for line in kept]


def _tell_of_phases() -> None:
    """Have each build tell of its phases, from its own process."""
    execute = spack.builder.InstallationPhase.execute
    stage = spack.package_base.PackageBase.do_patch

    def executed(phase: Any) -> None:
        tell(phase.builder.pkg.spec, phase=phase.name)
        execute(phase)

    def staged(pkg: Any) -> None:
        tell(pkg.spec, phase="unpack")
        stage(pkg)

    spack.builder.InstallationPhase.execute = executed
    spack.package_base.PackageBase.do_patch = staged


def _note_builds() -> None:
    """What `start_task` has started a process for was built, and not found."""
    start = spack.installer.BuildTask._start_build_process

    def started(task: Any) -> None:
        _BUILT.add(task.pkg_id)
        start(task)

    spack.installer.BuildTask._start_build_process = started


def _roots(directories: list[str]) -> dict[str, Any]:
    """The roots of all environments by hash: those that share packages build them once."""
    found: dict[str, Any] = {}
    for directory in directories:
        for spec in spack.environment.Environment(directory).concrete_roots():
            found.setdefault(spec.dag_hash(), spec)
    return found


def _forget(hashes: list[str]) -> None:
    """Packages whose prefix is gone are not installed, whatever the database says."""
    database = spack.store.STORE.db
    with database.write_transaction():
        for key in hashes:
            _, record = database.query_by_spec_hash(key)
            if record:
                record.installed = False


def main(question: dict[str, Any]) -> int:
    """Install; 1 where a package has failed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.dup2(2, 1)
    _tell_of_phases()
    _note_builds()
    spack.hooks._HookRunner.HOOK_ORDER.remove(
        "spack.hooks.module_file_generation"
    )  # a release's, not a store's
    spack.store.STORE.failure_tracker.clear_all()
    _forget(question["gone"])
    roots = _roots(question["environments"])
    spack.config.set("config:build_jobs", question["jobs"], scope="command_line")
    installer = Installer(
        [spec.package for spec in roots.values()],
        explicit=set(roots),
        concurrent_packages=question["packages"],
        restage=True,
        unsigned=True,
    )
    try:
        installer.install()
    except spack.error.InstallError:
        return 1
    return 0


sys.exit(main(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
