"""The files of a lock: `lock.json`, `pylock.<framework>.toml`, `spack/<name>.lock`; read with distrust."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from stackgen.errors import InputError, Place
from stackgen.lock.images import images_text, parse_images
from stackgen.lock.pylock import parse_pylock, pylock_text
from stackgen.lock.sources import parse_sources, sources_text
from stackgen.lock.values import Images, Json, Lock, LockedPackage, SpackLock, WheelLock, digest
from stackgen.model.base import Strict
from stackgen.model.machine import OperatingSystem, Target
from stackgen.model.scalars import (
    Glibc,
    Line,
    Name,
    Prefix,
    ProjectName,
    PythonVersion,
    ReleaseName,
    Requirement,
    Spec,
)
from stackgen.tree import File, Tree

INDEX, SPACK, IMAGES = "lock.json", "spack", "images.json"
LARGEST = 16 * 2**20
"""Bytes; a lock of a thousand packages has a fiftieth of it."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]


class _SystemInputs(Strict):
    architecture: Name
    glibc: Glibc


class _FrameworkInputs(Strict):
    python: PythonVersion
    requires: Annotated[tuple[Requirement, ...], Field(min_length=1)]
    sdists: dict[ProjectName, tuple[Requirement, ...]]

    @property
    def builds(self) -> bool:
        """Whether something has to be had for building source distributions."""
        return any(self.sdists.values())


class _SpackInputs(Strict):
    """What decides Spack's solutions; `files` are the generated ones by path, with their hashes."""

    commits: dict[Name, Commit]
    os: OperatingSystem
    target: Target
    toolchain: dict[Name, Spec]
    compilers: tuple[Line, ...]
    externals: tuple[Line, ...]
    environments: Annotated[dict[Name, Annotated[tuple[Spec, ...], Field(min_length=1)]], Field(min_length=1)]
    files: dict[Line, Sha256]


class _BaseInputs(Strict):
    """What packed images stand on: a distribution, or an image."""

    distribution: Line | None = None
    packages: tuple[Line, ...] = ()
    image: Line | None = None


class _ExtendsInputs(Strict):
    """The release of a site that it stands on."""

    prefix: Prefix
    release: ReleaseName
    digest: Sha256


class _Inputs(Strict):
    system: _SystemInputs
    frameworks: dict[Name, _FrameworkInputs]
    spack: _SpackInputs | None = None
    images: dict[Name, dict[Line, Line]] | None = None
    """By framework, where its image comes from, and the files that are added by their places inside."""
    base: _BaseInputs | None = None
    extends: _ExtendsInputs | None = None

    @property
    def has_images(self) -> bool:
        """Whether there is something that images are made from."""
        return self.images is not None or self.base is not None

    @property
    def environments(self) -> tuple[str, ...]:
        """The names of Spack's environments, sorted."""
        return tuple(sorted(self.spack.environments)) if self.spack else ()


class _Index(Strict):
    """`lock.json`; `digest` is over everything else in it, and so over every file of the lock."""

    format: Literal[1]
    environment: Name
    inputs: _Inputs
    files: dict[str, Sha256]
    digest: Sha256


def lock_tree(lock: Lock) -> Tree:
    """The files of a lock; the same lock gives the same bytes, whichever uv resolved it."""
    texts: dict[str, str] = {}
    for name, text in (text for wheels in lock.wheels for text in _pylock_texts(wheels)):
        if name in texts:
            raise InputError.of(f"two frameworks would be locked in {name}", "rename one of them")
        texts[name] = text
    texts.update({_spack_name(spack.name): spack.text for spack in lock.spack})
    texts.update({_sources_name(spack.name): sources_text(spack.sources) for spack in lock.spack})
    if lock.images:
        texts[IMAGES] = images_text(lock.images)
    content: dict[str, Json] = {
        "format": 1,
        "environment": lock.environment,
        "inputs": dict(lock.inputs),
        "files": {name: _sha256(text) for name, text in texts.items()},
    }
    index = json.dumps({**content, "digest": digest(content)}, indent=2, sort_keys=True) + "\n"
    return Tree({INDEX: File(index), **{name: File(text) for name, text in texts.items()}})


def _pylock_texts(wheels: WheelLock) -> list[tuple[str, str]]:
    texts = [(_pylock_name(wheels.framework), pylock_text(wheels.packages, wheels.python))]
    if wheels.build_packages:
        name = _pylock_name(wheels.framework, build=True)
        texts.append((name, pylock_text(wheels.build_packages, wheels.python)))
    return texts


def _names(lock: Lock) -> Iterator[str]:
    """What the files of a lock are called."""
    yield INDEX
    for wheels in lock.wheels:
        yield _pylock_name(wheels.framework)
        if wheels.build_packages:
            yield _pylock_name(wheels.framework, build=True)
    for spack in lock.spack:
        yield from (_spack_name(spack.name), _sources_name(spack.name))
    if lock.images:
        yield IMAGES


def _pylock_name(framework: str, *, build: bool = False) -> str:
    return f"pylock.{framework}-build.toml" if build else f"pylock.{framework}.toml"


def _spack_name(environment: str) -> str:
    return f"{SPACK}/{environment}.lock"


