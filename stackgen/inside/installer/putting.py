"""Put stackgen and Spack into their place, each beside first and then by one rename."""

import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import zipfile
from typing import Dict, List, Sequence

from stackgen.inside.installer.kit import Kit
from stackgen.inside.installer.machine import Package, Python, Tools, packages_of
from stackgen.inside.installer.place import bare_environment, workshop, write
from stackgen.inside.installer.telling import RefusalError, say, started

_LAUNCHER = """\
#!/bin/sh
# Nothing of the caller's Python gets in: no PYTHON* variable, no ~/.local, nothing of the working directory.
here=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd -P) || exit 1
exec "$here/versions/{name}/bin/python" -I "$here/versions/{name}/bin/stackgen" "$@"
"""


def put_stackgen(kit: Kit, tools: Tools, python: Python, directory: str) -> None:
    """Have stackgen in the place, whole: beside first, then by one rename, and then the command."""
    packages = packages_of(kit, tools.path)
    aside = tools.path[: -len(".toml")] + "-build.toml"
    build = packages_of(kit, aside) if aside in kit.entries else []
    version = {package.name: package.version for package in packages}["stackgen"]
    content = json.dumps([packages, build, python])
    name = "{}-{}-{}".format(version, python.version, hashlib.sha256(content.encode()).hexdigest()[:12])
    place = os.path.join(directory, "versions", name)
    with workshop(directory) as work:
        if not _is_whole(place, version, work):
            say("putting stackgen {} there, for {}".format(version, python.program))
            _make(kit, packages, build, python, work)
            _refuse_broken(os.path.join(work, "new"), version, work)
            _settle(work, place)
    before = _launched(directory)
    write(os.path.join(directory, "bin", "stackgen"), _LAUNCHER.format(name=name))
    if before != name:
        _remove_others(directory, (before, name))


def _launched(directory: str) -> str:
    """The version that the command starts now; empty where there is none."""
    try:
        with open(os.path.join(directory, "bin", "stackgen")) as stream:
            found = re.search(r"/versions/([^/]+)/bin/python", stream.read())
    except OSError:
        return ""
    return found.group(1) if found else ""


def _remove_others(directory: str, kept: Sequence[str]) -> None:
    """Remove old versions, but the last, which may be running."""
    versions = os.path.join(directory, "versions")
    for name in os.listdir(versions):
        if not name.startswith(".") and name not in kept:
            shutil.rmtree(os.path.join(versions, name))


def _make(kit: Kit, packages: List[Package], build: List[Package], python: Python, work: str) -> None:
    """A virtual environment with all wheels, by the uv that is one of them: no pip and no venv is needed."""
    wheels = os.path.join(work, "wheels")
    for package in packages + build:
        path = "wheels/{}/{}/{}".format(package.sha256[:2], package.sha256, package.file)
        kit.copy(path, os.path.join(wheels, package.file))
    uv = _unpacked_uv(wheels, packages, work)
    new = os.path.join(work, "new")
    quietly = ["--quiet", "--no-config", "--offline", "--no-python-downloads", "--color", "never"]
    environment = bare_environment(work)
    _succeed([uv, "venv", *quietly, "--relocatable", "--python", python.program, new], environment)
    requirements, constraints = os.path.join(work, "requirements.txt"), os.path.join(work, "build.txt")
    write(requirements, _requirement_lines(packages))
    write(constraints, _requirement_lines(build))
    all_wheels = all(package.file.endswith(".whl") for package in packages)
    words = [uv, "pip", "install", *quietly, "--no-index", "--find-links", wheels, "--no-deps"]
    words += ["--require-hashes", "--requirements", requirements, "--compile-bytecode"]
    words += ["--no-build"] if all_wheels else ["--build-constraints", constraints]
    words += ["--cache-dir", os.path.join(work, "cache"), "--link-mode", "hardlink"]
    _succeed([*words, "--python", os.path.join(new, "bin", "python")], environment)
    os.makedirs(os.path.join(new, "share"), exist_ok=True)
    os.symlink("../../../share/stackgen", os.path.join(new, "share", "stackgen"))
    write(os.path.join(new, "installed.json"), json.dumps({"files": _count(new) + 1}))


def _requirement_lines(packages: List[Package]) -> str:
    form = "{0.name}=={0.version} --hash=sha256:{0.sha256}\n"
    return "".join(form.format(package) for package in packages)


def _unpacked_uv(wheels: str, packages: List[Package], work: str) -> str:
    file = {package.name: package.file for package in packages}["uv"]
    program = os.path.join(work, "uv")
    with zipfile.ZipFile(os.path.join(wheels, file)) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".data/scripts/uv")]
        with archive.open(name) as source, open(program, "wb") as target:
            shutil.copyfileobj(source, target)
    os.chmod(program, 0o755)
    return program


def _succeed(words: Sequence[str], environment: Dict[str, str]) -> None:
    outcome = started(words, environment)
    if outcome.returncode:
        said = (outcome.stderr + outcome.stdout).decode("utf-8", "replace").strip()
        if "No space left" in said:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise RefusalError("`{}` fails: {}".format(" ".join(words[:3]), " ".join(said.split())[-400:]))


def _is_whole(place: str, version: str, work: str) -> bool:
    """Whether all files are there, and the command runs."""
    try:
        with open(os.path.join(place, "installed.json"), "rb") as stream:
            expected = json.loads(stream.read().decode("utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(_count(place) == expected) and not _defect(place, version, work)


def _count(place: str) -> int:
    """How many files there are; bytecode comes and goes, and links may lead to what is not there yet."""
    return sum(
        not os.path.islink(os.path.join(directory, name))
        for directory, _, names in os.walk(place)
        if not directory.endswith("__pycache__")
        for name in names
    )


def _refuse_broken(place: str, version: str, work: str) -> None:
    defect = _defect(place, version, work)
    if defect:
        raise RefusalError("stackgen does not run on this machine: {}".format(defect))


def _defect(place: str, version: str, work: str) -> str:
    """What is wrong with an installed stackgen; empty where nothing is."""
    words = [os.path.join(place, "bin", "python"), "-I", os.path.join(place, "bin", "stackgen"), "--version"]
    try:
        outcome = started(words, bare_environment(work))
    except RefusalError as refusal:
        return str(refusal)
    said = (outcome.stderr + outcome.stdout).decode("utf-8", "replace").split()
    return "" if outcome.returncode == 0 and version in said else " ".join(said)[-400:]


def _settle(work: str, place: str) -> None:
    subprocess.run(["sync", "-f", work], check=False, stderr=subprocess.DEVNULL)  # noqa: S607 - any that is there
    if os.path.lexists(place):
        os.rename(place, os.path.join(work, "damaged"))
    os.rename(os.path.join(work, "new"), place)


def put_spack(kit: Kit, directory: str) -> None:
    """Have Spack beside stackgen, where the kit holds it: stackgen itself knows what it has to be."""
    archives = kit.named("spack/[0-9a-f]{64}/[^/]+")
    if not archives:
        return
    for match in archives:
        kit.check(match.group(0))
    command = os.path.join(directory, "bin", "stackgen")
    with workshop(directory) as work:
        words = [command, "bootstrap", "--from", kit.root, "--offline", "--beside"]
        outcome = subprocess.run(
            words,
            check=False,
            close_fds=False,
            env=bare_environment(work),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    if outcome.returncode:
        raise RefusalError(
            "Spack could not be put beside stackgen; the line above says why", outcome.returncode
        )
