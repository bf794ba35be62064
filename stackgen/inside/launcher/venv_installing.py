"""pip and uv of an environment: from the site's wheelhouse, and the framework's own packages stay."""

import contextlib
import os
import subprocess
import sys
import tempfile
from typing import IO, Dict, List, Optional, Sequence, Tuple

from stackgen.inside.launcher.description import Loadable, Site
from stackgen.inside.launcher.listing import Packaged, normalized, packages_of, packages_seen
from stackgen.inside.launcher.surroundings import Loaded, found_on_path, place_of_release
from stackgen.inside.launcher.venv_packages import (
    WANTED,
    OwnPackage,
    named_packages,
    own_packages,
    wanted_again,
    wanted_still,
)
from stackgen.inside.launcher.venv_record import record_of_venv
from stackgen.inside.launcher.venv_scripts import real_python
from stackgen.inside.launcher.words import LauncherError, shown, tell

UNCONSTRAINED = "--unconstrained"
_TAKING = {"pip": ("install", "download", "wheel"), "uv": ("install",)}
_ELSEWHERE = ("PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX")
_UV_ELSEWHERE = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_KEPT_BACK = ("resolutionimpossible", "because all versions of")
_NOT_FOUND = (
    "no matching distribution found",
    "was not found in the",
    "there is no version of",
    "there are no versions",
)


def install_into(site: Site, place: str, tool: str, arguments: Sequence[str], *, silent: bool = False) -> int:
    """What pip or uv of an environment does; its exit status."""
    record = record_of_venv(place)
    below = [one for one in site.frameworks if record and one.prefix == record.framework]
    if record is None or not below:
        raise LauncherError(f"{place} does not stand on the release {site.release}; make it anew", 1)
    words = [word for word in arguments if word != UNCONSTRAINED]
    command, program, environ = _real_command(site, below[0], place, tool, words)
    taking = _position_of_taking(tool, words)
    if taking is None:
        os.execve(program, command, environ)
    position = len(command) - len(words) + taking + 1
    options = _wheelhouse_options(site) if tool == "uv" else []
    leaves_out = tool == "uv" and UNCONSTRAINED not in arguments and _can_leave_out(program)
    with tempfile.TemporaryDirectory(prefix="venv-") as directory:
        if UNCONSTRAINED not in arguments:
            path = os.path.join(directory, below[0].module.replace("/", "-") + ".txt")
            _write_staying(path, _staying(site, below[0], place, words[taking + 1 :]), names_alone=leaves_out)
            options = [*options, "--excludes" if leaves_out else "--constraint", path]
        command[position:position] = options
        if silent:
            return subprocess.run(
                command, executable=program, env=environ, check=False, stderr=subprocess.DEVNULL
            ).returncode
        status = _watched(site, below[0], command, program, environ)
    if leaves_out and status == 0:
        _tell_conflicts(site, below[0], place, environ)
    return status


def _write_staying(path: str, staying: Sequence[Packaged], *, names_alone: bool) -> None:
    """The file that has an installer leave these alone."""
    with open(path, "w", encoding="utf-8") as stream:
        for one in staying:
            stream.write(one.name + ("\n" if names_alone else "=={}\n".format(one.version)))


