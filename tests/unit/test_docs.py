"""The documentation as it is built: without a network, a warning or anything of another server, and whole."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest
import yaml
from pages import DOCS, fits, steps

from stackgen.cli.commands import stackgen
from stackgen.config import schema
from stackgen.inside.launcher.command import COMMANDS
from stackgen.model import Environment, System

PAGES = sorted(path.relative_to(DOCS) for path in DOCS.rglob("*.md"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as `make docs` makes them; without a network where this machine can be without."""
    place = tmp_path_factory.mktemp("docs")
    alone = ("unshare", "--user", "--map-root-user", "--net")
    able = not subprocess.run((*alone, "true"), check=False, capture_output=True).returncode
    options = ("-E", "-W", "--keep-going", "-q", "-d", str(place / "doctrees"))
    words = (sys.executable, "-m", "sphinx", *options, str(DOCS), str(place / "html"))
    done = subprocess.run(((*alone, *words) if able else words), check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return place / "html"


class _Asked(HTMLParser):
    """What a browser fetches for a page by itself, and all that the page links to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.linked: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if (value and name in {"src", "srcset"}) or (name == "href" and tag == "link"):
                self.fetched.append(value)
            elif value and name == "href":
                self.linked.append(value)


def _text(page: Path) -> str:
    return re.sub(r"<[^>]*>", "", page.read_text())


def test_every_page_is_made_and_can_be_reached(built: Path):
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in built.rglob("*.html")
        for link in _Asked(page.read_text()).linked
        if "://" not in link
    }
    wanted = {built / page.with_suffix(".html") for page in PAGES}
    assert {page for page in wanted if not page.is_file()} == set()
    assert {page for page in wanted if page not in linked} == set()
    assert {page for page in linked if not page.exists()} == set()


def test_a_browser_asks_nobody_else(built: Path):
    fetched = {file for page in built.rglob("*.html") for file in _Asked(page.read_text()).fetched}
    assert {
        file for file in fetched if re.match(r"[a-z]+:|//", file) and not file.startswith("data:")
    } == set()
    styles = "".join(path.read_text() for path in built.rglob("*.css"))
    assert re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^)]*", styles) == []


@pytest.mark.parametrize("kind", ["environment", "system"])
def test_the_reference_has_every_key(built: Path, kind: str):
    text = (built / f"reference/{kind}.html").read_text()
    told = json.loads(schema(kind))
    parts = [told, *told["$defs"].values()]
    keys = {key for part in parts for key in part.get("properties", {})}
    assert {key for key in keys if f'<span class="pre">{key}</span></code> —' not in text} == set()


@pytest.mark.parametrize("kind", ["environment", "system", "site"])
def test_the_reference_has_an_example_of_every_key(kind: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(DOCS)
    from _reference import PAGES

    entries = re.split(r"\n\n(?=`|\(|## )", PAGES[kind]())
    keys = [entry for entry in entries if entry.startswith("`")]
    assert [entry.splitlines()[0] for entry in keys if "```yaml" not in entry] == []
    assert len(keys) > 10


def test_what_the_reference_shows_is_good():
    def content(file: Path) -> object:
        return yaml.load(file.read_text(), yaml.BaseLoader)

    System.model_validate(content(DOCS / "_reference/samples/systems/lab.yaml"))
    Environment.model_validate(content(DOCS / "_reference/samples/lab.yaml"))


def test_the_reference_has_every_command_and_option(built: Path):
    text = _text(built / "reference/stackgen.html").replace("&#39;", "'")
    for path, command in _commands(stackgen, click.Context(stackgen), ()):
        assert " ".join(("stackgen", *path)) in text
        options = [name for option in command.params for name in option.opts if name.startswith("-")]
        assert [name for name in options if name not in text] == [], path


def _commands(group: click.Group, context: click.Context, path: tuple[str, ...]):
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if name == "part":  # what stackgen starts on nodes is not for people
            continue
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _commands(command, context, (*path, name))


def test_the_reference_has_every_command_of_the_launcher(built: Path):
    text = _text(built / "reference/hpai.html")
    assert [name for name in COMMANDS if f"usage: hpai {name}" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_command_of_a_page_is_typed_by_a_test(page: Path):
    """A page with commands is followed by a test that names it."""
    if any(step.kind == "bash" for step in steps(DOCS / page)):
        tests = (path.read_text() for path in (DOCS.parent / "tests").rglob("test_*.py"))
        assert any(f'"{page}"' in text for text in tests)


@pytest.mark.parametrize(
    ("told", "printed", "fitting"),
    [
        ("built in ... s", "built in 12 s\n", True),
        ("built in ... s", "built in 12 m\n", False),
        ("...\nend", "end", True),
        ("...\nend", "one\ntwo\nend", True),
        ("...\nend", "one\nend of it", False),
        ("a\n...", "a\nb\nc", True),
        ("a (b)", "a (b)  \n\n", True),
        ("a", "a\nb", False),
    ],
)
def test_dots_stand_for_what_varies(told: str, printed: str, fitting: bool):  # noqa: FBT001
    assert fits(told, printed) is fitting


def test_a_command_that_nobody_would_test_is_refused(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("# A page\n\n```console\n$ true\n```\n")
    with pytest.raises(AssertionError, match=r"page\.md:3: write ```bash, and the commands will be tested"):
        list(steps(page))
