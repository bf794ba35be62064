"""Lines of JSON about packages, from the process that installs and from each that builds."""

import json
import os
from typing import Any

_answers = os.dup(1)


def quiet() -> None:
    """Have all that Spack prints go to stderr."""
    os.dup2(2, 1)


def tell(spec: Any, **what: Any) -> None:
    """Write one line about a package; short ones of several processes do not mix."""
    line = json.dumps({"hash": spec.dag_hash(), **what}, separators=(",", ":"), ensure_ascii=False)
    os.write(_answers, line.encode(errors="replace") + b"\n")
