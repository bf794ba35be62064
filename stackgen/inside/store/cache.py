"""A directory of finished packages: taken from it before anything is built, and put there when built."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import spack.binary_distribution
import spack.installer
import spack.mirrors.mirror
import spack.stage
import spack.url_buildcache

from stackgen.inside.store.telling import tell


def use_cache(directory: Path, *, writable: bool) -> None:
    """Have Spack's installer take from the cache, and put into it what it has built."""
    _take_what_is_whole(directory)
    if writable:
        _put_what_is_built(directory)


def _take_what_is_whole(directory: Path) -> None:
    """Spack goes on without a word where an entry is damaged, and ends where one cannot be unpacked."""
    take = spack.installer._install_from_cache
    layout = spack.url_buildcache.get_url_buildcache_class()
    entries = layout.get_relative_path_components(spack.url_buildcache.BuildcacheComponent.SPEC)

    def taken(pkg: Any, *others: Any, **more: Any) -> bool:
        try:
            done: bool = take(pkg, *others, **more)
        except Exception as error:
            tell(pkg.spec, note=f"its entry in the build cache cannot be used, so it is built: {error}"[:300])
            pkg.remove_prefix()
            return False
        entry = directory.joinpath(*entries, pkg.name, layout.get_manifest_filename(pkg.spec))
        if not done and entry.exists():
            tell(pkg.spec, note="its entry in the build cache is damaged, so it is built")
        return done

    spack.installer._install_from_cache = taken


def _put_what_is_built(directory: Path) -> None:
    """In the process that has built it, while others go on; a cache that is full stops no build."""
    build = spack.installer.build_process

    def built(pkg: Any, arguments: Any) -> Any:
        result = build(pkg, arguments)
        try:
            _put(pkg.spec, directory)
        except Exception as error:
            tell(pkg.spec, note=f"it could not be put into the build cache: {error}"[:300])
        return result

    spack.installer.build_process = built


def _put(spec: Any, directory: Path) -> None:
    """Pack it aside and move the files in, the one that names the others last: no half entry is ever seen."""
    aside = Path(spack.stage.get_stage_root()) / f"put-{spec.dag_hash()}"
    mirror = spack.mirrors.mirror.Mirror({"url": aside.as_uri(), "signed": False}, name="aside")
    try:
        with spack.binary_distribution.make_uploader(mirror=mirror, force=True) as uploader:
            uploader.push_or_raise([spec])
        files = sorted(path for path in aside.rglob("*") if path.is_file())
        for path in sorted(files, key=lambda path: path.name.endswith(".spec.manifest.json")):
            _move(path, directory / path.relative_to(aside))
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _move(path: Path, place: Path) -> None:
    """In one step, whoever puts the same there; in a sandbox all processes have the same few numbers."""
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    beside = Path(name)
    try:
        with path.open("rb") as packed, os.fdopen(handle, "wb") as stream:
            shutil.copyfileobj(packed, stream)
            os.fchmod(stream.fileno(), 0o644)
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)
