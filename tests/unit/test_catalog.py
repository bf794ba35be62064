"""The pages of real releases: what they tell, that all of it is escaped, and that they are the same again."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from catalogs import measured, publish_release

from stackgen.catalog import read_catalog, site_tree
from stackgen.catalog.framework import Around, framework_page
from stackgen.catalog.picture import LETTER, WIDTH, picture
from stackgen.catalog.told import Launcher
from stackgen.catalog.values import Catalog, Level
from stackgen.delivered import Delivered
from stackgen.errors import InputError, WorkError
from stackgen.progress import Silent
from stackgen.release import read_release
from stackgen.tree import Tree

EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'&amp;{{ 7*7 }}}}"
"""As YAML settings take it: braces twice where they are no placeholder."""


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._part(tag)
        assert len({name for name, _ in attrs}) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._part(tag)
        while self.open and self.open.pop() != tag:
            pass

    def _part(self, tag: str) -> None:
        if tag not in {"a", "code", "span", "strong", "time"}:
            self.texts.append(" ")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"script", "style"}:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def catalog(home: Path) -> Catalog:
    return read_catalog(home / "ai", (), Silent())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases, the newer measured."""
    made = tmp_path_factory.mktemp("catalog")
    publish_release(made, "2026.05", tensorflow="2.20.0")
    release = publish_release(made, "2026.11")
    measured(made / "ai/bench/2026.11", release)
    measured(made / "ai/bench/2026.05", release)  # of another release, whatever the directory is called
    return made


