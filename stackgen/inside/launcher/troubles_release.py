"""Whether what is loaded is there, is one, and is still the one to use."""

import os
from typing import Iterator, List, Mapping, Sequence

from stackgen.inside.launcher.deprecation import deprecation_of, sentence_today
from stackgen.inside.launcher.description import Site
from stackgen.inside.launcher.surroundings import Loaded, again, later_release, site_packages_of
from stackgen.inside.launcher.troubles import Trouble, enumerated


def release_troubles(site: Site, loaded: Sequence[Loaded], environ: Mapping[str, str]) -> List[Trouble]:
    """What is wrong with what is loaded, whatever else is."""
    found = [*_several(loaded), *_half_loaded(site, loaded, environ), *_base_gone(site)]
    for one in loaded:
        found += _gone(site, one) or [*_moved_on(one), *_announced(site, one)]
    return found


def _several(loaded: Sequence[Loaded]) -> Iterator[Trouble]:
    if len(loaded) < 2:
        return
    modules = [one.framework.module for one in loaded]
    text = (
        f"{enumerated(modules)} are loaded at once, and each wants its own Python: the first in PATH has it."
    )
    yield Trouble(text, f"module unload {' '.join(modules)}; module load {modules[0]}")


def _half_loaded(site: Site, loaded: Sequence[Loaded], environ: Mapping[str, str]) -> Iterator[Trouble]:
    """Modules of which Lmod says that they are loaded, and the environment knows nothing."""
    here = {one.framework.module for one in loaded}
    for module in environ.get("LOADEDMODULES", "").split(":"):
        if module.startswith(site.namespace + "/") and module not in here:
            text = f"Lmod says that {module} is loaded, but the variables that it sets have been taken away."
            yield Trouble(text, again(module))


def _gone(site: Site, one: Loaded) -> List[Trouble]:
    """What of it has been removed; the rest need not be looked at then."""
    framework = one.framework
    remedy = again(framework.module.rpartition("/")[0])
    if framework.image:
        if os.access(framework.image, os.R_OK):
            return []
        text = f"The image of {framework.module}, {framework.image}, is gone or cannot be read."
        return [Trouble(text, remedy)]
    if not os.path.isdir(framework.prefix):
        of = f", with the release {one.release}" if one.place and not os.path.isdir(one.place) else ""
        text = f"The directory of {framework.module}, {framework.prefix}, has been removed{of}."
        return [Trouble(text, remedy)]
    if framework.python and not (
        os.access(os.path.join(framework.prefix, "bin", "python"), os.X_OK)
        and os.path.isdir(site_packages_of(framework))
    ):
        text = f"{framework.module} is not whole: a part of its Python in {framework.prefix} is gone."
        return [Trouble(text + f" Those who run {site.system} can build it again.")]
    return []


def _base_gone(site: Site) -> Iterator[Trouble]:
    """A stack of one's own whose base is no longer there."""
    if site.extends and not os.path.isdir(site.extends):
        text = f"The release that {site.prefix} stands on, {site.extends}, has been removed."
        yield Trouble(f"{text} Build its environment again, on another one.")


def _moved_on(one: Loaded) -> Iterator[Trouble]:
    current = later_release(one)
    if not current:
        return
    text = f"The loaded release is {one.release}, and the current one is {current}. What runs goes on."
    if one.place and not os.path.isdir(one.place):
        text = f"The release {one.release}, which is loaded, has been removed. The current one is {current}."
    remedy = again(one.framework.module.rpartition("/")[0])
    yield Trouble(text, remedy, wrong=bool(one.place) and not os.path.isdir(one.place))


def _announced(site: Site, one: Loaded) -> Iterator[Trouble]:
    said = deprecation_of(site.deprecations, one.framework.module)
    if said:
        text, is_gone = sentence_today([said], one.framework.module)
        yield Trouble(text, f"module load {said.instead}", wrong=is_gone)
