#!/usr/bin/env python3
"""Put stackgen where a kit is all that there is: `python3 KIT/install.py --prefix DIR`.

It needs Python 3.6 to run, and a Python from 3.11 on for stackgen; it writes into DIR alone and asks no
network. Again, it does nothing, or mends what is not whole; killed at any moment, it leaves what the next
run removes.
"""

import argparse
import contextlib
import errno
import glob
import hashlib
import io
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import zipfile
from typing import BinaryIO, Dict, Iterator, List, NamedTuple, NoReturn, Optional, Sequence, Set, Tuple

from stackgen.inside.verdict import gpg_words, verdict

try:
    import fcntl
except ImportError:  # not on Linux, which is refused
    pass

_FORMAT = 2
_LARGEST_MANIFEST = 64 * 2**20
"""Bytes; a kit of ten thousand files has a twentieth of it."""
_CHUNK = 2**20
_PLAIN = r"[A-Za-z0-9._+@=/-]+"
_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
_NEEDED = ("ssl", "zlib", "lzma", "ctypes", "hashlib", "json", "tomllib", "unicodedata")
"""Modules of the standard library that some builds of Python lack."""
_QUESTION = """
import json, platform, sys
missing = []
for name in {modules!r}:
    try:
        __import__(name)
    except ImportError:
        missing.append(name)
base = getattr(sys, "_base_executable", "") or sys.executable
facts = dict(version="%d.%d" % sys.version_info[:2], program=base, missing=missing)
print(json.dumps(dict(facts, kind=platform.python_implementation())))
"""
_LAUNCHER = """\
#!/bin/sh
# Nothing of the caller's Python gets in: no PYTHON* variable, no ~/.local, nothing of the working directory.
here=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd -P) || exit 1
exec "$here/versions/{name}/bin/python" -I "$here/versions/{name}/bin/stackgen" "$@"
"""


class RefusalError(Exception):
    """What is wrong and what to do, in one sentence; `status` is what the program ends with."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


class Entry(NamedTuple):
    """A file as the manifest has it: size in bytes and SHA-256 in hex."""

    size: int
    sha256: str


class Kit:
    """A kit by its directory; nothing of it is used that is not as its manifest says."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.manifest = self._manifest_bytes()
        self.entries = self._entries()

    def _manifest_bytes(self) -> bytes:
        path = os.path.join(self.root, "manifest.json")
        if not os.path.isfile(path):
            raise RefusalError(
                "{} is no kit, or only a part: it has no manifest.json; copy all of it".format(self.root), 2
            )
        if os.path.getsize(path) > _LARGEST_MANIFEST:
            raise RefusalError("{} is far larger than that of any kit; do not trust it".format(path), 2)
        with open(path, "rb") as stream:
            return stream.read(_LARGEST_MANIFEST)

    def _entries(self) -> Dict[str, Entry]:
        damaged = RefusalError("{}/manifest.json is damaged; copy the kit again".format(self.root), 2)
        try:
            content = json.loads(self.manifest.decode("utf-8"))
            number, files = content["format"], content["files"]
            if isinstance(number, int) and number > _FORMAT:
                raise RefusalError(
                    "{} was made by a newer stackgen than this install.py".format(self.root), 2
                )
            entries = {str(line["path"]): Entry(int(line["size"]), str(line["sha256"])) for line in files}
        except (ValueError, KeyError, TypeError, RecursionError):
            raise damaged from None
        if len(entries) != len(files):
            raise damaged
        for path in entries:
            if (
                not path.isprintable()
                or "\\" in path
                or any(part in ("", ".", "..") for part in path.split("/"))
            ):
                raise RefusalError(
                    "{!r} in the manifest leads out of the kit; do not trust it".format(path), 2
                )
        return entries

    def named(self, pattern: str) -> "List[re.Match[str]]":
        """The paths that a pattern is the whole of, sorted."""
        matches = (re.match("(?:{})$".format(pattern), path) for path in sorted(self.entries))
        return [match for match in matches if match]

    def copy(self, path: str, target: str) -> None:
        """Copy a file and compare what was copied with the manifest."""
        with self._opened(path) as source, open(target, "wb") as copied:
            self._pass(path, source, copied)

    def read(self, path: str) -> bytes:
        """The content of a small file."""
        with io.BytesIO() as copied, self._opened(path) as source:
            self._pass(path, source, copied)
            return copied.getvalue()

    def check(self, path: str) -> None:
        """Compare a file with the manifest."""
        with self._opened(path) as source:
            self._pass(path, source, None)

    def _opened(self, path: str) -> BinaryIO:
        """A plain file that no link leads to."""
        place = self.root
        for part in path.split("/"):
            place = os.path.join(place, part)
            if os.path.islink(place):
                raise RefusalError("{} is a symbolic link, and a kit has none; do not trust it".format(place))
        if path not in self.entries:
            raise RefusalError("{} is not in the manifest; make the kit again".format(place))
        try:
            stream = os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
        except FileNotFoundError:
            raise RefusalError("{} is missing; copy the kit again".format(place)) from None
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise RefusalError("{} is no plain file; copy the kit again".format(place))
        return stream

    def _pass(self, path: str, source: BinaryIO, copied: Optional[BinaryIO]) -> None:
        wanted, digest, size = self.entries[path], hashlib.sha256(), 0
        for chunk in iter(lambda: source.read(_CHUNK), b""):
            size += len(chunk)
            if size > wanted.size:
                break
            digest.update(chunk)
            if copied:
                copied.write(chunk)
        if size != wanted.size or digest.hexdigest() != wanted.sha256:
            raise RefusalError(
                "{}/{} is not as the manifest says; copy the kit again".format(self.root, path)
            )