@pytest.fixture(scope="module")
def spare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release that tests change, and put right again."""
    made = tmp_path_factory.mktemp("spare")
    publish_release(made, "1")
    return made


@contextmanager
def changed(path: Path, text: str | None) -> Iterator[None]:
    """A file of a release that says something else, or is not there."""
    before = path.read_text()
    path.parent.chmod(0o755)
    path.unlink()
    if text is not None:
        path.write_text(text)
    yield
    path.write_text(before)


@pytest.fixture(scope="module")
def tree(home: Path) -> Tree:
    return site_tree(catalog(home))


def page(tree: Tree, path: str) -> Page:
    return Page(tree[path].text)


def test_every_release_and_framework_has_a_page(tree: Tree) -> None:
    names = ("numpy", "tensorflow-old", "tensorflow")
    assert list(tree) == [
        "index.html",
        *(
            f"releases/{release}/{path}"
            for release in ("2026.05", "2026.11")
            for path in (*(f"frameworks/{name}.html" for name in names), "index.html")
        ),
    ]


def test_the_overview_tells_what_to_type_and_what_is_not_there(tree: Tree, home: Path) -> None:
    found = page(tree, "index.html")
    assert f"module use {home}/ai/current/modules/Core module avail hpai" in found.text
    assert "module load hpai/tensorflow " in found.text
    assert "module load hpai/tensorflow/2.15.1" in found.text
    assert "cntk It has ended. Its models run in ONNX Runtime" in found.text
    assert "3 frameworks ready to use at The Centre" in found.text
    assert "hpai/tensorflow/2.20.0 NVIDIA GPUs wheels 2026.05 " in found.text


def test_the_filters_know_every_value(tree: Tree) -> None:
    found = page(tree, "index.html")
    cards = [one for one in found.all("li") if "data-framework" in one]
    told = [
        (one["data-framework"], one["data-version"], one["data-gpu"], one["data-release"]) for one in cards
    ]
    assert told == [
        ("numpy", "2.4.0", "cpu", "2026.11 2026.05"),
        ("tensorflow", "2.21.0", "NVIDIA", "2026.11"),
        ("tensorflow", "2.15.1", "cpu", "2026.11 2026.05"),
    ]
    assert [one["data-key"] for one in found.all("select")] == ["framework", "version", "gpu", "release"]


def test_packages_are_searched_where_the_page_stays_small(home: Path, tree: Tree) -> None:
    cards = [one for one in page(tree, "index.html").all("li") if "data-framework" in one]
    assert [one["data-packages"] for one in cards] == [
        "numpy",
        "ipykernel numpy nvidia-nccl-cu12 tensorflow",
        "numpy tensorflow",
    ]
    made = catalog(home)
    first, *others = made.current.frameworks
    many = tuple(Delivered(name=f"package{number:05}", version="1") for number in range(4000))
    current = replace(made.current, frameworks=(replace(first, packages=many), *others))
    text = site_tree(replace(made, releases=(current,)))["index.html"].text
    assert "data-packages" not in Page(text).text
    assert len(text) < 30_000


def test_a_page_of_a_framework(tree: Tree, home: Path) -> None:
    text = page(tree, "releases/2026.11/frameworks/tensorflow.html").text
    for told in (
        "TensorFlow 2.21.0",
        "hpai/tensorflow the default, which may be another in a new release",
        "hpai/tensorflow/2.21 the newest 2.21 that there is",
        "hpai/tensorflow/2.21.0 this one, and no other",
        "ddp trains on many nodes by its own means, and a test has seen it",
        "hpai run -N 2 script.py",
        "cp $HPAI_RELEASE/jobs/tensorflow/batch/nodes.sh .",
        "short 1 to 4 00:30:00 process.sh node.sh nodes.sh",
        "#SBATCH",
        "TensorFlow 2.21.0 (hpai 2026.11)",
        f"export JUPYTER_PATH={home}/ai/current/share/jupyter:$JUPYTER_PATH",
        "NCCL_SOCKET_IFNAME ib0 a setting of the framework (grid.yaml, line 13)"
        " instead of ib1 of the system (systems/grid.yaml, line 18)",
        "TF_ENABLE_ONEDNN_OPTS 1 a setting of the feature onednn (grid.yaml, line 12):"
        " TensorFlow uses oneDNN by itself on the newest processors alone",
        "OMP_NUM_THREADS {threads} a setting of the feature ddp (grid.yaml, line 12):"
        " or each rank of a node would start as many threads as the node has cores;"
        " {threads} is the cores of a rank; outside of jobs it is not set",
        "numpy arrays, and all that is done with them 2.4.0 BSD-3-Clause AND 0BSD",
        "nvidia-nccl-cu12 2.27 \u2013",
        "All 3 checks passed before this release was published",
        "ResNet-50, weak, by its own distribution, partition batch",
        "4 16 3806 1.00 100.0 %",
        "8 nodes failed: no nodes",
        "GEMM float32 1.25 Top/s - - 91.3 %",
        "ddp, 1024 bytes 0.001 0.002 0.50",
        "delivered 1.5 - 900",
        "Changed since 2026.05",
        "tensorflow 2.20.0 -> 2.21.0",
    ):
        assert told in text


def test_what_is_said_of_a_version_is_on_its_page(tree: Tree) -> None:
    text = page(tree, "releases/2026.11/frameworks/tensorflow-old.html").text
    assert "Deprecated: it may be withdrawn from 2027-01-31 on. It is no longer mended. Instead:" in text
    assert "no kernel for notebooks" in text
    limits = page(tree, "releases/2026.11/frameworks/numpy.html").text
    assert "Not supported here, and why It runs on CPUs alone. On GPUs, use CuPy." in limits
    assert "numpy It runs" not in page(tree, "index.html").text


def test_what_the_current_release_says_of_a_version_is_on_the_pages_of_older_ones(home: Path) -> None:
    file = home / "ai/releases/2026.05/release.json"
    with changed(file, json.dumps(json.loads(file.read_text()) | {"deprecations": []})):
        found = site_tree(catalog(home))
    text = page(found, "releases/2026.05/frameworks/tensorflow-old.html").text
    assert "Deprecated: it may be withdrawn from 2027-01-31 on. It is no longer mended." in text


def test_the_page_of_what_can_no_longer_be_loaded_says_what_can(home: Path) -> None:
    file = (home / "ai/current").resolve() / "release.json"
    told = json.loads(file.read_text())
    said = {**told["deprecations"][0], "state": "withdrawn", "on": "2026-01-31"}
    with changed(file, json.dumps(told | {"deprecations": [said]})):
        found = site_tree(catalog(home))
    text = page(found, "releases/2026.11/frameworks/tensorflow-old.html").text
    assert "Use it It can no longer be loaded. What to type instead: module load hpai/tensorflow" in text
    assert "module load hpai/tensorflow/2.15.1" not in text
    assert "Run it as a job" not in text
    older = page(found, "releases/2026.05/frameworks/tensorflow-old.html").text
    assert "module load hpai/tensorflow/2.15.1" not in older
    assert "It still loads" not in older
    overview = page(found, "index.html").text
    assert "Instead: module load hpai/tensorflow withdrawn" in overview
    assert "module load hpai/tensorflow/2.15.1" not in overview


def test_an_old_release_says_which_is_current(tree: Tree) -> None:
    text = page(tree, "releases/2026.05/frameworks/tensorflow.html").text
    assert "This is of release 2026.05, and TensorFlow 2.21.0 is current." in text
    assert (
        "This is not the current release, which is 2026.11." in page(tree, "releases/2026.05/index.html").text
    )
    assert "This is the current release" in page(tree, "releases/2026.11/index.html").text


def test_all_links_lead_somewhere(tree: Tree) -> None:
    for path in tree:
        found = page(tree, path)
        anchors = {one["id"] for _, one in found.elements if "id" in one}
        assert len(anchors) == sum("id" in one for _, one in found.elements)
        for link in found.all("a"):
            target, _, fragment = str(link["href"]).partition("#")
            if target.startswith("https:"):
                continue
            assert not target or str(Path("/", path).parent.joinpath(target).resolve())[1:] in tree, target
            assert not fragment or fragment in anchors


def test_no_page_asks_for_anything(tree: Tree) -> None:
    for path in tree:
        for tag, attributes in page(tree, path).elements:
            assert tag not in {"link", "img", "iframe", "object", "embed", "base", "video", "audio"}
            assert not {"src", "srcset", "style", "action", "background"} & attributes.keys()
        assert "url(" not in tree[path].text


def test_the_same_every_time(home: Path, tree: Tree) -> None:
    assert site_tree(catalog(home)) == tree


def test_markup_in_every_field_is_text(tmp_path: Path) -> None:
    publish_release(tmp_path, "1", EVIL, tensorflow="2.20.0")
    measured(tmp_path / "ai/bench/2", publish_release(tmp_path, "2", EVIL), EVIL)
    made = site_tree(catalog(tmp_path))
    shown = EVIL.replace("{{", "{").replace("}}", "}")
    for path in made:
        found = page(made, path)
        assert [tag for tag, _ in found.elements].count("script") == 1
        assert not found.all("img")
        assert not [name for _, one in found.elements for name in one if name.startswith("on")]
        assert EVIL in found.text or shown in found.text
    text = page(made, "releases/2/frameworks/tensorflow.html").text
    # The titles, a setting and what it overrides, the partition, licences and summaries, details of checks,
    # and what was measured.
    assert text.count(EVIL) + text.count(shown) > 15


def test_markup_in_what_packages_and_titles_say_is_text(spare: Path) -> None:
    share, evil = spare / "ai/releases/1/share", json.dumps(EVIL)[1:-1]
    packages, launcher = share / "packages/numpy.json", share / "launcher.json"
    told = packages.read_text().replace('"numpy"', f'"{evil}"').replace("arrays, and", evil)
    named = launcher.read_text().replace("TensorFlow", evil).replace("machine learning", evil)
    with changed(packages, told), changed(launcher, named):
        made = site_tree(catalog(spare))
    for path in made:
        found = page(made, path)
        assert [tag for tag, _ in found.elements].count("script") == 1
        assert not found.all("img")
        assert not [name for _, one in found.elements for name in one if name.startswith("on")]
    assert EVIL in page(made, "releases/1/frameworks/numpy.html").text
    assert f"{EVIL} 2.21.0 {EVIL} with Keras" in page(made, "index.html").text
    assert EVIL in [one.get("data-packages") for one in page(made, "index.html").all("li")]


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "", "//x", "HTTPS:x"])
def test_only_addresses_of_the_web_are_links(spare: Path, address: str) -> None:
    path = spare / "ai/releases/1/share/launcher.json"
    with changed(path, path.read_text().replace("https://www.tensorflow.org", address)):
        links = page(site_tree(catalog(spare)), "releases/1/frameworks/tensorflow.html").all("a")
    found = [one["href"] for one in links if ":" in str(one["href"])]
    assert found == ([address] if address == "HTTPS:x" else [])


def test_a_release_of_an_older_stackgen_has_pages(spare: Path) -> None:
    share = spare / "ai/releases/1/share"
    files = ("launcher.json", "catalog.json", "packages/numpy.json")
    with ExitStack() as stack:
        for name in files:
            stack.enter_context(changed(share / name, None))
        made = site_tree(catalog(spare))
    text = page(made, "releases/1/frameworks/numpy.html").text
    assert "numpy 2.4.0" in text
    assert "hpai/numpy the default" in text
    assert "Run it as a job" not in text
    assert "NOTE" in page(made, "releases/1/frameworks/tensorflow.html").text


def test_what_is_gone_is_said(spare: Path) -> None:
    gone = next((spare / "ai/pythons").glob("numpy-*"))
    with changed(gone / "bin/python", None):
        made = site_tree(catalog(spare))
    text = page(made, "releases/1/frameworks/numpy.html").text
    assert f"Its files are gone from {gone}: it cannot be loaded." in text
    assert "not whole" in page(made, "index.html").text


def refused(home: Path) -> str:
    with pytest.raises((InputError, WorkError)) as caught:
        catalog(home)
    return str(caught.value)


def test_an_empty_prefix(tmp_path: Path) -> None:
    (tmp_path / "ai").mkdir()
    what = f"nothing is published in {tmp_path}/ai; run `stackgen build` on an environment"
    assert refused(tmp_path) == what


def test_a_prefix_whose_current_release_is_gone(spare: Path) -> None:
    current = spare / "ai/current"
    target = current.readlink()
    current.unlink()
    current.symlink_to("publications/0/nowhere")
    told = refused(spare)
    current.unlink()
    current.symlink_to(target)
    assert told == (
        f"{current} leads to no release that is there; `stackgen rollback {spare}/ai 1` goes to one that is"
    )


@pytest.mark.parametrize(
    "name", ["report.json", "share/launcher.json", "share/catalog.json", "share/packages/numpy.json"]
)
def test_a_file_that_cannot_be_read(spare: Path, name: str) -> None:
    path = spare / "ai/releases/1" / name
    with changed(path, '{"format": 9'):
        assert refused(spare) == f"{path} cannot be read; build its environment again"


def test_a_release_that_is_none_is_told(spare: Path) -> None:
    stray, told = spare / "ai/releases/stray", Recorder()
    stray.mkdir()
    read_catalog(spare / "ai", (), told)
    stray.rmdir()
    assert told.lines == [f"note: no pages of {stray}: its release.json cannot be read"]


class Recorder(Silent):
    """A progress that remembers what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.mark.parametrize("text", ["[]", "{", "\0"])
