"""What every builder does, and the one that does it on this machine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stackgen.bootstrap import spack_from
from stackgen.build import build
from stackgen.describe import describe
from stackgen.from_spack import Packages
from stackgen.lock import Lock
from stackgen.mirror import Mirror
from stackgen.plan import Plan
from stackgen.project import Tools
from stackgen.release import Report
from stackgen.sandbox import Sandbox
from stackgen.smoke import smoke
from stackgen.store import Store, install, open_cache, open_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a build takes its files from, and how it may use a machine."""

    mirror: Mirror
    sandbox: Sandbox | None = None
    """The best that the machine allows where not named."""
    cache: Path | None = None
    scratch: Path | None = None
    jobs: int = 0
    """Compilers at once on a machine; as many as it serves where 0."""


class Builder(Protocol):
    """Who does the work; the caller holds the environment's prefix."""

    def packages(self, store: Store) -> None:
        """Have Spack install what is not there."""
        ...

    def frameworks(self, packages: Packages) -> None:
        """Build the frameworks that are not there; `packages` are what Spack has installed."""
        ...

    def test(self, directory: Path) -> Report:
        """Test a release, staged or published."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """This machine does it."""

    plan: Plan
    lock: Lock
    means: Means
    tools: Tools

    def packages(self, store: Store) -> None:
        """Have Spack install what is not there."""
        install(self.plan, self.lock, self.means.mirror, store, self.tools.progress, self.means.jobs)

    def frameworks(self, packages: Packages) -> None:
        """Build the frameworks that are not there, one after another."""
        run, progress = self.tools.run, self.tools.progress
        build(
            self.plan,
            self.lock,
            self.means.mirror,
            run,
            progress,
            self.means.sandbox,
            packages,
            jobs=self.means.jobs,
            cache=self.means.cache,
        )

    def test(self, directory: Path) -> Report:
        """Test a release on this machine."""
        return smoke(directory, self.plan, self.tools.run, self.tools.progress)


def open_the_store(plan: Plan, means: Means, tools: Tools) -> Store:
    """The store below a plan's prefix, with the Spack that this machine or the mirror has."""
    home = spack_from(means.mirror.root, tools.run, tools.progress)
    cache = open_cache(means.cache, tools.progress) if means.cache else None
    return open_store(plan, means.mirror, home, tools.run, means.sandbox, cache, means.scratch)


def packages_of(lock: Lock, store: Store, tools: Tools) -> Packages:
    """What Spack has installed of a lock."""
    prefixes = {key: path for one in lock.spack for key, path in store.prefixes(one).items()}
    return Packages(prefixes=prefixes, described=lambda one: describe(one, store, tools.progress))
