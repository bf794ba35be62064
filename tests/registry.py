"""A real registry of images on this machine, and small images to put into it."""

import gzip
import hashlib
import io
import json
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
HTPASSWD = "admin:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"
"""The user admin, whose password is `secret`."""


def layer(files: Mapping[str, str], compression: str = "gz") -> bytes:
    """A layer with these texts by their paths; a path that ends in `@` is a link to the text."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(path.removesuffix("@"))
            if path.endswith("@"):
                member.type, member.linkname = tarfile.SYMTYPE, text
                archive.addfile(member)
                continue
            member.size, member.mode = len(text.encode()), 0o755
            archive.addfile(member, io.BytesIO(text.encode()))
    if not compression:
        return stream.getvalue()
    return gzip.compress(stream.getvalue(), mtime=0)


def digest(content: bytes) -> str:
    """With `sha256:` before it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def described(content: bytes, media_type: str, **more: object) -> dict[str, object]:
    """What a manifest says of a blob."""
    return {"digest": digest(content), "size": len(content), "mediaType": media_type, **more}


@dataclass(frozen=True, kw_only=True)
class Image:
    """A whole image: its blobs by digest, and its manifest."""

    manifest: bytes
    blobs: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """Of its manifest."""
        return digest(self.manifest)

    def lay(self, directory: Path) -> Path:
        """The same as an OCI layout."""
        blobs = directory / "blobs/sha256"
        blobs.mkdir(parents=True)
        for content in (*self.blobs.values(), self.manifest):
            (blobs / digest(content).removeprefix("sha256:")).write_bytes(content)
        (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        index = {"schemaVersion": 2, "manifests": [described(self.manifest, MANIFEST)]}
        (directory / "index.json").write_text(json.dumps(index))
        return directory


def image(*layers: bytes, architecture: str = "amd64", environment: Mapping[str, str] | None = None) -> Image:
    """An image of some layers, which are compressed by gzip."""
    config = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Env": [f"{name}={value}" for name, value in (environment or {}).items()]},
            "rootfs": {"type": "layers", "diff_ids": [digest(gzip.decompress(one)) for one in layers]},
        }
    ).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": described(config, CONFIG),
        "layers": [described(one, LAYER) for one in layers],
    }
    blobs = {digest(one): one for one in (config, *layers)}
    return Image(manifest=json.dumps(manifest).encode(), blobs=blobs)


HELLO = layer({"usr/bin/hello": "#!/bin/sh\necho hello\n", "etc/os-release": "ID=small\n"})
MORE = layer({"opt/more/text": "more\n", "opt/less@": "more"})
SMALL = image(HELLO, MORE, environment={"PATH": "/opt/bin:/usr/bin", "LANG": "C"})
"""An image of two layers."""


def index_of(images: Mapping[str, Image]) -> bytes:
    """A list of images by architecture."""
    manifests = [
        described(one.manifest, MANIFEST, platform={"os": "linux", "architecture": architecture})
        for architecture, one in images.items()
    ]
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).encode()


@dataclass(frozen=True, kw_only=True)
class Registry:
    """A registry that runs."""

    host: str
    scheme: str = "http"
    storage: Path
    log: Path
    auth: tuple[str, str] | None = field(default=None, repr=False)

    def push(self, name: str, one: Image) -> str:
        """Have an image in it; its reference with the digest."""
        for content in one.blobs.values():
            self.push_blob(name, content)
        return self.push_manifest(name, one.manifest, MANIFEST)

    def push_blob(self, name: str, content: bytes) -> None:
        """Have a blob in it."""
        begun = self._ask("POST", f"{self.scheme}://{self.host}/v2/{name}/blobs/uploads/")
        where, _, query = begun.headers["Location"].partition("?")
        self._ask("PUT", f"{where}?{query}&digest={digest(content)}", content)

    def push_manifest(self, name: str, content: bytes, media_type: str) -> str:
        """Have a manifest or a list of them in it; its reference with the digest."""
        address = f"{self.scheme}://{self.host}/v2/{name}/manifests/{digest(content)}"
        self._ask("PUT", address, content, media_type)
        return f"{self.host}/{name}@{digest(content)}"

    def _ask(
        self, method: str, address: str, content: bytes = b"", kind: str = "application/octet-stream"
    ) -> requests.Response:
        certificate = self.log.with_name("certificate")
        answer = requests.request(
            method,
            address,
            data=content,
            headers={"Content-Type": kind},
            auth=self.auth,
            timeout=10,
            verify=str(certificate) if certificate.exists() else True,
        )
        answer.raise_for_status()
        return answer

    def blob(self, one: str) -> Path:
        """Where it keeps a blob, by its digest."""
        hexadecimal = one.removeprefix("sha256:")
        where = self.storage / "docker/registry/v2/blobs/sha256" / hexadecimal[:2] / hexadecimal / "data"
        assert where.is_file()
        return where

    def fetched(self) -> list[str]:
        """The digests of the blobs that were asked for, in the order of asking; then it is forgotten."""
        found = [
            part.split()[0]
            for line in self.log.read_text().splitlines()
            if '"GET /v2/' in line and "/blobs/" in line
            for part in [line.partition("/blobs/")[2]]
        ]
        self.log.write_text("")
        return found


def why_not() -> str:
    """Why there can be no registry here; empty where there can."""
    missing = [program for program in ("docker-registry", "skopeo") if not shutil.which(program)]
    return f"{' and '.join(missing)} not installed" if missing else ""


@contextmanager
def registry(
    directory: Path, htpasswd: str = "", auth: tuple[str, str] | None = None, *, secured: bool = False
) -> Iterator[Registry]:
    """A registry of this machine alone, with its storage in a directory.

    Where it is `secured` it speaks HTTPS, with a certificate that nobody knows: `certificate` there.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    directory.mkdir(parents=True, exist_ok=True)
    storage, log = directory / "storage", directory / "log"
    (directory / "htpasswd").write_text(htpasswd)
    guarded = {"htpasswd": {"realm": "test", "path": str(directory / "htpasswd")}}
    configuration = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": False}},
        "storage": {"filesystem": {"rootdirectory": str(storage)}, "delete": {"enabled": True}},
        "http": {"addr": f"127.0.0.1:{port}", **(_certificate(directory) if secured else {})},
        **({"auth": guarded} if htpasswd else {}),
    }
    (directory / "config.json").write_text(json.dumps(configuration))
    with log.open("ab") as stream:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(directory / "config.json")], stdout=stream, stderr=stream
        )
    try:
        _await(process, port, log)
        scheme = "https" if secured else "http"
        yield Registry(host=f"localhost:{port}", scheme=scheme, storage=storage, log=log, auth=auth)
    finally:
        process.terminate()
        process.wait(10)


def _certificate(directory: Path) -> dict[str, object]:
    """A certificate for this machine, signed by itself, as a registry is told of it."""
    key, certificate = directory / "key", directory / "certificate"
    words = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2")
    subprocess.run([*words, *subject, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return {"tls": {"certificate": str(certificate), "key": str(key)}}


def _await(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    for _ in range(200):
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(log.read_text())
