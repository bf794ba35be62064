"""What differs between two releases, in lines that people read."""

from stackgen.graph import Node, graph
from stackgen.lock import Lock
from stackgen.release import InstalledFramework, Release, shared_locks


def changes_between(old: Release, new: Release) -> tuple[str, ...]:
    """What differs between two releases, a line each: `tensorflow: numpy 2.3.1 -> 2.4.0`."""
    before = {framework.name: framework for framework in old.frameworks}
    after = {framework.name: framework for framework in new.frameworks}
    lines = [
        f"{what} {ours} -> {theirs}"
        for what, ours, theirs in (
            ("environment", old.environment, new.environment),
            ("system", old.system, new.system),
            ("namespace", old.namespace, new.namespace),
        )
        if ours != theirs
    ]
    lines += [f"{name}: added" for name in sorted(after.keys() - before.keys())]
    lines += [f"{name}: removed" for name in sorted(before.keys() - after.keys())]
    for name in sorted(before.keys() & after.keys()):
        lines += [f"{name}: {line}" for line in _framework_changes(before[name], after[name])]
    return tuple(lines)


def package_changes(old: Lock, new: Lock) -> tuple[str, ...]:
    """What differs between the packages that two locks have for everyone: `packages: zlib 1.3 -> 1.3.1`."""
    before, after = _for_everyone(old), _for_everyone(new)
    lines = [_package_change(before.get(key), after.get(key)) for key in sorted({*before, *after})]
    return tuple(dict.fromkeys(f"packages: {line}" for line in lines if line))  # on each MPI the same


def _for_everyone(lock: Lock) -> dict[tuple[str, str], Node]:
    """What was asked for, by Spack environment and name."""
    graphs = {one.name: graph(one.text) for one in shared_locks(lock)}
    roots = ((name, read.nodes[key]) for name, read in graphs.items() for key in read.roots)
    return {(name, node.name): node for name, node in roots}


def _package_change(old: Node | None, new: Node | None) -> str:
    if old and new and old.version == new.version:
        return "" if old.hash == new.hash else f"{new} built otherwise"
    name = next(node.name for node in (old, new) if node)
    return f"{name} {old.version if old else 'none'} -> {new.version if new else 'none'}"


def _framework_changes(old: InstalledFramework, new: InstalledFramework) -> list[str]:
    pairs = [
        ("from", old.source, new.source),
        ("python", old.python, new.python),
        ("module", old.module, new.module),
        *(
            (name, old.packages.get(name), new.packages.get(name))
            for name in sorted({*old.packages, *new.packages})
        ),
        *(
            (name, old.settings.get(name), new.settings.get(name))
            for name in sorted({*old.settings, *new.settings})
        ),
    ]
    told = [
        f"{what} {before or 'none'} -> {after or 'none'}" for what, before, after in pairs if before != after
    ]
    # Also of equal versions Spack knows many builds, and so do those who upload wheels a second time.
    return told or (["built otherwise"] if old.prefix != new.prefix else [])
