"""What is right and what is wrong about the evidence: facts in, checks out, nothing done."""

import re
import signal
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from stackgen.closure import distribution, is_python_name
from stackgen.model import Feature
from stackgen.model.specs import package_name
from stackgen.plan import ContainerPlan, FrameworkPlan, WheelsPlan
from stackgen.release import Check, InstalledFramework
from stackgen.run import Outcome
from stackgen.smoke.evidence import Evidence
from stackgen.smoke.products import product_fault

SHOWN = 5
"""How many of one kind a message names."""

TIMED_OUT = 124
"""The exit status that stands for a program that was stopped since it took too long, as in timeout(1)."""

VERBOSE: Mapping[Feature, str] = {Feature.ONEDNN: "ONEDNN_VERBOSE", Feature.MKL: "MKL_VERBOSE"}
"""By promise, the variable that makes the library tell each call."""

_NO_MODULE = re.compile(r"^ModuleNotFoundError: No module named '(\w+)'$", re.MULTILINE)

# `gemm_api` is not among them: TensorFlow calls that part of oneDNN even when oneDNN is turned off.
_ONEDNN = re.compile(
    r"^(?:one)?dnnl?_verbose,(?:[^,\n]*,)*?exec,[^,\n]*,(convolution|matmul|inner_product),([^,\n]*)", re.M
)
ERROR = re.compile(r"[\w.]*(Error|Exception): ")
"""Begins the line by which Python tells why a program has ended."""
_MKL = re.compile(r"^MKL_VERBOSE ([SD]GEMM)\b", re.M)


def ending(outcome: Outcome) -> str:
    """How a program ended that should have ended well; empty where it did."""
    if outcome.status == 0:
        return ""
    if outcome.status < 0:
        name = signal.Signals(-outcome.status).name
        reason = ", its binaries need instructions that this processor lacks" if name == "SIGILL" else ""
        return f"killed by {name}{reason}"
    return last_line(outcome) or f"exit status {outcome.status}"


def last_line(outcome: Outcome) -> str:
    """The last error that a program told, or else the last line that it said."""
    lines = [*outcome.stdout.strip().splitlines(), *outcome.stderr.strip().splitlines()]
    errors = [line for line in lines if ERROR.match(line)]
    return (errors or lines or [""])[-1].strip()


def load_fault(outcome: Outcome) -> str:
    """Why a module did not load, in Lmod's words up to its list of what it was doing."""
    _, found, words = outcome.stderr.partition("Lmod has detected the following error:")
    return " ".join(words.partition("While processing")[0].split()) if found else last_line(outcome)


def distribution_of(planned: FrameworkPlan) -> str:
    """What pip calls the framework; empty where it is no Python package, or not known to be one."""
    if isinstance(planned, WheelsPlan):
        return planned.package
    if isinstance(planned, ContainerPlan):
        return str(canonicalize_name(planned.imports))
    package = package_name(planned.spec)
    return distribution(package) if is_python_name(package) else ""


def promises(planned: FrameworkPlan) -> tuple[Feature, ...]:
    """The features of a framework that are proved by what a math library tells."""
    return tuple(feature for feature in planned.about.features if feature in VERBOSE)


def framework_checks(
    framework: InstalledFramework, planned: FrameworkPlan, evidence: Evidence, outcome: Outcome
) -> Iterator[Check]:
    """What a framework's own Python showed; only that it does not import, where it does not."""

    def check(name: str, fault: str, detail: str = "") -> Check:
        return Check(framework=framework.name, name=name, passed=not fault, detail=fault or detail)

    broken = import_fault(evidence, outcome)
    if planned.imports or broken:
        yield check("import", broken)
    if broken:
        return
    yield check("version", version_fault(framework, distribution_of(planned), evidence))
    yield check("packages", packages_fault(framework, evidence))
    for precision, product in evidence.products.items():
        if product is not None:
            yield check(f"{precision} product", product_fault(precision, product))
    if "products" in evidence.faults:
        yield check("products", evidence.faults["products"])
    if "exercise" in evidence.faults:
        yield check("exercise", evidence.faults["exercise"])
    yield check("isolation", isolation_fault(framework, evidence))
    for promise in promises(planned):
        proof = proof_of(promise, outcome.stdout + outcome.stderr)
        yield check(promise.value, "" if proof else _UNPROVED[promise], proof)


def import_fault(evidence: Evidence, outcome: Outcome) -> str:
    """Why a framework cannot be used at all."""
    for step in ("imported", "script"):
        if step in evidence.faults:
            return evidence.faults[step]
    if evidence.step != "end":
        return f"{ending(outcome) or 'ended'}, at the step `{evidence.step}`"
    return ""


def version_fault(framework: InstalledFramework, package: str, evidence: Evidence) -> str:
    """Where the framework, or its distribution, is of another version than the lock."""
    if "version" in evidence.faults:
        return evidence.faults["version"]
    missing = "missing" if framework.source == "wheels" else None
    for version in (evidence.version, evidence.distributions.get(package, missing)):
        if version is not None and not _fits(framework, version, framework.version):
            how = "asked for" if framework.source == "container" else "locked"
            return f"it is {version}, and {framework.version} is {how}"
    return ""


