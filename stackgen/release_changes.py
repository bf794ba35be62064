"""What differs between two releases, in lines that people read."""

from collections.abc import Iterator

from stackgen.graph import Node, graph
from stackgen.lock import Images, Lock
from stackgen.model.deprecation import DeprecatedVersion
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
    lines += _deprecation_changes(old, new)
    for name in sorted(before.keys() & after.keys()):
        lines += [f"{name}: {line}" for line in _framework_changes(before[name], after[name])]
    return tuple(lines)


def _deprecation_changes(old: Release, new: Release) -> Iterator[str]:
    """As in `hpai/tensorflow/2.9: deprecated from 2026-06-01 -> withdrawn from 2026-12-01`."""
    before, after = _deprecations(old), _deprecations(new)
    for name in sorted({*before, *after}):
        ours, theirs = before.get(name), after.get(name)
        if ours != theirs:
            was, now = (_standing(one) for one in (ours, theirs))
            yield f"{name}: {f'{was} -> {now}' if was != now else f'{now}, said otherwise'}"


def _deprecations(release: Release) -> dict[str, DeprecatedVersion]:
    return {f"{one.module}/{one.version}": one for one in release.deprecations}


def _standing(one: DeprecatedVersion | None) -> str:
    return f"{one.state} from {one.on}" if one else "not deprecated"


def package_changes(old: Lock, new: Lock) -> tuple[str, ...]:
    """What differs between the packages that two locks have for everyone, and what their images stand on.

    As in `packages: zlib 1.3 -> 1.3.1` and `base: libc6 2.36-9 -> 2.36-10`.
    """
    before, after = _for_everyone(old), _for_everyone(new)
    lines = [_package_change(before.get(key), after.get(key)) for key in sorted({*before, *after})]
    shared = dict.fromkeys(f"packages: {line}" for line in lines if line)  # on each MPI the same
    return (*shared, *_image_changes(old.images, new.images))


def _image_changes(old: Images, new: Images) -> Iterator[str]:
    """Packages of the base, images of others by their digests, and what is added to them."""
    known = [{f"base: {deb.package}": deb.version for deb in one.base} for one in (old, new)]
    for number, one in enumerate((old, new)):
        known[number] |= {f"{image.framework}: image": _short(image.digest) for image in one.images}
        for context in one.contexts:
            added = {f"{context.framework}: {file.name}": _short(file.sha256) for file in context.files}
            known[number] |= added
    before, after = known
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield f"{name} {before.get(name, 'none')} -> {after.get(name, 'none')}"


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


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
    same = (old.prefix, old.image) == (new.prefix, new.image)
    return told or ([] if same else ["built otherwise"])
