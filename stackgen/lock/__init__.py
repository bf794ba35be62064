"""Exactly what an environment resolves to: its values, its files (PEP 751), and what it was made from."""

from stackgen.lock.directory import lock_tree, parse_lock, read_lock
from stackgen.lock.inputs import changes, inputs, spack_inputs
from stackgen.lock.sources import is_source_place, parse_sources, sources_text
from stackgen.lock.values import (
    Json,
    Lock,
    LockedFile,
    LockedPackage,
    LockedSource,
    SpackLock,
    WheelLock,
    digest,
)

__all__ = [
    "Json",
    "Lock",
    "LockedFile",
    "LockedPackage",
    "LockedSource",
    "SpackLock",
    "WheelLock",
    "changes",
    "digest",
    "inputs",
    "is_source_place",
    "lock_tree",
    "parse_lock",
    "parse_sources",
    "read_lock",
    "sources_text",
    "spack_inputs",
]