def packages_fault(framework: InstalledFramework, evidence: Evidence) -> str:
    """Where the packages are not exactly the locked ones; of Spack's, where what can be compared differs.

    What others have put into their image is not in the lock.
    """
    locked, found = framework.packages, evidence.distributions
    faults = [
        f"{name} is {found[name]} instead of {locked[name]}"
        for name in sorted(locked.keys() & found.keys())
        if not _fits(framework, found[name], locked[name])
    ]
    if framework.source != "spack":
        missing = [f"{name} {locked[name]} is missing" for name in sorted(locked.keys() - found.keys())]
        faults = [*missing, *faults]
    if framework.source == "wheels":
        faults += [
            f"{name} {found[name]} is not in the lock" for name in sorted(found.keys() - locked.keys())
        ]
    return _some(faults)


def isolation_fault(framework: InstalledFramework, evidence: Evidence) -> str:
    """What comes from outside of the framework's prefix, or of its image."""
    strangers = [f"{place} is not of the image" for place in evidence.elsewhere]
    if framework.source == "container":
        return _some(strangers)
    prefix = Path(framework.prefix) if framework.image else Path(framework.prefix).resolve()
    faults = strangers
    if evidence.prefix != str(prefix):
        faults.append(f"`python` is the one of {evidence.prefix}")
    faults += [
        f"{name} comes from {place}"
        for name, place in sorted(evidence.modules.items())
        if not Path(place).is_relative_to(prefix)
    ]
    faults += [f"{place} is searched" for place in evidence.path if not Path(place).is_relative_to(prefix)]
    return _some(faults)


def hostile_fault(framework: InstalledFramework, evidence: Evidence, outcome: Outcome) -> str:
    """What a hostile caller's environment has led astray."""
    return (
        import_fault(evidence, outcome)
        or isolation_fault(framework, evidence)
        or packages_fault(framework, evidence)
    )


def proof_of(promise: Feature, streams: str) -> str:
    """Calls of a math library that were really made, in words; empty where none is seen."""
    match promise:
        case Feature.ONEDNN:
            calls = sorted({f"{kind} by {code}" for kind, code in _ONEDNN.findall(streams)})
            return ", ".join(calls)
        case Feature.MKL:
            calls = sorted(set(_MKL.findall(streams)))
            return " and ".join(calls) if len(calls) == 2 else ""
    return ""


_UNPROVED: Mapping[Feature, str] = {
    Feature.ONEDNN: "oneDNN ran neither a convolution nor a matrix product; turn it on by the framework's "
    "`settings` (TensorFlow: `TF_ENABLE_ONEDNN_OPTS: 1`), or take `onednn` from its `features`",
    Feature.MKL: "MKL did not do the matrix products; take `mkl` from the framework's `features`",
}


def requirements_fault(outcome: Outcome) -> str:
    """What `pip check` found, a line each; empty where nothing is broken."""
    return "" if outcome.status == 0 else _some(outcome.stdout.splitlines()) or ending(outcome)


def script_fault(outcome: Outcome, packages: Container[str] = ()) -> str:
    """Why a console script beside `packages` does not start; asked for `--help`, it may end as it likes."""
    if outcome.status < 0 or outcome.status in {TIMED_OUT, 126, 127}:
        return ending(outcome)
    _, raised, trace = outcome.stderr.rpartition("Traceback (most recent call last):\n")
    if raised and _is_import(trace) and not _asks_for_more(outcome.stderr, trace, packages):
        return last_line(outcome)
    return ""


def _asks_for_more(stderr: str, trace: str, packages: Container[str]) -> bool:
    """Whether it says by itself that it is for those who have a package besides, which nobody asked for.

    As JupyterLab's `jupyter-labhub` does without JupyterHub.
    """
    missing = {canonicalize_name(name) for name in _NO_MODULE.findall(stderr)}
    raising = trace.rpartition('  File "')[2].splitlines()[1:2]
    said = any(line.strip().startswith("raise ") for line in raising)
    return said and bool(missing) and not any(name in packages for name in missing)


def _is_import(trace: str) -> bool:
    """Whether an import raised the error: the script's own, which is the first line shown, or a later one."""
    shown = trace.splitlines()
    error = shown[-1] if shown else ""
    return error.startswith(("ImportError", "ModuleNotFoundError")) or (
        len(shown) > 1 and shown[1].strip().startswith(("from ", "import "))
    )


def _fits(framework: InstalledFramework, found: str, locked: str) -> bool:
    """Whether a version is the locked one; Spack knows others too, such as `develop`, and no `+cpu`.

    What was built from no release may call itself 0.
    """
    if framework.source == "wheels":
        return _same(found, locked)
    try:
        told, wanted = Version(found), Version(locked)
    except InvalidVersion:
        return True
    return told.public == wanted.public or not any(told.release)


def _same(one: str, other: str) -> bool:
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other


def _some(faults: list[str]) -> str:
    more = f", and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
    return ", ".join(faults[:SHOWN]) + more
