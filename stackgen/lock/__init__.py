"""Exactly what an environment resolves to: its values, its files (PEP 751), and what it was made from."""

from stackgen.lock.directory import lock_tree, parse_lock, read_lock
from stackgen.lock.inputs import changes, inputs, spack_inputs
from stackgen.lock.values import Json, Lock, LockedFile, LockedPackage, SpackLock, WheelLock, digest

__all__ = [
    "Json",
    "Lock",
    "LockedFile",
    "LockedPackage",
    "SpackLock",
    "WheelLock",
    "changes",
    "digest",
    "inputs",
    "lock_tree",
    "parse_lock",
    "read_lock",
    "spack_inputs",
]
