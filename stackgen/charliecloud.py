"""Charliecloud: where an environment's ch-run is, and whether a machine lets it do what images need."""

import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from stackgen.errors import Fault, StackgenError, WorkError
from stackgen.graph import Node, graph
from stackgen.lock import Lock, SpackLock
from stackgen.model.specs import package_name
from stackgen.plan import Plan
from stackgen.rootfs import squasher
from stackgen.run import Command, Outcome, Runner

CHARLIECLOUD = "charliecloud"
SQUASHFS = "squashfs"
"""What Spack calls the package with mksquashfs."""
_NAMED = "or list charliecloud under `packages:`, for Spack to build"
_SYSCTLS = {
    "user/max_user_namespaces": ("0", "user.max_user_namespaces = 15000"),
    "kernel/unprivileged_userns_clone": ("0", "kernel.unprivileged_userns_clone = 1"),
}
"""Below /proc/sys: what forbids user namespaces, and the line that allows them."""
_APPARMOR = "kernel/apparmor_restrict_unprivileged_userns"
_UNSHARE = ("unshare", "--user", "--map-root-user", "--mount", "true")


def prefix_of(package: str, plan: Plan, lock: Lock, prefixes: Mapping[str, Path]) -> Path | None:
    """Where a package lies that images are made or started with: Spack's, or an external of the system.

    `prefixes` are those of the lock's packages, by hash. None where neither has it, and PATH decides.
    """
    for solution in lock.spack:
        for root in _roots(solution):
            if root.name == package:
                return prefixes[root.hash]
    for external in plan.system.externals:
        if package_name(external.spec) == package and external.prefix:
            return Path(external.prefix)
    return None


def ch_run(plan: Plan, lock: Lock, prefixes: Mapping[str, Path]) -> Path | None:
    """The ch-run that starts an environment's images; None where it is whichever the PATH has."""
    found = prefix_of(CHARLIECLOUD, plan, lock, prefixes)
    return found / "bin" / "ch-run" if found else None


def refuse_unready(plan: Plan, lock: Lock, run: Runner, *, to_start: bool = True) -> None:
    """WorkError where this machine cannot make the images of a plan or, if it is to, start them as us.

    What Spack is still to build is taken for granted.
    """
    if not plan.containers:
        return
    spack = {root.name for one in lock.spack for root in _roots(one)}
    if SQUASHFS not in spack:
        squasher(run, prefix_of(SQUASHFS, plan, lock, {}))
    if not to_start:
        return
    program = ch_run(plan, lock, {}) if CHARLIECLOUD not in spack else None
    faults = [*lacking_namespaces(run, program)]
    faults += [] if os.access("/dev/fuse", os.R_OK | os.W_OK) else lacking_fuse()
    faults += [] if CHARLIECLOUD in spack else lacking_charliecloud(run, program)
    for fault in faults:
        raise WorkError(f"this machine cannot start images: {fault.what}", fault.remedy)


def _roots(solution: SpackLock) -> tuple[Node, ...]:
    found = graph(solution.text)
    return tuple(found.nodes[root] for root in found.roots)


def lacking(run: Runner, program: Path | None = None, root: Path = Path("/")) -> tuple[Fault, ...]:
    """Why this machine cannot start images by this ch-run, or by that of the PATH; nothing where it can."""
    return (
        *lacking_namespaces(run, program, root),
        *lacking_fuse(root),
        *lacking_charliecloud(run, program),
    )


def lacking_namespaces(run: Runner, program: Path | None = None, root: Path = Path("/")) -> Iterator[Fault]:
    """Why ordinary users have no user namespaces: sysctls and AppArmor first, then by trying."""
    for name, (forbids, line) in _SYSCTLS.items():
        if _read(root / "proc/sys" / name) == forbids:
            yield Fault(
                what=f"no user namespaces: sysctl {name.replace('/', '.')} is {forbids}",
                remedy=_on_every_node(
                    f"echo '{line}' > /etc/sysctl.d/90-user-namespaces.conf && sysctl --system"
                ),
            )
            return
    if _read(root / "proc/sys" / _APPARMOR) == "1":
        yield from _unknown_to_apparmor(program, root)
        return
    outcome = _asked(run, *_UNSHARE)
    if outcome and outcome.status:
        said = outcome.stderr.strip().splitlines()[-1:] or [f"exit status {outcome.status}"]
        yield Fault(
            what=f"no user namespaces: {said[0]}",
            remedy="ask the admin to allow them to ordinary users, on every node; RHEL 7 needs `grubby"
            " --update-kernel=ALL --args=namespace.unpriv_enable=1` and a reboot, too",
        )


