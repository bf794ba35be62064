"""Namespaces that stand for machines: own processes, mounts, host name and network, joined by a switch.

They end with the process that has started them, however that ends, and so does the one interface by which
this machine is joined to them.
"""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin"
PATIENCE = 300
"""Seconds that something has to come up."""

# Killed with their parent, and all that they start with them.
_ENDING = ("setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
_OWN = ("--uts", "--net")

_SWITCH = """\
set -e
ip link add name switch type bridge
ip link set dev switch up
ip link set dev lo up
touch switch.up
exec sleep infinity
"""
_MACHINE = """\
set -e
hostname "$1"
mount --bind hosts /etc/hosts
mount --bind /dev/null /etc/resolv.conf
echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
ip link set dev lo up
until ip link show dev eth0 >/dev/null 2>&1; do sleep 0.05; done
ip address add "$2/24" dev eth0
ip link set dev eth0 up
shift 2
"$@" &
wait
"""


def why_not() -> str:
    """Why there can be no such machines here, or nothing."""
    words = (*_ENDING, *_OWN, "ip", "link", "add", "name", "switch", "type", "bridge")
    tried = subprocess.run(words, capture_output=True, text=True, check=False)
    return " ".join(tried.stderr.split()) if tried.returncode else ""


@dataclass
class Machines:
    """Machines whose files are in a directory, and this one, which is the first on their network."""

    directory: Path
    names: tuple[str, ...]
    _network: str = ""
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def address(self, name: str = "") -> str:
        """The address of a machine, or of this one."""
        return f"{self._network}.{11 + self.names.index(name) if name else 1}"

    def connect(self, host: str) -> None:
        """Have the network: a switch, with an interface of this machine."""
        self.daemon("switch", ("sh", "-c", _SWITCH), "--net")
        wait((self.directory / "switch.up").exists, "no switch")
        interface = f"sg{os.getpid():x}{random.randrange(16**4):x}"
        self._plug(("name", interface), "host")
        self._network = _free_network()
        _ip("address", "add", f"{self.address()}/24", "dev", interface)
        _ip("link", "set", "dev", interface, "up")
        known = {"127.0.0.1": "localhost", self.address(): host, **{self.address(n): n for n in self.names}}
        (self.directory / "hosts").write_text("".join(f"{where} {who}\n" for where, who in known.items()))

    def start(self, name: str, words: tuple[str, ...]) -> None:
        """Have a machine that runs a program until it is killed."""
        script = ("sh", "-c", _MACHINE, "sh", name, self.address(name), *words)
        self.daemon(name, script, *_OWN)
        own, there = Path("/proc/self/ns/net").readlink(), Path(f"/proc/{self._running[name].pid}/ns/net")
        wait(lambda: there.readlink() != own, f"{name} has no network")
        self._plug(("name", "eth0", "netns", str(self._running[name].pid)), name)

    def daemon(self, name: str, words: tuple[str, ...], *options: str) -> None:
        """Run a program on this machine, with processes of its own, until it is killed."""
        with (self.directory / f"{name}.started.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                (*_ENDING, *options, *words),
                cwd=self.directory,
                env={"PATH": PATH, "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """Lose a machine or a daemon with all that runs there."""
        process = self._running.pop(name)
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Have nothing left."""
        for name in tuple(self._running)[::-1]:
            self.kill(name)

    def _plug(self, end: tuple[str, ...], name: str) -> None:
        """Join the switch with what is at the other end of a cable."""
        port, switch = f"port-{name}", str(self._running["switch"].pid)
        inside = ("nsenter", f"--net=/proc/{switch}/ns/net", "ip", "link")
        # Of a machine that is gone, the kernel takes the cable away a moment later.
        subprocess.run((*inside, "delete", "dev", port), env={"PATH": PATH}, capture_output=True, check=False)
        _ip("link", "add", *end, "type", "veth", "peer", "name", port, "netns", switch)
        words = (*inside, "set", "dev", port, "master", "switch", "up")
        subprocess.run(words, env={"PATH": PATH}, capture_output=True, check=True)


def wait(done: Callable[[], bool], otherwise: str, patience: float = PATIENCE) -> None:
    """Return when something is so; TimeoutError where it does not become so."""
    deadline = time.monotonic() + patience
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(0.05)


def _ip(*words: str) -> str:
    done = subprocess.run(("ip", *words), env={"PATH": PATH}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {done.stderr}")
    return done.stdout


def _free_network() -> str:
    """Three numbers of an address that is for tests of networks, and that nothing here has."""
    taken = _ip("-oneline", "-4", "address", "show")
    networks = [f"198.{high}.{low}" for high in (18, 19) for low in range(256)]
    return random.choice([one for one in networks if f" {one}." not in taken])
