"""What builds and the users of prefixes need of a machine."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from stackgen import host
from stackgen.doctor.findings import Finding, State, asked, install, said
from stackgen.errors import StackgenError
from stackgen.lmod import lmod_start
from stackgen.pins import PINS
from stackgen.programs import patchelf_program, uv_program
from stackgen.run import Command, Runner
from stackgen.sandbox import choose
from stackgen.spack.home import chosen_by, incomplete, spack_place


def builds_and_users(run: Runner) -> tuple[Finding, ...]:
    """What a build and the users of prefixes need, the most needed first."""
    return (
        _system(),
        _pythons(),
        _program(run, "uv", uv_program),
        _program(run, "patchelf", patchelf_program),
        _sandbox(run),
        _lmod(),
        _spack(),
        _gpg(run),
        _space(),
        _mpi(run),
        *_scheduler(run),
    )


def _system() -> Finding:
    try:
        system = host.detect()
    except StackgenError as error:
        return Finding(name="system", state=State.MISSING, found=str(error))
    return Finding(
        name="system", state=State.GOOD, found=f"{system.os}, glibc {system.glibc}, {system.target}"
    )


def _pythons() -> Finding:
    try:
        pythons = host.detect().pythons
    except StackgenError:
        pythons = ()
    if not pythons:
        remedy = install(
            "python3 and its venv module",
            {"apt": "python3 python3-venv", "dnf": "python3.12", "zypper": "python312"},
        )
        return Finding(
            name="python", state=State.MISSING, found="no complete Python 3.9 or newer", remedy=remedy
        )
    return Finding(
        name="python",
        state=State.GOOD,
        found=", ".join(f"{python.version} ({python.prefix})" for python in pythons),
    )


def _program(run: Runner, name: str, locate: Callable[[], Path]) -> Finding:
    remedy = "install stackgen again: `pip install stackgen` brings it"
    try:
        words = (str(locate()), "--version")
        outcome = run(Command(argv=words, environment={"PATH": os.defpath}, directory=Path("/")))
    except StackgenError as error:
        return Finding(name=name, state=State.MISSING, found=str(error), remedy=remedy)
    if outcome.status:
        return Finding(name=name, state=State.MISSING, found=f"`{' '.join(words)}` fails", remedy=remedy)
    return Finding(name=name, state=State.GOOD, found=outcome.stdout.strip())


def _sandbox(run: Runner) -> Finding:
    remedy = install("bubblewrap", dict.fromkeys(("apt", "dnf", "zypper"), "bubblewrap"))
    try:
        kind = choose(None, run)
    except StackgenError:
        return Finding(
            name="sandbox",
            state=State.MISSING,
            found="neither bubblewrap nor unshare can cut the network off here; builds need --sandbox none",
            remedy=f"{remedy}, and ask for user namespaces (sysctl user.max_user_namespaces)",
        )
    return Finding(name="sandbox", state=State.GOOD, found=f"{kind} cuts the network off")


def _lmod() -> Finding:
    start = lmod_start()
    if start is None:
        remedy = install("Lmod", {"apt": "lmod", "dnf": "Lmod", "zypper": "lua-lmod"})
        found = "no Lmod; users would need `stackgen shell`"
        return Finding(name="lmod", state=State.OPTIONAL, found=found, remedy=remedy)
    return Finding(name="lmod", state=State.GOOD, found=str(start))


def _spack() -> Finding:
    """Its files are counted, not read."""
    try:
        place = spack_place()
    except StackgenError as error:
        return Finding(name="spack", state=State.OPTIONAL, found=str(error))
    defect = incomplete(place)
    if defect:
        found = f"{defect}; only what Spack builds needs it"
        return Finding(name="spack", state=State.OPTIONAL, found=found, remedy="stackgen bootstrap")
    which = f"{PINS.spack.version} ({PINS.spack.commit[:12]}), packages {PINS.packages.version}"
    found = f"{which}, in {place} ({chosen_by(place)})"
    return Finding(name="spack", state=State.GOOD, found=found)


def _gpg(run: Runner) -> Finding:
    program = shutil.which("gpg")
    if not program:
        remedy = install("GnuPG", {"apt": "gnupg", "dnf": "gnupg2", "zypper": "gpg2"})
        found = "no GnuPG; only to sign kits, or to ask who did, needs it"
        return Finding(name="gpg", state=State.OPTIONAL, found=found, remedy=remedy)
    words = (program, "--version")
    outcome = run(Command(argv=words, environment={"PATH": os.defpath}, directory=Path("/")))
    return Finding(name="gpg", state=State.GOOD, found=outcome.stdout.partition("\n")[0])


def _space() -> Finding:
    directory = _home()
    try:
        free = shutil.disk_usage(directory).free / 1e9
    except OSError as error:
        found = f"nobody can say for {directory}: {error.strerror}"
        return Finding(name="space", state=State.OPTIONAL, found=found, remedy=_ROOMY)
    state = State.GOOD if free > 5 else State.OPTIONAL
    remedy = "" if free > 5 else _ROOMY
    return Finding(name="space", state=state, found=f"{free:.0f} GB free in {directory}", remedy=remedy)


def _mpi(run: Runner) -> Finding:
    """What starts ranks, and what builds Horovod and its like."""
    launcher = shutil.which("mpirun") or shutil.which("mpiexec")
    brings = {"apt": "openmpi-bin libopenmpi-dev", "dnf": "openmpi-devel", "zypper": "openmpi4-devel"}
    remedy = install("an MPI", brings)
    if not launcher:
        found = "no MPI here; only training over MPI, as with Horovod or mpi4py, needs one"
        return Finding(name="mpi", state=State.OPTIONAL, found=found, remedy=remedy)
    lines = said(run, launcher, "--version").splitlines()
    version = next((line.strip() for line in lines if any(map(str.isdigit, line))), "of no known version")
    found = f"{re.sub(r'^Version: *', 'Hydra ', version)}, {launcher}"
    if not shutil.which("mpicc"):
        found += "; no mpicc, so nothing can be built on it"
        return Finding(name="mpi", state=State.OPTIONAL, found=found, remedy=remedy)
    return Finding(name="mpi", state=State.GOOD, found=found)


_SLURM = ("sbatch", "srun", "squeue", "sinfo", "scontrol", "scancel")


def _scheduler(run: Runner) -> tuple[Finding, ...]:
    """What runs jobs on several nodes, and of Slurm what it signs them with."""
    missing = [name for name in _SLURM if not shutil.which(name)]
    brings = install("Slurm's commands", {"apt": "slurm-client", "dnf": "slurm", "zypper": "slurm"})
    if not missing:
        return _slurm(run), _munge(run)
    if len(missing) < len(_SLURM):
        found = f"Slurm, but not its {', '.join(missing)}"
        return (Finding(name="scheduler", state=State.OPTIONAL, found=found, remedy=brings),)
    if program := shutil.which("bsub"):
        return (Finding(name="scheduler", state=State.GOOD, found=f"LSF, {program}"),)
    found = "neither Slurm nor LSF; only jobs, and training on several nodes, need one"
    return (Finding(name="scheduler", state=State.OPTIONAL, found=found, remedy=brings),)


def _slurm(run: Runner) -> Finding:
    ping = asked(run, "scontrol", "ping")
    if ping is None or ping.status or " UP" not in ping.stdout:
        words = (ping.stderr or ping.stdout).strip().splitlines()[-1:] if ping else []
        return Finding(
            name="scheduler",
            state=State.OPTIONAL,
            found=f"Slurm, whose slurmctld does not answer{''.join(f' ({line})' for line in words)}",
            remedy="start it, or let SLURM_CONF name the configuration of one that runs",
        )
    version = (
        said(run, "sinfo", "--version").strip().replace("slurm-wlm", "Slurm").replace("slurm ", "Slurm ")
    )
    kinds = [line.strip() for line in said(run, "srun", "--mpi=list").splitlines()[1:]]
    known = ", ".join(kind for kind in kinds if kind and " " not in kind)
    return Finding(
        name="scheduler", state=State.GOOD, found=f"{version}; srun starts MPI by {known or 'none'}"
    )


def _munge(run: Runner) -> Finding:
    if not shutil.which("munge"):
        remedy = install("munge", dict.fromkeys(("apt", "dnf", "zypper"), "munge"))
        found = "no munge, by which Slurm usually knows its users"
        return Finding(name="munge", state=State.OPTIONAL, found=found, remedy=remedy)
    credential = asked(run, "munge", "--no-input", "--output", os.devnull)  # nobody is to find it in the log
    if credential is None or credential.status:
        remedy = "start it, with the key that the other nodes have"
        return Finding(name="munge", state=State.OPTIONAL, found="munged does not answer", remedy=remedy)
    return Finding(name="munge", state=State.GOOD, found="munged answers")


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # users without one, as in some containers
        return Path("/")


_ROOMY = "a framework takes about 2 GB, its mirror 0.4 GB: choose another --prefix"
