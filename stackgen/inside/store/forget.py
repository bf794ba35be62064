"""Started as `spack -C CONFIG python forget.py QUESTION`: packages whose files are to go count as gone."""

import json
import os
import sys
from pathlib import Path

import spack.database
import spack.store


def main(question: Path) -> None:
    """Take the packages that the question names from the database."""
    os.umask(0o022)
    database = spack.store.STORE.db
    with database.write_transaction():
        for key in json.loads(question.read_text("utf-8"))["hashes"]:
            upstream, record = database.query_by_spec_hash(key)
            if record and not upstream and record.installed:
                database.remove(record.spec)


main(Path(sys.argv[1]))
