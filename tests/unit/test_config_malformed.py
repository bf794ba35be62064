"""Whatever is wrong with the input is said in full, at its place, with the remedy."""

from pathlib import Path

import pytest
import yaml

from stackgen.config import load
from stackgen.errors import InputError

TABLE = yaml.safe_load(Path(__file__).with_name("malformed.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def site(tmp_path, monkeypatch):
    """The directory that the table's inputs are read in."""
    monkeypatch.chdir(tmp_path)
    Path("systems").mkdir()
    for name, text in TABLE["files"].items():
        Path(name).write_text(text, encoding="utf-8")
    return Path("site.yaml")


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["case"])
def test_refused(site, case):
    site.write_text(case["input"], encoding="utf-8")
    with pytest.raises(InputError) as refused:
        load(site)
    assert str(refused.value) + "\n" == case["says"]
    assert refused.value.exit_status == 2


def test_what_the_table_builds_on_is_right(site):
    site.write_text("include: base.yaml\n", encoding="utf-8")
    assert load(site).environment.name == "quickstart"
