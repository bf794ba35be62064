"""How each framework of the sites' environments comes, as a table."""

from collections.abc import Iterator
from pathlib import Path

from stackgen.config import Loaded, load
from stackgen.host import THIS

_FILES = Path(__file__).parents[2] / "environments"
_OURS = {"proof", "training"}
"""Files whose system is ours and no site's."""


def sites_page() -> str:
    """A row for each site's system: what comes from wheels, what Spack builds, and what is not there."""
    head = ["| environment | system | from wheels | by Spack |", "|---|---|---|---|"]
    sites = [loaded for path in sorted(_FILES.glob("*.yaml")) if _is_site(loaded := load(path))]
    return "\n".join([*head, *map(_row, sites), "", *(line for one in sites for line in _lacks(one))])


def _is_site(loaded: Loaded) -> bool:
    return loaded.environment.system != THIS and loaded.path.stem not in _OURS


def _row(loaded: Loaded) -> str:
    comes = (_from(loaded, source) for source in ("wheels", "spack"))
    cells = (f"`{loaded.path.stem}.yaml`", loaded.system.name, *comes)
    return f"| {' | '.join(cells)} |"


def _from(loaded: Loaded, source: str) -> str:
    found = sorted(loaded.environment.frameworks.items())
    return ", ".join(f"{name} {its.version}" for name, its in found if its.source == source)


def _lacks(loaded: Loaded) -> Iterator[str]:
    for name, why in loaded.environment.unsupported.items():
        yield f"**{name} on {loaded.system.name}**\n: {why}\n"
