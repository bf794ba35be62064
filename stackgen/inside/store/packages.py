"""Spack's own installer, which tells what it does and goes on where it can."""

import ctypes
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import spack.builder
import spack.config
import spack.database
import spack.environment
import spack.error
import spack.hooks
import spack.installer
import spack.llnl.util.lock
import spack.package_base
import spack.store
import spack.util.log_parse

from stackgen.inside.store.cache import use_cache
from stackgen.inside.store.failures import fail_without_locks
from stackgen.inside.store.processors import share_processors
from stackgen.inside.store.telling import quiet, short, tell

_LINES = 15
"""How much of a log is told."""
_PATIENCE = 0.1
"""Seconds to wait for a package that another Spack has; then others have their turn."""
_PR_SET_PDEATHSIG = 1


def installed(question: dict[str, Any]) -> int:
    """Install the roots of all environments; 1 where a package has failed."""
    _die_with_parent()
    os.umask(0o022)  # whatever the caller's: a store is there for everybody
    quiet()
    _tell_of_phases()
    fail_without_locks()
    share_processors(question["jobs"])
    if question["cache"]:
        use_cache(Path(question["cache"]), writable=question["writable"])
    for hook in ("module_file_generation", "autopush"):  # modules are a release's, and we push on our own
        spack.hooks._HookRunner.HOOK_ORDER.remove(f"spack.hooks.{hook}")
    if question["tidy"]:
        spack.store.STORE.failure_tracker.clear_all()
        _mend_database()
        _forget(question["gone"])
    spack.config.set("config:build_jobs", question["jobs"], scope="command_line")
    spack.config.set("config:build_stage", [question["stage"]], scope="command_line")
    roots = _roots(question["environments"])
    return _install(roots, question["packages"], Path(question["logs"])) if roots else 0


def _die_with_parent() -> None:
    """Let the kernel end this process when the one that started it ends, however that comes about."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _install(roots: dict[str, Any], at_once: int, logs: Path) -> int:
    _Installer.logs = logs
    installer = _Installer(
        [spec.package for spec in roots.values()],
        explicit=set(roots),
        concurrent_packages=at_once,
        restage=True,
        unsigned=True,
    )
    try:
        installer.install()
    except spack.error.InstallError:
        return 1
    return 0


def _roots(directories: list[str]) -> dict[str, Any]:
    """The roots of all environments by hash: those that share packages build them once."""
    found: dict[str, Any] = {}
    for directory in directories:
        for spec in spack.environment.Environment(directory).concrete_roots():
            found.setdefault(spec.dag_hash(), spec)
    return found


def _mend_database() -> None:
    """Where it is gone, or cut off as after a power cut, make it again from what lies in the tree.

    Spack itself would remove what it does not know of, and build it anew.
    """
    database = spack.store.STORE.db
    try:
        database._read()
        if database._index_path.is_file():
            return
    except spack.database.CorruptDatabaseError:
        pass
    database.reindex()
    database._read_from_file(database._index_path)  # all of it: `reindex` forgets the prefixes


def _forget(hashes: list[str]) -> None:
    """Packages whose prefix is gone are not installed, whatever the database says."""
    database = spack.store.STORE.db
    with database.write_transaction():
        for key in hashes:
            _, record = database.query_by_spec_hash(key)
            if record and record.installed:
                database.remove(record.spec)


class _Installer(spack.installer.PackageInstaller):  # type: ignore[misc]
    """Spack's own, which tells what it does, and works beside others on one store.

    Others are Spacks on other nodes. Of itself Spack would wait for a package of theirs without looking after
    its own, and so two of them for each other for ever; it would end where another one died, and build anew
    what has failed there.
    """

    logs: Path
    """Where logs of failures are kept."""

    def start_task(self, task: Any, *others: Any) -> None:
        """Skip what another one has found to fail."""
        if spack.store.STORE.failure_tracker.has_failed(task.pkg.spec):
            self._update_failed(task)
            task.no_op = True
            return
        super().start_task(task, *others)

    def _prepare_for_install(self, task: Any) -> None:
        """Tell that a package's turn has come: nobody else has it."""
        if task.pkg_id not in self.installed:
            tell(task.pkg.spec, phase="start")
        super()._prepare_for_install(task)

    def _ensure_locked(self, lock_type: str, pkg: Any) -> Any:
        key = spack.installer.package_id(pkg.spec)
        _, lock = self.locks.get(key, (lock_type, None))
        if lock and not (lock._reads or lock._writes):  # given back, as whoever had it has died
            del self.locks[key]
            lock = None
        if lock or lock_type == "write":
            held = super()._ensure_locked(lock_type, pkg)
            if lock_type == "write" and held[1] and spack.store.STORE.failure_tracker.has_failed(pkg.spec):
                self._release_lock(key)  # whoever had it has found that it fails since we have looked
                return lock_type, None
            return held
        lock = spack.store.STORE.prefix_locker.lock(pkg.spec, _PATIENCE)
        try:
            lock.acquire_read()
        except spack.llnl.util.lock.LockTimeoutError:
            return lock_type, None
        self.locks[key] = lock_type, lock
        return self.locks[key]

    def _update_installed(self, task: Any) -> None:
        fresh = task.pkg_id not in self.installed
        super()._update_installed(task)
        if fresh:
            built = "built" if getattr(task, "process_handle", None) else "there"
            tell(task.pkg.spec, done="cached" if task.pkg.installed_from_binary_cache else built)

    def _update_failed(self, task: Any, mark: Any = None, exc: Any = None) -> None:
        spec, log = task.pkg.spec, task.pkg.log_path
        if exc is None:
            tell(spec, skipped=True)
        else:
            kept = self._kept(spec, log) if Path(log).exists() else ""
            what, *lines = short((str(exc), *_lines(exc, log)))
            tell(spec, failed=what, lines=lines, log=kept)
        super()._update_failed(task, mark, exc)

    def _kept(self, spec: Any, log: str) -> str:
        """A copy of a log where the next run does not remove it; nothing where there is no room for it."""
        copy = self.logs / spec.format("{name}-{version}-{hash}.log")
        try:
            shutil.copyfile(log, copy)
        except OSError:
            return ""
        return str(copy)


def _lines(exc: Any, log: str) -> list[str]:
    """The lines that matter: the log's errors as Spack finds them, or its end, or Spack's own words."""
    if getattr(exc, "name", "") != "ProcessError" or not Path(log).exists():
        text = getattr(exc, "long_message", None) or ""
        return [line for line in text.splitlines() if line.strip()][:_LINES]
    errors, _ = spack.util.log_parse.parse_log_events(log, 2, 1)
    found: dict[int, str] = {}
    for error in errors:
        found.update({number: error[number] for number in range(error.start, error.end)})
        if len(found) >= _LINES:
            break
    ends = Path(log).read_text("utf-8", "replace").splitlines()[-_LINES:]
    return [found[number] for number in sorted(found)][:_LINES] or ends


def _tell_of_phases() -> None:
    """Have each build tell of its phases, from its own process."""
    execute = spack.builder.InstallationPhase.execute
    stage = spack.package_base.PackageBase.do_patch

    def executed(phase: Any) -> None:
        tell(phase.builder.pkg.spec, phase=phase.name)
        execute(phase)

    def staged(pkg: Any) -> None:
        _die_with_parent()  # the first that happens in a process of its own
        tell(pkg.spec, phase="unpack")
        stage(pkg)

    spack.builder.InstallationPhase.execute = executed
    spack.package_base.PackageBase.do_patch = staged
