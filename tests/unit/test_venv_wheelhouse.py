"""Where users' own packages come from: what a site may write, and what the packages of a user's own tell."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from stackgen.inside.launcher.venv_making import pip_configuration
from stackgen.inside.launcher.venv_packages import named_packages, own_packages, wanted_again
from stackgen.model.wheelhouse import Wheelhouse

PLACE = TypeAdapter(Wheelhouse)


@pytest.mark.parametrize("text", ["/srv/wheels", "https://index.site.example/simple", "http://[::1]:8080/a/"])
def test_a_directory_or_an_address(text):
    assert PLACE.validate_python(text) == text


NO_PLACE = "write a directory that all nodes see, or the https:// address of an index"


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("wheels", "'wheels' is no place for wheels", NO_PLACE),
        ("", "'' is no place for wheels", NO_PLACE),
        ("https://a.example/x y", "'https://a.example/x y' is no place for wheels", NO_PLACE),
        ("https://a.example/\n", "'https://a.example/\\n' is no place for wheels", NO_PLACE),
        ("file:///srv", "'file:///srv' is no place for wheels", NO_PLACE),
        (
            "https://user:secret@a.example/simple",
            "'https://user:secret@a.example/simple' holds who is to log in",
            "leave it out: what is here, every user reads",
        ),
        ("/srv/../x", "'/srv/../x' is not an absolute path", "begin with / and leave out '..'"),
    ],
)
def test_what_is_neither_is_refused(text, what, remedy):
    with pytest.raises(ValidationError) as refused:
        PLACE.validate_python(text)
    assert refused.value.errors()[0]["ctx"] == {"what": what, "remedy": remedy}


def test_pip_looks_nowhere_else():
    assert pip_configuration("/srv/wheels").splitlines() == [
        "[global]",
        "disable-pip-version-check = true",
        "extra-index-url =",
        "no-index = true",
        "find-links = /srv/wheels",
    ]
    assert pip_configuration("https://a.example/simple").splitlines()[-2:] == [
        "index-url = https://a.example/simple",
        "find-links =",
    ]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["numpy==2.1.3"], {"numpy"}),
        (["--upgrade", "Ruamel.Yaml[x]>=1 ; python_version > '3'", "a"], {"ruamel-yaml", "a"}),
        (["-t", "numpy", "--index-url", "pandas", "six"], {"six"}),
        (["./wheels/numpy-2.1-py3-none-any.whl", "git+https://a.example/b", "."], {"numpy"}),
        (["scipy @ https://a.example/scipy.whl"], {"scipy"}),
        ([], set()),
    ],
)
def test_what_a_command_line_names(words, names):
    assert named_packages(words) == names


def test_what_files_of_requirements_name(tmp_path: Path):
    place = tmp_path / "wanted.txt"
    place.write_text("# mine\nnumpy < 2  # old\n-c other.txt\n\npandas\n")
    assert named_packages(["-r", str(place)]) == {"numpy", "pandas"}
    assert named_packages([f"--requirement={place}"]) == {"numpy", "pandas"}
    assert named_packages(["-r", str(tmp_path / "none.txt")]) == set()


def test_own_packages_are_read_without_their_python(tmp_path: Path):
    site = tmp_path / "lib/python3.11/site-packages"
    told = {
        "Asked-1.0": ("Name: Asked\nVersion: 1.0\n", True, ""),
        "needed-2.0": ("Name: needed\nVersion: 2.0\n", False, ""),
        "from_git-3.0": (
            "Name: from_git\nVersion: 3.0\n\nVersion: 9\n",
            True,
            '{"url": "https://a.example/x", "vcs_info": {"vcs": "git", "commit_id": "0a1b"}}',
        ),
        "broken-4.0": ("Name: broken\nVersion: 4.0\n", False, "{"),
    }
    for name, (metadata, asked, origin) in told.items():
        info = site / f"{name}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(metadata)
        if asked:
            (info / "REQUESTED").touch()
        if origin:
            (info / "direct_url.json").write_text(origin)
    (site / "empty-1.dist-info").mkdir()
    own = own_packages(str(tmp_path))
    assert [(one.name, one.requirement) for one in own] == [
        ("asked", "Asked==1.0"),
        ("broken", "broken==4.0"),
        ("from-git", "from_git @ git+https://a.example/x@0a1b"),
        ("needed", "needed==2.0"),
    ]
    assert wanted_again(own) == ["Asked==1.0", "from_git @ git+https://a.example/x@0a1b"]
    assert wanted_again([one for one in own if not one.asked]) == ["broken==4.0", "needed==2.0"]
