"""Exactly what an environment resolves to: its values, its files (PEP 751), and what it was made from."""

from stackgen.lock.directory import lock_tree, parse_lock, read_lock
from stackgen.lock.images import blob_name, images_text, parse_images
from stackgen.lock.inputs import changes, framework_inputs, inputs, spack_inputs
from stackgen.lock.sources import is_source_place, parse_sources, sources_text
from stackgen.lock.values import (
    Images,
    Json,
    Lock,
    LockedContext,
    LockedDeb,
    LockedFile,
    LockedImage,
    LockedLayer,
    LockedPackage,
    LockedSource,
    SpackLock,
    WheelLock,
    digest,
)

__all__ = [
    "Images",
    "Json",
    "Lock",
    "LockedContext",
    "LockedDeb",
    "LockedFile",
    "LockedImage",
    "LockedLayer",
    "LockedPackage",
    "LockedSource",
    "SpackLock",
    "WheelLock",
    "blob_name",
    "changes",
    "digest",
    "framework_inputs",
    "images_text",
    "inputs",
    "is_source_place",
    "lock_tree",
    "parse_images",
    "parse_lock",
    "parse_sources",
    "read_lock",
    "sources_text",
    "spack_inputs",
]