def _sources_name(environment: str) -> str:
    return f"{SPACK}/{environment}.sources.json"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read_lock(directory: Path) -> Lock:
    """The lock in a directory; InputError where it is not there, damaged, edited or not readable."""
    try:
        texts = _texts(directory)
    except OSError as error:
        place = Place(file=str(error.filename or directory))
        what = f"cannot be read: {error.strerror}"
        raise InputError.of(what, "check its permissions", place=place) from None
    return parse_lock(texts, directory)


def _texts(directory: Path) -> dict[str, str]:
    if not (directory / INDEX).is_file():
        raise _refusal(directory, directory, "there is no lock here")
    paths = [*_visible(directory), *(_visible(directory / SPACK) if (directory / SPACK).is_dir() else ())]
    return {str(path.relative_to(directory)): _text(path, directory) for path in paths}


def _visible(directory: Path) -> list[Path]:
    """What counts in a directory; the directory of Spack's locks is looked into by itself."""
    return sorted(
        path
        for path in directory.iterdir()
        if not path.name.startswith(".") and not (path.name == SPACK and path.is_dir())
    )


def _text(path: Path, directory: Path) -> str:
    if not path.is_file():
        raise _refusal(directory, path, "is no file of a lock")
    with path.open("rb") as stream:
        content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise _refusal(directory, path, f"is larger than any lock, {LARGEST // 2**20} MiB")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise _refusal(directory, path, "is not UTF-8") from None


def parse_lock(texts: Mapping[str, str], directory: Path) -> Lock:
    """The lock of files by name; InputError names the file of `directory` that is at fault."""
    index = _parse_index(texts[INDEX], directory)
    for name in sorted(texts.keys() | index.files.keys() - {INDEX}):
        if name not in texts:
            raise _refusal(directory, directory / name, "is missing")
        if name != INDEX and name not in index.files:
            raise _refusal(directory, directory / name, f"is not named in {INDEX}")
        if name != INDEX and _sha256(texts[name]) != index.files[name]:
            raise _refusal(directory, directory / name, "was edited or damaged since it was locked")
    return _lock(index, texts, directory)


def _parse_index(text: str, directory: Path) -> _Index:
    path = directory / INDEX
    try:
        content = json.loads(text)
        index = _Index.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f" {key}:" for key in first["loc"])
        raise _refusal(directory, path, f"is not valid:{where} {first['msg']}") from None
    except (ValueError, RecursionError):
        raise _refusal(directory, path, "is no JSON") from None
    if digest({key: value for key, value in content.items() if key != "digest"}) != index.digest:
        raise _refusal(directory, path, "was edited or damaged since it was locked")
    return index


def _lock(index: _Index, texts: Mapping[str, str], directory: Path) -> Lock:
    def packages(name: str, python: str) -> tuple[LockedPackage, ...]:
        if name not in texts:
            raise _refusal(directory, directory / name, "is missing")
        try:
            return parse_pylock(texts[name], python)
        except ValueError as error:
            raise _refusal(directory, directory / name, str(error)) from None

    wheels = tuple(
        WheelLock(
            framework=name,
            python=asked.python,
            packages=packages(_pylock_name(name), asked.python),
            build_packages=packages(_pylock_name(name, build=True), asked.python) if asked.builds else (),
        )
        for name, asked in sorted(index.inputs.frameworks.items())
    )
    inputs: dict[str, Json] = json.loads(texts[INDEX])["inputs"]
    spack = tuple(_spack_lock(name, texts, directory) for name in index.inputs.environments)
    images = _images(texts, directory) if index.inputs.has_images else Images()
    lock = Lock(environment=index.environment, inputs=inputs, wheels=wheels, spack=spack, images=images)
    for name in sorted(texts.keys() - set(_names(lock))):
        raise _refusal(directory, directory / name, "belongs to no framework of the lock")
    return lock


def _spack_lock(name: str, texts: Mapping[str, str], directory: Path) -> SpackLock:
    lock, sources = _spack_name(name), _sources_name(name)
    for file in (lock, sources):
        if file not in texts:
            raise _refusal(directory, directory / file, "is missing")
    try:
        listed = parse_sources(texts[sources])
    except ValueError as error:
        raise _refusal(directory, directory / sources, str(error)) from None
    try:
        return SpackLock(name=name, text=texts[lock], sources=listed)
    except (ValueError, RecursionError):
        raise _refusal(directory, directory / lock, "is no lock of Spack's") from None


def _images(texts: Mapping[str, str], directory: Path) -> Images:
    if IMAGES not in texts:
        raise _refusal(directory, directory / IMAGES, "is missing")
    try:
        return parse_images(texts[IMAGES])
    except ValueError as error:
        raise _refusal(directory, directory / IMAGES, str(error)) from None


def _refusal(directory: Path, file: Path, what: str) -> InputError:
    environment = directory.with_suffix(".yaml") if directory.suffix == ".lock" else "ENV.yaml"
    is_kit = (directory.parent.parent / "manifest.json").is_file()
    remedy = "copy the kit again" if is_kit else f"run `stackgen lock {environment}`"
    return InputError.of(what, remedy, place=Place(file=str(file)))
