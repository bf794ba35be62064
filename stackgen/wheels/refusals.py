"""What uv's resolver says when it fails, in our words, as far as its phrases are stable."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from stackgen.errors import Fault, InputError, StackgenError, WorkError
from stackgen.wheels.question import Question

_NAME = r"(?P<package>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"

_RELEASE = r"`(?P<package>\S+)` \(v(?P<version>\S+)\)"
_TAGS = r"(?:`\w+`(?:, )?)+"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """A failed resolution: what was asked, and what uv said."""

    question: Question
    stderr: str

    @property
    def words(self) -> str:
        """All of it on one line."""
        return " ".join(self.stderr.split())

    def input_error(self, what: str, remedy: str) -> InputError:
        fault = Fault(what=what, remedy=remedy, where=self.question.where)
        return InputError(fault, details=self.stderr)

    @property
    def required(self) -> tuple[str, ...]:
        """The lines asked for that uv's reasoning comes back to."""
        names = {
            canonicalize_name(name) for name in re.findall(rf"you require (?:one of: )?{_NAME}", self.words)
        }
        lines = {line for name in names for line in self.question.lines(name)}
        return tuple(line for line in self.question.requirements if line in lines)


def refusal(question: Question, stderr: str) -> StackgenError:
    """The error of a resolution that failed with these words."""
    failure = _Failure(question=question, stderr=stderr)
    for explained in _EXPLANATIONS:
        if error := explained(failure):
            return error
    reason = re.sub(r"^.*?cause: ", "", failure.words)[:300].rstrip(".")
    if "No solution found" in failure.words:
        return failure.input_error(f"the requirements cannot be met: {reason}", "see the log for the rest")
    return WorkError(f"{question.where}: uv failed: {reason}", "see the log", details=stderr)


def _access(failure: _Failure) -> StackgenError | None:
    found = re.search(r"An index(?: URL)? \((?P<index>\S+)\) .*?(?P<status>40[13] \w+)", failure.words)
    return found and WorkError(
        f"the index {found['index']} refuses access ({found['status']})",
        "put user and password into ~/.netrc or into the index's address in site.yaml",
        details=failure.stderr,
    )


def _network(failure: _Failure) -> StackgenError | None:
    found = re.search(r"Failed to fetch: (?P<address>\S+)", failure.words)
    if not found:
        return None
    causes = re.findall(r"^\s*cause: (.+?)(?: for url .*)?$", failure.stderr, flags=re.MULTILINE)
    reason = causes[-1] if causes else "no answer"
    remedy = (
        "name the certificates of your index by SSL_CERT_FILE"
        if "certificate" in reason
        else "check the network and HTTPS_PROXY, or name an index that is reachable in site.yaml"
    )
    return WorkError(f"{found['address']} cannot be fetched: {reason}", remedy, details=failure.stderr)


def _directory(failure: _Failure) -> StackgenError | None:
    found = re.search(r"Failed to read `--find-links` \w+: (?P<place>\S+)", failure.words)
    return found and WorkError(
        f"{found['place']} cannot be read",
        "correct it in site.yaml or pip's configuration",
        details=failure.stderr,
    )


def _build(failure: _Failure) -> StackgenError | None:
    found = re.search(r"Failed to (?:build|download and build) `(?P<package>[^`]+)`", failure.words)
    what = "does not say what it requires without a build, and that fails"
    return found and WorkError(
        f"{failure.question.where}: {found['package']} {what}",
        "see the log for what the build lacks",
        details=failure.stderr,
    )


def _unknown(failure: _Failure) -> StackgenError | None:
    found = re.search(
        rf"[Bb]ecause {_NAME} was not found in the (?:package registry|provided|cache)", failure.words
    )
    return found and failure.input_error(
        f"there is no package {found['package']} on the index",
        "check the name, or name another index in site.yaml",
    )


