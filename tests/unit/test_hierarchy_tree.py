"""The hierarchy as a value: which modules there are, on which level, and what each does."""

from pathlib import Path

import pytest
from hierarchies import BUILD, LINK, RUN, Made, described, effect, locked

from stackgen.errors import InputError, WorkError
from stackgen.hierarchy import hierarchy_tree
from stackgen.model import Environment, System
from stackgen.plan import Plan, plan
from stackgen.tree import Tree

STORE = Path("/dss/ai/store")
GCC = Made(name="gcc", version="13.2.0", prefix="/opt/gcc")
MPI = Made(name="openmpi", version="4.1.4", prefix="/opt/openmpi")
ZLIB = Made(name="zlib", version="1.3.1", directories={"PATH": "bin", "PKG_CONFIG_PATH": "lib/pkgconfig"})


def planned(namespace: str = "hpai") -> Plan:
    values = {
        "name": "lab",
        "release": "1",
        "system": "box",
        "prefix": "/dss/ai",
        "modules": {"namespace": namespace},
        "toolchain": {"mpi": "openmpi@4.1.4"},
        "packages": ["all"],
        "frameworks": {"six": {"from": "wheels", "version": "newest", "python": "3.11"}},
    }
    system = System(name="box", os="debian12", glibc="2.36", target="x86_64")
    return plan(Environment.model_validate(values), system)


def tree(*made: Made, roots: str, namespace: str = "hpai") -> Tree:
    locks = (locked(made, roots.split()),)
    return hierarchy_tree(planned(namespace), locks, described(made, STORE))


def calls(text: str, *functions: str) -> list[str]:
    """The calls of these functions that stand at the beginning of a line."""
    return [line for line in text.splitlines() if line.partition("(")[0] in functions]


def modules(tree: Tree) -> list[str]:
    return [path for path in tree if not path.endswith(".modulerc.lua")]


def test_what_needs_an_mpi_lies_on_its_level_and_all_else_in_core() -> None:
    far = Made(name="far", needs={"near": RUN})
    near = Made(name="near", needs={"openmpi": LINK}, mpi="openmpi")
    tool = Made(name="tool", needs={"openmpi": BUILD, "gcc": BUILD}, mpi="openmpi")
    found = tree(GCC, MPI, far, near, tool, roots="openmpi far tool")
    assert modules(found) == [
        "modules/Core/openmpi/4.1.4.lua",
        "modules/Core/tool/1.0.lua",
        "modules/openmpi/4.1.4/far/1.0.lua",
    ]


def test_an_mpi_opens_its_level_wherever_the_release_lies() -> None:
    text = tree(MPI, roots="openmpi")["modules/Core/openmpi/4.1.4.lua"].text
    assert 'local level = pathJoin(myFileName():gsub("/[^/]+/[^/]+/[^/]+$", ""), "openmpi/4.1.4")\n' in text
    assert calls(text, "family") == ['family("mpi")']


def test_a_module_has_what_its_package_needs_and_what_is_no_module_itself() -> None:
    script = Made(name="script", needs={"python": RUN, "zlib": LINK, "glibc": LINK, "gcc": BUILD})
    made = (script, Made(name="python", version="3.11.9"), ZLIB, Made(name="glibc"), GCC)
    text = tree(*made, roots="script")["modules/Core/script/1.0.lua"].text
    places = {one.name: one.place(STORE) for one in made}
    assert calls(text, "prepend", "set") == [
        f'set("SCRIPT_ROOT", "{places["script"]}")',
        f'prepend("PATH", "{places["python"]}/bin", ":")',
        f'prepend("PKG_CONFIG_PATH", "{places["zlib"]}/lib/pkgconfig", ":")',
        f'prepend("PATH", "{places["script"]}/bin", ":")',
    ]
    assert "Compiled by gcc@13.2.0 for x86_64." in text
    assert "With it: python@3.11.9, zlib@1.3.1" in text


def test_another_module_is_loaded_and_not_repeated() -> None:
    middle = Made(name="middle", needs={"zlib": RUN})
    top = Made(name="top", needs={"middle": LINK, "openmpi": LINK}, mpi="openmpi")
    text = tree(MPI, ZLIB, middle, top, roots="openmpi zlib top")["modules/openmpi/4.1.4/top/1.0.lua"].text
    assert calls(text, "depends_on") == ['depends_on("zlib/1.3.1")']
    assert ZLIB.place(STORE) not in text


def test_what_lies_in_the_system_is_found_without_a_module() -> None:
    found = effect("SetEnv", "MPICC", "/usr/bin/mpicc")
    mpi = Made(name="openmpi", version="4.1.4", prefix="/usr", effects=(found,))
    text = tree(mpi, roots="openmpi")["modules/Core/openmpi/4.1.4.lua"].text
    assert calls(text, "prepend", "set") == ['set("OPENMPI_ROOT", "/usr")', 'set("MPICC", "/usr/bin/mpicc")']


def test_another_python_does_not_get_in_front_of_a_framework() -> None:
    extension = Made(name="py-x", needs={"python": RUN}, directories={"PYTHONPATH": "lib"})
    plain = Made(name="plain", needs={"python": LINK})
    found = tree(extension, plain, Made(name="python", version="3.11"), roots="py-x plain")
    assert calls(found["modules/Core/py-x/1.0.lua"].text, "conflict") == ['conflict("hpai/six")']
    assert calls(found["modules/Core/plain/1.0.lua"].text, "conflict") == []


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("PrependPath", 'prepend("X", "v/w", ";")'),
        ("AppendPath", 'append("X", "v/w", ";")'),
        ("AppendFlagsEnv", 'append("X", "v//w", ";")'),
        ("SetEnv", 'set("X", "v//w")'),
        ("SetPath", 'set("X", "v//w")'),
        ("UnsetEnv", 'unset("X")'),
        ("RemovePath", None),
    ],
)
def test_each_effect_has_its_call(kind: str, line: str | None) -> None:
    one = Made(name="x", effects=(effect(kind, "X", "v//w", ";"),), directories={})
    text = tree(one, roots="x")["modules/Core/x/1.0.lua"].text
    assert calls(text, "prepend", "append", "set", "unset")[1:] == ([line] if line else [])


