"""apt in a tree of its own: nothing of this machine's packages or lists, and nothing written outside."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

from stackgen import files
from stackgen.distribution.sources import Archive
from stackgen.errors import WorkError
from stackgen.run import Command, Outcome, Runner
from stackgen.site import without_credentials
from stackgen.tree import File, Tree

_FETCHING = ("http", "https", "Check-", "Retries", "ForceIPv", "Max-FutureTime")
"""What of this machine's `Acquire::` options says how the network is reached."""
_LOGINS = "/etc/apt/auth.conf.d"
"""Where this machine keeps credentials for apt."""
_PASSED = ("http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY")

_REMEDIES = (
    (
        ("signature", "not signed"),
        "name the keyring that they are signed with by `keyring:` below `distributions:` in site.yaml",
    ),
    (
        ("unexpected size", "Hash Sum mismatch"),
        "it is being changed or is not whole: try later, or name another by `distributions:` in site.yaml",
    ),
    (("",), "see whether this machine reaches them; `distributions:` in site.yaml names others"),
)
"""What to do, by what apt complains of; the first that fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What apt is to work with."""

    archives: tuple[Archive, ...]
    component: str
    architecture: str
    """As the distribution calls it."""
    keyring: Path
    stand_ins: tuple[str, ...]
    """Packages that it takes for installed."""


class Apt:
    """apt's commands in a prepared tree."""

    def __init__(self, root: Path, run: Runner) -> None:
        self._root, self._run = root, run

    def __call__(self, *words: str) -> Outcome:
        """How `apt-get` ends, and what it says."""
        kept = {name: os.environ[name] for name in _PASSED if name in os.environ}
        environment = {**kept, "PATH": os.defpath, "LC_ALL": "C", "APT_CONFIG": str(self._root / "apt.conf")}
        return self._run(Command(argv=(_program(), *words), environment=environment, directory=self._root))


def _program() -> str:
    program = shutil.which("apt-get")
    if not program:
        raise WorkError(
            "only apt can lock packages of a distribution, and there is none on this machine",
            "lock on Debian or Ubuntu (`distributions:` in site.yaml says where from), or write"
            " `containers: {base: IMAGE@sha256:...}`",
        )
    return program


@contextmanager
def private_apt(question: Question, run: Runner) -> Iterator[Apt]:
    """apt with the lists of these archives, their signatures checked; WorkError where one cannot be had."""
    _program()
    if not question.keyring.is_file():
        raise WorkError(
            f"there is no keyring {question.keyring}, so that no archive can be checked",
            "install the package of the distribution's keys, or name its file by `keyring:` below"
            " `distributions:` in site.yaml",
        )
    with TemporaryDirectory(prefix="stackgen-apt-") as directory:
        root = Path(directory)
        with files.reported(f"cannot work in {root}"):
            for place in ("lists/partial", "cache/archives/partial", "parts", "preferences.d", "auth.d"):
                (root / place).mkdir(parents=True)
            files.write_tree(_tree(question, root, _fetching(run)), root)
        apt = Apt(root, run)
        _update(apt)
        yield apt


def _fetching(run: Runner) -> str:
    """How this machine's apt reaches the network: proxies, certificates, what it thinks of old lists."""
    program = shutil.which("apt-config")
    if not program:
        return ""
    words = (program, "dump", "--no-empty", "--format", '%F "%v";%n', "Acquire")
    command = Command(argv=words, environment={"PATH": os.defpath, "LC_ALL": "C"}, directory=Path("/"))
    wanted = tuple(f"Acquire::{name}" for name in _FETCHING)
    lines = run(command).stdout.splitlines()
    return "".join(f"{line}\n" for line in lines if line.startswith(wanted) and line.count('"') == 2)


def _tree(question: Question, root: Path, fetching: str) -> Tree:
    return Tree(
        {
            "apt.conf": File(_configuration(question.architecture, root) + fetching),
            "sources.sources": File("\n".join(_source(one, question) for one in question.archives)),
            "auth.conf": File(_credentials(question.archives), mode=0o600),
            "status": File("\n".join(map(_installed, question.stand_ins))),
        }
    )


def _configuration(architecture: str, root: Path) -> str:
    options: Mapping[str, object] = {
        "Dir::State": root,
        "Dir::State::lists": "lists/",
        "Dir::State::status": root / "status",
        "Dir::Cache": root / "cache",
        "Dir::Etc": root,
        "Dir::Etc::main": "none",
        "Dir::Etc::parts": "parts",
        "Dir::Etc::sourcelist": "sources.sources",
        "Dir::Etc::sourceparts": "parts",
        "Dir::Etc::trusted": "none",
        "Dir::Etc::trustedparts": "parts",
        "Dir::Etc::netrc": "auth.conf",
        "Dir::Etc::netrcparts": _LOGINS if os.access(_LOGINS, os.R_OK) else "auth.d",
        "APT::Architecture": architecture,
        "APT::Architectures::": architecture,
        "APT::Sandbox::User": "root",
        "APT::Install-Recommends": "false",
        "APT::Install-Suggests": "false",
        "APT::Update::Error-Mode": "any",
        "Acquire::Languages": "none",
        "Acquire::ForceHash": "SHA256",
        "Acquire::Retries": "3",
        "Acquire::https::CAInfo": os.environ.get("SSL_CERT_FILE", ""),
    }
    return "".join(f'{name} "{value}";\n' for name, value in options.items() if value != "")


def _source(archive: Archive, question: Question) -> str:
    lines = {
        "Types": "deb",
        "URIs": without_credentials(archive.address),
        "Suites": archive.suite,
        "Components": question.component,
        "Architectures": question.architecture,
        "Signed-By": str(question.keyring),
    }
    return "".join(f"{name}: {value}\n" for name, value in lines.items())


def _credentials(archives: tuple[Archive, ...]) -> str:
    """As apt's `auth.conf` has them, so that no address that it prints holds any."""
    lines = []
    for archive in archives:
        parts = urlsplit(archive.address)
        if parts.username is not None:
            place = without_credentials(archive.address)
            user, password = unquote(parts.username), unquote(parts.password or "")
            lines.append(f"machine {place} login {user} password {password}\n")
    return "".join(dict.fromkeys(lines))


def _installed(name: str) -> str:
    lines = {
        "Package": name,
        "Status": "install ok installed",
        "Architecture": "all",
        "Multi-Arch": "foreign",
        "Version": "9999",
        "Maintainer": "none <none@localhost>",
        "Description": "stands in",
        **({"Provides": "debconf-2.0"} if name == "debconf" else {}),
    }
    return "".join(f"{key}: {value}\n" for key, value in lines.items())


def _update(apt: Apt) -> None:
    """Bring the lists; an archive that does not come or is not signed as it should be is a fault."""
    outcome = apt("update")
    complaints = [line for line in outcome.stderr.splitlines() if line.startswith(("E: ", "W: "))]
    if not outcome.status and not any("ailed to fetch" in line for line in complaints):
        return
    first = next(iter(complaints), f"E: exit status {outcome.status}")
    raise WorkError(
        f"apt cannot read the archives of the distribution: {first[3:]}",
        next(remedy for words, remedy in _REMEDIES if any(word in outcome.stderr for word in words)),
        details=f"{outcome.stdout}{outcome.stderr}",
    )
