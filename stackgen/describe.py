"""Have Spack's own generator of modules describe what Spack has built for everyone."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from stackgen import files
from stackgen.errors import WorkError
from stackgen.graph import graph
from stackgen.hierarchy import Described, hierarchy_tree
from stackgen.lock import Lock, SpackLock, digest
from stackgen.pins import PINS
from stackgen.plan import Plan
from stackgen.progress import Progress
from stackgen.release import shared_locks
from stackgen.run import succeed
from stackgen.store import Store
from stackgen.tree import Tree

_TEMPLATES = Path(__file__).parent / "modulefiles"
_TEMPLATE = "described.json.j2"
_DESCRIPTIONS = TypeAdapter(tuple[Described, ...])


def hierarchy(plan: Plan, lock: Lock, store: Store, progress: Progress) -> Tree:
    """The modules of what is installed for everyone; none where an environment lists nothing."""
    shared = shared_locks(lock)
    found = [described for one in shared for described in describe(one, store, progress)]
    return hierarchy_tree(plan, shared, {one.hash: one for one in found})


def describe(lock: SpackLock, store: Store, progress: Progress) -> tuple[Described, ...]:
    """What the installed packages of a Spack environment do to the environments of users.

    What Spack answered once is kept in the store: it is the same for ever, for the same lock.
    """
    below = [str(store.upstream)] if store.upstream else []
    identity = digest([lock.text, PINS.digest, repr(_SETTINGS), *map(_text, _read_by_spack(store)), *below])
    kept = store.root / "described" / f"{lock.name}-{identity[:12]}.json"
    try:
        return _DESCRIPTIONS.validate_json(kept.read_bytes())
    except (OSError, ValidationError):
        progress.say(f"asking Spack for the modules of {lock.name}")
    answer = tuple(sorted(_asked(lock, store), key=lambda one: one.hash))
    files.write(kept, _DESCRIPTIONS.dump_json(answer, indent=1).decode() + "\n")
    return answer


_SETTINGS = (
    # One file for each package, however many have its name and version: what users see is not decided here.
    ("hash_length", "32"),
    ("hide_implicits", "false"),
    ("all:template", _TEMPLATE),
)


def _read_by_spack(store: Store) -> tuple[Path, ...]:
    """What decides, beside a lock, how its packages are described."""
    return _TEMPLATES / _TEMPLATE, store.environment("config") / "modules.yaml"


def _text(path: Path) -> str:
    with files.reported(f"cannot read {path}"):
        return path.read_text(encoding="utf-8")


def _asked(lock: SpackLock, store: Store) -> Iterator[Described]:
    directory = store.root / "generated" / lock.name
    words = (*_settings(lock, directory), "module", "lmod", "refresh", "--yes-to-all", "--delete-tree")
    if store.upstream:  # whose own modules know nothing of ours
        words = (*words, "--upstream-modules")
    succeed(store.run, store.command(lock.name, words), "Spack could not write modules")
    for path in sorted(directory.rglob("*.lua")):
        if not path.name.startswith("."):
            yield _read(path)
    files.remove(directory)


def _settings(lock: SpackLock, directory: Path) -> Iterator[str]:
    read = graph(lock.text)
    asked = sorted({read.nodes[key].name for key in read.roots})
    yield from _option("config:template_dirs", f"[{_TEMPLATES}]")
    yield from _option("modules:default:roots:lmod", str(directory))
    yield from _option("modules:default:lmod:include", f"[{','.join(asked)}]")
    for name, value in _SETTINGS:
        yield from _option(f"modules:default:lmod:{name}", value)


def _option(path: str, value: str) -> Iterable[str]:
    return "-c", f"{path}:{value}"


def _read(path: Path) -> Described:
    try:
        return Described.model_validate_json(path.read_bytes())
    except ValidationError as error:
        what = f"Spack's description of {path.parent.name} cannot be read"
        raise WorkError(what, "this is a bug of stackgen's", details=str(error)) from None
