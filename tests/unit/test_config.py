"""What a site may write, and the files that can be read at all."""

import os
from pathlib import Path

import pytest

from stackgen.config import load, load_system
from stackgen.config.parse import MAX_DEPTH, MAX_NODES, MAX_TEXT
from stackgen.errors import Fault, InputError, Place

BASE = """\
name: quickstart
release: 1
system: grid
prefix: /opt/hpai
frameworks:
  tensorflow:
    version: newest
    from: wheels
"""
GRID = """\
name: Grid
os: rhel8
glibc: 2.28
target: zen3
pythons:
  - {version: 3.11, prefix: /usr}
"""


@pytest.fixture(autouse=True)
def site(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("systems/grid.yaml", GRID)
    write("base.yaml", BASE)
    return tmp_path


def write(name, text, **options):
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", **options)
    return path


def loaded(text, **options):
    return load(write("site.yaml", text), **options)


def refusal(text, **options):
    with pytest.raises(InputError) as refused:
        loaded(text, **options)
    return str(refused.value)


def test_versions_stay_as_written():
    environment = loaded(BASE + "    python: 3.10\n").environment
    assert environment.frameworks["tensorflow"].python.version == "3.10"


def test_words_that_yaml_would_type_stay_text():
    settings = "    settings: {TF_ON: yes, TF_OFF: off, TF_TIME: 1:30, TF_DATE: 2026-11-01, TF_OCTAL: 0755}\n"
    assert loaded(BASE + settings).environment.frameworks["tensorflow"].settings == {
        "TF_ON": "yes",
        "TF_OFF": "off",
        "TF_TIME": "1:30",
        "TF_DATE": "2026-11-01",
        "TF_OCTAL": "0755",
    }


@pytest.mark.parametrize("nothing", ["", "~", "null"])
def test_nothing_is_the_default_where_there_is_one(nothing):
    text = BASE + f"    python: {nothing}\ntoolchain: {{mpi: {nothing}}}\n"
    assert loaded(text).environment == loaded(BASE).environment


def test_quoted_null_is_text():
    assert "''null'' is" not in refusal(BASE + "    python: 'null'\n")
    assert refusal(BASE + "    python: 'null'\n") == (
        "site.yaml:9:13: frameworks.tensorflow.python: 'null' is no Python version; "
        "give major and minor, such as 3.11"
    )


@pytest.mark.parametrize(
    ("python", "refused"),
    [
        ("[3.11]", "9:13: frameworks.tensorflow.python: a list where one value belongs; "
         "write it, such as `python: 3.11`"),
        ("{version: 3.12}", "9:5: frameworks.tensorflow.python.from: this key is missing; add `from: spack`"),
        ("{from: conda}", "9:20: frameworks.tensorflow.python.from: 'conda' is unknown; "
         "use one of spack, system"),
        ("{from: spack, version: 3.8}", "9:36: frameworks.tensorflow.python.version: Python 3.8 is too old; "
         "stackgen's tools need 3.9 or newer"),
        ("{from: spack, versoin: 3.12}", "9:27: frameworks.tensorflow.python.versoin: unknown key; "
         "did you mean version?"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_python_is_told_where_it_stands(python, refused):
    assert refusal(BASE + f"    python: {python}\n") == f"site.yaml:{refused}"


def test_users_names_of_the_keys():
    framework = "    import: tensorflow\n    sdists:\n    - {name: My.Sdist, build-requires: [cmake<4]}\n"
    tensorflow = loaded(BASE + framework).environment.frameworks["tensorflow"]
    assert (tensorflow.source, tensorflow.imports) == ("wheels", "tensorflow")
    assert tensorflow.sdists[0].name == "my-sdist"
    assert tensorflow.sdists[0].build_requires == ("cmake<4",)


def test_the_name_of_a_source_distribution_is_enough():
    short = loaded(BASE + "    sdists: [My.Sdist]\n").environment
    assert short == loaded(BASE + "    sdists: [{name: my-sdist}]\n").environment


def test_each_source_has_versions_of_its_own():
    caffe = "  caffe: {from: spack, version: develop}\n"
    image = f"  image: {{from: container, version: 24.05-tf2-py3, image: tf@sha256:{'0' * 64}}}\n"
    frameworks = loaded(BASE + caffe + image).environment.frameworks
    assert (frameworks["caffe"].version, frameworks["image"].version) == ("develop", "24.05-tf2-py3")


def test_a_simple_alias_is_what_it_stands_for():
    text = "packages: &same [hdf5]\n" + BASE.replace("release: 1", "release: &one 1")
    environment = loaded(text + "    requires: *same\n    settings: {TF_X: *one, TF_Y: *one}\n").environment
    assert environment.frameworks["tensorflow"].requires == ("hdf5",)
    assert environment.frameworks["tensorflow"].settings == {"TF_X": "1", "TF_Y": "1"}


def test_an_anchor_used_too_often_is_refused():
    anchored = "packages: &p [" + "x," * 150 + "]\n"
    bomb = anchored + "toolchain:\n" + "".join(f"  k{index}: *p\n" for index in range(150)) + BASE
    assert refusal(bomb) == (
        f"site.yaml:133:9: more than {MAX_NODES} keys and values, "
        "aliases counted as what they stand for; shorten it"
    )


def test_as_deep_as_allowed_is_no_fault_of_depth():
    deep = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    assert "nested" not in refusal(f"{BASE}packages: {deep}\n")


def test_a_very_long_text_is_refused_shortly():
    assert refusal(f"{BASE}packages: [{'x' * (MAX_TEXT + 1)}]\n") == (
        "site.yaml:9:12: packages[0]: a text of 1001 characters; write at most 1000"
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_files_from_windows(newline, mark):
    assert loaded(BASE).environment == load(write("windows.yaml", mark + BASE, newline=newline)).environment


def test_places_count_from_one_after_a_byte_order_mark():
    assert (
        refusal("\ufeffnam: x\ninclude: base.yaml\n") == "site.yaml:1:1: nam: unknown key; did you mean name?"
    )


def test_includes_are_joined_deeply_and_the_including_file_wins():
    write("common/site.yaml", "include: site-wide.yaml\nmodules: {namespace: ai}\nrelease: common\n")
    write(
        "common/site-wide.yaml",
        "modules: {namespace: x, defaults: {tensorflow: 2.20}}\npackages: [hdf5, fftw]\n",
    )
    text = (
        "include: [base.yaml, common/site.yaml]\nframeworks:\n  tensorflow: {python: 3.12}\npackages: [lua]\n"
    )
    result = loaded(text)
    environment = result.environment
    assert environment.release == "common"
    assert (environment.modules.namespace, environment.modules.defaults) == ("ai", {"tensorflow": "2.20"})
    assert environment.packages == ("lua",)
    assert environment.frameworks["tensorflow"].python.version == "3.12"
    assert environment.frameworks["tensorflow"].version == "newest"
    names = ["site.yaml", "base.yaml", "common/site.yaml", "common/site-wide.yaml", "systems/grid.yaml"]
    assert result.files == tuple(Path(name).absolute() for name in names)


def test_a_file_included_by_two_is_read_once():
    write("one.yaml", "include: base.yaml\n")
    write("two.yaml", "include: ./base.yaml\n")
    assert len(loaded("include: [one.yaml, two.yaml]\n").files) == 5


def test_a_circle_through_a_link_is_seen():
    write("one.yaml", "include: link/one.yaml\n")
    Path("link").symlink_to(".")
    with pytest.raises(InputError) as refused:
        load(Path("one.yaml"))
    assert str(refused.value) == (
        "one.yaml:1:10: include: the files include each other: one.yaml -> link/one.yaml; "
        "take one of these includes out"
    )


def test_too_many_files_are_refused():
    for index in range(70):
        write(f"f{index}.yaml", f"include: f{index + 1}.yaml\n")
    assert refusal("include: f0.yaml\n") == (
        "f62.yaml:1:10: include: more than 64 files are included; join some of them"
    )


def test_a_system_may_include_another():
    write("systems/grid-gpu.yaml", "include: grid.yaml\naccelerators: [{model: NVIDIA H200, count: 4}]\n")
    system = loaded("include: base.yaml\nsystem: grid-gpu\n").system
    assert (system.name, system.accelerators[0].count) == ("Grid", 4)
    assert load_system(Path("systems/grid-gpu.yaml")) == system


def test_a_system_by_itself_is_refused_like_any_file():
    write("systems/grid.yaml", GRID.replace("zen3", "bulldozr"))
    with pytest.raises(InputError) as refused:
        load_system(Path("systems/grid.yaml"))
    assert str(refused.value) == (
        "systems/grid.yaml:4:9: target: unknown target 'bulldozr'; did you mean bulldozer?"
    )


def test_this_is_the_machine_we_are_on():
    assert loaded("include: base.yaml\nsystem: this\n").system.name == "this"


def test_the_option_stands_in_for_the_files_prefix(site):
    assert (
        loaded(BASE.replace("prefix: /opt/hpai\n", ""), prefix=f"{site}/here").environment.prefix
        == f"{site}/here"
    )
    assert loaded(BASE.replace("/opt/hpai", "/"), prefix="/data/hpai/").environment.prefix == "/data/hpai"


@pytest.mark.parametrize(
    ("prefix", "says"),
    [
        ("", "--prefix: the prefix '' is not absolute; begin with / or ~/"),
        ("here", "--prefix: the prefix 'here' is not absolute; begin with / or ~/"),
        (
            "/etc",
            "--prefix: the prefix '/etc' belongs to the operating system; "
            "choose another directory, such as /opt/hpai",
        ),
    ],
)
def test_the_options_faults_are_its_own(prefix, says):
    assert refusal(BASE, prefix=prefix) == says


def test_what_is_found_of_the_option_later_is_told_by_its_name_alone():
    error = InputError(Fault(where="prefix", what="it is too long", remedy="choose a shorter one"))
    assert str(loaded(BASE, prefix="/data/hpai").located(error)) == (
        "--prefix: it is too long; choose a shorter one"
    )
    assert str(loaded(BASE).located(error)) == ("site.yaml:4:1: prefix: it is too long; choose a shorter one")


def test_a_home_in_the_prefix_is_the_callers(monkeypatch, site):
    monkeypatch.setenv("HOME", str(site))
    assert loaded(BASE.replace("/opt", "~")).environment.prefix == f"{site}/hpai"
    assert loaded(BASE.replace("/opt", "${HOME}")).environment.prefix == f"{site}/hpai"


def test_a_verify_script_is_found_beside_the_environment():
    write("verify/deep.py", "")
    assert loaded(BASE + "    verify: verify/deep.py\n").environment.frameworks["tensorflow"].verify


def test_faults_are_located_by_their_key_paths():
    result = loaded(BASE + "    requires: [keras]\n")
    error = InputError(
        Fault(where="frameworks.tensorflow.requires[0]", what="a"),
        Fault(where="frameworks.tensorflow.python", what="b"),
        Fault(where="modules.defaults.jax", what="c"),
        Fault(where="--sandbox", what="d", place=Place(file="the option")),
    )
    assert str(result.located(error)) == (
        "site.yaml: modules.defaults.jax: c\n"
        "site.yaml:6:3: frameworks.tensorflow.python: b\n"
        "site.yaml:9:16: frameworks.tensorflow.requires[0]: a\n"
        "the option: --sandbox: d"
    )


def test_places_name_the_file_as_the_user_did(site):
    write("sub/site.yaml", "include: ../base.yaml\nname: X\n")
    with pytest.raises(InputError) as refused:
        load(site / "sub/site.yaml")
    assert [str(fault.place) for fault in refused.value.faults] == [
        f"{site}/sub/../base.yaml:3:9",
        f"{site}/sub/site.yaml:2:7",
    ]


class TestUnreadableFiles:
    def refused(self, path):
        with pytest.raises(InputError) as refused:
            load(Path(path))
        return str(refused.value)

    def test_missing(self):
        assert self.refused("baes.yaml") == "baes.yaml: does not exist; did you mean base.yaml?"
        assert self.refused("nothing/like.yaml") == "nothing/like.yaml: does not exist; see `stackgen init`"
        assert self.refused("base.yaml/x") == "base.yaml/x: does not exist; see `stackgen init`"

    def test_a_directory(self):
        assert self.refused("systems") == "systems: is a directory; name a YAML file"

    def test_a_pipe(self):
        os.mkfifo("pipe.yaml")
        assert self.refused("pipe.yaml") == "pipe.yaml: is no regular file; name a YAML file"

    def test_a_name_too_long(self):
        name = "x" * 300
        assert self.refused(name) == f"{name}: cannot be read: File name too long; check its permissions"

    def test_too_large(self):
        write("large.yaml", "#" * 1_000_001)
        assert self.refused("large.yaml") == "large.yaml: is larger than 1 MB; name a YAML file"

    def test_not_utf8(self):
        Path("latin.yaml").write_bytes("name: x\nsite: Jülich\n".encode("latin-1"))
        assert self.refused("latin.yaml") == "latin.yaml:2:8: this is not UTF-8; save the file as UTF-8"

    def test_utf16(self):
        Path("utf16.yaml").write_bytes(BASE.encode("utf-16"))
        assert self.refused("utf16.yaml") == "utf16.yaml:1:1: this is not UTF-8; save the file as UTF-8"

    def test_a_control_character(self):
        write("bell.yaml", "name: x\nrelease: 1\a\n")
        assert self.refused("bell.yaml") == (
            "bell.yaml:2:11: the character U+0007 cannot stand in YAML; remove it"
        )


def test_two_mpis_that_would_be_one_module_are_refused():
    toolchain = "toolchain: {mpi: openmpi@4.1.4, other-mpis: [mpich@4, openmpi@4.1.4 +cxx]}\n"
    assert refusal(BASE + toolchain) == (
        "site.yaml:9:55: toolchain.other-mpis[1]: openmpi@4.1.4 +cxx is among the MPIs already;"
        " leave it out, or take another version"
    )