def _conflict(failure: _Failure) -> StackgenError | None:
    lines = failure.required
    if len(lines) < 2:
        return None
    return failure.input_error(
        f"{', '.join(lines[:-1])} and {lines[-1]} cannot be had together for {failure.question.target}",
        "loosen one of them; the log has uv's reasoning",
    )


def _version(failure: _Failure) -> StackgenError | None:
    found = re.search(r"there is no version of (?P<wanted>\S+)", failure.words)
    if not found:
        return None
    early = re.search(
        r"Pre-releases are available for \S+ in the requested range \(e.g., (\S+)\)", failure.words
    )
    hint = f", or for a pre-release, such as {early[1]}, by its name" if early else ""
    what = f"there is no version of {found['wanted'].rstrip(',')} on the index"
    return failure.input_error(what, f"ask for another version{hint}")


def _prerelease(failure: _Failure) -> StackgenError | None:
    found = re.search(r"was requested with a pre-release marker \(e.g., (?P<wanted>\S+)\)", failure.words)
    return found and failure.input_error(
        f"a pre-release is needed, {found['wanted']}, and none is taken unasked",
        f"add {found['wanted']} to `requires:`, or ask for a finished version",
    )


def _python(failure: _Failure) -> StackgenError | None:
    found = re.search(
        r"does not satisfy Python(?P<needed>\S+) and (?P<package>\S+) depends on Python", failure.words
    ) or re.search(r"Because (?P<package>\S+) requires Python (?P<needed>\S+) ", failure.words)
    return found and failure.input_error(
        f"{found['package']} needs Python {found['needed']}, not Python {failure.question.target.python}",
        "name another `python:` or another version",
    )


def _source(failure: _Failure) -> StackgenError | None:
    found = re.search(rf"{_NAME}\S* ha(?:s|ve) no source distribution", failure.words)
    return found and failure.input_error(
        f"{found['package']} is under `sdists:` and has no source distribution", "take it out there"
    )


def _wheel(failure: _Failure) -> StackgenError | None:
    for kind, available in (
        ("wheels with a matching platform tag", _platforms),
        ("wheels with a matching Python", _pythons),
        ("usable wheels", _platforms),
    ):
        if found := re.search(rf"{_NAME}(?:[<>=!~]\S*)? ha(?:s|ve) no {kind}", failure.words):
            return no_wheel(found["package"], failure.question, available(failure.words))
    return None


def no_wheel(package: str, question: Question, note: str = "") -> InputError:
    """The refusal of a package that comes as no wheel for the target; `note` says what there is instead."""
    asked = next(iter(question.lines(package)), package)
    return InputError.of(
        f"{asked} has no wheel for {question.target}{note}",
        "use `from: spack` or `from: container`, another Python or version, "
        f"or name {package} under `sdists:`",
        where=question.where,
    )


def _pythons(words: str) -> str:
    found = re.search(rf"for {_RELEASE} with the following Python \w+ tags?: (?P<tags>{_TAGS})", words)
    minors = re.findall(r"`cp3(\d+)`", found["tags"]) if found else []
    return _instead(found, f"Python {', '.join(f'3.{minor}' for minor in minors)}") if minors else ""


def _platforms(words: str) -> str:
    found = re.search(rf"for {_RELEASE} on the following platforms?: (?P<tags>{_TAGS})", words)
    linux = [tag for tag in re.findall(r"`(\w+)`", found["tags"]) if "linux" in tag] if found else []
    return _instead(found, ", ".join(linux)) if linux else ""


def _instead(found: re.Match[str] | None, there: str) -> str:
    """What uv's hint says that there is."""
    return f" ({found['package']} {found['version']} has them for {there})" if found else ""


_EXPLANATIONS: tuple[Callable[[_Failure], StackgenError | None], ...] = (
    _access,
    _network,
    _directory,
    _build,
    _unknown,
    _prerelease,
    _conflict,
    _version,
    _python,
    _source,
    _wheel,
)
