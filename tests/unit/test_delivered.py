"""What a release tells of the packages in its frameworks."""

from email import message_from_string
from pathlib import Path

import pytest

from stackgen import files
from stackgen.delivered import Contents, Delivered, contents, contents_tree, license_of, read_contents
from stackgen.errors import WorkError
from stackgen.release import InstalledFramework

KERAS = """\
Metadata-Version: 2.4
Name: Keras
Version: 3.15.1
Summary: Multi-backend
 Keras
License-Expression: Apache-2.0
"""


def framework(prefix: Path, **packages: str) -> InstalledFramework:
    return InstalledFramework(
        name="tensorflow",
        module="tensorflow",
        version="2.21.0",
        prefix=str(prefix),
        python="3.11",
        packages=packages,
        settings={},
    )


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    files.write(tmp_path / "tf/lib/python3.11/site-packages/keras-3.15.1.dist-info/METADATA", KERAS)
    return tmp_path / "tf"


def test_packages_are_told_with_what_they_say_of_themselves(prefix: Path):
    found = contents(framework(prefix, openssl="3.0", keras="3.15.1"), {"openssl": "Apache-2.0"})
    assert found.packages == (
        Delivered(name="keras", version="3.15.1", license="Apache-2.0", summary="Multi-backend Keras"),
        Delivered(name="openssl", version="3.0", license="Apache-2.0", summary=""),
    )


def test_what_is_written_is_read_again(prefix: Path, tmp_path: Path):
    asked = framework(prefix, keras="3.15.1")
    files.write_tree(contents_tree((asked,), {}), tmp_path / "release")
    assert read_contents(tmp_path / "release", asked) == contents(asked, {})


def test_a_release_of_an_older_stackgen_tells_versions(tmp_path: Path):
    assert read_contents(tmp_path, framework(tmp_path, keras="3.15.1")) == Contents(
        packages=(Delivered(name="keras", version="3.15.1"),)
    )


def test_a_damaged_file_is_told(tmp_path: Path):
    files.write(tmp_path / "share/packages/tensorflow.json", "{")
    with pytest.raises(WorkError, match=r"tensorflow\.json cannot be read; build its environment again"):
        read_contents(tmp_path, framework(tmp_path))


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["License-Expression: MIT AND  BSD-3-Clause", "License: other"], "MIT AND BSD-3-Clause"),
        (["License: BSD 3-Clause"], "BSD 3-Clause"),
        (
            ["License: UNKNOWN", "Classifier: License :: OSI Approved :: MIT License"],
            "MIT License",
        ),
        (
            [
                "License: Permission is hereby granted",
                "        to any person",
                "Classifier: License :: OSI Approved",
                "Classifier: License :: OSI Approved :: BSD License",
                "Classifier: License :: OSI Approved :: BSD License",
                "Classifier: Programming Language :: Python",
                "Classifier: License :: Public Domain",
            ],
            "BSD License, Public Domain",
        ),
        (["License: " + "x" * 81], ""),
        ([], ""),
    ],
)
def test_a_licence_is_one_short_line(lines: list[str], wanted: str):
    assert license_of(message_from_string("\n".join(["Name: x", *lines, "", ""]))) == wanted
