"""A Dockerfile's image as a module: locked, mirrored, built by ch-image, adapted, tested, published, used."""

import gzip
import io
import shutil

import pytest
from desk import Desk
from images import why_not
from registry import Registry, image
from roots import DEBIAN_PYTHON, root_with_python

from stackgen.oci.packing import pack

REASON = why_not() or ("" if DEBIAN_PYTHON.exists() and shutil.which("ch-image") else "no Debian 12")
pytestmark = [
    pytest.mark.skipif(bool(REASON), reason=REASON),
    pytest.mark.network,
    pytest.mark.usefixtures("index"),
]
HELD = ("sh", "cat", "env", "ls", "mkdir", "mv", "rm", "rmdir", "sleep", "true", "dirname", "realpath")
SYSTEM = """\
name: S
os: debian12
glibc: 2.36
target: x86_64_v2
containers: {{mpi: image, binds: ["{root}"]}}
"""
ENVIRONMENT = """\
name: adapted
release: 1
system: s
prefix: {root}/prefix
frameworks:
  six-of-ours:
    version: 1.17.0
    from: container
    dockerfile: docker/Dockerfile
    python: 3.11
    import: six
    requires: [six==1.17.0, pygments]
    files: {{/etc/site.conf: files/site.conf}}
"""
ASKED = """\
import own, six, sys
print(own.whose, six.__version__, sys.path[-1])
print(open('/etc/site.conf').read(), open('/opt/made').read(), sep='', end='')
"""


@pytest.fixture(scope="module")
def base(hub: Registry, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image with a Python, in the registry; its reference."""
    stream = io.BytesIO()
    pack(root_with_python(tmp_path_factory.mktemp("python") / "root", HELD), stream)
    layer = gzip.compress(stream.getvalue(), 1)
    return hub.push("site/python", image(layer, environment={"PATH": "/usr/bin:/bin"}))


def test_a_dockerfile_becomes_a_module_with_what_the_site_adds(base: str, hub: Registry, shared_desk: Desk):
    desk, root = shared_desk, shared_desk.directory
    desk.write("home/.config/stackgen/site.yaml", f"images: {{insecure: ['{hub.host}']}}\n")
    desk.write("systems/s.yaml", SYSTEM.format(root=root))
    desk.write("adapted.yaml", ENVIRONMENT.format(root=root))
    desk.write("files/site.conf", "conf\n")
    desk.write("docker/Dockerfile", f"FROM {base}\nRUN mkdir /opt && ls $PIP_FIND_LINKS > /opt/made\n")
    outcome = desk("build", "adapted.yaml")
    assert outcome.status == 0, outcome.stderr
    commands = root / "prefix/current/containers/six-of-ours/bin"
    told = desk("-c", ASKED, command=(str(commands / "python"),))
    first, *rest = told.stdout.splitlines()
    assert first == "the image 1.17.0 /.stackgen/site-packages", told.stderr
    assert [name.partition("-")[0] for name in rest] == ["conf", "pygments", "six"]
    assert desk("-V", command=(str(commands / "pygmentize"),)).stdout.startswith("Pygments version ")


def test_it_is_built_again_only_where_something_has_changed(shared_desk: Desk):
    again = shared_desk("build", "adapted.yaml")
    assert (again.status, "release 1 is published already: nothing to do" in again.stderr) == (0, True)
    shared_desk.write("files/site.conf", "another\n")
    changed = shared_desk("build", "adapted.yaml")
    assert (changed.status, changed.stderr) == (
        2,
        f"{shared_desk.directory}/adapted.lock no longer fits adapted.yaml: frameworks.six-of-ours: "
        "the files that are added changed; "
        f"run `stackgen lock {shared_desk.directory}/adapted.yaml` where there is a network\n",
    )
