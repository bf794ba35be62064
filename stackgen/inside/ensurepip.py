"""Give a virtual environment the pip that the framework below it was locked with."""

import os
import runpy
import sys
from pathlib import Path


def version() -> str:
    """The version of that pip."""
    return _wheel().name.split("-")[1]


def bootstrap(**_: object) -> None:
    """Install pip into the environment whose interpreter runs this; it ends the process as pip does."""
    os.environ["PIP_CONFIG_FILE"] = os.devnull
    sys.path.insert(0, str(_wheel()))
    sys.argv[1:] = ["--isolated", "install", "--quiet", "--no-index", "--no-cache-dir", str(_wheel())]
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


def _wheel() -> Path:
    (wheel,) = Path(__file__).parent.glob("*.whl")
    return wheel
