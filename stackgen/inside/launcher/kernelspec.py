"""Kernelspecs, as Jupyter finds them: what is in them, and where a user's own lie."""

import json
import os
import re
import shutil
from typing import Any, Dict, List, Mapping, Optional

from stackgen.inside.launcher.words import LauncherError

KERNELSPECS = "share/jupyter/kernels"
"""Where a release has its own."""
GUARD = """\
[ -x "$0" ] && exec "$0" "$@"
echo "the kernel of {0} cannot start: its release {1} has been removed, or its disk is not there." \\
    "Choose another kernel for this notebook." >&2
exit 1
"""
"""A shell's: the kernel where it is still there, or one sentence in the notebook server's log."""


def as_kernel_name(text: str) -> str:
    """A text in the characters that Jupyter takes in the name of a kernel."""
    return re.sub(r"[^a-z0-9._-]", "-", text.lower())


def kernel_argv(start: str, module: str, release: str, venv: str = "") -> List[str]:
    """How Jupyter starts a kernel; `start` is that of a framework's kernelspec in its release.

    With `venv`, it is the Python of a virtual environment over the framework that runs.
    """
    above = ["--venv", venv] if venv else []
    return ["/bin/sh", "-c", GUARD.format(module, release), start, *above, "-f", "{connection_file}"]


def venv_kernelspec(spec: Mapping[str, Any], venv: str, title: str) -> Dict[str, Any]:
    """The kernelspec of a virtual environment, from that of the framework below it."""
    told = spec["metadata"]["stackgen"]
    argv = kernel_argv(told["start"], told["module"], told["release"], venv)
    metadata = dict(spec["metadata"], stackgen=dict(told, venv=venv))
    return dict(spec, argv=argv, display_name=title, metadata=metadata)


def kernelspecs_of_user(environ: Mapping[str, str]) -> str:
    """The directory in which Jupyter looks for a user's own: jupyter_core.paths.jupyter_data_dir."""
    own = environ.get("JUPYTER_DATA_DIR")
    if not own:
        shared = environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
        own = os.path.join(shared, "jupyter")
    return os.path.join(own, "kernels")


def kernelspecs_in(directory: str) -> Dict[str, Dict[str, Any]]:
    """The kernelspecs of ours in a directory, by their names, sorted; what cannot be read is none."""
    found = {}
    for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
        spec = kernelspec_at(os.path.join(directory, name))
        if spec:
            found[name] = spec
    return found


def kernelspec_at(place: str) -> Optional[Dict[str, Any]]:
    """The kernelspec in a directory; None where there is none of ours."""
    try:
        with open(os.path.join(place, "kernel.json"), encoding="utf-8") as stream:
            spec = json.load(stream)
        told = spec["metadata"]["stackgen"]
        return spec if all(isinstance(told[key], str) for key in ("module", "release", "start")) else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def kernelspecs_of(specs: Mapping[str, Dict[str, Any]], module: str) -> Dict[str, Dict[str, Any]]:
    """Those of a framework, by its module with its version."""
    return {name: spec for name, spec in specs.items() if spec["metadata"]["stackgen"]["module"] == module}


def kernelspec_loss(spec: Mapping[str, Any]) -> str:
    """What a kernelspec has lost, in a few words; empty where it can start."""
    told = spec["metadata"]["stackgen"]
    if not os.path.isfile(told["start"]):
        return "its release is gone"
    venv = told.get("venv")
    return "its virtual environment is gone" if venv and not os.path.isdir(venv) else ""


def write_kernelspec(place: str, spec: Mapping[str, Any]) -> None:
    """Write a kernelspec into a directory, with the logo of its framework; all of it or nothing."""
    beside = "{}.{}".format(place, os.getpid())
    try:
        os.makedirs(beside)
        with open(os.path.join(beside, "kernel.json"), "w", encoding="utf-8") as stream:
            json.dump(spec, stream, indent=1)
            stream.write("\n")
        source = os.path.join(os.path.dirname(spec["metadata"]["stackgen"]["start"]), "logo-svg.svg")
        if os.path.isfile(source):
            shutil.copyfile(source, os.path.join(beside, "logo-svg.svg"))
        shutil.rmtree(place, ignore_errors=True)
        os.rename(beside, place)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        text = "cannot write the kernel {}: {}; make room there, or set JUPYTER_DATA_DIR to another directory"
        raise LauncherError(text.format(place, error.strerror), 1) from None
