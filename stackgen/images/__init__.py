"""Images: SquashFS files that hold a framework and what it stands on, made from a lock."""

from stackgen.images.description import (
    HOST,
    INTERNAL,
    LIBRARIES,
    SECOND,
    Bind,
    Description,
    description_path,
    read_description,
)
from stackgen.images.job import ImageJob
from stackgen.images.loader import loader_here
from stackgen.images.origins import Origins

__all__ = [
    "HOST",
    "INTERNAL",
    "LIBRARIES",
    "SECOND",
    "Bind",
    "Description",
    "ImageJob",
    "Origins",
    "description_path",
    "loader_here",
    "read_description",
]
