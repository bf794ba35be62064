"""Modules joined to one program."""

import subprocess
import sys
from pathlib import Path

from stackgen import files
from stackgen.one_file import joined

CODE = 'import difflib\nimport sys\nfrom typing import List\n\nNAMES: List[str] = ["keras"]\n'
FIRST = f'"""The first."""\n\n{CODE}'
SECOND = '''"""The second."""

import difflib

from stackgen.first import NAMES


def near(word):
    """What is near a word."""
    # Nothing may be.
    return difflib.get_close_matches(word, NAMES)
'''


def test_what_is_seldom_needed_is_imported_when_it_is_used(tmp_path: Path):
    files.write(tmp_path / "first.py", FIRST)
    files.write(tmp_path / "second.py", SECOND)
    end = (
        '\nprint("difflib" in sys.modules, near("kersa"), "difflib" in sys.modules, type(difflib).__name__)\n'
    )
    program = joined(tmp_path, ("first", "second"), '"""Both."""\n', end, later=("difflib", "tempfile"))
    said = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "False ['keras'] True module\n"
    assert "# Nothing may be." in program
    assert "import difflib" not in program
    assert "tempfile" not in program


def test_without_that_all_is_imported_at_first(tmp_path: Path):
    files.write(tmp_path / "first.py", FIRST)
    assert joined(tmp_path, ("first",), '"""One."""\n', "") == f'"""One."""\n\n{CODE}'


def test_modules_that_are_not_first_are_compiled_when_they_are_called(tmp_path: Path):
    files.write(tmp_path / "first.py", FIRST)
    files.write(tmp_path / "second.py", SECOND)
    files.write(tmp_path / "third.py", '"""The third."""\n\nraise SystemExit("started")\n')
    files.write(
        tmp_path / "fourth.py", '"""The fourth."""\n\nfrom stackgen.second import near\n\nASKED = "kersa"\n'
    )
    end = '\nprint("NAMES" in globals(), near(ASKED), near(word="numpy"), NAMES, sorted(_SOURCES))\n'
    program = joined(tmp_path, ("first", "second", "third", "fourth"), '"""All."""\n', end, first=("fourth",))
    files.write(tmp_path / "program", program)
    words = [sys.executable, "-I", tmp_path / "program"]
    said = subprocess.run(words, capture_output=True, text=True, check=True)
    assert said.stdout == "False ['keras'] [] ['keras'] ['third']\n"


def test_a_text_is_the_same_whatever_is_in_it(tmp_path: Path):
    text = '"""One."""\n\nTEXT = "\\\\d \\"\\"\\" é"\nMORE = """ \'\'\' """\n'
    files.write(tmp_path / "one.py", text)
    files.write(tmp_path / "two.py", '"""Two."""\n\nfrom stackgen.one import told\n\n')
    files.write(tmp_path / "one.py", text + "\n\ndef told():\n    return TEXT, MORE\n")
    program = joined(tmp_path, ("one", "two"), '"""All."""\n', "\nprint(told())\n", first=("two",))
    files.write(tmp_path / "program", program)
    words = [sys.executable, "-I", tmp_path / "program"]
    said = subprocess.run(words, capture_output=True, text=True, check=True)
    assert said.stdout == repr(('\\d """ é', " ''' ")) + "\n"
