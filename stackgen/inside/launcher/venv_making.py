"""What an environment is made of, beside its packages."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from typing import Dict

from stackgen.inside.launcher.description import Loadable, Site
from stackgen.inside.launcher.venv_activating import activate_csh, activate_fish, activate_sh, deactivate_csh
from stackgen.inside.launcher.venv_record import RECORD, new_record, record_of_venv, write_record
from stackgen.inside.launcher.venv_scripts import VenvWords, pip_script, python_script, real_python, uv_script
from stackgen.inside.launcher.words import LauncherError

OURS = ("bin", "include", "lib", "lib64", "pip.conf", "pyvenv.cfg")
"""What is made anew; all else in the directory is the user's."""
_BEFORE = ".before-"
_VERSION = "import sys; print('{}.{}.{}'.format(*sys.version_info))"


def make_venv(site: Site, framework: Loadable, place: str) -> None:
    """Make an environment in a directory of its own; one that was half made goes first."""
    version = _version_of(framework)
    record = new_record(site, framework)
    write_record(place, record)
    for name in OURS:
        _remove_tree(os.path.join(place, name))
    os.makedirs(os.path.join(place, "lib", "python" + framework.python, "site-packages"))
    os.makedirs(os.path.join(place, "include"))
    os.symlink("lib", os.path.join(place, "lib64"))
    for name, text in _texts(site, framework, place, version).items():
        _write_text(os.path.join(place, name), text, 0o755 if text.startswith("#!") else 0o644)
    for name in ("python3", "python" + framework.python):
        os.symlink("python", os.path.join(place, "bin", name))
    for name in ("pip3", "pip" + framework.python):
        os.symlink("pip", os.path.join(place, "bin", name))
    write_record(place, record._replace(state="made"))


def _texts(site: Site, framework: Loadable, place: str, version: str) -> Dict[str, str]:
    words = VenvWords(site, framework, place)
    texts = {
        "bin/python": python_script(words),
        "bin/pip": pip_script(words),
        "bin/uv": uv_script(words),
        "bin/activate": activate_sh(words),
        "bin/activate.csh": activate_csh(words),
        "bin/deactivate.csh": deactivate_csh(words),
        "bin/activate.fish": activate_fish(words),
        "pyvenv.cfg": _configuration(framework, place, version),
    }
    if site.wheelhouse:
        texts["pip.conf"] = pip_configuration(site.wheelhouse)
    return texts


def _configuration(framework: Loadable, place: str, version: str) -> str:
    real = real_python(framework)
    lines = [
        f"home = {os.path.dirname(real)}",
        "include-system-site-packages = true",
        f"version = {version}",
        f"executable = {real}",
        f"prompt = {os.path.basename(place)}",
    ]
    return "".join(line + "\n" for line in lines)


def pip_configuration(wheelhouse: str) -> str:
    """What has pip look into the site's wheelhouse alone."""
    lines = ["[global]", "disable-pip-version-check = true", "extra-index-url ="]
    if wheelhouse.startswith("/"):
        lines += ["no-index = true", f"find-links = {wheelhouse}"]
    else:
        lines += [f"index-url = {wheelhouse}", "find-links ="]
    return "".join(line + "\n" for line in lines)


def _version_of(framework: Loadable) -> str:
    """The full version of the framework's Python, which has to answer for it."""
    program = real_python(framework)
    try:
        done = subprocess.run(
            [program, "-I", "-S", "-c", _VERSION],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise LauncherError(f"{program} cannot be started: {error.strerror}", 1) from None
    if done.returncode:
        said = " ".join(done.stderr.decode("utf-8", "replace").split())
        raise LauncherError(f"{program} does not work: {said}", 1)
    return done.stdout.decode("ascii").strip()


def _write_text(path: str, text: str, mode: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
        os.fchmod(stream.fileno(), mode)


def _remove_tree(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def unmake_venv(place: str) -> None:
    """Leave nothing of what could not be made; what is the user's stays."""
    for name in (*OURS, RECORD):
        with contextlib.suppress(OSError):
            _remove_tree(os.path.join(place, name))
    with contextlib.suppress(OSError):
        os.rmdir(place)


def aside(place: str) -> str:
    """Move what is made anew into a directory beside it, and give that."""
    standing = record_of_venv(place)
    before = tempfile.mkdtemp(prefix=_BEFORE, dir=place)
    shutil.copy2(os.path.join(place, RECORD), before)
    if standing:  # who comes after a kill is to see that it is not whole
        write_record(place, standing._replace(state="making"))
    for name in OURS:
        if os.path.lexists(os.path.join(place, name)):
            os.rename(os.path.join(place, name), os.path.join(before, name))
    return before


def put_back(place: str, before: str) -> None:
    """Have again what was moved aside."""
    for name in OURS:
        _remove_tree(os.path.join(place, name))
        if os.path.lexists(os.path.join(before, name)):
            os.rename(os.path.join(before, name), os.path.join(place, name))
    os.rename(os.path.join(before, RECORD), os.path.join(place, RECORD))
    os.rmdir(before)


def clear_aside(place: str) -> None:
    """Do without what was moved aside, also by one that was killed."""
    for name in os.listdir(place):
        if name.startswith(_BEFORE):
            shutil.rmtree(os.path.join(place, name), ignore_errors=True)