def test_a_measurement_that_cannot_be_read(home: Path, text: str) -> None:
    path = home / "ai/bench/2026.11/kernels/tensorflow.json"
    with changed(path, text):
        assert refused(home) == f"{path} cannot be read; remove it, or measure again"


def test_a_measurement_of_another_kind(home: Path) -> None:
    path = home / "ai/bench/2026.11/kernels/tensorflow.json"
    with changed(path, path.read_text().replace('"rates"', '"rate"')):
        assert refused(home) == f"{path} is no result of `stackgen bench`; remove it, or measure again"


def test_what_was_measured_of_another_release_is_left_out(home: Path) -> None:
    made = read_catalog(home / "ai", (home / "ai/bench/2026.05",), Silent())
    counted = {one.name: [len(page.measured) for page in one.frameworks] for one in made.releases}
    assert counted == {"2026.11": [0, 4, 0], "2026.05": [0, 0, 0]}


def test_what_the_image_of_others_serves_is_not_known(home: Path) -> None:
    made = catalog(home)
    page, *others = made.current.frameworks
    image = {"source": "container", "image": f"{page.installed.prefix}.sqfs"}
    placed = Around(
        place=home / "ai/releases/2026.11",
        release=read_release(home / "ai/releases/2026.11"),
        launcher=Launcher(),
        recorded=None,
        kernels=(),
        missing=(),
        deprecations=(),
    )
    other = framework_page(page.installed.model_copy(update=image), placed, (), (), ())
    assert other.gpu == "unknown"
    current = replace(made.current, frameworks=(other, *others))
    text = Page(site_tree(replace(made, releases=(current,)))["index.html"].text).text
    assert "GPUs not known in a container Python 3.11" in text


