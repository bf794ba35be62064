"""Started as `spack python ask.py QUESTION`: one question in JSON, its answers as lines of JSON on stdout."""

import json
import os
import sys
from pathlib import Path


def main(question: Path) -> None:
    """Answer; what Spack itself has to say goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.path.insert(0, str(Path(__file__).parents[3]))  # not another stackgen that this Python has
    from stackgen.inside.spack.questions import answered  # noqa: PLC0415 - the path is known only now

    for line in answered(json.loads(question.read_text("utf-8"))):
        print(line, file=answers, flush=True)


main(Path(sys.argv[1]))
