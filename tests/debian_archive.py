"""A small archive of a distribution, signed by a key of its own, with packages that dpkg-deb has made."""

import gzip
import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stackgen.distribution.known import KNOWN

_PROGRAMS = ("apt-get", "dpkg-deb", "gpg")


def why_not() -> str:
    """Why there can be no archive here, or nothing."""
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    return f"not here: {', '.join(missing)}" if missing else ""


def deb(
    place: Path,
    name: str,
    version: str = "1.0",
    *,
    architecture: str = "amd64",
    depends: str = "",
    files: Mapping[str, str] | None = None,
    postinst: str = "",
    conflicts: str = "",
) -> str:
    """Make a package below a directory; its description for the list of packages."""
    made = place / "making"
    shutil.rmtree(made, ignore_errors=True)
    (made / "DEBIAN").mkdir(parents=True)
    fields = {
        "Package": name,
        "Version": version,
        "Architecture": architecture,
        "Maintainer": "nobody <nobody@localhost>",
        **({"Depends": depends} if depends else {}),
        **({"Conflicts": conflicts} if conflicts else {}),
        "Description": "small",
    }
    control = "".join(f"{key}: {value}\n" for key, value in fields.items())
    (made / "DEBIAN/control").write_text(control)
    if postinst:
        (made / "DEBIAN/postinst").write_text(postinst)
        (made / "DEBIAN/postinst").chmod(0o755)
    for path, text in (files or {f"usr/share/doc/{name}/copyright": name}).items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_text(text)
    file = place / f"{name}_{version.rpartition(':')[2]}_{architecture}.deb"
    words = ("dpkg-deb", "--root-owner-group", "-Znone", "-b", str(made), str(file))
    subprocess.run(words, check=True, capture_output=True)
    shutil.rmtree(made)
    return control


@dataclass
class Archive:
    """One archive on its way to be published as a directory."""

    root: Path
    home: Path
    """Of GnuPG."""
    _listed: list[str] = field(default_factory=list)

    @property
    def keyring(self) -> Path:
        """The public key that signs it."""
        return self.home / "archive.gpg"

    def add(self, name: str, version: str = "1.0", *, pool: str = "pool/main", **parts: object) -> Path:
        """Have a package in it; its place."""
        directory = self.root / pool / name[0] / name
        directory.mkdir(parents=True, exist_ok=True)
        control = deb(directory, name, version, **parts)
        newest = max(directory.glob("*.deb"), key=lambda path: path.stat().st_mtime_ns)
        content = newest.read_bytes()
        self._listed.append(
            f"{control}Filename: {newest.relative_to(self.root)}\nSize: {len(content)}\n"
            f"SHA256: {hashlib.sha256(content).hexdigest()}\n"
        )
        return newest

    def publish(self, suite: str, architecture: str = "amd64", *, signed: bool = True) -> None:
        """Write the lists of a suite, and sign them."""
        place = self.root / "dists" / suite
        name = f"main/binary-{architecture}/Packages.gz"
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        plain = "\n".join(self._listed).encode()
        packed = gzip.compress(plain, mtime=0)
        (place / name).write_bytes(packed)
        files = {name: packed, name.removesuffix(".gz"): plain}  # apt asks for what is named unpacked, too
        sums = "".join(
            f" {hashlib.sha256(one).hexdigest()} {len(one)} {path}\n" for path, one in files.items()
        )
        release = (
            f"Origin: Debian\nSuite: {suite}\nCodename: {suite}\nDate: Sat, 01 Aug 2026 00:00:00 UTC\n"
            f"Architectures: {architecture}\nComponents: main\n"
            f"SHA256:\n{sums}"
        )
        (place / "Release").write_text(release)
        if signed:
            self._gpg("--clearsign", "-o", str(place / "InRelease"), str(place / "Release"))

    def _gpg(self, *words: str) -> None:
        base = ("gpg", "--batch", "--yes", "--quiet", "--passphrase", "")
        subprocess.run((*base, *words), check=True, env=self._environment, capture_output=True)

    @property
    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "GNUPGHOME": str(self.home)}

    @classmethod
    def at(cls, root: Path, home: Path) -> "Archive":
        """An empty one with the key of a home of GnuPG, made where there is none."""
        archive = cls(root=root, home=home)
        if not archive.keyring.exists():
            home.mkdir(mode=0o700)
            archive._gpg("--quick-gen-key", "archive@localhost", "ed25519", "sign", "never")
            archive._gpg("-o", str(archive.keyring), "--export")
        return archive


def usual(root: Path, home: Path, architecture: str = "amd64") -> Archive:
    """An archive with the least that every base has."""
    archive = Archive.at(root, home)
    for name in KNOWN["debian"].packages:
        needs = {"ca-certificates": "openssl, debconf", "bash": "base-files", "procps": "libproc2-0"}
        archive.add(name, architecture=architecture, depends=needs.get(name, ""))
    archive.add("libproc2-0", "2:4.0.2-3", architecture=architecture)
    for name in ("debconf", "openssl"):
        archive.add(name, architecture=architecture)
    return archive
