"""Which interactive apps a release can have, and which frameworks serve each."""

from dataclasses import dataclass
from typing import Literal

from stackgen.jobs.starting import launch
from stackgen.plan import ContainerPlan, Plan
from stackgen.release import InstalledFramework

JUPYTER_SERVERS = {"jupyterlab": "jupyterlab", "notebook": "notebook", "jupyter-server": "jupyter_server"}
"""By the package that brings it, what `python -m` starts, the richest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A framework whose Python can serve an app."""

    framework: str
    label: str
    module: str
    """What `module load` takes."""
    starts: str
    """What `python -m` starts, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """An interactive app."""

    kind: Literal["jupyter", "tensorboard"]
    directory: str
    servers: tuple[Server, ...]
    """The usual one first; there is one at least."""


def apps(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> tuple[App, ...]:
    """Those that some framework can serve; none where the script of a job runs on no node of its own."""
    if launch(plan)[0] == "jsrun":
        return ()
    directory = plan.namespace.replace(".", "_")
    found = (
        App(kind="jupyter", directory=f"{directory}_jupyter", servers=_jupyter(plan, frameworks)),
        App(kind="tensorboard", directory=f"{directory}_tensorboard", servers=_tensorboard(plan, frameworks)),
    )
    return tuple(app for app in found if app.servers)


def _jupyter(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> tuple[Server, ...]:
    """Those of the machine: from within an image the other frameworks' kernels could not be started."""
    able = [one for one in frameworks if not one.image and "jupyter-server" in one.packages]
    # A framework that is there to be the server comes first, then the richer ones.
    able.sort(key=lambda one: (one.name not in JUPYTER_SERVERS, _richness(one), one.name))
    starts = list(JUPYTER_SERVERS.values())
    return tuple(_server(plan, one, starts[_richness(one)]) for one in able)


def _richness(framework: InstalledFramework) -> int:
    return next(place for place, package in enumerate(JUPYTER_SERVERS) if package in framework.packages)


def _tensorboard(plan: Plan, frameworks: tuple[InstalledFramework, ...]) -> tuple[Server, ...]:
    able = [one for one in frameworks if "tensorboard" in one.packages and _offers_python(plan, one)]
    able.sort(key=lambda one: (one.name != "tensorboard", bool(one.image), one.name))
    return tuple(_server(plan, one, "") for one in able)


def _offers_python(plan: Plan, framework: InstalledFramework) -> bool:
    """Whether its module has a `python`; a container's has the commands alone that the site has named."""
    planned = next(one for one in plan.frameworks if one.name == framework.name)
    named = planned.commands if isinstance(planned, ContainerPlan) else ()
    return bool(framework.python) and (not named or "python" in named)


def _server(plan: Plan, framework: InstalledFramework, starts: str) -> Server:
    about = next(one.about for one in plan.frameworks if one.name == framework.name)
    return Server(
        framework=framework.name,
        label=f"{about.title} {framework.version}",
        module=framework.loaded_as(plan.namespace),
        starts=starts,
    )
