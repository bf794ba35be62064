"""Start a framework's kernel as a notebook server does, and use it: `kernel.py START IMPORT SURROUNDINGS`."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from queue import Empty
from typing import Any

LIMIT = 300
"""Seconds that a kernel may take on a busy machine, and a framework to be imported."""


def main(start: str, imports: str, surroundings: str) -> None:
    """Print, as JSON, the prefix of the Python that ran a cell, or the error that the cell ended with."""
    del sys.path[0]  # where scripts lie that are called as frameworks are
    from jupyter_client.blocking.client import BlockingKernelClient
    from jupyter_client.connect import write_connection_file
    from jupyter_client.launcher import launch_kernel

    with tempfile.TemporaryDirectory() as directory:
        file, _ = write_connection_file(str(Path(directory, "kernel.json")))
        process = launch_kernel([start, "-f", file], env={**os.environ, **json.loads(surroundings)})
        client = BlockingKernelClient(connection_file=file)
        client.load_connection_file()
        client.start_channels(hb=False)  # its thread fails in words of its own where the kernel ends first
        try:
            wait(client, process)
            code = f"import {imports}" if imports else ""
            asked = {"prefix": "__import__('sys').prefix"}
            answer = client.execute(code, user_expressions=asked, reply=True, timeout=LIMIT)["content"]
        finally:
            client.stop_channels()
            process.kill()
            process.wait()
    print(json.dumps({"error": fault(answer), "prefix": prefix(answer)}))


def wait(client: Any, process: Any) -> None:  # noqa: ANN401
    """Wait until the kernel answers; the program ends where it has ended."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit("the kernel ended as soon as it was started")
        client.kernel_info()
        try:
            client.get_shell_msg(timeout=1)
        except Empty:
            continue
        return
    sys.exit("the kernel does not answer")


def fault(answer: dict[str, Any]) -> str:
    """The error of a cell; empty where there is none."""
    return f"{answer['ename']}: {answer['evalue']}" if answer["status"] == "error" else ""


def prefix(answer: dict[str, Any]) -> str:
    """Where the kernel's Python lies."""
    told = answer.get("user_expressions", {}).get("prefix", {})
    return str(told.get("data", {}).get("text/plain", "")).strip("'")


if __name__ == "__main__":
    main(*sys.argv[1:])
