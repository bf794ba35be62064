"""A plan with one framework for a made-up machine with a scheduler."""

from stackgen.model import Environment, System
from stackgen.plan import Plan, plan
from stackgen.release import InstalledFramework


def planned(scheduler: dict[str, object], prefix: str = "/site", *features: str, **system: object) -> Plan:
    """Nodes have two sockets, eight cores, and what the partitions say."""
    facts = {
        "name": "Lab",
        "os": "debian12",
        "glibc": "2.36",
        "target": "x86_64_v2",
        "nodes": {"count": 4, "sockets": 2, "cores": 8},
        "pythons": [{"version": "3.11", "prefix": "/usr"}],
        "scheduler": scheduler,
        **system,
    }
    framework = {"from": "wheels", "version": "newest", "features": list(features)}
    asked = {
        "name": "lab",
        "release": "1",
        "system": "lab",
        "prefix": prefix,
        "frameworks": {"tool": framework},
    }
    return plan(Environment.model_validate(asked), System.model_validate(facts))


def frameworks(asked: Plan, prefix: str = "/usr") -> tuple[InstalledFramework, ...]:
    """The framework as if it were installed in a prefix."""
    return tuple(
        InstalledFramework(
            name=one.name,
            module=one.about.module,
            version="1.0",
            prefix=prefix,
            python="3.11",
            packages={},
            settings=dict(one.about.settings),
        )
        for one in asked.frameworks
    )
