"""The driver of HTTP: how large a file is, and its bytes, checked before they get their name."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import TypeVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ReadTimeoutError

from stackgen import files
from stackgen.arrival import CHUNK, Arrival, Opened, Order
from stackgen.errors import WorkError
from stackgen.lock import LockedFile
from stackgen.progress import Advance
from stackgen.site import Site, system_certificates, without_credentials

AT_ONCE = 8
"""Files that are asked for or fetched at the same time."""
PATIENCE = (0.3, 1.0, 3.0)
"""Seconds to wait before each new attempt; a download that got further has them all again."""
TIMEOUT = (15, 30)
"""Seconds to wait for a connection, and for each answer."""
_WORTH_ANOTHER = frozenset({408, 425, 429, 500, 502, 503, 504})
_Result = TypeVar("_Result")


class NotHadError(WorkError):
    """No address has the file; why not, in the order of asking."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        self.reasons = reasons
        super().__init__("; ".join(reasons))


class _BrokenOffError(Exception):
    """An attempt failed in a way that another may not."""


class _SilentError(_BrokenOffError):
    """No server answered at all."""

    def __init__(self, address: str, reason: str) -> None:
        self.server, self.reason = urlsplit(address).netloc, reason
        super().__init__(f"{address}: {reason}")


class Client:
    """Asks and fetches with a site's credentials, else those of ~/.netrc.

    Proxies and certificates are what the usual environment variables say, else certificates the system's.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._session = requests.Session()
        self._session.verify = _certificates()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=AT_ONCE))
        self._silent: dict[str, str] = {}
        """Servers that did not answer, and how: no file waits for them again."""

    def measured(self, name: str, address: str, sha256: str) -> LockedFile:
        """A file with its size; it is read where the server does not tell it, or where no hash is known."""
        if path := _local(address):
            with files.reported(f"{name} cannot be read"):
                return LockedFile(name=name, size=path.stat().st_size, sha256=sha256 or files.sha256(path))
        if sha256 and (size := self._patiently(lambda: self._size(address), time.sleep)):
            return LockedFile(name=name, size=size, sha256=sha256)
        return self._patiently(lambda: self._read(name, address), time.sleep)

    def text(self, address: str) -> str:
        """A page; WorkError where it cannot be had."""
        if path := _local(address):
            page = path / "index.html" if path.is_dir() else path
            with files.reported(f"cannot read {page}"):
                return page.read_text(encoding="utf-8", errors="replace")
        content = self._patiently(lambda: b"".join(self._chunks(address, 0)[1]), time.sleep)
        return content.decode(errors="replace")

    def fetch(self, order: Order, advance: Advance, stopping: Event) -> str:
        """Bring a file to its final name, going on where an earlier run was; the address that had it.

        NotHadError says why none has, OSError what the disk refuses; StoppedError follows `stopping`.
        """
        reasons = []
        order.to.parent.mkdir(parents=True, exist_ok=True)
        for address in order.addresses:
            try:
                self._fetch(order, address, advance, stopping)
            except WorkError as error:
                reasons.append(str(error) if len(order.addresses) == 1 else error.what)
            else:
                return address
        if order.part.exists() and not order.part.stat().st_size:
            order.part.unlink()
        raise NotHadError(tuple(reasons))

    def _fetch(self, order: Order, address: str, advance: Advance, stopping: Event) -> None:
        part = order.part
        resumed = part.exists()
        download = Arrival(order=order, advance=advance, stopping=stopping)
        found = self._filled(download, address)
        if found != order.sha256 and resumed:  # what the earlier run left may be at fault
            part.unlink()
            found = self._filled(download, address)
        if found != order.sha256:
            part.unlink()
            origin = without_credentials(address)
            raise WorkError(f"{origin} has the SHA-256 {found}, but the lock says {order.sha256}")
        part.replace(order.to)

    def _filled(self, download: "Arrival", address: str) -> str:
        """The SHA-256 of the part when all has come."""
        path = _local(address)

        def open_at(start: int) -> Opened:
            return (start, _local_chunks(path, start)) if path else self._chunks(address, start)

        return self._patiently(
            lambda: download.attempt(open_at), download.stopping.wait, lambda: download.position
        )

    def _patiently(
        self,
        attempt: Callable[[], _Result],
        wait: Callable[[float], object],
        reached: Callable[[], int] = lambda: 0,
    ) -> _Result:
        """The result of an attempt that may break off; WorkError once patience is at its end."""
        furthest, pauses = reached(), iter(PATIENCE)
        while True:
            try:
                return attempt()
            except _BrokenOffError as error:
                if reached() > furthest:
                    furthest, pauses = reached(), iter(PATIENCE)
                pause = next(pauses, None)
                if pause is None:
                    if isinstance(error, _SilentError):
                        self._silent[error.server] = error.reason
                    raise WorkError(str(error)) from None
                wait(pause)

    def _size(self, address: str) -> int | None:
        """As the server tells it, some to GET only; None where it does not."""
        for method in ("HEAD", "GET"):
            with closing(self._request(method, address)) as response:
                size = response.headers.get("Content-Length", "")
                if response.ok and size.isdigit():
                    return int(size)
        return None

    def _read(self, name: str, address: str) -> LockedFile:
        size, digest = 0, hashlib.sha256()
        for chunk in self._chunks(address, 0)[1]:
            size += len(chunk)
            digest.update(chunk)
        return LockedFile(name=name, size=size, sha256=digest.hexdigest())

    def _chunks(self, address: str, start: int) -> Opened:
        """The bytes from `start`, or from 0 where the server cannot skip."""
        wanted = f"bytes={start}-"
        response = self._request("GET", address, {"Range": wanted} if start else {})
        if response.status_code == 416 and start:
            response.close()
            return self._chunks(address, 0)
        if not response.ok:
            raise _refused(response, address)
        given = response.headers.get("Content-Range", "")
        skipped = response.status_code == 206 and given.startswith(f"bytes {start}-")
        return (start if skipped else 0), _response_chunks(response, address)

    def _request(self, method: str, address: str, headers: dict[str, str] | None = None) -> requests.Response:
        plain = without_credentials(address)
        if urlsplit(plain).scheme not in {"http", "https"}:
            raise WorkError(f"{plain}: only http and https are fetched")
        if reason := self._silent.get(urlsplit(plain).netloc):
            raise WorkError(f"{plain}: {reason}")
        try:
            return self._session.request(
                method,
                plain,
                headers={"Accept-Encoding": "identity", **(headers or {})},
                auth=self._site.credentials(address),
                stream=True,
                timeout=TIMEOUT,
                allow_redirects=True,
            )
        except (requests.ConnectionError, requests.Timeout) as error:
            raise _SilentError(plain, _reason(error)) from None
        except requests.RequestException as error:
            raise _BrokenOffError(f"{plain}: {_reason(error)}") from None


def _certificates() -> str | bool:
    """What the certificates of servers are checked against; True is what requests brings along."""
    named = (os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"))
    return next(filter(None, named), None) or system_certificates() or True


def _local(address: str) -> Path | None:
    parts = urlsplit(address)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def _local_chunks(path: Path, start: int) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            stream.seek(start)
            while chunk := stream.read(CHUNK):
                yield chunk
    except OSError as error:
        raise WorkError(f"{path} cannot be read: {error.strerror}") from None


def _response_chunks(response: requests.Response, address: str) -> Iterator[bytes]:
    """As they were sent: some servers call an archive that they send as it is a gzip encoding of another."""
    try:
        with closing(response):
            yield from response.raw.stream(CHUNK, decode_content=False)
    except (HTTPError, OSError) as error:
        late = isinstance(error, (ReadTimeoutError, TimeoutError))
        reason = "no answer in time" if late else "the connection broke off"
        raise _BrokenOffError(f"{without_credentials(address)}: {reason}") from None


def _refused(response: requests.Response, address: str) -> Exception:
    """The error of an answer; it names the address that was asked, for a redirection's may hold a secret."""
    what = f"{without_credentials(address)}: {response.status_code} {response.reason}"
    response.close()
    if response.status_code in _WORTH_ANOTHER:
        return _BrokenOffError(what)
    remedy = "put user and password into ~/.netrc or into the index's address in site.yaml"
    return WorkError(what, remedy if response.status_code in {401, 403, 407} else "")


def _reason(error: requests.RequestException) -> str:
    match error:
        case requests.exceptions.SSLError():
            return "its certificate is not trusted; name yours by SSL_CERT_FILE"
        case requests.exceptions.ProxyError():
            return "the proxy does not answer; check HTTPS_PROXY"
        case requests.Timeout():
            return "no answer in time"
        case requests.ConnectionError():
            return "no connection"
    return type(error).__name__
