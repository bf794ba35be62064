"""An image put together: what lies in it, and what is said of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from stackgen.errors import WorkError
from stackgen.images.commands import (
    commands_of_image,
    commands_of_prefix,
    named_commands,
    python_of_image,
)
from stackgen.images.description import INTERNAL, LIBRARIES, SECOND, Bind, Description
from stackgen.images.host import HostParts
from stackgen.images.lacking import lacking, programs
from stackgen.images.loader import Library, Loader
from stackgen.images.seen import Seen, seen
from stackgen.images.standing import Standing, libraries_of
from stackgen.model import HostContainers
from stackgen.oci import PROGRAMS
from stackgen.rootfs import Directory, RootFs, Source, Texts, root_file_system
from stackgen.tree import File, Tree

_USUAL_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_MOUNTED = (
    *("/dev", "/home", "/mnt", "/proc", "/run", "/sys", "/tmp", "/var/tmp"),  # noqa: S108
    *("/var/spool/slurm", "/var/spool/slurmd"),  # where Slurm's ranks find each other
)
_ALWAYS_BOUND = ("/tmp",)  # noqa: S108
"""What ch-run binds by itself and may hold a prefix."""
_BOUND = ("/etc/group", "/etc/hosts", "/etc/passwd", "/etc/resolv.conf")
"""Files that the host's are bound to, so that users and hosts have their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is below all else in an image."""

    title: str
    """What messages call it, such as debian:12."""
    sources: tuple[Source, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """What an image's own configuration sets."""
    remedy: str = "take an image of a newer distribution, or say `containers: {mpi: image}` of the system"
    """What to do where it is too old."""

    @property
    def path(self) -> tuple[str, ...]:
        """The directories where programs are looked for."""
        own = self.environment.get("PATH", "")
        return tuple(part for part in own.split(":") if part.startswith("/")) or _USUAL_PATH

    @property
    def libraries(self) -> tuple[str, ...]:
        """Where its LD_LIBRARY_PATH leads."""
        own = self.environment.get("LD_LIBRARY_PATH", "")
        return tuple(part for part in own.split(":") if part.startswith("/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that an image is made from, with its places on this machine."""

    name: str
    version: str
    architecture: str
    ground: Ground
    prefix: Path | None
    """Of a packed framework."""
    needed: tuple[Path, ...]
    """What its links lead to: packages that Spack has installed."""
    added: tuple[Source, ...]
    """Files and packages of the site's."""
    packages: Callable[[RootFs, str], tuple[Source, ...]] | None
    """Adds packages to what is below, where its Python lies at a path; None where there are none to add."""
    python: str
    """Major and minor version; empty where it has none."""
    commands: tuple[str, ...]
    """As the site has named them."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """What is set inside beside the image's own."""
    shown: HostContainers
    releases: str = ""
    """The directory of releases, which bring to ranks what they check."""
    host: HostParts
    whose: str = ""
    """Whose the libraries of the host are, for messages."""


def put_together(recipe: Recipe, loader: Loader) -> tuple[RootFs, Description]:
    """The content of an image, and its description but for its size and digest.

    WorkError where something does not fit: a glibc, a path that leads out of the root, a lacking command.
    """
    below = root_file_system((*recipe.ground.sources, *recipe.added))
    if recipe.packages:
        recipe = _adapted(recipe, recipe.packages, below)
        below = root_file_system((*recipe.ground.sources, *recipe.added))
    _refuse_unstartable(recipe, below)
    names = None if recipe.prefix else recipe.host.names
    ground = recipe.ground
    libraries = libraries_of(below, recipe.architecture, ground.libraries, names)
    stands = Standing(title=ground.title, remedy=ground.remedy, libraries=libraries)
    appear = seen(recipe.host, stands, recipe.whose) if recipe.host.libraries else Seen()
    copies = _copies(recipe, stands, loader, appear)
    covered = tuple(_covered(recipe))
    description = _description(recipe, below, appear, copies, covered)
    texts = _texts(recipe, description, below)
    origin = _origin(recipe, covered)
    whole = root_file_system((*recipe.ground.sources, *origin, *recipe.added, *copies, texts))
    return whole, description


def _refuse_unstartable(recipe: Recipe, below: RootFs) -> None:
    """WorkError where no command could be started in it: what holds it mounted is a shell inside."""
    if below.look("/bin/sh") is None:
        what = f"the image of {recipe.name} has no /bin/sh, by which its commands are started"
        raise WorkError(what, "take one that has a shell")


def _adapted(recipe: Recipe, packages: Callable[[RootFs, str], tuple[Source, ...]], below: RootFs) -> Recipe:
    """The same with the packages that are added; their programs are found after all others."""
    ground = recipe.ground
    python = python_of_image(below, ground.path, recipe.python, recipe.name)
    environment = {**ground.environment, "PATH": ":".join((*ground.path, PROGRAMS))}
    return replace(
        recipe,
        ground=replace(ground, environment=environment),
        added=(*recipe.added, *packages(below, python)),
    )


def _copies(recipe: Recipe, stands: Standing, loader: Loader, appear: Seen) -> tuple[Directory, ...]:
    """The libraries of this machine that a packed framework cannot do without."""
    if recipe.prefix is None:
        return ()
    found: Mapping[str, Library] = lacking(
        programs((recipe.prefix, *recipe.needed), loader), stands, loader, appear.links.keys()
    )
    return tuple(
        Directory(path=library.path.resolve(), at=f"{LIBRARIES}/{name}")
        for name, library in sorted(found.items())
    )


def _packed(recipe: Recipe) -> tuple[Path, ...]:
    """What has its place of outside in the image."""
    return (recipe.prefix, *recipe.needed) if recipe.prefix else ()


def _covered(recipe: Recipe) -> Iterator[Bind]:
    """What of a prefix the system's binds would hide, by its second names."""
    for number, path in enumerate(_packed(recipe)):
        if any(path.is_relative_to(bind) for bind in (*recipe.shown.binds, *_ALWAYS_BOUND)):
            yield Bind(source=f"{SECOND}/{number}", target=str(path))


def _origin(recipe: Recipe, covered: Iterable[Bind]) -> Iterator[Directory]:
    second = {bind.target: bind.source for bind in covered}
    for path in _packed(recipe):
        yield Directory(path=path, at=str(path), also_at=second.get(str(path), ""))


def _description(
    recipe: Recipe,
    below: RootFs,
    appear: Seen,
    copies: tuple[Directory, ...],
    covered: tuple[Bind, ...],
) -> Description:
    commands, python = _started(recipe, below)
    return Description(
        name=recipe.name,
        version=recipe.version,
        sha256="",
        size=0,
        architecture=recipe.architecture,
        commands=commands,
        python=python,
        environment=_environment(recipe, has_libraries=bool(copies or appear.links)),
        mount_points=_mount_points(recipe, appear),
        binds=recipe.shown.binds,
        host=appear.binds,
        links=dict(appear.links),
        prefix=str(recipe.prefix or ""),
        covered=covered,
    )


def _started(recipe: Recipe, below: RootFs) -> tuple[dict[str, str], str]:
    """The commands, and the Python."""
    if recipe.prefix:
        commands = commands_of_prefix(recipe.prefix)
        return commands, commands.get("python", "")
    path = recipe.ground.path
    python = python_of_image(below, path, recipe.python, recipe.name) if recipe.python else ""
    if recipe.commands:
        known = {"python": python} if python else {}
        rest = [name for name in recipe.commands if name not in known]
        named = named_commands(below, path, rest, recipe.name)
        return {**named, **{name: known[name] for name in recipe.commands if name in known}}, python
    found = {**commands_of_image(below, path), **({"python": python} if python else {})}
    if not found:
        what = f"nothing in the image of {recipe.name} becomes a command of its module"
        raise WorkError(what, "name its programs by `commands`")
    return found, python


def _environment(recipe: Recipe, *, has_libraries: bool) -> dict[str, str]:
    own = (f"{recipe.prefix}/bin",) if recipe.prefix else ()
    libraries = (*((LIBRARIES,) if has_libraries else ()), *recipe.ground.libraries)
    return {
        **recipe.ground.environment,
        **recipe.variables,
        "PATH": ":".join((*own, *recipe.ground.path)),
        **({"LD_LIBRARY_PATH": ":".join(libraries)} if libraries else {}),
    }


def _mount_points(recipe: Recipe, appear: Seen) -> tuple[str, ...]:
    targets = (bind.target for bind in appear.binds)
    shown = (*recipe.shown.binds, *_ALWAYS_BOUND)
    seen_anyway = not recipe.releases or any(Path(recipe.releases).is_relative_to(one) for one in shown)
    releases = () if seen_anyway else (recipe.releases,)
    return tuple(sorted({*_MOUNTED, *_BOUND, *recipe.shown.binds, *releases, *targets}))


def _texts(recipe: Recipe, description: Description, below: RootFs) -> Texts:
    """Empty places to mount at, links to libraries of the host, and to what is packed from its real place."""
    absent = [path for path in description.mount_points if below.look(path) is None]
    return Texts(
        tree=Tree({path.lstrip("/"): File("") for path in absent if path in _BOUND}),
        directories=(INTERNAL, *(path for path in absent if path not in _BOUND)),
        links={
            **{f"{LIBRARIES}/{name}": target for name, target in description.links.items()},
            **{str(path.resolve()): str(path) for path in _packed(recipe) if path.resolve() != path},
        },
    )
