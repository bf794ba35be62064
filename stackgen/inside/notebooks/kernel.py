"""A kernel, from its first line on: `kernel.py SETTINGS -f CONNECTION-FILE`."""

import json
import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from typing import Any, List, Optional, Sequence

from stackgen.inside.threads import expanded, processors_here


def main(words: Sequence[str]) -> None:
    """Become the kernel; what a job says of cores decides the settings that were left open."""
    place = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if path != place]
    # Behind all else: nothing of ours hides anything of theirs.
    sys.meta_path.append(OwnModules(os.path.join(place, "modules")))
    os.environ.update(expanded(json.loads(words[0]), os.environ, processors_here()))
    unseen = unseen_directory(words[1:])
    if unseen:
        text = "the notebook server's directory {} is not seen here; {}\n"
        sys.stderr.write(text.format(unseen, "start it with JUPYTER_RUNTIME_DIR set to one that is"))
        sys.exit(1)
    become_kernel(list(words[1:]))


class WithoutBytecode(SourceFileLoader):
    """Leaves a release as it is, whoever may write there."""

    def set_data(self, path: str, data: Any, *, _mode: int = 0) -> None:
        """Keep nothing."""


class OwnModules:
    """Finds the modules of a release for notebooks, one file each."""

    def __init__(self, place: str) -> None:
        self.place = place

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[ModuleSpec]:
        """As the import system asks."""
        file = os.path.join(self.place, name + ".py")
        if path is not None or not os.path.isfile(file):
            return None
        return spec_from_file_location(name, file, loader=WithoutBytecode(name, file))


def unseen_directory(words: Sequence[str]) -> str:
    """The directory of the connection file, where it is not to be seen, as in a container; else nothing."""
    directory = os.path.dirname(words[words.index("-f") + 1]) if "-f" in words[:-1] else ""
    return "" if not directory or os.path.isdir(directory) else directory


def become_kernel(words: List[str]) -> None:
    """Run ipykernel with these words."""
    try:
        from ipykernel import kernelapp
    except ImportError as error:
        sys.stderr.write("this Python cannot be a kernel: {}\n".format(error))
        sys.exit(1)
    kernelapp.launch_new_instance(argv=words)
