"""The files in which a release tells of itself, read again."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from stackgen.errors import WorkError

_Model = TypeVar("_Model", bound=BaseModel)


def read_told(path: Path, model: type[_Model]) -> _Model | None:
    """What a file of a release tells; None where it is not there, WorkError where it cannot be read."""
    try:
        return model.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise WorkError(f"{path} cannot be read", "build its environment again", details=str(error)) from None
