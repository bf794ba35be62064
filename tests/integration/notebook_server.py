"""A real notebook server, of a Python that is none of the site's, and notebooks in its kernels."""

import json
import os
import queue
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from jupyter_client.blocking import BlockingKernelClient

PATIENCE = 60
"""Seconds for what takes one or two on a machine that does nothing else."""


@dataclass(frozen=True)
class Notebook:
    """A kernel that the server has started."""

    identifier: str
    client: BlockingKernelClient

    def wait(self, timeout: float) -> None:
        """Wait until it answers; the client's own way takes a kernel that starts slowly for a dead one."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.client.kernel_info()
            with suppress(queue.Empty):
                self.client.get_shell_msg(timeout=1)
                self.client.get_iopub_msg(timeout=1)
                return
        raise TimeoutError("the kernel does not answer")

    def run(self, code: str, timeout: float = PATIENCE) -> str:
        """What a cell prints, and the error that it ends with."""
        return self.finished(self.client.execute(code, allow_stdin=False), timeout)

    def finished(self, cell: str, timeout: float = PATIENCE) -> str:
        """What a cell that has been started prints."""
        told, deadline = "", time.monotonic() + timeout
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=max(deadline - time.monotonic(), 0.1))
            except queue.Empty:
                raise TimeoutError(f"not finished, but told: {told}") from None
            if message["parent_header"].get("msg_id") != cell:
                continue
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    told += content["text"]
                case "execute_result" | "display_data":
                    told += content["data"].get("text/plain", "") + "\n"
                case "error":
                    told += f"{content['ename']}: {content['evalue']}\n"
                case "status" if content["execution_state"] == "idle":
                    return told


@dataclass(frozen=True)
class Server:
    """A running server."""

    address: str
    token: str
    runtime: Path
    log: Path

    def ask(self, method: str, path: str, content: object = None) -> bytes:
        """What the server answers."""
        request = urllib.request.Request(
            f"{self.address}/{path}",
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={"Authorization": f"token {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read()

    def kernels(self) -> dict[str, str]:
        """The names that users see, by those that notebooks hold."""
        specs = json.loads(self.ask("GET", "api/kernelspecs"))["kernelspecs"]
        return {name: told["spec"]["display_name"] for name, told in sorted(specs.items())}

    @contextmanager
    def notebook(self, kernel: str, directory: str = "", patience: float = PATIENCE) -> Iterator[Notebook]:
        """A notebook of a kernel."""
        answer = self.ask(
            "POST", "api/kernels", {"name": kernel, **({"path": directory} if directory else {})}
        )
        identifier = json.loads(answer)["id"]
        client = BlockingKernelClient(connection_file=str(self.runtime / f"kernel-{identifier}.json"))
        client.load_connection_file()
        client.start_channels()
        try:
            notebook = Notebook(identifier, client)
            notebook.wait(patience)
            yield notebook
        finally:
            client.stop_channels()
            with suppress(urllib.error.HTTPError):  # one that cannot start may be gone by then
                self.ask("DELETE", f"api/kernels/{identifier}")


@contextmanager
def serving(
    directory: Path, jupyter_path: Path | str, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A server whose users have a home in `directory`; it is told of kernels by JUPYTER_PATH alone."""
    home, runtime = directory / "home", directory / "home/.local/share/jupyter/runtime"
    home.mkdir(parents=True, exist_ok=True)
    token, log = secrets.token_hex(16), directory / "server.log"
    around = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "USER": "root"}
    around |= {"JUPYTER_PATH": str(jupyter_path), **(environment or {})}
    words = (
        "-m",
        "jupyter_server",
        "--no-browser",
        "--allow-root",
        "--port=0",
        f"--IdentityProvider.token={token}",
    )
    with log.open("w") as stream:
        process = subprocess.Popen(
            (sys.executable, *words),
            env=around,
            cwd=home,
            stdout=stream,
            stderr=stream,
            stdin=subprocess.DEVNULL,
        )
    try:
        yield Server(_address(process, runtime, log), token, runtime, log)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _address(process: "subprocess.Popen[bytes]", runtime: Path, log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        for told in runtime.glob(f"jpserver-{process.pid}.json"):
            with suppress(ValueError, OSError):  # half written, or not listening yet
                known = json.loads(told.read_text())
                socket.create_connection((known["hostname"], known["port"]), 5).close()
                return str(known["url"]).rstrip("/")
        time.sleep(0.1)
    raise RuntimeError(log.read_text())