def test_the_current_directory_gets_into_no_search_path() -> None:
    one = Made(name="x", effects=(effect("PrependPath", "PATH", ""),), directories={})
    text = tree(one, roots="x")["modules/Core/x/1.0.lua"].text
    assert calls(text, "prepend") == []


def test_pages_are_found_by_path_and_else_do_not_hide_the_systems() -> None:
    both = Made(name="both", directories={"PATH": "bin", "MANPATH": "share/man"})
    pages = Made(name="pages", directories={"MANPATH": "share/man"})
    found = tree(both, pages, roots="both pages")
    assert "MANPATH" not in "".join(calls(found["modules/Core/both/1.0.lua"].text, "prepend"))
    text = found["modules/Core/pages/1.0.lua"].text
    assert calls(text, "keep_manual", "prepend") == [
        "keep_manual()",
        f'prepend("MANPATH", "{pages.place(STORE)}/share/man", ":")',
    ]


@pytest.mark.parametrize(
    ("version", "file"),
    [
        ("1.14.3", "1.14.3"),
        ("1.14.3-2", "1.14.3-2"),
        ("1.04", "1.04"),
        ("main", "main"),
        ("git.v1/x=1.2", "git.v1_x_1.2"),
    ],
)
def test_versions_of_any_form(version: str, file: str) -> None:
    found = tree(Made(name="x", version=version), roots="x")
    assert list(found) == ["modules/Core/x/.modulerc.lua", f"modules/Core/x/{file}.lua"]
    assert found["modules/Core/x/.modulerc.lua"].text == f'module_version("x/{file}", "default")\n'


def test_two_locks_may_share_modules_and_have_an_mpi_each() -> None:
    mpich = Made(name="mpich", version="4.0.2", prefix="/opt/mpich")
    locks = []
    for mpi in (MPI, mpich):
        fast = Made(name="fast", build=mpi.name, needs={mpi.name: LINK}, mpi=mpi.name)
        locks.append(((mpi, ZLIB, fast), [mpi.name, "zlib", "fast"]))
    every = [one for made, _ in locks for one in made]
    found = hierarchy_tree(planned(), [locked(*lock) for lock in locks], described(every, STORE))
    assert modules(found) == [
        "modules/Core/mpich/4.0.2.lua",
        "modules/Core/openmpi/4.1.4.lua",
        "modules/Core/zlib/1.3.1.lua",
        "modules/mpich/4.0.2/fast/1.0.lua",
        "modules/openmpi/4.1.4/fast/1.0.lua",
    ]


def test_an_mpi_that_nobody_asked_for_opens_its_level_all_the_same() -> None:
    mpich = Made(name="mpich", version="4.2", needs={"zlib": LINK})
    fast = Made(name="fast", needs={"mpich": LINK}, mpi="mpich")
    found = tree(mpich, fast, ZLIB, roots="fast")
    assert modules(found) == ["modules/Core/mpich/4.2.lua", "modules/mpich/4.2/fast/1.0.lua"]
    assert "mpich" not in "".join(
        calls(found["modules/mpich/4.2/fast/1.0.lua"].text, "prepend", "depends_on")
    )


def test_two_builds_of_one_module_are_refused() -> None:
    locks = [
        locked([Made(name="openmpi", version="4.1.4", build=build)], ["openmpi"], build) for build in "ab"
    ]
    with pytest.raises(InputError) as caught:
        hierarchy_tree(planned(), locks, {})
    what = "two builds of openmpi@4.1.4 are both the module openmpi/4.1.4"
    assert str(caught.value) == f"packages: {what}; leave one of them out"


def test_what_needs_no_mpi_is_taken_from_the_first_lock() -> None:
    first, second = (Made(name="zlib", build=build) for build in "ab")
    locks = [locked([one], ["zlib"], one.build) for one in (first, second)]
    text = hierarchy_tree(planned(), locks, described([first, second], STORE))[
        "modules/Core/zlib/1.0.lua"
    ].text
    assert first.hash in text
    assert second.hash not in text


def test_a_package_of_the_namespaces_name_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        tree(ZLIB, roots="zlib", namespace="zlib")
    assert str(caught.value) == (
        "modules.namespace: zlib is a package too: its modules would lie among the frameworks';"
        " give it another name"
    )


def test_what_spack_does_not_describe_is_told() -> None:
    with pytest.raises(WorkError, match=r"^Spack wrote no module of zlib@1\.3\.1; look into the log$"):
        hierarchy_tree(planned(), [locked([ZLIB], ["zlib"])], {})


def test_the_order_of_packages_does_not_matter() -> None:
    top = Made(name="top", needs={"zlib": LINK, "openmpi": LINK}, mpi="openmpi")
    turned = Made(name="top", needs={"openmpi": LINK, "zlib": LINK}, mpi="openmpi")
    assert tree(MPI, ZLIB, top, roots="openmpi top") == tree(turned, ZLIB, MPI, roots="top openmpi")
