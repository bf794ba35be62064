"""What a site wrote, as a kit holds it: the same environment, wherever its files lie."""

from pathlib import Path

import pytest

from stackgen.kit.written import environment_files
from stackgen.lock import Lock, inputs
from stackgen.project import Project, open_project

SYSTEM = "name: A\nos: rhel8\nglibc: 2.28\ntarget: zen3\npythons: [{version: 3.11, prefix: /usr}]\n"
ENVIRONMENT = """\
# what the site wants
name: site
release: 1
system: a
prefix: /site/ai
frameworks:
  six: {from: wheels, version: newest, verify: verify/six.py}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    put(site / "systems/a.yaml", SYSTEM)
    put(site / "verify/six.py", "import six\n")
    put(site / "site.yaml", ENVIRONMENT)
    return site


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def carried(file: Path, into: Path) -> tuple[Project, Project, list[str]]:
    """An environment, the same as a kit has it, and the files of that."""
    project = open_project(file)
    lock = Lock(environment=project.plan.environment, inputs=inputs(project.plan))
    contents = environment_files(project, lock)
    for path, content in contents.items():
        put(into / path, content.decode())
    carried = open_project(into / f"environments/{project.plan.environment}.yaml")
    return project, carried, list(contents)


def test_files_stay_as_they_are(site: Path, tmp_path: Path):
    project, there, paths = carried(site / "site.yaml", tmp_path / "kit")
    assert paths == [
        "environments/site.lock/lock.json",
        "environments/site.yaml",
        "environments/systems/a.yaml",
        "environments/verify/six.py",
    ]
    assert there.plan == project.plan
    assert (tmp_path / "kit/environments/site.yaml").read_text() == ENVIRONMENT
    assert (tmp_path / "kit/environments/systems/a.yaml").read_text() == SYSTEM


def test_what_they_include_comes_too(site: Path, tmp_path: Path):
    put(site / "parts/common.yaml", "modules: {namespace: ai}\n")
    put(site / "systems/parts/b.yaml", "site: LRZ\n")
    put(site / "systems/a.yaml", f"include: parts/b.yaml\n{SYSTEM}")
    text = f"include: parts/common.yaml\n{ENVIRONMENT}"
    project, there, paths = carried(put(site / "site.yaml", text), tmp_path / "kit")
    assert there.plan == project.plan
    assert there.plan.namespace == "ai"
    assert {"environments/parts/common.yaml", "environments/systems/parts/b.yaml"} <= set(paths)
    assert (tmp_path / "kit/environments/site.yaml").read_text() == text


def test_what_lies_elsewhere_is_joined(site: Path, tmp_path: Path):
    put(tmp_path / "common.yaml", "modules: {namespace: ai}\nframeworks: {six: {python: 3.11}}\n")
    put(tmp_path / "os.yaml", "site: LRZ\n")
    put(site / "systems/a.yaml", f"include: ../../os.yaml\n{SYSTEM}")
    put(site / "site.yaml", f"include: ../common.yaml\n{ENVIRONMENT}")
    project, there, paths = carried(site / "site.yaml", tmp_path / "kit")
    assert there.plan == project.plan
    assert there.plan.system.site == "LRZ"
    assert len(paths) == 4
    head = "# Joined by stackgen from site.yaml and common.yaml.\n"
    assert (tmp_path / "kit/environments/site.yaml").read_text().startswith(head)


def test_the_file_gets_the_environments_name(site: Path, tmp_path: Path):
    (site / "site.yaml").rename(site / "wish.yaml")
    put(site / "site.yaml", "modules: {namespace: ai}\n")
    project, there, paths = carried(site / "wish.yaml", tmp_path / "one")
    assert there.plan == project.plan
    assert "environments/wish.yaml" not in paths
    put(site / "wish.yaml", f"include: site.yaml\n{ENVIRONMENT}")
    project, there, paths = carried(site / "wish.yaml", tmp_path / "two")
    assert there.plan == project.plan
    assert there.plan.namespace == "ai"


def test_this_is_the_machine_that_it_was_locked_for(site: Path, tmp_path: Path):
    text = ENVIRONMENT.replace("system: a", "system: this")
    project, there, paths = carried(put(site / "site.yaml", text), tmp_path / "kit")
    assert there.plan == project.plan
    assert there.loaded.environment.system == "site-this"
    assert "environments/systems/site-this.yaml" in paths


@pytest.mark.parametrize("script", ["../six.py", "{tmp}/six.py", "verify/../../six.py", ".hidden/six.py"])
def test_a_script_that_lies_elsewhere_comes_too(site: Path, tmp_path: Path, script: str):
    script = script.replace("{tmp}", str(tmp_path))
    put(site / script, "import six as other\n")
    text = ENVIRONMENT.replace("verify/six.py", script)
    _, there, paths = carried(put(site / "site.yaml", text), tmp_path / "kit")
    assert there.plan.frameworks[0].about.site_verify == "verify/six-verify.py"
    assert "environments/verify/six-verify.py" in paths
    assert (tmp_path / "kit/environments/verify/six-verify.py").read_text() == "import six as other\n"
