"""The modules of frameworks in containers: what they tell, and what loading them does."""

from stackgen.effects import Prepend, effects
from stackgen.manual import WIDTH, manual
from stackgen.model import Environment, System
from stackgen.modules import module_tree
from stackgen.plan import Plan, plan
from stackgen.release import InstalledFramework
from stackgen.shell import shell_environment

PREFIX = "/dss/hpai/pythons/six-1.17.0-0123456789ab"
RELEASE = "/dss/hpai/releases/2026.11"
DIGEST = f"sha256:{'1' * 64}"


def planned() -> Plan:
    frameworks = {
        "six": {"from": "wheels", "version": "1.17.0", "package": "six", "import": "six", "image": True},
        "vendor": {"from": "container", "version": "3.1", "image": f"registry.example/vendor@{DIGEST}"},
    }
    environment = {"name": "box", "release": "2026.11", "system": "node", "prefix": "/dss/hpai"}
    facts = {
        "name": "node",
        "os": "debian12",
        "glibc": "2.36",
        "target": "x86_64_v3",
        "pythons": [{"version": "3.11", "prefix": "/usr"}],
        "containers": {"binds": ["/dss", "/home"]},
    }
    asked = Environment.model_validate({**environment, "frameworks": frameworks})
    return plan(asked, System.model_validate(facts))


def packed() -> InstalledFramework:
    return InstalledFramework(
        name="six-container",
        module="six-container",
        version="1.17.0",
        prefix=PREFIX,
        python="3.11",
        packages={"six": "1.17.0"},
        settings={},
        source="container",
        image="/dss/hpai/images/six-container-1.17.0-ba9876543210.sqfs",
    )


def pulled() -> InstalledFramework:
    return InstalledFramework(
        name="vendor",
        module="vendor",
        version="3.1",
        prefix="/dss/hpai/images/vendor-3.1-ba9876543210",
        python="",
        packages={},
        settings={},
        source="container",
        image="/dss/hpai/images/vendor-3.1-ba9876543210.sqfs",
    )


def told(framework: InstalledFramework) -> str:
    asked = planned()
    about = next(one.about for one in asked.frameworks if one.name == framework.name)
    return manual(asked, framework, about)


def test_the_help_of_a_packed_framework_is_its_own_and_that_of_a_container():
    assert (
        told(packed())
        == f"""\
six 1.17.0

Use
  module load hpai/six-container/1.17.0
  python script.py

It has a Python 3.11 of its own. Packages in ~/.local, in conda or in another
virtual environment are not seen, nor is a PYTHONPATH set before loading;
one that you set afterwards is.

In a container
Its programs run in an image, by Charliecloud; start them as any other,
also by mpirun and srun. Of this machine's files they see /tmp, /dss, /home,
and find programs and libraries in the image alone. Any other program of the
image, or of yours, runs there by
  six-container PROGRAM [ARGUMENT]...

Add packages of your own, or other versions, in a virtual environment on top
  module load hpai/six-container/1.17.0
  python -m venv --system-site-packages ~/venvs/six-container-1.17.0
  six-container ~/venvs/six-container-1.17.0/bin/pip install PACKAGE
and from then on, in every shell and job
  module load hpai/six-container/1.17.0
  six-container ~/venvs/six-container-1.17.0/bin/python script.py
Once activated, its python would be looked for outside of the container.

Where it lies
  $HPAI_SIX_CONTAINER_ROOT = {PREFIX}
  in /dss/hpai/images/six-container-1.17.0-ba9876543210.sqfs
  release 2026.11 of box

Packages (1)
  six 1.17.0
"""
    )


def test_the_help_of_others_images_tells_where_their_programs_are():
    text = told(pulled())
    assert "Its programs lie in $HPAI_RELEASE/containers/vendor/bin.\n" in text
    assert "  vendor PROGRAM [ARGUMENT]...\n" in text
    assert "  in /dss/hpai/images/vendor-3.1-ba9876543210.sqfs\n" in text
    assert "ROOT" not in text
    assert "Packages" not in text


def test_lines_of_the_help_fit_a_terminal():
    lines = [line for framework in (packed(), pulled()) for line in told(framework).splitlines()]
    assert [line for line in lines if len(line) > WIDTH and "/dss" not in line] == []


def test_its_commands_are_those_of_the_release():
    found = [effect for effect in effects("hpai", packed(), RELEASE) if isinstance(effect, Prepend)]
    assert found[-1] == Prepend(variable="PATH", directory="containers/six-container/bin", of="release")
    environment = shell_environment("hpai", packed(), RELEASE, {"PATH": "/usr/bin", "PYTHONPATH": "/mine"})
    assert environment == {
        "PATH": f"{RELEASE}/containers/six-container/bin:{RELEASE}/bin:/usr/bin",
        "HPAI_RELEASE": RELEASE,
        "HPAI_SIX_CONTAINER_ROOT": PREFIX,
        "PYTHONNOUSERSITE": "1",
    }


def test_it_is_of_the_family_of_all_frameworks():
    modules = module_tree(planned(), (packed(),))
    text = modules["modules/Core/hpai/six-container/1.17.0.lua"].text
    assert 'family("hpai_framework")' in text
    assert 'prepend("PATH", release, "containers/six-container/bin")' in text
