"""How the programs of a container are reached: plain values, from the description of its image."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stackgen.images import Bind, Description
from stackgen.release import InstalledFramework

_STANDARD = ("/run", "/var/spool/slurm", "/var/spool/slurmd", "/var/tmp")  # noqa: S108
"""What is seen inside besides what the system names, where an image has a place for it: by it, ranks that
Slurm starts find each other."""
_FOUND_BY = ("PATH", "LD_LIBRARY_PATH")
"""How programs and libraries are found, which are the image's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """A container as its wrappers know it."""

    name: str
    """Its directory in the release."""
    module: str
    """What messages call it, such as hpai/tensorflow-container."""
    namespace: str
    image: str
    """The SquashFS file."""
    digest: str
    """Of the image: what tells its mounts from those of others."""
    commands: Mapping[str, str]
    """The programs inside by the names that users type."""
    path: tuple[str, ...]
    """PATH inside."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Set inside whatever the user has."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Set inside where the user has not."""
    binds: tuple[Bind, ...] = ()
    """In this order; one that a node lacks is left out."""
    covered: tuple[Bind, ...] = ()
    """What one of these hides of the image; the sources are inside it."""
    seen: tuple[str, ...] = ()
    """The directories of users that are seen inside, for messages."""
    ch_run: str = "ch-run"
    """A path, or a name to be looked for on PATH."""


def entrance(
    namespace: str, framework: InstalledFramework, description: Description, ch_run: str = "ch-run"
) -> Entrance:
    """The entrance of a framework that runs in a container."""
    own = {name: text for name, text in description.environment.items() if is_own(name, text)}
    releases = str(Path(framework.image).parents[1] / "releases")
    standard = tuple(path for path in (*_STANDARD, releases) if path in description.mount_points)
    shown = outermost((*description.binds, *standard))
    return Entrance(
        name=framework.name,
        module=f"{namespace}/{framework.module}",
        namespace=namespace,
        image=framework.image,
        digest=description.sha256[:12],
        commands=description.commands,
        path=tuple(filter(None, description.environment.get("PATH", "").split(":"))),
        environment={name: text for name, text in own.items() if name != "PATH"},
        defaults={name: text for name, text in description.environment.items() if name not in own},
        binds=(*(Bind(source=path, target=path) for path in shown), *description.host),
        covered=description.covered,
        seen=("/tmp", *(path for path in shown if path not in standard)),  # noqa: S108 - ch-run shows it
        ch_run=ch_run,
    )


def is_own(name: str, text: str) -> bool:
    """Whether a variable of an image wins over the user's: where it tells a place, which is one inside."""
    return name in _FOUND_BY or text.startswith("/")


def outermost(directories: tuple[str, ...]) -> tuple[str, ...]:
    """Those that lie in none of the others; whoever sees a directory sees all that is mounted below."""
    return tuple(one for one in directories if not any(one.startswith(f"{other}/") for other in directories))
