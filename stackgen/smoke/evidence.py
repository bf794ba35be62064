"""What `stackgen/verify/evidence.py` saw of a framework in its own Python."""

from pathlib import Path

from pydantic import Field, ValidationError

from stackgen.model.base import Strict


class Evidence(Strict):
    """What the framework's Python wrote down; what it did not come to is empty."""

    step: str = "start"
    """What it was doing last; `end` where it came to the end."""
    faults: dict[str, str] = Field(default_factory=dict)
    """By step, what was raised."""
    prefix: str = ""
    imported: str = ""
    script: None = None
    version: str | None = None
    """What the framework says itself."""
    products: dict[str, list[list[float]] | None] = Field(default_factory=dict)
    """By precision; None where the framework has no matrices."""
    exercise: bool | None = None
    """None where its verify script has no exercise."""
    modules: dict[str, str] = Field(default_factory=dict)
    """The place of each imported module by name."""
    path: tuple[str, ...] = ()
    distributions: dict[str, str] = Field(default_factory=dict)
    """Versions by normalized name."""
    scripts: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    """In an image: what is used, and is on another file system than the image."""


def read_evidence(path: Path) -> Evidence:
    """The evidence in a file, empty where nothing was written."""
    try:
        return Evidence.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return Evidence()
