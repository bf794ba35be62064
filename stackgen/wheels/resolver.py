"""Ask uv, and read what it answers."""

import os
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.pylock import PackageSdist, PackageWheel, Pylock, PylockValidationError

from stackgen.errors import WorkError
from stackgen.platforms import uv_platform
from stackgen.programs import uv_program
from stackgen.run import Command, Runner
from stackgen.site import Site, system_certificates
from stackgen.wheels.question import Question
from stackgen.wheels.refusals import refusal

_PASSED_ON = frozenset(
    (
        *("HOME", "NETRC", "XDG_CACHE_HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    )
)
"""What uv may know of the caller: where credentials, certificates, proxies and its cache are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedFile:
    """A file at an address, of which the resolver may not know the SHA-256 (then empty)."""

    name: str
    address: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A version of a package, and the files of it that uv would install on the target."""

    package: str
    version: str
    files: tuple[OfferedFile, ...]


def offers(question: Question, site: Site, run: Runner) -> tuple[Offer, ...]:
    """What a site's indexes offer to meet the requirements, sorted by package.

    InputError where they cannot be met, WorkError where the indexes cannot be asked.
    """
    with tempfile.TemporaryDirectory(prefix="stackgen-") as name:
        output = Path(name) / "pylock.toml"  # a fresh one: what uv finds there would be preferred
        command = _command(question, site, output)
        outcome = run(command)
        if outcome.status != 0:
            raise refusal(question, outcome.stderr)
        return _offers(output.read_text(encoding="utf-8"))


def _command(question: Question, site: Site, output: Path) -> Command:
    options = {
        "--python-version": question.target.python,
        "--python-platform": uv_platform(question.target.platform),
        "--python": sys.executable,
        "--format": "pylock.toml",
        "--output-file": str(output),
        "--only-binary": ":all:",
        "--prerelease": "explicit",
        "--index-strategy": "unsafe-best-match" if site.best_match else "first-index",
    }
    flags = ("--quiet", "--no-config", "--no-python-downloads", "--generate-hashes")
    return Command(
        argv=(
            *(str(uv_program()), "pip", "compile", *flags),
            *(word for option in options.items() for word in option),
            *(() if question.dependencies else ("--no-deps",)),
            *(("--no-index",) if site.no_index else ()),
            "-",
        ),
        environment=_environment(site, os.environ),
        directory=output.parent,
        stdin=_requirements_text(question),
    )


def _requirements_text(question: Question) -> str:
    """uv takes exceptions from `--only-binary :all:` in a requirements file alone."""
    exceptions = (f"--no-binary {package}" for package in sorted(question.sdists))
    return "".join(f"{line}\n" for line in (*exceptions, *question.requirements))


def _environment(site: Site, caller: Mapping[str, str]) -> dict[str, str]:
    """Addresses go this way, not as arguments, for any user of a machine can read those."""
    sources = {
        "UV_DEFAULT_INDEX": site.index or "",
        "UV_INDEX": " ".join(site.extra_indexes),
        "UV_FIND_LINKS": ",".join(link.replace(",", "%2C") for link in site.links),
    }
    certificates = {
        "SSL_CERT_FILE": caller.get("REQUESTS_CA_BUNDLE") or caller.get("CURL_CA_BUNDLE") or "",
        "UV_SYSTEM_CERTS": "true" if system_certificates() else "",  # uv refuses to start without any
    }
    known = {name: value for name, value in caller.items() if name in _PASSED_ON and value}
    given = {name: value for name, value in {**certificates, **known, **sources}.items() if value}
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", **given}


def _offers(text: str) -> tuple[Offer, ...]:
    try:
        packages = Pylock.from_dict(tomllib.loads(text)).packages
    except (tomllib.TOMLDecodeError, PylockValidationError) as error:
        raise WorkError(f"uv wrote a pylock.toml that cannot be read: {error}", details=text) from None
    return tuple(
        Offer(
            package=package.name,
            version=str(package.version),
            files=tuple(
                _offered(file)
                for file in (*(package.wheels or ()), *((package.sdist,) if package.sdist else ()))
            ),
        )
        for package in packages
    )


def _offered(file: PackageWheel | PackageSdist) -> OfferedFile:
    address = file.url or Path(file.path or "").absolute().as_uri()
    return OfferedFile(name=file.filename, address=address, sha256=file.hashes.get("sha256", ""))
