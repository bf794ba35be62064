import subprocess

import jobs
import pytest

from stackgen.files import read_tree
from stackgen.jobs import job_tree

SITES = pytest.mark.parametrize("site", jobs.SITES)


@SITES
def test_the_users_of_a_site_get_exactly_this(site):
    wanted, made = read_tree(jobs.OUT / site), jobs.rendered(site)
    assert list(made) == list(wanted)
    for path, file in made.items():
        assert file.text == wanted[path].text, f"{path}; if that is meant: python tests/golden/golden.py"


@SITES
def test_a_shell_can_read_every_job_script(site):
    scripts = [str(path) for path in sorted((jobs.OUT / site).rglob("*.sh"))]
    assert len(scripts) >= 9
    for script in scripts:
        assert subprocess.run(("bash", "-n", script), check=False, capture_output=True).stderr == b""


def test_a_laptop_has_no_job_scripts():
    asked = jobs.planned("quickstart")
    assert asked.system.scheduler.kind == "none"
    assert not job_tree(asked, jobs.frameworks(asked, ("tensorflow",)))
