"""A small package index of real files (PEP 503), and a server on this machine that can misbehave."""

import base64
import hashlib
import io
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

EPOCH = (1980, 1, 1, 0, 0, 0)


def wheel(
    name: str,
    version: str,
    requires: tuple[str, ...] = (),
    padding: int = 0,
    python: str = "",
    *,
    program: str = "",
) -> bytes:
    """A wheel with nothing but metadata and, where asked for, bytes that do not compress, and a program."""
    info = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Requires-Dist: {line}" for line in requires]
    metadata += [f"Requires-Python: {python}"] if python else []
    members = {
        f"{name}/__init__.py": f"__version__ = {version!r}\n".encode(),
        f"{name}/padding": b"".join(hashlib.sha256(bytes([n % 256])).digest() for n in range(padding // 32)),
        f"{info}/METADATA": ("\n".join(metadata) + "\n").encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if program:
        entry = f"[console_scripts]\n{program} = {name}:__version__.upper\n"
        members[f"{info}/entry_points.txt"] = entry.encode()
    members[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*members, f"{info}/RECORD"]).encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path, content in members.items():
            archive.writestr(zipfile.ZipInfo(path, EPOCH), content)
    return stream.getvalue()


def sdist(name: str, version: str, requires: tuple[str, ...] = ()) -> bytes:
    """A source distribution whose metadata is complete without a build (PEP 643)."""
    lines = [f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}"]
    lines += [f"Requires-Dist: {line}" for line in requires]
    project = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    project += f'[project]\nname = "{name}"\nversion = "{version}"\ndependencies = {list(requires)!r}\n'
    return source_archive(
        f"{name}-{version}", {"PKG-INFO": "\n".join(lines) + "\n", "pyproject.toml": project}
    )


def source_archive(directory: str, texts: dict[str, str]) -> bytes:
    """An archive with these files below one directory."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for path, text in texts.items():
            member = tarfile.TarInfo(f"{directory}/{path}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()


@dataclass(frozen=True)
class Index:
    """An index in a directory: `files/` and `simple/<package>/index.html`."""

    root: Path

    @property
    def address(self) -> str:
        """The index as a `file:` address."""
        return f"{self.root.as_uri()}/simple"

    def file(self, name: str) -> Path:
        """A file of the index."""
        return self.root / "files" / name

    def add(self, name: str, content: bytes, hash_name: str = "sha256") -> str:
        """Offer a file under its name; its SHA-256."""
        self.file(name).parent.mkdir(parents=True, exist_ok=True)
        self.file(name).write_bytes(content)
        page = self.root / "simple" / name.partition("-")[0].lower().replace("_", "-") / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        fragment = f"#{hash_name}={hashlib.new(hash_name, content).hexdigest()}" if hash_name else ""
        with page.open("a") as stream:
            stream.write(f'<a href="../../files/{name}{fragment}">{name}</a>\n')
        return hashlib.sha256(content).hexdigest()

    def add_wheel(
        self, name: str, version: str, requires: tuple[str, ...] = (), tag: str = "py3-none-any"
    ) -> str:
        """Offer a wheel without content."""
        return self.add(f"{name}-{version}-{tag}.whl", wheel(name, version, requires))


@dataclass
class Manners:
    """How a server behaves; files are meant by name."""

    skips: bool = True
    """Whether it knows Range."""
    heads: bool = True
    """Whether it answers HEAD."""
    breaks: Counter[str] = field(default_factory=Counter)
    """How often it breaks off in the middle of a file."""
    fails: Counter[str] = field(default_factory=Counter)
    """How often it answers 503."""
    lies: dict[str, bytes] = field(default_factory=dict)
    """What it sends instead of a file."""
    encoded: set[str] = field(default_factory=set)
    """What it calls a gzip encoding although it is sent as it is."""
    login: tuple[str, str] | None = None
    """User and password that it wants."""
    slow: float = 0
    """Seconds for each 64 KiB."""
    asked: list[str] = field(default_factory=list)
    """`METHOD name`, with ` from N` where it was asked to skip."""

    @property
    def fetched(self) -> list[str]:
        """The files that were asked for, pages left out."""
        return sorted(
            line.removeprefix("GET ") for line in self.asked if line.startswith("GET ") and "." in line
        )


@dataclass(frozen=True)
class Server:
    """A running server and its manners, which may be changed while it runs."""

    address: str
    manners: Manners

    def with_login(self, user: str, password: str) -> str:
        """Its index's address with credentials."""
        return f"{self.address.replace('://', f'://{user}:{password}@')}/simple"

    @property
    def index(self) -> str:
        """Its index's address."""
        return f"{self.address}/simple"


class _Server(ThreadingHTTPServer):
    """A server that says nothing of clients which tests kill."""

    def handle_error(self, request, client_address) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(index: Index) -> Iterator[Server]:
    """Serve an index on a free port of this machine."""
    manners = Manners()
    server = _Server(("127.0.0.1", 0), _handler(index.root, manners))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_port}", manners)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(root: Path, manners: Manners) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self):
            if manners.heads:
                self._answer(with_body=False)
            else:
                self._refuse(405)

        def do_GET(self):
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            path = root / unquote(self.path).lstrip("/")
            path = path / "index.html" if path.is_dir() else path
            start = int(
                self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-").split("-")[0]
                or 0
            )
            start = start if manners.skips else 0
            name = path.parent.name if path.name == "index.html" else path.name
            manners.asked.append(f"{self.command} {name}{f' from {start}' if start else ''}")
            if not self._is_let_in():
                self._refuse(401)
            elif not path.is_file():
                self._refuse(404)
            elif manners.fails[name] > 0:
                manners.fails[name] -= 1
                self._refuse(503)
            else:
                self._send(manners.lies.get(name, path.read_bytes()), start, name, with_body=with_body)

        def _is_let_in(self) -> bool:
            expected = f"Basic {base64.b64encode(':'.join(manners.login or ()).encode()).decode()}"
            return manners.login is None or self.headers.get("Authorization") == expected

        def _refuse(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _send(self, content: bytes, start: int, name: str, *, with_body: bool) -> None:
            if start and start >= len(content):
                return self._refuse(416)
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Type", "text/html" if "." not in name else "application/octet-stream")
            self.send_header("Content-Length", str(len(content) - start))
            if name in manners.encoded:
                self.send_header("Content-Encoding", "x-gzip")
            self.end_headers()
            if not with_body:
                return None
            if manners.breaks[name] > 0:
                manners.breaks[name] -= 1
                self.wfile.write(content[start : start + (len(content) - start) // 2])
                self.close_connection = True
                return None
            return self._write(content[start:])

        def _write(self, content: bytes) -> None:
            import time

            for position in range(0, len(content), 2**16):
                try:
                    self.wfile.write(content[position : position + 2**16])
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True
                    return
                time.sleep(manners.slow)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
