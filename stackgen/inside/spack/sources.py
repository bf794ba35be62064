"""What has to be fetched for a lock, by what the recipes say: nothing is fetched, nothing is looked for."""

import json
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import spack.fetch_strategy as fetching
import spack.stage
from spack.patch import UrlPatch

from stackgen.inside.spack import scopes


def listed(environments: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """A line of JSON for each source."""
    told = set()
    for directory, lock in environments.values():
        environment = scopes.activate(Path(directory))
        with Path(lock).open(encoding="utf-8") as stream:
            environment._read_lockfile(stream)
        for spec in environment.all_specs_generator():
            for line in map(json.dumps, needed(spec)):
                if line not in told:
                    told.add(line)
                    yield line


def needed(spec: Any) -> Iterator[dict[str, Any]]:
    """What has to be fetched for a node; nothing for an external."""
    if spec.external:
        return
    package = spec.package
    patches = iter([patch for patch in spec.patches if isinstance(patch, UrlPatch)])
    if package.has_code or spec.patches:
        for stage in package.stage:
            line = {"package": spec.name, "version": str(spec.version), **_stage(stage, package, patches)}
            if not _lies_with_recipe(stage, package):
                yield line


def _lies_with_recipe(stage: Any, package: Any) -> bool:
    addresses = _addresses(stage.default_fetcher)
    return bool(addresses) and all(
        _is_file(address) and _path(address).is_relative_to(package.package_dir) for address in addresses
    )


def _is_file(address: str) -> bool:
    return address.startswith("file:")


def _path(address: str) -> Path:
    """Recipes write as many slashes as they like."""
    return Path("/" + urlsplit(address).path.lstrip("/"))


def _stage(stage: Any, package: Any, patches: Iterator[Any]) -> dict[str, Any]:
    fetcher, addresses = stage.default_fetcher, _addresses(stage.default_fetcher)
    kind, name = _kind(stage, package, patches)
    plain = isinstance(fetcher, fetching.URLFetchStrategy)
    # Where its makers forbid to fetch a file, recipes name the directory that Spack was started in.
    remote = [address for address in addresses if not (plain and _is_file(address))]
    by_hand = kind == "source" and package.manual_download
    return {
        "kind": kind,
        "name": name,
        "sha256": _sha256(fetcher),
        "commit": str(getattr(fetcher, "commit", None) or ""),
        "git": str(fetcher.url) if isinstance(fetcher, fetching.GitFetchStrategy) else "",
        "file": _path(addresses[0]).name if addresses else "",
        "urls": remote,
        "path": posixpath.normpath(stage.mirror_layout.path),  # those of git repositories have a `//`
        "manual": bool(by_hand or (addresses and not remote)),
    }


def _kind(stage: Any, package: Any, patches: Iterator[Any]) -> tuple[str, str]:
    """Spack keeps the stages of a package in this order: its source, its resources, its patches."""
    if isinstance(stage, spack.stage.ResourceStage):
        return "resource", str(stage.resource.name)
    if stage is package.stage[0] and package.has_code:
        return "source", package.name
    return "patch", Path(next(patches).url).name


def _sha256(fetcher: Any) -> str:
    """Of the file that is fetched, where a patch has one digest packed and another unpacked."""
    digest = str(getattr(fetcher, "digest", None) or "")
    return digest if len(digest) == 64 else ""


def _addresses(fetcher: Any) -> list[str]:
    if isinstance(fetcher, fetching.URLFetchStrategy):
        return [str(url) for url in fetcher.candidate_urls]
    return [str(fetcher.url)] if getattr(fetcher, "url", None) else []