class Tools(NamedTuple):
    """stackgen and what it imports for one Python: the paths of the locks in the kit."""

    architecture: str
    glibc: Tuple[int, ...]
    python: str
    path: str


class Package(NamedTuple):
    """A package and its one file."""

    name: str
    version: str
    file: str
    sha256: str


class Python(NamedTuple):
    """An interpreter: the program, and its version as in 3.11."""

    program: str
    version: str


# What the kit has, and what the machine has.


def tools_for_here(kit: Kit) -> List[Tools]:
    """Those for this processor and C library, the newest first."""
    pattern = r"tools/([a-z0-9_]+)-(\d+\.\d+)-(3\.\d+)\.toml"
    found = [Tools(m.group(1), _numbers(m.group(2)), m.group(3), m.group(0)) for m in kit.named(pattern)]
    if not found:
        raise RefusalError(
            "{} holds no stackgen; make it again with `stackgen mirror create`".format(kit.root), 2
        )
    machine, library = os.uname().machine, os.confstr("CS_GNU_LIBC_VERSION") or "no glibc"
    fitting = [tools for tools in found if tools.architecture == machine]
    if not fitting:
        kinds = ", ".join(sorted({tools.architecture for tools in found}))
        raise RefusalError("{} is for {}, and this machine is {}".format(kit.root, kinds, machine), 2)
    here = _numbers(library.split(" ")[1]) if library.startswith("glibc ") else ()
    oldest = ".".join(map(str, min(tools.glibc for tools in fitting)))
    fitting = [tools for tools in fitting if tools.glibc <= here]
    if not fitting:
        raise RefusalError(
            "{} is for glibc {} and newer, and this machine has {}".format(kit.root, oldest, library), 2
        )
    return sorted(fitting, key=lambda tools: tools.glibc, reverse=True)


def _numbers(version: str) -> Tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def packages_of(kit: Kit, path: str) -> List[Package]:
    """What a lock in the kit names; its form is always the same."""
    text = kit.read(path).decode("utf-8")
    pattern = (
        r'^\[\[packages\]\]\nname = "([^"\n]+)"\nversion = "([^"\n]+)"\n'
        r'(?:(?!\[\[packages\]\]).*\n)*?path = "wheels/([^"/\n]+)"\n'
        r'(?:(?!\[\[packages\]\]).*\n)*?sha256 = "([0-9a-f]{64})"'
    )
    found = [Package(*groups) for groups in re.findall(pattern, text, re.MULTILINE)]
    if not found or len(found) != text.count("[[packages]]"):
        raise RefusalError("{}/{} is no lock of stackgen's".format(kit.root, path), 2)
    return found


def find_python(kit: Kit, tools: List[Tools], asked: Optional[str]) -> Tuple[Python, Tools]:
    """The first Python of this machine for which the kit has stackgen."""
    versions = {one.python: one for one in reversed(tools)}
    seen: Set[str] = set()
    refused: List[str] = []
    for program in [asked] if asked else _programs(kit, sorted(versions, key=_numbers, reverse=True)):
        path = shutil.which(program) or program
        if os.path.realpath(path) in seen:
            continue
        seen.add(os.path.realpath(path))
        python, reason = _examined(path)
        if python and python.version in versions:
            return python, versions[python.version]
        if python or asked:
            refused.append("{} is {}".format(path, "Python {}".format(python.version) if python else reason))
    wanted = ", ".join(sorted(versions, key=_numbers))
    found = "; ".join(refused) if refused else "none was found"
    raise RefusalError(
        "stackgen needs Python {} here ({}); install one, or name it by --python".format(wanted, found), 2
    )


