"""What users of a few sites get to run jobs with: `environments/<site>.yaml` gives `jobs/<site>/`.

The frameworks are those of the site with versions as asked for, since what is locked is of no matter here.
"""

import json
from pathlib import Path

from stackgen import files
from stackgen.config import load
from stackgen.jobs import job_tree
from stackgen.jobs.launcher import description
from stackgen.plan import Plan, plan
from stackgen.release import InstalledFramework
from stackgen.tree import File, Tree

ENVIRONMENTS = Path(__file__).parents[2] / "environments"
OUT = Path(__file__).parent / "jobs"
SITES = {
    "supermuc": ("tensorflow", "tensorflow-horovod"),
    "summit": ("pytorch",),
    "hal": ("pytorch",),
    "perlmutter": ("tensorflow",),
}
"""Each with the frameworks whose job scripts are looked at."""


def planned(site: str) -> Plan:
    """The plan of a site."""
    loaded = load(ENVIRONMENTS / f"{site}.yaml")
    return plan(loaded.environment, loaded.system)


def frameworks(asked: Plan, names: tuple[str, ...]) -> tuple[InstalledFramework, ...]:
    """Frameworks of a plan as if they were installed."""
    return tuple(
        InstalledFramework(
            name=one.name,
            module=one.about.module,
            version=one.about.version,
            prefix=f"{asked.prefix}/pythons/{one.name}",
            python="3.11",
            packages={},
            settings=dict(one.about.settings),
        )
        for one in asked.frameworks
        if one.name in names
    )


def rendered(site: str) -> Tree:
    """The job scripts of a site, and what its launcher knows."""
    asked = planned(site)
    installed = frameworks(asked, SITES[site])
    described = json.dumps(description(asked, installed), indent=1) + "\n"
    return job_tree(asked, installed) | Tree({"share/launcher.json": File(described)})


def regenerate() -> None:
    """Write what stackgen makes now in place of what it should make."""
    for site in SITES:
        files.remove(OUT / site)
        files.write_tree(rendered(site), OUT / site)


if __name__ == "__main__":
    regenerate()
