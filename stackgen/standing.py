"""What of users stands on a release of a site, stacks and virtual environments, and how that is told."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from stackgen.errors import InputError, WorkError
from stackgen.inside.launcher.venv_record import RECORD as OF_VENVS
from stackgen.inside.launcher.venv_record import REGISTER
from stackgen.plan import Plan
from stackgen.registered import Entry, Record, register
from stackgen.underlying import RECORD


def tell_site(plan: Plan) -> bool:
    """Say to the site that a release of a stack of one's own stands on it; whether that could be done.

    One that is still to be made, too: what nobody finds counts for a while.
    """
    below = plan.extends
    if below is None:
        return True
    place = Path(plan.place).resolve()
    entry = Entry(
        kind="stack", place=str(place), record=RECORD, release=below.release, packages=_packages(place)
    )
    return register(Path(below.prefix), entry)


def _packages(place: Path) -> tuple[str, ...]:
    try:
        return Record.model_validate_json((place / RECORD).read_bytes()).packages
    except (OSError, ValidationError):
        return ()


def register_for(prefix: Path, theirs: Path) -> Iterator[str]:
    """Say for a user that a stack, each release of it, or a virtual environment stands on a prefix."""
    if not (prefix / REGISTER).is_dir():
        raise InputError.of(f"{prefix} has no register", f"run `stackgen gc {prefix} --open-register`")
    places = [*sorted(theirs.glob(f"releases/[!.]*/{RECORD}")), theirs / RECORD, theirs / OF_VENVS]
    records = [path for path in places if path.is_file()]
    if not records:
        what = f"{theirs} is neither a stack that extends another nor a virtual environment over a release"
        raise InputError.of(what, "name the prefix of the stack, or the directory of the environment")
    for path in records:
        yield _registered(prefix, path)


def _registered(prefix: Path, path: Path) -> str:
    try:
        record = Record.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise WorkError(f"{path} cannot be read", "ask its owner to make it again") from None
    if Path(record.prefix).resolve() != prefix.resolve():
        raise InputError.of(f"{path.parent} stands on a release of {record.prefix}", "name that prefix")
    kind = "venv" if path.name == OF_VENVS else "stack"
    entry = Entry(
        kind=kind,
        place=str(path.parent.resolve()),
        record=path.name,
        release=record.release,
        packages=record.packages,
    )
    if not register(prefix, entry, path.stat().st_uid):
        raise WorkError(f"{prefix / REGISTER} cannot be written to", "run it as the owner of the prefix")
    return f"{path.parent} stands on release {record.release}, which is kept for it"
