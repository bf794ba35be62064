"""What a site wrote, as a kit holds it: buildable at the far side, from the kit, as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import yaml

from stackgen import files
from stackgen.config.join import Reading
from stackgen.config.nodes import Scalar, plain
from stackgen.errors import InputError
from stackgen.host import THIS
from stackgen.lock import Lock, lock_tree
from stackgen.project import Project

DIRECTORY = "environments"
_JOINED = "# Joined by stackgen from {}.\n"


def environment_files(project: Project, lock: Lock) -> Mapping[str, bytes]:
    """The files of an environment by their paths in a kit: YAML, what it includes, system, scripts, lock.

    Files keep their places beside the environment's, which gets the environment's name. What includes
    something from elsewhere comes joined, and the machine that `system: this` stands for as it was read.
    """
    name = project.plan.environment
    found = {
        **_written(project.file, f"{name}.yaml", _frozen(project)),
        **_system(project),
        **_scripts(project),
        **{f"{name}.lock/{path}": file.text.encode() for path, file in lock_tree(lock).items()},
    }
    return {f"{DIRECTORY}/{path}": content for path, content in sorted(found.items())}


def _frozen(project: Project) -> str:
    """The name that a machine gets in the kit which the environment calls `this`; else empty."""
    return f"{project.plan.environment}-{THIS}" if _system_name(project.file) == THIS else ""


def _system_name(file: Path) -> str:
    root = Reading().read(file)
    node = root.entries["system"].node if root else None
    assert isinstance(node, Scalar)  # it was planned
    return node.text or ""


def _system(project: Project) -> Mapping[str, bytes]:
    frozen = _frozen(project)
    if frozen:
        facts = project.loaded.system.model_dump(mode="json", exclude_defaults=True)
        head = f"# The machine on which {project.plan.environment} was locked.\n"
        return {f"systems/{frozen}.yaml": _yaml(head, facts)}
    path = f"systems/{_system_name(project.file)}.yaml"
    return _written(project.file.parent / path, path, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A YAML file with all that it includes."""

    content: dict[str, object]
    files: tuple[Path, ...]

    @classmethod
    def of(cls, file: Path) -> "_Read":
        reading = Reading()
        root = reading.read(file)
        if root is None or reading.faults:
            raise InputError(*reading.faults)
        content = plain(root)
        assert isinstance(content, dict)
        return cls(content=content, files=tuple(reading.files))


def _written(file: Path, path: str, system: str) -> Mapping[str, bytes]:
    """A YAML file as `path`, beside it what it includes; `system` stands in for its own where not empty."""
    read = _Read.of(file)
    base = file.absolute().parents[path.count("/")]
    places = {included: _below(included, base) for included in read.files[1:]}
    if system or None in places.values() or path in places.values():
        content = {**read.content, "system": system} if system else read.content
        names = " and ".join(dict.fromkeys(included.name for included in read.files))
        return {path: _yaml(_JOINED.format(names), content)}
    with files.reported("cannot read the environment's files again"):
        included = {place: source.read_bytes() for source, place in places.items() if place}
        return {**included, path: file.read_bytes()}


def _below(file: Path, base: Path) -> str | None:
    """The path of a file relative to a directory; None where it does not lie below it, plainly."""
    if not file.is_relative_to(base):
        return None
    path = file.relative_to(base)
    plainly = not any(part == ".." or part.startswith(".") for part in path.parts)
    return path.as_posix() if plainly else None


def _yaml(head: str, content: Mapping[str, object]) -> bytes:
    return (head + yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=110)).encode()


def _scripts(project: Project) -> Mapping[str, bytes]:
    found = {}
    for framework in project.plan.frameworks:
        script = framework.about.site_verify
        if script:
            where = f"frameworks.{framework.name}.verify"
            path = PurePosixPath(script)
            if path.is_absolute() or any(part.startswith(".") for part in path.parts):
                what = f"{script} does not lie below {project.file.parent}, and so not in a kit"
                error = InputError.of(what, "put it beside the environment's file", where=where)
                raise project.loaded.located(error)
            with files.reported(f"cannot read {script}"):
                found[path.as_posix()] = (project.file.parent / path).read_bytes()
    return found