def test_this_machine_is_called_so(home: Path) -> None:
    made = catalog(home)
    here = tuple(replace(release, system="this") for release in made.releases)
    found = site_tree(replace(made, releases=here))
    assert "AI software on this machine Skip" in page(found, "index.html").text
    assert "System this" not in page(found, "releases/2026.11/index.html").text


def test_the_picture_shows_each_level_and_no_text_leaves_its_box() -> None:
    long = "a-package-with-a-very-long-name-that-nobody-would-type/2026.11.22-rc1"
    levels = (
        Level(name="Core", modules=("cmake/3.31", long)),
        Level(name="openmpi/4.1", modules=("hdf5/1.14",)),
    )
    made = picture([f"hpai/framework{number}/1" for number in range(80)], levels)
    assert [box.title.text for box in made.boxes] == [
        "Core: there from the start",
        "after: module load openmpi/4.1",
    ]
    for box in made.boxes:
        for line in (box.title, *box.lines):
            assert line.x + LETTER * len(line.text) <= box.x + box.width
            assert box.y < line.y < box.y + box.height
        assert box.x + box.width <= WIDTH
    assert "and 22 more" in made.boxes[0].lines[-1].text
    assert re.fullmatch(r"hdf5/1\.14", made.boxes[1].lines[0].text)
