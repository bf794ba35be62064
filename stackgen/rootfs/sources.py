"""What a root file system is merged from; later sources replace what earlier ones have at the same path."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from stackgen.tree import Tree

Opener = Callable[[], BinaryIO]
"""Opens a file anew, at its beginning: each is read twice, its headers first and its contents later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer of an image: a tar archive, plain or packed by gzip, zstd, xz or bzip2 as its bytes say."""

    name: str
    """What messages call it, such as `layer 3`."""
    open: Opener
    diff_id: str = ""
    """What the image's configuration says of it unpacked, `sha256:<hex>`; not checked where empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """An image: its layers from the lowest to the topmost, with the whiteouts of OCI.

    https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md
    """

    image: str
    """What messages call it: its reference."""
    layers: tuple[Layer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deb:
    """One Debian package, of which only the files are taken: no script of it runs."""

    name: str
    """What messages call it, such as `bash 5.2.15-2+b2`."""
    open: Opener


@dataclass(frozen=True, slots=True, kw_only=True)
class Debs:
    """Debian packages in the order in which they are unpacked."""

    packages: tuple[Deb, ...]
    merged: tuple[str, ...] = ()
    """Directories that are links into /usr from the start: bin, sbin, lib, and what the architecture adds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """A directory with all below it, or one file, of this machine; symbolic links stay what they are."""

    path: Path
    at: str
    """The absolute path that it has inside."""
    also_at: str = ""
    """A second absolute path, where the same files are by hard links; none where empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Files that are written here, empty directories to mount at, and symbolic links."""

    tree: Tree = field(default_factory=Tree)
    directories: tuple[str, ...] = ()
    """Absolute or relative to the root; one that is there already stays with all that it holds."""
    links: Mapping[str, str] = field(default_factory=dict)
    """The target of each symbolic link, by the link's path."""


Source = Layers | Debs | Directory | Texts
