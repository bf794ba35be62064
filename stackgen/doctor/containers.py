"""What containers need of a machine: to be started by users, to be made, and to be locked."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from stackgen import charliecloud, files
from stackgen.doctor.findings import Finding, State, asked, install, said
from stackgen.errors import Fault, WorkError
from stackgen.rootfs import squasher
from stackgen.run import Command, Runner

_PACKAGES = ("apt", "dnf", "zypper")


def of_containers(run: Runner) -> tuple[Finding, ...]:
    """What they need, whatever of it an environment uses: where nothing is missing, all is good."""
    return (
        _good_unless("namespaces", charliecloud.lacking_namespaces(run), "user namespaces"),
        _good_unless("fuse", charliecloud.lacking_fuse(), "/dev/fuse"),
        _charliecloud(run),
        _squashfs(run),
        _skopeo(run),
        _apt(run),
    )


def _good_unless(name: str, faults: Iterable[Fault], found: str) -> Finding:
    for fault in faults:
        what = f"{fault.what}; only containers need this"
        return Finding(name=name, state=State.OPTIONAL, found=what, remedy=fault.remedy)
    return Finding(name=name, state=State.GOOD, found=found)


def _charliecloud(run: Runner) -> Finding:
    version = charliecloud.version(run)
    return _good_unless(
        "charliecloud", charliecloud.lacking_charliecloud(run), f"Charliecloud {version}, with SquashFS"
    )


def _squashfs(run: Runner) -> Finding:
    """It is tried: which packings it has, no version says."""
    fault, version = None, ""
    try:
        by = squasher(run)
        version = by.version
        with (
            files.reported(f"cannot try {by.program}"),
            tempfile.TemporaryDirectory(prefix="stackgen-doctor-") as directory,
        ):
            words = (str(by.program), directory, f"{directory}/image", "-comp", "zstd", "-quiet")
            environment = {"PATH": os.defpath, "LC_ALL": "C"}
            tried = run(Command(argv=words, environment=environment, directory=Path("/"), timeout=60))
    except WorkError as error:
        fault = Fault(what=error.what, remedy=error.remedy)
    else:
        if tried.status:
            what = f"{by.program} {version} cannot make images with zstd"
            fault = Fault(what=what, remedy="name `squashfs +zstd` among the packages, for Spack to build")
    return _good_unless("squashfs", (fault,) if fault else (), f"mksquashfs {version}, with zstd")


def _skopeo(run: Runner) -> Finding:
    version = said(run, "skopeo", "--version").strip()
    if not version:
        remedy = install("skopeo", dict.fromkeys(_PACKAGES, "skopeo"))
        found = "no skopeo; only to fetch images of others needs it, where there is a network"
        return Finding(name="skopeo", state=State.OPTIONAL, found=found, remedy=remedy)
    return Finding(name="skopeo", state=State.GOOD, found=version)


def _apt(run: Runner) -> Finding:
    told = asked(run, "apt-get", "--version")
    if told is None or told.status:
        return Finding(
            name="apt",
            state=State.OPTIONAL,
            found="no apt; only to lock the packages of Debian that packed images stand on needs it",
            remedy="lock on Debian or Ubuntu, or write `containers: {base: IMAGE@sha256:...}`",
        )
    return Finding(name="apt", state=State.GOOD, found=told.stdout.partition("\n")[0])
