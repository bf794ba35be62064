"""Lines of JSON about packages, from the process that installs and from each that builds."""

import json
import os
import re
from collections.abc import Iterable
from typing import Any

_WIDTH = 160
"""Characters of a line of text."""
_ROOM = 3000
"""Bytes of all of them; a pipe takes 4096 in one piece, with what is told beside."""
_PADDING = re.compile(r"(?:/__spack_path_[a-z_]*)+")
"""What makes every prefix as long as another; the whole log has it."""
_answers = os.dup(1)


def quiet() -> None:
    """Have all that Spack prints go to stderr."""
    os.dup2(2, 1)


def tell(spec: Any, **what: Any) -> None:
    """Write one line about a package; short ones of several processes do not mix."""
    os.write(_answers, _packed({"hash": spec.dag_hash(), **what}) + b"\n")


def short(lines: Iterable[str]) -> list[str]:
    """The first of these lines, the first of all in any case: as much as does not mix, and no padding."""
    kept = [_PADDING.sub("/…", line.rstrip())[:_WIDTH] for line in lines]
    while len(kept) > 1 and len(_packed(kept)) > _ROOM:
        kept.pop()
    return kept


def _packed(what: object) -> bytes:
    return json.dumps(what, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")