def _unknown_to_apparmor(program: Path | None, root: Path) -> Iterator[Fault]:
    """Ubuntu allows user namespaces to programs with a profile alone, and brings one for /usr/bin/ch-run."""
    path = str(program or shutil.which("ch-run") or "/usr/bin/ch-run")
    profiles = root / "etc/apparmor.d"
    known = (_read(profile) for profile in profiles.glob("*ch-run*"))
    if any(re.search(rf"\s{re.escape(path)}\s", text) for text in known):
        return
    text = f"abi <abi/4.0>,\\nprofile stackgen-ch-run {path} flags=(unconfined) {{\\n  userns,\\n}}\\n"
    file = "/etc/apparmor.d/stackgen-ch-run"
    yield Fault(
        what=f"no user namespaces: AppArmor has no profile that allows them to {path}",
        remedy=_on_every_node(f"printf '{text}' > {file} && apparmor_parser -r {file}"),
    )


def lacking_fuse(root: Path = Path("/")) -> Iterator[Fault]:
    """Why ordinary users cannot mount images."""
    device = root / "dev/fuse"
    try:
        mode = device.stat().st_mode
    except OSError:
        mode = 0
    if not stat.S_ISCHR(mode):
        load = "modprobe fuse && echo fuse > /etc/modules-load.d/fuse.conf"
        yield Fault(what="no /dev/fuse, by which images are mounted", remedy=_on_every_node(load))
    elif mode & 0o006 != 0o006:
        rule = """echo 'KERNEL=="fuse", MODE="0666"' > /etc/udev/rules.d/60-fuse.rules"""
        yield Fault(
            what=f"ordinary users may not use /dev/fuse (mode {stat.S_IMODE(mode):04o})",
            remedy=_on_every_node(f"chmod 666 /dev/fuse && {rule}"),
        )


def lacking_charliecloud(run: Runner, program: Path | None = None) -> Iterator[Fault]:
    """Why there is no ch-run that can mount images and be joined."""
    path = str(program) if program else shutil.which("ch-run")
    if not path:
        yield Fault(what="no ch-run, which starts images", remedy=f"install Charliecloud, {_NAMED}")
        return
    told = _asked(run, path, "--help")
    if told is None or told.status:
        yield Fault(what=f"{path} does not start", remedy=f"install Charliecloud anew, {_NAMED}")
    elif "--join-pid" not in told.stdout:
        yield Fault(
            what=f"{path} cannot join what runs", remedy=f"install Charliecloud 0.31 or newer, {_NAMED}"
        )
    elif not _mounts(run, path, told.stdout):
        yield Fault(
            what=f"{path} was built without SquashFS",
            remedy=f"install one that was built with libsquashfuse and libfuse3, {_NAMED}",
        )


def version(run: Runner, program: Path | None = None) -> str:
    """What a ch-run calls itself; empty where it does not start."""
    path = str(program) if program else shutil.which("ch-run") or ""
    told = _asked(run, path, "--version") if path else None
    return (told.stdout or told.stderr).strip() if told and not told.status else ""


def _mounts(run: Runner, path: str, usage: str) -> bool:
    """Old ones do not know that question, and have the option only where they can."""
    told = _asked(run, path, "--feature=squash")
    if told is None:
        return False
    return not told.status or ("unknown feature" in told.stderr and "SquashFS" in usage)


def _asked(run: Runner, *words: str) -> Outcome | None:
    """How a program ended; None where it does not start."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "USER": "nobody", "LC_ALL": "C"}
    try:
        return run(Command(argv=words, environment=environment, directory=Path("/"), timeout=10))
    except StackgenError:
        return None


def _on_every_node(command: str) -> str:
    return f"ask the admin for this, on every node: {command}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
