"""What is written down of a framework in its own Python."""

import json
import subprocess
import sys
from pathlib import Path

from stackgen.smoke.trial import VERIFY


def test_a_verify_script_without_a_product_is_told_what_it_lacks(tmp_path: Path):
    (tmp_path / "own.py").write_text("def version():\n    return '1'\n")
    request = {
        "imports": "",
        "script": str(tmp_path / "own.py"),
        "packages": [],
        "factors": {"float32": [[], []]},
    }
    (tmp_path / "request.json").write_text(json.dumps(request))
    words = (sys.executable, str(VERIFY / "evidence.py"), "request.json", "evidence.json")
    subprocess.run(words, cwd=tmp_path, check=True)
    evidence = json.loads((tmp_path / "evidence.json").read_text())
    fault = "NotImplementedError: the verify script has no product(left, right, precision)"
    assert (evidence["version"], evidence["faults"]) == ("1", {"products": fault})
