"""What the measuring programs share: arguments, their place among the ranks, the file that they leave."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn


def arguments() -> argparse.Namespace:
    """What a training program is told; sizes are those of one rank."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--job", choices=("gan", "resnet50", "alexnet"), required=True)
    parser.add_argument("--distribution", choices=("horovod", "own"), required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--warmup", type=int, required=True)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--fork", type=int, default=0, help="start this many ranks here")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def place(fork: int = 0) -> tuple[int, int]:
    """The rank of this process and how many there are, with MASTER_ADDR and the like set for both.

    Where ranks are to be forked, the caller's own process waits for them and does not come back.
    """
    if fork:
        _fork(fork, _free_ports(fork))
    _fill()
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def _fill() -> None:
    """What the scheduler or the launcher says, where nobody has said it yet."""
    from rendezvous import variables  # lies beside

    for name, value in variables(dict(os.environ)).items():
        os.environ.setdefault(name, value)


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _fork(ranks: int, ports: list[int]) -> None:
    children = set()
    for rank in range(ranks):
        child = os.fork()
        if child == 0:
            _become(rank, ranks, ports)
            return
        children.add(child)
    first = 0
    while children:
        child, ended = os.wait()
        children.discard(child)
        if ended and not first:  # the others would wait for it
            first = ended
            for other in children:
                os.kill(other, signal.SIGKILL)
    os._exit(abs(os.waitstatus_to_exitcode(first)))


def _become(rank: int, ranks: int, ports: list[int]) -> None:
    """Set what a rendezvous by the network needs; TensorFlow wants a port of each rank."""
    workers = [f"127.0.0.1:{port}" for port in ports]
    task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": rank}}
    os.environ.update(
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(ports[0]),
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE=str(ranks),
        LOCAL_WORLD_SIZE=str(ranks),
    )
    if ranks > 1:
        os.environ["TF_CONFIG"] = json.dumps(task)


def leave(out: Path, content: dict[str, object]) -> None:
    """Write the result in one step: a file that is there is whole."""
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    beside.write_text(json.dumps({**content, "python": platform.python_version()}, indent=1) + "\n")
    beside.replace(out)


def end() -> NoReturn:
    """End well and at once: Gloo's threads, left to Python's end, abort one process in ten."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def trained(asked: argparse.Namespace, ranks: int, seconds: list[float], **more: object) -> dict[str, object]:
    """What a training program leaves: every timed step in seconds, and what was trained."""
    return {
        "job": asked.job,
        "distribution": asked.distribution,
        "ranks": ranks,
        "batch": asked.batch,
        "warmup": asked.warmup,
        "small": asked.small,
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
        "seconds": seconds,
        "peak": peak(),
        **more,
    }


def peak() -> int:
    """The most bytes of memory that this process has had; 0 where the kernel does not tell.

    Not what `getrusage` says, which begins with the memory of the program that this one has replaced.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def timed(step: object, asked: argparse.Namespace) -> tuple[list[float], float]:
    """Seconds of each step after the warm-up, and the last loss; a step ends when its loss is known."""
    assert callable(step)
    taken, loss = [], 0.0
    for number in range(asked.warmup + asked.steps):
        start = time.perf_counter()
        loss = float(step())
        if number >= asked.warmup:
            taken.append(time.perf_counter() - start)
    return taken, loss
