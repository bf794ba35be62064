"""The root file system of a distribution: what its packages bring, and what their scripts would have made."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from stackgen.distribution.scripts import chosen
from stackgen.lock import LockedDeb
from stackgen.rootfs import Deb, Debs, RootFs, Texts, root_file_system
from stackgen.tree import File, Tree

_MERGED = {"x86_64": ("lib64",), "ppc64le": ("lib64",), "aarch64": ()}
"""Directories that are links into /usr besides bin, sbin and lib: where the ABI wants the loader."""

_DIRECTORIES = (
    *("dev", "home", "media", "mnt", "opt", "proc", "root", "run/lock", "srv", "sys", "tmp"),
    *("usr/local/bin", "usr/local/lib", "var/cache", "var/lib/hugetlbfs", "var/log"),
    *("var/opt/cray/alps/spool", "var/opt/cray/hugetlbfs", "var/tmp"),
)
"""Those of the hierarchy standard, and what ch-run binds where a machine has it."""
_TEXTS = {
    "etc/group": "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n",
    "etc/hostname": "localhost\n",
    "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "etc/machine-id": "",
    "etc/nsswitch.conf": (
        "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n"
        "protocols: files\nservices: files\nethers: files\nrpc: files\n"
    ),
    "etc/passwd": (
        "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    ),
    "etc/resolv.conf": "",
    "etc/shells": "/bin/sh\n/bin/bash\n/bin/dash\n",
    "etc/timezone": "Etc/UTC\n",
}
"""What no package brings as a file; ch-run puts the machine's over some of them."""
_BUNDLE = "etc/ssl/certs/ca-certificates.crt"
_LINKS = {
    "etc/localtime": "/usr/share/zoneinfo/Etc/UTC",
    "etc/mtab": "../proc/self/mounts",
    "usr/bin/sh": "dash",
    "var/lock": "/run/lock",
    "var/run": "/run",
    # Where the TLS libraries of interpreters look that were copied from other distributions.
    **dict.fromkeys(
        (
            "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
            "etc/pki/tls/cert.pem",
            "etc/pki/tls/certs/ca-bundle.crt",
            "etc/ssl/ca-bundle.pem",
            "etc/ssl/cert.pem",
            "usr/lib/ssl/cert.pem",
            "var/lib/ca-certificates/ca-bundle.pem",
        ),
        f"/{_BUNDLE}",
    ),
    "usr/lib/ssl/certs": "/etc/ssl/certs",
    # What callers' shells say on most machines; nothing is sorted by it, and no shell complains of it.
    **{f"usr/lib/locale/{name}": "C.utf8" for name in ("en_GB.utf8", "en_US.utf8")},
}
_COPIES = {"etc/profile": "usr/share/base-files/profile", "root/.profile": "usr/share/base-files/dot.profile"}
_CERTIFICATES = "/usr/share/ca-certificates/mozilla"


def base_sources(
    packages: Iterable[LockedDeb], architecture: str, place: Callable[[LockedDeb], Path]
) -> tuple[Debs, Texts]:
    """What an image of these packages is merged from; `place` says where the file of each lies.

    `architecture` is as wheels name it. WorkError where a file is no package.
    """
    unpacked = Debs(
        packages=tuple(_deb(package, place(package)) for package in packages),
        merged=("bin", "lib", "sbin", *_MERGED[architecture]),
    )
    return unpacked, _configured(root_file_system((unpacked,)), chosen(unpacked.packages))


def _deb(package: LockedDeb, path: Path) -> Deb:
    return Deb(name=f"{package.package} {package.version}", open=lambda: path.open("rb"))


def _configured(tree: RootFs, names: Mapping[str, str]) -> Texts:
    """What is there in none of the packages alone; nothing of theirs is replaced."""
    certificates = [f"{_CERTIFICATES}/{name}" for name in tree.names(_CERTIFICATES)]
    read = tree.read((*certificates, *(f"/{source}" for source in _COPIES.values())))
    texts = {
        **_TEXTS,
        **{path: _text(read, f"/{source}") for path, source in _COPIES.items() if f"/{source}" in read},
        _BUNDLE: "".join(_text(read, path) for path in certificates),
    }
    links = {**_LINKS, **{link.lstrip("/"): path for link, path in names.items() if tree.look(path)}}
    return Texts(
        tree=Tree({path: File(text) for path, text in texts.items() if not tree.look(path)}),
        directories=_DIRECTORIES,
        links={path: target for path, target in links.items() if not tree.look(path)},
    )


def _text(read: Mapping[str, bytes], path: str) -> str:
    text = read[path].decode(errors="replace")
    return text if text.endswith("\n") else f"{text}\n"
