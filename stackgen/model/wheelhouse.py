"""Where users' own packages come from."""

import re
from typing import Annotated

from pydantic import AfterValidator

from stackgen.model import paths
from stackgen.model.base import refuse
from stackgen.model.rules import shown

_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(/[A-Za-z0-9._~/+=-]*)?", re.ASCII)


def _wheelhouse(text: str) -> str:
    if text.startswith("/"):
        return paths.directory(text)
    if "@" in text:
        remedy = "leave it out: what is here, every user reads"
        raise refuse(f"{text!r} holds who is to log in", remedy)
    if not _ADDRESS.fullmatch(text):
        remedy = "write a directory that all nodes see, or the https:// address of an index"
        raise refuse(f"{text!r} is no place for wheels", remedy)
    return text


Wheelhouse = Annotated[
    str, AfterValidator(_wheelhouse), shown("/opt/wheels", "https://index.site.example/simple")
]
