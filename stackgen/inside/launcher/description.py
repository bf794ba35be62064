"""What the launcher knows of its system and its release: the JSON file beside it."""

import json
import os
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from stackgen.inside.launcher.offer import Offer
from stackgen.inside.launcher.words import LauncherError, nearest

DESCRIPTION = os.path.join("share", "launcher.json")
"""Its place in the release."""


class Loadable(NamedTuple):
    """A framework of the release."""

    module: str
    """As users load it, its version included."""
    root: str
    """The variable that holds its prefix while it is loaded."""
    prefix: str
    distributed: bool
    """Whether it has use for more than one rank on a node."""
    settings: Dict[str, str]
    """With the placeholders that only a rank can fill."""


class Site(NamedTuple):
    """All of it."""

    namespace: str
    release: str
    system: str
    modules: str
    """The directory that `module use` takes."""
    lmod: Tuple[str, ...]
    """Where Lmod's beginning may lie."""
    scheduler: str
    launch: Tuple[str, ...]
    account: bool
    gpus: str
    """What Slurm calls them."""
    queues: Tuple[Offer, ...]
    frameworks: Tuple[Loadable, ...]
    program: str
    """The launcher itself."""


def site_of(program: str) -> Site:
    """What is known beside a launcher, wherever the release has gone."""
    place = os.path.join(os.path.dirname(os.path.dirname(program)), DESCRIPTION)
    try:
        with open(place, encoding="utf-8") as stream:
            return site_from(json.load(stream), program)
    except (OSError, ValueError) as error:
        text = f"cannot read {place}: {error}; this release is not whole"
    except (AttributeError, LookupError, TypeError):
        text = f"{place} does not describe a release; this one is not whole"
    raise LauncherError(text, 1)


def site_from(told: Mapping[str, Any], program: str) -> Site:
    """The description as it was written by `stackgen.jobs.launcher`."""
    queues = [
        Offer(**dict(one, cores_per_gpu=tuple(one["cores_per_gpu"]), options=tuple(one["options"])))
        for one in told["queues"]
    ]
    lists = {name: tuple(told[name]) for name in ("lmod", "launch")}
    frameworks = tuple(Loadable(**one) for one in told["frameworks"])
    return Site(**dict(told, queues=tuple(queues), frameworks=frameworks, program=program, **lists))


def queue_named(site: Site, name: Optional[str]) -> Offer:
    """A partition by the name that users give it; without one, the default."""
    if name is not None:
        for queue in site.queues:
            if queue.name == name:
                return queue
        known = [queue.name for queue in site.queues]
        remedy = nearest(name, known, site.system + " has {}")
        raise LauncherError(f"there is no partition {name}; {remedy}")
    marked = [queue for queue in site.queues if queue.default] or list(site.queues)
    if len(marked) == 1:
        return marked[0]
    names = ", ".join(queue.name for queue in site.queues) or "none"
    raise LauncherError(f"no partition is named; name one by -p: {names}")


def framework_named(site: Site, name: str) -> Loadable:
    """A framework by its module, with or without the namespace and the version."""
    full = name if name.startswith(site.namespace + "/") else site.namespace + "/" + name
    fitting = [one for one in site.frameworks if (one.module + "/").startswith(full + "/")]
    fitting = fitting or [one for one in site.frameworks if one.module.startswith(full + ".")]
    if fitting:
        return fitting[-1]
    modules = [one.module for one in site.frameworks]
    modules = [*sorted({module.rsplit("/", 1)[0] for module in modules}), *modules]
    known = modules if full == name else [module.split("/", 1)[1] for module in modules]
    remedy = nearest(name, known, "the release {} has {{}}".format(site.release))
    raise LauncherError(f"there is no module {name}; {remedy}")


def loaded_framework(site: Site, environ: Mapping[str, str]) -> Optional[Loadable]:
    """The framework whose module is loaded, if it is one of this release."""
    found: List[Loadable] = [one for one in site.frameworks if environ.get(one.root) == one.prefix]
    return found[0] if found else None