def _programs(kit: Kit, versions: List[str]) -> Iterator[str]:
    """Where Pythons may be: as the kit's systems say, on the PATH, in the usual places."""
    for match in kit.named(r"environments/systems/[^/]+\.yaml"):
        text = kit.read(match.group(0)).decode("utf-8", "replace")
        for prefix in re.findall(r"""prefix: *['"]?(/[^\s'",}]+)""", text):
            for version in versions:
                yield from _existing("{}/bin/python{}".format(prefix, version))
    usual = ("/usr/bin", "/usr/local/bin", "/opt/python/*/bin", "/opt/cray/pe/python/*/bin", "/opt/*/bin")
    mine = "{}/.pyenv/versions/*/bin".format(os.path.expanduser("~"))
    for directory in [*os.environ.get("PATH", "").split(os.pathsep), *usual, mine]:
        if directory.startswith("/"):
            for name in ["python{}".format(version) for version in versions] + ["python3"]:
                yield from _existing("{}/{}".format(directory, name))


def _existing(pattern: str) -> List[str]:
    return [path for path in sorted(glob.glob(pattern), reverse=True) if os.access(path, os.X_OK)]


def _examined(program: str) -> Tuple[Optional[Python], str]:
    """A Python that works, or why it does not."""
    words = [program, "-I", "-S", "-c", _QUESTION.format(modules=_NEEDED)]
    try:
        answer = subprocess.run(
            words,
            check=False,
            env={"PATH": _PATH},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )
        facts = json.loads(answer.stdout.decode("utf-8", "replace"))
        python = Python(str(facts["program"]), str(facts["version"]))
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError):
        return None, "no Python that works"
    if facts["kind"] != "CPython":
        return None, str(facts["kind"])
    if _numbers(python.version) >= (3, 11) and facts["missing"]:
        return Python(program, "{} without {}".format(python.version, ", ".join(facts["missing"]))), ""
    return python, ""


# Signatures.


def require_signature(kit: Kit, keys: Optional[str]) -> str:
    """Who signed the kit, if that is somebody whose key is known here."""
    signature = os.path.join(kit.root, "manifest.json.asc")
    if not os.path.isfile(signature):
        raise RefusalError("{} is not signed, and --require-signature asks for it".format(kit.root))
    if not shutil.which("gpg"):
        raise RefusalError("there is no gpg to check the signature with; install GnuPG")
    with tempfile.TemporaryDirectory() as home:
        environment = dict(os.environ, LC_ALL="C", **({"GNUPGHOME": home} if keys else {}))
        if keys:
            words = ["gpg", "--batch", "--no-tty", "--quiet", "--import", "--", os.path.abspath(keys)]
            if _started(words, environment).returncode:
                raise RefusalError("{} holds no public key that gpg can read".format(keys), 2)
        outcome = _started(gpg_words(signature), environment, kit.manifest)
    found = verdict(outcome.stdout.decode("utf-8", "replace"), kit.root)
    if found.refusal:
        raise RefusalError("{}; do not use it, or give the right key by --keys".format(found.refusal))
    return found.signer


def _started(
    words: Sequence[str], environment: Dict[str, str], given: bytes = b""
) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            list(words),
            check=False,
            env=environment,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise RefusalError("{} cannot be started: {}".format(words[0], error.strerror)) from None


# The place.


def prepare(directory: str, kit: Kit) -> None:
    """Make the directory, unless it is there and ours; what is anybody else's is refused."""
    if not re.match(_PLAIN + "$", directory):
        raise RefusalError(
            "{!r} has characters that scripts cannot hold; use letters, digits and ._+@=-".format(directory),
            2,
        )
    if (os.path.realpath(directory) + "/").startswith(os.path.realpath(kit.root) + "/"):
        raise RefusalError(
            "{} is in the kit, which stays as it is; name another directory".format(directory), 2
        )
    if os.path.exists(directory) and not os.path.isdir(directory):
        raise RefusalError("{} is no directory; name another".format(directory), 2)
    if os.path.isdir(directory) and not set(os.listdir(directory)) <= {"bin", "share", "versions"}:
        raise RefusalError("{} holds something else already; name a new directory".format(directory), 2)
    launchers = os.path.join(directory, "bin")
    if os.path.isdir(launchers) and not os.path.isdir(os.path.join(directory, "versions")):
        raise RefusalError("{} holds something else already; name a new directory".format(directory), 2)
    os.makedirs(os.path.join(directory, "versions"), exist_ok=True)


