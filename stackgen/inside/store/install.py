"""Started as `spack -e ENVIRONMENT python install.py QUESTION`: installs locks, tells of it in lines of JSON.

Each line has the hash of a package and what has become of it: the `phase` it is in now, `done` (`built`,
`cached`, `there`), `failed` or `skipped`, or a `note`. Spack itself writes to stderr. The exit status is 1
where a package has failed.
"""

import json
import sys
from pathlib import Path


def main(question: Path) -> int:
    """Install what the question names."""
    sys.path.insert(0, str(Path(__file__).parents[3]))  # not another stackgen that this Python has
    from stackgen.inside.store.packages import installed  # noqa: PLC0415 - the path is known only now

    return installed(json.loads(question.read_text("utf-8")))


sys.exit(main(Path(sys.argv[1])))