def _can_leave_out(program: str) -> bool:
    """Whether uv can be told what is there: it does not see what lies below an environment."""
    words = [program, "pip", "install", "--help"]
    try:
        done = subprocess.run(
            words,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return False
    return b"--excludes" in done.stdout


def _tell_conflicts(site: Site, framework: Loadable, place: str, environ: Dict[str, str]) -> None:
    """Say which of the user's own packages would have other versions of what the framework has."""
    done = subprocess.run(
        [place + "/bin/python", "-m", "pip", "check"],
        executable=real_python(framework),
        check=False,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    own = {one.name for one in own_packages(place)}
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        if normalized(line.partition(" ")[0]) in own and " has requirement " in line:
            tell("{}: note: {}".format(site.namespace, line))


def _real_command(
    site: Site, framework: Loadable, place: str, tool: str, words: Sequence[str]
) -> Tuple[List[str], str, Dict[str, str]]:
    """The words of the real program, its file, and its environment."""
    environ = dict(os.environ, PYTHONNOUSERSITE="1", VIRTUAL_ENV=place)
    environ.pop("PYTHONHOME", None)
    for name in (*_ELSEWHERE, *_UV_ELSEWHERE) if site.wheelhouse else ():
        environ.pop(name, None)
    if tool == "pip":
        return [place + "/bin/python", "-m", "pip", *words], real_python(framework), environ
    found = [path for path in found_on_path("uv", os.environ) if not _is_ours(path)]
    if not found:
        raise LauncherError("uv is not here; pip of this environment does the same, more slowly", 1)
    return [found[0], *words], found[0], environ


def _is_ours(path: str) -> bool:
    """Whether a program is that of an environment, which would come back here."""
    with contextlib.suppress(OSError), open(path, "rb") as stream:
        return b" venv --install " in stream.read(4096)
    return False


def _position_of_taking(tool: str, words: Sequence[str]) -> Optional[int]:
    """Where the word stands after which packages are named; None where none are to be had."""
    if tool == "uv" and list(words[:1]) != ["pip"]:
        return None
    for position, word in enumerate(words):
        if word in _TAKING[tool]:
            return position
    return None


def _wheelhouse_options(site: Site) -> List[str]:
    """What has uv look into the site's wheelhouse alone; for pip it is in the environment."""
    if not site.wheelhouse:
        return []
    if site.wheelhouse.startswith("/"):
        return ["--no-config", "--no-index", "--find-links", site.wheelhouse]
    return ["--no-config", "--default-index", site.wheelhouse]


def _staying(site: Site, framework: Loadable, place: str, arguments: Sequence[str]) -> List[Packaged]:
    """What the framework has, and is to keep as it is: neither named nor the user's own already."""
    chosen = Loaded(framework, site.release, place_of_release(site))
    delivered = packages_of(chosen)
    delivered = packages_seen(framework) if delivered is None else delivered
    free = named_packages(arguments) | {one.name for one in own_packages(place)}
    return [one for one in delivered if one.name not in free and one.version]


def _watched(
    site: Site, framework: Loadable, command: List[str], program: str, environ: Dict[str, str]
) -> int:
    """Run it, and add a sentence to what it says where it fails for a reason that we know."""
    try:
        with subprocess.Popen(command, executable=program, env=environ, stderr=subprocess.PIPE) as started:
            assert started.stderr is not None
            said = _passed_on(started.stderr).lower()
    except OSError as error:
        raise LauncherError(f"{program} cannot be started: {error.strerror}", 1) from None
    if started.returncode and any(mark in said for mark in _KEPT_BACK) and "--constraint" in command:
        text = (
            "{0}: what {1} has stays as it is here, unless you name it, and its version;"
            " with {2} anything may be replaced"
        )
        tell(text.format(site.namespace, framework.module, UNCONSTRAINED))
    if started.returncode and site.wheelhouse and any(mark in said for mark in _NOT_FOUND):
        text = "{}: packages come from {} alone, which lacks one that fits; ask those who run it to add it"
        tell(text.format(site.namespace, site.wheelhouse))
    return started.returncode if started.returncode >= 0 else 128 - started.returncode


def _passed_on(stream: IO[bytes]) -> str:
    """What a program says, which is shown as it comes."""
    kept = b""
    while True:
        piece = os.read(stream.fileno(), 65536)
        if not piece:
            return kept.decode("utf-8", "replace")
        kept = (kept + piece)[-65536:]
        sys.stderr.buffer.write(piece)
        sys.stderr.buffer.flush()


def keep_wanted(place: str, own: Sequence[OwnPackage]) -> None:
    """Note what is to be installed again, before it goes; what was noted and is not there yet stays."""
    path = os.path.join(place, WANTED)
    lines = wanted_again(own)
    if os.path.exists(path):
        with open(path, encoding="utf-8", errors="replace") as stream:
            lines = wanted_still(stream.read().splitlines(), own)
    if lines:
        beside = "{}.{}".format(path, os.getpid())
        try:
            with open(beside, "w", encoding="utf-8") as stream:
                stream.write("".join(line + "\n" for line in lines))
            os.rename(beside, path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(beside)
            raise


def reinstall(site: Site, place: str) -> None:
    """Install what was noted; LauncherError, with the list left there, where that does not go."""
    path = os.path.join(place, WANTED)
    if not os.path.exists(path):
        return
    keep_wanted(place, own_packages(place))
    tell(f"installing what {path} lists")
    if install_into(site, place, "pip", ["install", "--quiet", "-r", path]):
        again = shown([place + "/bin/pip", "install", "-r", path])
        text = "{} is made anew, but not all of your packages can be installed; change {}, and `{}`"
        raise LauncherError(text.format(place, path, again), 1)
    os.unlink(path)