@contextlib.contextmanager
def held(directory: str) -> Iterator[None]:
    """Hold the place for this process alone; file systems without locks do without."""
    with open(os.path.join(directory, "versions", ".lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                say("another install.py is working in {}; waiting for it".format(directory))
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def put_stackgen(kit: Kit, tools: Tools, python: Python, directory: str) -> None:
    """Have stackgen in the place, whole: beside first, then by one rename, and then the command."""
    packages = packages_of(kit, tools.path)
    aside = tools.path[: -len(".toml")] + "-build.toml"
    build = packages_of(kit, aside) if aside in kit.entries else []
    version = {package.name: package.version for package in packages}["stackgen"]
    content = json.dumps([packages, build, python])
    name = "{}-{}-{}".format(version, python.version, hashlib.sha256(content.encode()).hexdigest()[:12])
    place = os.path.join(directory, "versions", name)
    with _workshop(directory) as work:
        if not _is_whole(place, version, work):
            say("putting stackgen {} there, for {}".format(version, python.program))
            _make(kit, packages, build, python, work)
            _refuse_broken(os.path.join(work, "new"), version, work)
            _settle(work, place)
    launcher = _LAUNCHER.format(name=name)
    _write(os.path.join(directory, "bin", "stackgen"), launcher)


@contextlib.contextmanager
def _workshop(directory: str) -> Iterator[str]:
    versions = os.path.join(directory, "versions")
    for left_over in glob.glob(os.path.join(glob.escape(versions), ".making-*")):
        shutil.rmtree(left_over)
    work = os.path.join(versions, ".making-{}".format(os.getpid()))
    for name in ("wheels", "home", "tmp"):
        os.makedirs(os.path.join(work, name))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _make(kit: Kit, packages: List[Package], build: List[Package], python: Python, work: str) -> None:
    """A virtual environment with all wheels, by the uv that is one of them: no pip and no venv is needed."""
    wheels = os.path.join(work, "wheels")
    for package in packages + build:
        path = "wheels/{}/{}/{}".format(package.sha256[:2], package.sha256, package.file)
        kit.copy(path, os.path.join(wheels, package.file))
    uv = _unpacked_uv(wheels, packages, work)
    new = os.path.join(work, "new")
    quietly = ["--quiet", "--no-config", "--offline", "--no-python-downloads", "--color", "never"]
    environment = _environment(work)
    _succeed([uv, "venv", *quietly, "--relocatable", "--python", python.program, new], environment)
    requirements, constraints = os.path.join(work, "requirements.txt"), os.path.join(work, "build.txt")
    _write(requirements, _requirement_lines(packages))
    _write(constraints, _requirement_lines(build))
    all_wheels = all(package.file.endswith(".whl") for package in packages)
    words = [uv, "pip", "install", *quietly, "--no-index", "--find-links", wheels, "--no-deps"]
    words += ["--require-hashes", "--requirements", requirements, "--compile-bytecode"]
    words += ["--no-build"] if all_wheels else ["--build-constraints", constraints]
    words += ["--cache-dir", os.path.join(work, "cache"), "--link-mode", "hardlink"]
    _succeed([*words, "--python", os.path.join(new, "bin", "python")], environment)
    os.makedirs(os.path.join(new, "share"), exist_ok=True)
    os.symlink("../../../share/stackgen", os.path.join(new, "share", "stackgen"))
    _write(os.path.join(new, "installed.json"), json.dumps({"files": _count(new) + 1}))


def _requirement_lines(packages: List[Package]) -> str:
    form = "{0.name}=={0.version} --hash=sha256:{0.sha256}\n"
    return "".join(form.format(package) for package in packages)


def _unpacked_uv(wheels: str, packages: List[Package], work: str) -> str:
    file = {package.name: package.file for package in packages}["uv"]
    program = os.path.join(work, "uv")
    with zipfile.ZipFile(os.path.join(wheels, file)) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".data/scripts/uv")]
        with archive.open(name) as source, open(program, "wb") as target:
            shutil.copyfileobj(source, target, _CHUNK)
    os.chmod(program, 0o755)
    return program


def _environment(work: str) -> Dict[str, str]:
    """Nothing of the caller's; what is written outside of what is asked for goes with the workshop."""
    return {
        "PATH": _PATH,
        "HOME": os.path.join(work, "home"),
        "TMPDIR": os.path.join(work, "tmp"),
        "LC_ALL": "C.UTF-8",
    }


def _succeed(words: Sequence[str], environment: Dict[str, str]) -> None:
    outcome = _started(words, environment)
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
    """How many files there are; bytecode comes and goes."""
    found = (names for directory, _, names in os.walk(place) if not directory.endswith("__pycache__"))
    return sum(map(len, found))


