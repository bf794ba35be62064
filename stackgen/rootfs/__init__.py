"""A root file system merged from several sources, nothing unpacked, and the SquashFS image of it."""

from stackgen.rootfs.filesystem import Entry, Kind, RootFs
from stackgen.rootfs.merge import root_file_system
from stackgen.rootfs.sources import Deb, Debs, Directory, Layer, Layers, Opener, Source, Texts
from stackgen.rootfs.squash import Squasher, squash, squasher

__all__ = [
    "Deb",
    "Debs",
    "Directory",
    "Entry",
    "Kind",
    "Layer",
    "Layers",
    "Opener",
    "RootFs",
    "Source",
    "Squasher",
    "Texts",
    "root_file_system",
    "squash",
    "squasher",
]
