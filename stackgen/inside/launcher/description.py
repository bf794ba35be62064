"""What the launcher knows of its system and its release: the JSON file beside it."""

import json
import os
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from stackgen.inside.launcher.deprecation import Deprecation, sentence_today
from stackgen.inside.launcher.offer import Offer
from stackgen.inside.launcher.words import LauncherError, nearest

DESCRIPTION = os.path.join("share", "launcher.json")
"""Its place in the release."""


class Loadable(NamedTuple):
    """A framework of the release."""

    name: str
    title: str
    summary: str
    homepage: str
    version: str
    module: str
    """As users load it, its version included."""
    default: bool
    """Whether its module is loaded with this version where none is named."""
    source: str
    """`wheels`, `spack` or `container`."""
    python: str
    """Major and minor version; empty where it has none."""
    image: str
    """The path of its image, where it runs in a container."""
    cuda: Optional[str]
    """The version of CUDA that it brings, empty where it uses no GPU; None where nobody knows."""
    driver: str
    """The oldest driver of NVIDIA's that serves it; empty where none does, or nobody knows."""
    features: Tuple[str, ...]
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
    environment: str
    prefix: str
    """Of all its releases."""
    extends: str
    """The directory of the release that it stands on, where it is a stack of one's own."""
    system: str
    site: str
    """Who runs the system; may be empty."""
    unsupported: Dict[str, str]
    """What is not here, and why."""
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
    wheelhouse: str
    """Where the users' own packages come from; empty where from anywhere."""
    deprecations: Tuple[Deprecation, ...]
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
        why = error.strerror if isinstance(error, OSError) else error
        text = f"cannot read {place}: {why}; this release is not whole"
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
    deprecations = tuple(Deprecation(**one) for one in told["deprecations"])
    frameworks = tuple(Loadable(**dict(one, features=tuple(one["features"]))) for one in told["frameworks"])
    known = dict(told, queues=tuple(queues), deprecations=deprecations, frameworks=frameworks)
    return Site(**dict(known, program=program, **lists))


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
    usable = [one for one in fitting if not withdrawal(site, one.module)]
    if usable:
        return max(usable, key=lambda one: one.default)
    refusal = withdrawal(site, fitting[-1].module if fitting else full)
    if refusal:
        raise LauncherError(refusal, 1)
    modules = [one.module for one in site.frameworks]
    modules = [*sorted({module.rsplit("/", 1)[0] for module in modules}), *modules]
    known = modules if full == name else [module.split("/", 1)[1] for module in modules]
    remedy = nearest(name, known, "the release {} has {{}}".format(site.release))
    raise LauncherError(f"there is no module {name}; {remedy}")


def withdrawal(site: Site, module: str) -> str:
    """Why a module, by its full name, can no longer be loaded; empty where it can."""
    sentence, is_gone = sentence_today(site.deprecations, module)
    return sentence if is_gone else ""


def loaded_framework(site: Site, environ: Mapping[str, str]) -> Optional[Loadable]:
    """The framework whose module is loaded, if it is one of this release."""
    found: List[Loadable] = [one for one in site.frameworks if environ.get(one.root) == one.prefix]
    return found[0] if found else None