def _refuse_broken(place: str, version: str, work: str) -> None:
    defect = _defect(place, version, work)
    if defect:
        raise RefusalError("stackgen does not run on this machine: {}".format(defect))


def _defect(place: str, version: str, work: str) -> str:
    """What is wrong with an installed stackgen; empty where nothing is."""
    words = [os.path.join(place, "bin", "python"), "-I", os.path.join(place, "bin", "stackgen"), "--version"]
    try:
        outcome = _started(words, _environment(work))
    except RefusalError as refusal:
        return str(refusal)
    said = (outcome.stderr + outcome.stdout).decode("utf-8", "replace").split()
    return "" if outcome.returncode == 0 and version in said else " ".join(said)[-400:]


def _settle(work: str, place: str) -> None:
    subprocess.run(["sync", "-f", work], check=False, stderr=subprocess.DEVNULL)  # noqa: S607 - any that is there
    if os.path.lexists(place):
        os.rename(place, os.path.join(work, "damaged"))
    os.rename(os.path.join(work, "new"), place)


def _write(path: str, text: str) -> None:
    """Put a text in place in one step, unless it is there."""
    with contextlib.suppress(OSError), open(path) as present:
        if present.read() == text and os.access(path, os.X_OK):
            return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    part = "{}.{}".format(path, os.getpid())
    with open(part, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.chmod(part, 0o755)
    os.rename(part, path)


def put_spack(kit: Kit, directory: str) -> None:
    """Have Spack beside stackgen, where the kit holds it: stackgen itself knows what it has to be."""
    archives = kit.named("spack/[0-9a-f]{64}/[^/]+")
    if not archives:
        return
    for match in archives:
        kit.check(match.group(0))
    command = os.path.join(directory, "bin", "stackgen")
    with _workshop(directory) as work:
        words = [command, "bootstrap", "--from", kit.root, "--offline", "--beside"]
        outcome = subprocess.run(
            words,
            check=False,
            env=_environment(work),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    if outcome.returncode:
        raise RefusalError(
            "Spack could not be put beside stackgen; the line above says why", outcome.returncode
        )


# The command.


def say(text: str) -> None:
    """Tell the user."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def install(words: Sequence[str]) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description="Put stackgen, out of this kit, into a directory.")
    parser.add_argument(
        "--prefix", metavar="DIR", required=True, help="the directory; nothing is written elsewhere"
    )
    parser.add_argument(
        "--python", metavar="PROGRAM", help="the Python that stackgen is to have, 3.11 or newer"
    )
    parser.add_argument(
        "--require-signature", action="store_true", help="refuse a kit that nobody signed whom gpg knows"
    )
    parser.add_argument(
        "--keys", metavar="FILE", help="the public keys that count, instead of those in your keyring"
    )
    options = parser.parse_args(words)
    kit = Kit(os.path.dirname(os.path.realpath(__file__)))
    if options.require_signature or options.keys:
        say("signed by {}".format(require_signature(kit, options.keys)))
    tools = tools_for_here(kit)
    python, chosen = find_python(kit, tools, options.python)
    directory = os.path.abspath(os.path.expanduser(options.prefix))
    prepare(directory, kit)
    with held(directory):
        put_stackgen(kit, chosen, python, directory)
        put_spack(kit, directory)
    _tell_how_to_go_on(kit, directory)


def _tell_how_to_go_on(kit: Kit, directory: str) -> None:
    say("stackgen is in {}; next:\n".format(directory))
    for match in kit.named(r"environments/([^/]+)\.lock/lock\.json"):
        form = "{0}/bin/stackgen build {1}/environments/{2}.yaml --mirror {1} --offline\n"
        sys.stdout.write(form.format(directory, kit.root, match.group(1)))
    sys.stdout.flush()


def main(words: Sequence[str]) -> int:
    """Run; the exit status: 0 done, 1 it failed, 2 the kit, the machine or the words are wrong."""
    os.umask(0o022)
    signal.signal(signal.SIGTERM, _interrupted)
    signal.signal(signal.SIGHUP, _interrupted)
    try:
        install(words)
    except RefusalError as refusal:
        say(" ".join(str(refusal).split()))
        return refusal.status
    except OSError as error:
        where = " ({})".format(error.filename) if error.filename else ""
        more = "; free some space and run it again" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        say("cannot go on: {}{}{}".format(error.strerror or error, where, more))
        return 1
    except KeyboardInterrupt:
        say("interrupted; the same command goes on")
        return 130
    return 0


def _interrupted(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
