"""What this machine has and lacks for stackgen."""

from stackgen.doctor.containers import of_containers
from stackgen.doctor.findings import Finding, State
from stackgen.doctor.machine import builds_and_users
from stackgen.run import Runner

__all__ = ["Finding", "State", "examine"]


def examine(run: Runner) -> tuple[Finding, ...]:
    """Look at everything that a build and its users need, the most needed first."""
    return (*builds_and_users(run), *of_containers(run))
