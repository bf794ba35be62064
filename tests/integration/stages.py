"""Plans and locks of small environments, for tests of the stages that need a network or a server."""

from dataclasses import dataclass, field

from stackgen.lock import WheelLock
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan
from stackgen.progress import Silent
from stackgen.resolve import resolve
from stackgen.run import Runner
from stackgen.site import Site

X86 = "x86_64_v3"


def planned(target: str = X86, glibc: str = "2.28", **frameworks: dict[str, object]) -> Plan:
    """The plan of an environment with these frameworks on a system with this processor and glibc."""
    return plan(
        Environment.model_validate(
            {"name": "site", "release": "1", "system": "there", "prefix": "/site/ai"}
            | {"frameworks": {name: {"from": "wheels", **keys} for name, keys in frameworks.items()}}
        ),
        System.model_validate({"name": "there", "os": "rhel8", "glibc": glibc, "target": target}),
    )


@dataclass
class Recorder(Silent):
    """A progress that remembers."""

    lines: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        self.lines.append(line)

    def log(self, text: str) -> None:
        self.details.append(text)


def locked(plan: Plan, site: Site, run: Runner) -> WheelLock:
    """What the one framework of a plan resolves to."""
    (lock,) = resolve(plan, site, run, Silent()).wheels
    return lock


def names(lock: WheelLock) -> list[str]:
    """The files of a lock's packages, by name."""
    return [package.file.name for package in lock.packages]
