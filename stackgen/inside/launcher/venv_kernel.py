"""The kernel of an environment, among the user's own."""

import hashlib
import os
from typing import Any, Dict

from stackgen.inside.launcher.description import Loadable, Site
from stackgen.inside.launcher.kernels import kernels_of_release
from stackgen.inside.launcher.kernelspec import (
    as_kernel_name,
    kernelspecs_of,
    kernelspecs_of_user,
    venv_kernelspec,
    write_kernelspec,
)
from stackgen.inside.launcher.venv_installing import install_into
from stackgen.inside.launcher.words import LauncherError, put


def add_venv_kernel(site: Site, framework: Loadable, place: str) -> None:
    """Let notebook servers of the user's show an environment."""
    title = "{} ({} {})".format(os.path.basename(place), framework.title, framework.version)
    fitting = [*kernelspecs_of(kernels_of_release(site), framework.module).values()]
    spec = (
        venv_kernelspec(fitting[0], place, title)
        if fitting
        else _own_kernelspec(site, framework, place, title)
    )
    name = kernel_of_venv(site, place)
    target = os.path.join(kernelspecs_of_user(os.environ), name)
    write_kernelspec(target, spec)
    put(f"notebooks show it as {title}; the kernel is {target}")


def kernel_of_venv(site: Site, place: str) -> str:
    """The name of its kernel: the same whenever it is made anew."""
    plain = as_kernel_name(os.path.basename(place))
    return "{}-{}-{}".format(site.namespace, plain, hashlib.sha256(place.encode("utf-8")).hexdigest()[:6])


def _own_kernelspec(site: Site, framework: Loadable, place: str, title: str) -> Dict[str, Any]:
    """That of an environment which has ipykernel itself, since its framework has none."""
    briefly = ["install", "--quiet", "--retries", "1", "--timeout", "10", "ipykernel"]
    if install_into(site, place, "pip", briefly, silent=True):
        source = site.wheelhouse or "the index that pip is configured for"
        text = "{} has no ipykernel, and it cannot be had from {}; without it, {} is no kernel"
        raise LauncherError(text.format(framework.module, source, place), 1)
    python = place + "/bin/python"
    told = {"module": framework.module, "release": site.release, "start": python, "venv": place}
    return {
        "argv": [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": title,
        "language": "python",
        "interrupt_mode": "signal",
        "metadata": {"debugger": True, "stackgen": told},
    }
