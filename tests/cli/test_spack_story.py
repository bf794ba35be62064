"""An environment for a machine that we are not on, by the command: locked by Spack, listed, refused."""

import json
import sys

import pytest
from desk import Desk

pytestmark = [pytest.mark.spack, pytest.mark.usefixtures("spack")]

SYSTEM = """\
name: Elsewhere
os: sles15
glibc: 2.31
target: zen3
compilers:
  - {spec: gcc@12.3.0, prefix: /usr}
"""
ENVIRONMENT = """\
name: there
release: 1
system: elsewhere
prefix: /opt/there
packages:
  - bzip2@1.0.8
frameworks:
  zlib:
    version: 1.3.1
    from: spack
    import: zlib
"""


@pytest.fixture(scope="module")
def there(shared_desk: Desk) -> Desk:
    shared_desk.write("systems/elsewhere.yaml", SYSTEM)
    shared_desk.write("there.yaml", ENVIRONMENT)
    return shared_desk


def test_lock_tells_of_each_solve(there: Desk):
    outcome = there("lock", "there.yaml")
    assert outcome.status == 0, outcome.stderr
    solved = sorted(line.split(":")[0] for line in outcome.stderr.splitlines() if line.startswith("solved "))
    assert solved == ["solved toolchain", "solved zlib"]
    toolchain, zlib, written = outcome.stdout.splitlines()
    assert toolchain.startswith("toolchain by Spack: 1 specs, ")
    assert zlib.startswith("zlib by Spack: 1 specs, ")
    assert written == f"{there.directory}/there.lock is written"


def test_nothing_changed_nothing_is_solved(there: Desk):
    again = there("lock", "there.yaml")
    assert (again.status, again.stderr) == (0, "")
    assert again.stdout.endswith(f"{there.directory}/there.lock fits; --upgrade looks for newer versions\n")


def test_the_sources_are_listed(there: Desk):
    outcome = there("mirror", "plan", "there.yaml", "--json")
    assert outcome.status == 0, outcome.stderr
    listed = json.loads(outcome.stdout)
    (bzip2,) = (needed for needed in listed["needed"] if needed["package"] == "bzip2")
    assert bzip2["sha256"] == "ab5a03176ee106d3f0fa90e381da478ddae405918153cca248e682cd0c4a2269"
    assert bzip2["addresses"]
    assert listed["downloads"] == []
    assert there("mirror", "plan", "there.yaml").stdout.splitlines()[0].startswith("bzip2 1.0.8  source ")


@pytest.mark.network
@pytest.mark.usefixtures("index")
def test_what_no_mirror_of_the_site_has_is_listed_and_the_rest_comes(there: Desk):
    site = there.write("site.yaml", "sources: {upstream: no}\n")
    command = ("env", f"STACKGEN_SITE={site}", sys.executable, "-m", "stackgen")
    outcome = there("mirror", "create", "there.yaml", "-d", "kit", "--json", command=command)
    assert outcome.status == 1
    lacking = json.loads(outcome.stdout)["lacking"]
    bzip2 = next(row for row in lacking if row["package"] == "bzip2 1.0.8")
    assert (bzip2["file"], bzip2["commit"]) == ("bzip2-1.0.8.tar.gz", "")
    assert bzip2["reasons"] == ["site.yaml names nobody who may have it"]
    assert "note: --from DIR takes files by hash from any directory that has some" in outcome.stderr
    assert f"  bzip2 1.0.8  bzip2-1.0.8.tar.gz  sha256 {bzip2['sha256']}  site.yaml" in outcome.stderr
    verified = there("mirror", "verify", "kit", "--json")
    missing = [defect for defect in json.loads(verified.stdout) if defect["kind"] == "missing"]
    assert len(missing) == len(json.loads(verified.stdout)) == len(lacking)


def test_a_misspelled_package_is_placed_in_the_file(there: Desk):
    there.write(
        "wrong.yaml", ENVIRONMENT.replace("bzip2@1.0.8", "bzip22").replace("name: there", "name: wrong")
    )
    outcome = there("lock", "wrong.yaml")
    assert outcome.status == 2
    assert outcome.stderr.splitlines()[-1].startswith(
        "wrong.yaml:6:5: packages[0]: Spack has no package bzip22; did you mean bzip2"
    )


def test_other_packages_no_longer_fit_the_lock(there: Desk):
    there.write("there.yaml", ENVIRONMENT.replace("bzip2@1.0.8", "bzip2@1.0.6"))
    outcome = there("mirror", "plan", "there.yaml")
    assert outcome.status == 2
    assert outcome.stderr == (
        f"{there.directory}/there.lock no longer fits there.yaml:"
        " spack.environments.toolchain: bzip2@1.0.8 -> bzip2@1.0.6;"
        f" run `stackgen lock {there.directory}/there.yaml` where there is a network\n"
    )


def test_without_spack_the_command_that_brings_it_is_named(there: Desk):
    there.write("new.yaml", ENVIRONMENT.replace("bzip2@1.0.8", "lz4").replace("name: there", "name: new"))
    command = ("env", "STACKGEN_SPACK=/nowhere", sys.executable, "-m", "stackgen")
    outcome = there("lock", "new.yaml", command=command)
    assert outcome.status == 1
    assert outcome.stderr.splitlines()[-1] == "there is no Spack in /nowhere; run `stackgen bootstrap`"
