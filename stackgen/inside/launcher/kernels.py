"""`kernels`: the frameworks as notebooks see them, and a user's own kernelspecs of them."""

import os
import shutil
from typing import Any, Dict, List, Mapping, Sequence

from stackgen.inside.launcher.description import Site, framework_named, loaded_framework, withdrawal
from stackgen.inside.launcher.kernelspec import (
    KERNELSPECS,
    as_kernel_name,
    kernelspec_loss,
    kernelspecs_in,
    kernelspecs_of,
    kernelspecs_of_user,
    write_kernelspec,
)
from stackgen.inside.launcher.words import LauncherError, nearest, put, table

KERNELS_HELP = """\
usage: {0} kernels
       {0} kernels add [FRAMEWORK]
       {0} kernels remove [KERNEL]

The kernels of this release, and those of yours that are of any. `add` puts the kernel of a framework among
yours, where every notebook server of yours finds it: of the framework that is named, else of the loaded one,
else of all. It stays with its release, whatever is published later. `remove` takes one of yours away, or,
where none is named, all whose release or virtual environment is gone."""


def kernels(site: Site, words: Sequence[str]) -> None:
    """Tell of the kernels, or change the user's own."""
    if not words:
        put(kernels_text(site, kernels_of_release(site), kernelspecs_of_user(os.environ)))
        return
    actions = {"add": add_kernels, "remove": remove_kernels}
    if words[0] not in actions:
        remedy = nearest(words[0], actions, "there are {}")
        raise LauncherError(f"kernels knows no {words[0]}; {remedy}")
    if len(words) > 2:
        raise LauncherError(f"{words[0]} takes one name, and {words[2]} is another word")
    actions[words[0]](site, words[1] if len(words) > 1 else "")


def kernels_help(site: Site) -> str:
    """How it is used."""
    return KERNELS_HELP.format(site.namespace)


def kernels_of_release(site: Site) -> Dict[str, Dict[str, Any]]:
    """The kernelspecs of the launcher's own release."""
    return kernelspecs_in(os.path.join(os.path.dirname(os.path.dirname(site.program)), KERNELSPECS))


def engine_modules(site: Site) -> List[str]:
    """What notebooks import to start engines; nothing where they cannot."""
    place = os.path.join(os.path.dirname(os.path.dirname(site.program)), "share", "notebooks", "modules")
    names = sorted(os.listdir(place)) if os.path.isdir(place) else []
    return [name[:-3] for name in names if name.endswith("_engines.py")]


def kernels_text(site: Site, ours: Mapping[str, Any], place: str) -> str:
    """The kernels of the release, and those of the user."""
    lines = [f"The release {site.release} has no kernels: no Python in it has ipykernel."]
    if ours:
        lines = [f"Kernels of the release {site.release}:", *_rows(site, ours)]
        where = os.path.join(site.prefix, "current", os.path.dirname(KERNELSPECS))
        lines += ["", f"Notebook servers that were started with JUPYTER_PATH={where}"]
        lines += [f"show them; `{site.namespace} kernels add` puts them among yours, for any other server."]
        lines += [f"`from {name} import Cluster` starts engines on nodes." for name in engine_modules(site)]
    own = kernelspecs_in(place)
    if own:
        lines += ["", f"Yours, in {place}:", *_rows(site, own)]
    if any(kernelspec_loss(spec) for spec in own.values()):
        lines += ["", f"`{site.namespace} kernels remove` removes those that cannot start any more."]
    return "\n".join(lines)


def _rows(site: Site, specs: Mapping[str, Any]) -> List[str]:
    rows = [
        (name, _title(spec), kernelspec_loss(spec) or ("withdrawn" if _refusal(site, spec) else ""))
        for name, spec in specs.items()
    ]
    return ["  " + line for line in table(rows).split("\n")]


def _title(spec: Mapping[str, Any]) -> str:
    """What notebooks show of a kernel, on one line whoever has written it."""
    return " ".join(str(spec.get("display_name", "")).split())


def _refusal(site: Site, spec: Mapping[str, Any]) -> str:
    """Why the framework of a kernel is not to be used any more; empty where it may."""
    return withdrawal(site, spec["metadata"]["stackgen"]["module"])


def add_kernels(site: Site, name: str) -> None:
    """Put kernels of the release among those of the user."""
    specs = kernels_of_release(site)
    framework = framework_named(site, name) if name else loaded_framework(site, os.environ)
    if framework:
        module = framework.module
        specs = kernelspecs_of(specs, module)
        if not specs:
            text = "{} can be no kernel: there is no ipykernel in it; ask those who run {} for it"
            raise LauncherError(text.format(module, site.system))
    elif specs:
        left = {key: spec for key, spec in specs.items() if not _refusal(site, spec)}
        if not left:
            raise LauncherError(_refusal(site, next(iter(specs.values()))), 1)
        specs = left
    if not specs:
        text = "the release {} has no kernels; ask those who run {} for ipykernel in it"
        raise LauncherError(text.format(site.release, site.system))
    place = kernelspecs_of_user(os.environ)
    for key, spec in specs.items():
        own = kernel_of_user(key, site.release)
        write_kernelspec(os.path.join(place, own), spec)
        put(f"added {own}: {_title(spec)}")
    put(f"in {place}; reload the page of a notebook to choose it")


def kernel_of_user(name: str, release: str) -> str:
    """What a user's kernelspec is called: it stays with its release, and hides none of the site's."""
    return name + "-" + as_kernel_name(release)


def remove_kernels(site: Site, name: str) -> None:
    """Remove a kernel of the user's, or all that have lost what they stand on."""
    place = kernelspecs_of_user(os.environ)
    own = kernelspecs_in(place)
    if name and name not in own:
        if os.path.isdir(os.path.join(place, name)):
            raise LauncherError(
                f"the kernel {name} is none of {site.namespace}; remove {place}/{name} yourself"
            )
        remedy = nearest(name, own, "yours are: {}")
        raise LauncherError(f"there is no kernel {name} of yours; {remedy}")
    lost = [name] if name else [key for key, spec in own.items() if kernelspec_loss(spec)]
    for key in lost:
        try:
            shutil.rmtree(os.path.join(place, key))
        except OSError as error:
            raise LauncherError(f"cannot remove {place}/{key}: {error.strerror}", 1) from None
        put(f"removed {key}")
    if not lost:
        put("nothing to remove: whatever your kernels stand on is there")
