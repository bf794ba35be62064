"""What a Dockerfile stands on, and what it is built with: read before anything is built."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stackgen import files
from stackgen.errors import InputError, Place
from stackgen.oci.references import Reference, parse_reference

_FROM = re.compile(r"(?P<options>(?:--\S+\s+)*)(?P<image>\S+)(?:\s+as\s+(?P<stage>\S+))?", re.IGNORECASE)
_KNOWN = frozenset(
    (
        *("add", "arg", "cmd", "copy", "entrypoint", "env", "expose", "from", "healthcheck", "label"),
        *("maintainer", "onbuild", "rsync", "run", "shell", "stopsignal", "user", "volume", "workdir"),
    )
)
_LONGEST = 2**20
"""Characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction, its lines joined."""

    line: int
    """Where it begins, from 1."""
    name: str
    """In small letters."""
    rest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What one FROM begins."""

    line: int
    base: str
    """As it is written."""
    reference: Reference | None
    """None where it is an earlier stage."""
    name: str
    """Empty where it has none."""


def read_dockerfile(file: Path) -> tuple[Stage, ...]:
    """The stages of a Dockerfile; InputError at the line where one stands on what no digest pins."""
    text = dockerfile_text(file)
    stages: list[Stage] = []
    for instruction in instructions(text):
        place = Place(file=str(file), line=instruction.line, column=1)
        if instruction.name not in _KNOWN:
            raise InputError.of(f"{instruction.name!r} is no instruction", "see ch-image(1)", place=place)
        if instruction.name == "from":
            stages.append(_stage(instruction, stages, place))
        elif not stages and instruction.name != "arg":
            raise InputError.of("something stands before the first FROM", "begin with FROM", place=place)
        _refuse_network(instruction, stages, place)
    if not stages:
        raise InputError.of(
            "there is no FROM in it", "begin with FROM NAME@sha256:...", place=Place(file=str(file))
        )
    return tuple(stages)


def dockerfile_text(file: Path) -> str:
    """The text of a Dockerfile; InputError where there is none."""
    place = Place(file=str(file))
    with files.reported(f"cannot read {file}"):
        if not file.is_file():
            raise InputError.of("is not there", "correct its name", place=place)
        content = file.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError.of("is no text", "name a Dockerfile in UTF-8", place=place) from None
    if len(text) > _LONGEST:
        raise InputError.of("is too long for a Dockerfile", "name a Dockerfile", place=place)
    return text


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions of a Dockerfile; comments and empty lines are none, also within a long one."""
    begun, parts = 0, [""]
    for number, line in enumerate(text.splitlines(), 1):
        plain = line.rstrip()
        if not plain or plain.lstrip().startswith("#"):
            continue
        begun = begun or number
        parts.append(plain.removesuffix("\\"))
        if not plain.endswith("\\"):
            yield _instruction(begun, parts)
            begun, parts = 0, [""]
    if begun:
        yield _instruction(begun, parts)


def _instruction(line: int, parts: list[str]) -> Instruction:
    name, *rest = "".join(parts).split(maxsplit=1) or [""]
    return Instruction(line=line, name=name.lower(), rest="".join(rest).strip())


def _stage(instruction: Instruction, before: list[Stage], place: Place) -> Stage:
    found = _FROM.fullmatch(instruction.rest)
    if found is None:
        raise InputError.of("this FROM names no image", "write FROM NAME@sha256:... [AS NAME]", place=place)
    base, name = found["image"], found["stage"] or ""
    if "$" in base:
        remedy = "write the image itself, with its digest"
        raise InputError.of(f"FROM {base} depends on an argument", remedy, place=place)
    if found["options"].strip():
        raise InputError.of(f"FROM has the option {found['options'].strip()}", "take it out", place=place)
    is_stage = base.lower() in {stage.name.lower() for stage in before if stage.name}
    return Stage(
        line=instruction.line,
        base=base,
        reference=None if is_stage else _pinned(base, place),
        name=name,
    )


def _pinned(base: str, place: Place) -> Reference:
    try:
        return parse_reference(base)
    except InputError as error:
        fault = error.faults[0]
        raise InputError.of(f"FROM {ascii(base)[1:-1]}: {fault.what}", fault.remedy, place=place) from None


def _refuse_network(instruction: Instruction, stages: list[Stage], place: Place) -> None:
    """What can be told before the build: it has no network, so these cannot work."""
    if instruction.name == "add" and re.search(r"(?:^|[\s\"])(?:https?|git|ftp)://", instruction.rest):
        what = "ADD fetches from an address, and images are built without a network"
        raise InputError.of(what, "put the file beside the Dockerfile", place=place)
    if instruction.name == "copy" and (other := re.match(r"--from=(\S+)", instruction.rest)):
        known = {stage.name.lower() for stage in stages if stage.name}
        if other[1].lower() not in known and not other[1].isdigit():
            what = f"COPY --from={other[1]} names no stage of this file"
            raise InputError.of(what, "begin one with FROM ... AS NAME", place=place)
