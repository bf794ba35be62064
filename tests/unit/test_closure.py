"""What of a lock of Spack's a framework is."""

from spack_graphs import lock_text, package, python_lock

from stackgen.closure import closure, distribution

PYTHON = ("python", "python-venv")


def test_a_framework_of_python():
    text = python_lock(
        package("py-torch", "2.9.0", *PYTHON, "py-typing-extensions", "link:openblas", "build:cmake"),
        package("py-ipykernel", "6.29.5", *PYTHON, "py-typing-extensions"),
        package("py-typing-extensions", "4.12.2", *PYTHON, "build:py-pip"),
        package("openblas", "0.3.30", "link:glibc"),
        package("cmake", "3.31.0"),
        roots=("py-ipykernel", "py-torch"),
    )
    found = closure(text, "py-torch@2.9.0 ~cuda ^python@3.11")
    assert [node.name for node in found.roots] == ["py-torch", "py-ipykernel"]
    assert [node.name for node in found.nodes] == [
        *("py-torch", "py-ipykernel"),
        *("openblas", "py-typing-extensions", "python", "python-venv"),
        "glibc",
    ]
    assert (found.version, found.python_version) == ("2.9.0", "3.11")
    assert found.packages == {
        "ipykernel": "6.29.5",
        "openblas": "0.3.30",
        "pip": "25.1.1",
        "torch": "2.9.0",
        "typing-extensions": "4.12.2",
    }
    assert found.strangers == ()


def test_a_framework_without_python_has_no_pip():
    text = lock_text(
        ("caffe",),
        dict(
            (
                package("caffe", "1.0", "link:boost", "build:py-pip"),
                package("boost", "1.88.0"),
                package("py-pip", "25.1.1"),
            )
        ),
    )
    found = closure(text, "caffe ~cuda")
    assert (found.python, found.python_version) == (None, "")
    assert found.packages == {"boost": "1.88.0", "caffe": "1.0"}


def test_of_a_library_and_its_python_package_the_package_is_told():
    text = python_lock(
        package("py-protobuf", "5.28.2", *PYTHON, "link:protobuf"),
        package("protobuf", "28.2"),
        roots=("py-protobuf",),
    )
    assert closure(text, "py-protobuf").packages == {"pip": "25.1.1", "protobuf": "5.28.2"}


def test_what_is_the_systems_cannot_be_part_of_it():
    text = python_lock(
        package("py-scipy", "1.16", *PYTHON, "py-numpy", "link:openblas"),
        package("py-numpy", "2.3", external="/usr"),
        package("openblas", "0.3.30", external="/opt/blas"),
        roots=("py-scipy",),
    )
    assert [str(node) for node in closure(text, "py-scipy").strangers] == ["py-numpy@2.3"]


def test_pip_knows_packages_by_another_name():
    assert distribution("py-Typing_extensions") == "typing-extensions"
    assert distribution("py-pyyaml") == "pyyaml"
