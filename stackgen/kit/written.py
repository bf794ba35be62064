"""What a site wrote, as a kit holds it: buildable at the far side, from the kit, as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import yaml

from stackgen import files
from stackgen.config.join import Reading
from stackgen.config.nodes import Scalar, plain
from stackgen.errors import InputError
from stackgen.host import THIS
from stackgen.lock import Lock, lock_tree
from stackgen.mirror.layout import ENVIRONMENTS
from stackgen.project import Project

_JOINED = "# Joined by stackgen from {}.\n"


def environment_files(project: Project, lock: Lock) -> Mapping[str, bytes]:
    """The files of an environment by their paths in a kit: YAML, what it includes, system, scripts, lock.

    Files keep their places beside the environment's, which gets the environment's name. What includes
    something from elsewhere comes joined, and the machine that `system: this` stands for as it was read.
    """
    name = project.plan.environment
    moved = _Moved(system=_frozen(project), scripts=_moved_scripts(project))
    found = {
        **_written(project.file, f"{name}.yaml", moved),
        **_system(project),
        **_scripts(project, moved),
        **{f"{name}.lock/{path}": file.text.encode() for path, file in lock_tree(lock).items()},
    }
    return {f"{ENVIRONMENTS}/{path}": content for path, content in sorted(found.items())}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moved:
    """What an environment names by another name in a kit."""

    system: str = ""
    """Empty where it keeps its name."""
    scripts: Mapping[str, str] = field(default_factory=dict)
    """Verify scripts, by framework."""

    def applied(self, content: dict[str, object]) -> dict[str, object]:
        """The content of the environment's file with these names."""
        if self.system:
            content = {**content, "system": self.system}
        if self.scripts:
            frameworks = content["frameworks"]
            assert isinstance(frameworks, dict)
            changed = {name: {**frameworks[name], "verify": script} for name, script in self.scripts.items()}
            content = {**content, "frameworks": {**frameworks, **changed}}
        return content


def _frozen(project: Project) -> str:
    """The name that a machine gets in the kit which the environment calls `this`; else empty."""
    return f"{project.plan.environment}-{THIS}" if _system_name(project.file) == THIS else ""


def _system_name(file: Path) -> str:
    """What it says of its system; nothing where the stack that it extends says that."""
    root = Reading().read(file)
    assert root  # it was planned
    if "system" not in root.entries:
        return ""
    node = root.entries["system"].node
    assert isinstance(node, Scalar)
    return node.text or ""


def _system(project: Project) -> Mapping[str, bytes]:
    frozen = _frozen(project)
    if frozen:
        facts = project.loaded.system.model_dump(mode="json", exclude_defaults=True)
        head = f"# The machine on which {project.plan.environment} was locked.\n"
        return {f"systems/{frozen}.yaml": _yaml(head, facts)}
    name = _system_name(project.file)
    if not name:
        return {}
    path = f"systems/{name}.yaml"
    return _written(project.file.parent / path, path, _Moved())


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


def _written(file: Path, path: str, moved: _Moved) -> Mapping[str, bytes]:
    """A YAML file as `path`, beside it what it includes."""
    read = _Read.of(file)
    base = file.absolute().parents[path.count("/")]
    places = {included: _below(included, base) for included in read.files[1:]}
    content = moved.applied(read.content)
    if content != read.content or None in places.values() or path in places.values():
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


def _moved_scripts(project: Project) -> Mapping[str, str]:
    """The scripts that do not lie below the environment's file."""
    return {
        framework.name: f"verify/{framework.name}-verify.py"
        for framework in project.plan.frameworks
        if framework.about.site_verify
        and not _below(project.file.parent / framework.about.site_verify, project.file.parent)
    }


def _scripts(project: Project, moved: _Moved) -> Mapping[str, bytes]:
    scripts = {
        framework.name: framework.about.site_verify
        for framework in project.plan.frameworks
        if framework.about.site_verify
    }
    with files.reported("cannot read a verify script"):
        return {
            str(PurePosixPath(moved.scripts.get(name, script))): (project.file.parent / script).read_bytes()
            for name, script in scripts.items()
        }
