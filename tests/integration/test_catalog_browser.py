"""The catalog in a real Chromium, opened from disk as on a file share; its HTML by a validator."""

import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from browser import Browser, Page, browser, why_not
from catalogs import measured, publish_release

from stackgen.catalog import kept_releases, read_catalog, site_tree, write_site
from stackgen.progress import Silent

EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'&amp;"
FRAMEWORK = "releases/2026.11/frameworks/tensorflow.html"
PAGES = (
    "index.html",
    "releases/2026.11/index.html",
    FRAMEWORK,
    "releases/2026.05/frameworks/tensorflow.html",
)


def written(home: Path, text: str = "") -> Path:
    """The site of a prefix with two releases, of which one was measured."""
    publish_release(home, "2026.05", text, tensorflow="2.20.0")
    release = publish_release(home, "2026.11", text)
    measured(home / "ai/bench/2026.11", release, text)
    found = read_catalog(home / "ai", (), Silent())
    kept = kept_releases(home / "site", found)
    write_site(site_tree(found, kept), home / "site", found, kept, Silent())
    return home / "site"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("catalog"))


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if reason := why_not():
        pytest.skip(f"no browser: {reason}")
    with browser(tmp_path_factory.mktemp("browser")) as started:
        yield started


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    made = chromium.page()
    yield made
    made.close()


def shown(page: Page) -> list[str]:
    """The modules that the overview shows now."""
    return page.value(
        "[...document.querySelectorAll('.item')].filter(one => !one.hidden)"
        ".map(one => one.dataset.framework + ' ' + one.dataset.version)"
    )


def choose(page: Page, key: str, value: str) -> None:
    page.value(
        f"(choice => {{ choice.value = {value!r};"
        " choice.dispatchEvent(new Event('input', {bubbles: true})); })"
        f"(document.querySelector('[data-key={key}]'))"
    )


def test_the_search_and_every_filter_narrow_what_is_shown(page: Page, site: Path) -> None:
    page.open(site / "index.html")
    everything = ["numpy 2.4.0", "tensorflow 2.15.1", "tensorflow 2.21.0", "tensorflow 2.20.0"]
    assert sorted(shown(page)) == sorted(everything)
    page.value("document.querySelector('#search').focus()")
    page.type("TensorFlow 2.2")
    assert shown(page) == ["tensorflow 2.21.0", "tensorflow 2.20.0"]
    assert page.value("document.querySelector('#count').textContent") == "2 of 4 fit"
    choose(page, "release", "2026.05")
    assert shown(page) == ["tensorflow 2.20.0"]
    choose(page, "gpu", "cpu")
    assert shown(page) == []
    assert page.value("document.querySelector('.none').checkVisibility()")
    page.value("document.querySelector('[type=reset]').click()")
    page.until("document.querySelectorAll('.item:not([hidden])').length === 4")
    page.value("document.querySelector('#search').focus()")
    page.type("nvidia-nccl")
    assert shown(page) == ["tensorflow 2.21.0"]
    page.value("document.querySelector('[type=reset]').click()")
    page.until("document.querySelectorAll('.item:not([hidden])').length === 4")
    for key, value, wanted in (
        ("framework", "numpy", ["numpy 2.4.0"]),
        ("version", "2.15.1", ["tensorflow 2.15.1"]),
        ("gpu", "NVIDIA", ["tensorflow 2.21.0", "tensorflow 2.20.0"]),
        ("release", "2026.11", ["numpy 2.4.0", "tensorflow 2.15.1", "tensorflow 2.21.0"]),
    ):
        choose(page, key, value)
        assert sorted(shown(page)) == sorted(wanted)
        choose(page, key, "")
    assert page.complaints() == []


def test_the_packages_of_a_framework_can_be_searched(page: Page, site: Path) -> None:
    page.open(site / FRAMEWORK)
    page.value("document.querySelector('#narrow').focus()")
    page.type("0bsd ARRAYS")
    rows = "[...document.querySelectorAll('#package-table tbody tr')].filter(row => !row.hidden)"
    assert page.value(f"{rows}.map(row => row.cells[1].textContent)") == ["2.4.0"]


def test_a_command_can_be_copied(page: Page, site: Path) -> None:
    page.open(site / FRAMEWORK)
    page.ask("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    page.ask("Page.bringToFront")
    page.value("document.querySelector('.copy').click()")
    page.until("document.querySelector('.copy').textContent === 'Copied'")
    copied = page.value("navigator.clipboard.readText()")
    assert copied == "module load hpai/tensorflow\npython script.py"


@pytest.mark.parametrize("path", PAGES)
def test_no_errors_and_no_request_but_the_page_itself(page: Page, site: Path, path: str) -> None:
    page.open(site / path)
    assert page.complaints() == []
    assert page.requests() == [(site / path).as_uri()]


def test_all_is_readable_without_script(page: Page, site: Path) -> None:
    page.ask("Emulation.setScriptExecutionDisabled", value=True)
    page.open(site / "index.html", scripts=False)
    assert len(shown(page)) == 4
    assert not page.value("document.querySelector('form').checkVisibility()")
    hidden = page.value("document.querySelectorAll('[hidden]:not(form, form *, .copy, .none)').length")
    assert hidden == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_a_telephone_shows_all_of_the_width(chromium: Browser, site: Path, path: str, *, dark: bool) -> None:
    page = chromium.page(width=390, height=800, dark=dark)
    page.open(site / path)
    assert page.value("document.documentElement.scrollWidth") == 390
    page.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.value("document.documentElement.scrollWidth") == 390
    page.close()


_CONTRASTS = """
(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const read = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const part = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const behind = (one) => {
    if (one.closest("svg")) return read(getComputedStyle(document.querySelector(".hierarchy rect")).fill);
    for (let at = one; at; at = at.parentElement) {
      const colour = read(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  document.querySelectorAll("details").forEach((one) => (one.open = true));
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = {};
  while (texts.nextNode()) {
    const one = texts.currentNode.parentElement;
    const text = texts.currentNode.textContent.trim();
    if (!text || ["SCRIPT", "title", "desc"].includes(one.tagName)) continue;
    const style = getComputedStyle(one);
    const ours = light(read(one.closest("svg") ? style.fill : style.color)), theirs = light(behind(one));
    const ratio = (Math.max(ours, theirs) + 0.05) / (Math.min(ours, theirs) + 0.05);
    if (ratio < 4.5) found[`${one.tagName}.${one.className}: ${text}`] = ratio;
  }
  return found;
})()
"""
"""Every text whose colour is nearer to what lies behind it than WCAG 2.2 allows (1.4.3)."""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_every_text_is_told_from_its_ground(chromium: Browser, site: Path, path: str, *, dark: bool) -> None:
    page = chromium.page(dark=dark)
    page.open(site / path)
    assert page.value(_CONTRASTS) == {}
    ground = page.value("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(18, 23, 26)" if dark else "rgb(247, 246, 242)")
    page.close()


_REACHABLE = "a[href], button:not([hidden]), input, select, summary, [tabindex='0']"
_FOCUSED = """
(() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 0;
  return [[...document.querySelectorAll("*")].indexOf(one), seen];
})()
"""


@pytest.mark.parametrize("path", ["index.html", FRAMEWORK])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(page: Page, site: Path, path: str) -> None:
    page.open(site / path)
    wanted = page.value(
        f"[...document.querySelectorAll({_REACHABLE!r})].filter(one => one.checkVisibility())"
        ".map(one => [...document.querySelectorAll('*')].indexOf(one))"
    )
    reached = []
    for _ in wanted:
        page.press("Tab", 9)
        place, seen = page.value(_FOCUSED)
        assert seen, page.value("document.activeElement.outerHTML")
        reached.append(place)
    assert reached == wanted


def test_the_first_key_leads_past_the_top(page: Page, site: Path) -> None:
    page.open(site / FRAMEWORK)
    page.press("Tab", 9)
    assert page.value("document.activeElement.textContent") == "Skip to the content"
    page.press("Enter", 13, "\r")
    page.until("document.activeElement.id === 'content'")


def test_landmarks_headings_and_names(page: Page, site: Path) -> None:
    for path in PAGES:
        page.open(site / path)
        assert page.value("document.documentElement.lang") == "en"
        landmarks = "['header', 'nav', 'main', 'footer'].map(one => !!document.querySelector(one))"
        assert page.value(landmarks) == [True] * 4
        assert page.value("document.querySelectorAll('h1').length") == 1
        levels = page.value("[...document.querySelectorAll('h1,h2,h3')].map(one => Number(one.tagName[1]))")
        assert all(after <= before + 1 for before, after in pairwise(levels))
        tables = (
            "[...document.querySelectorAll('table')].every(one => one.querySelector('thead th[scope=col]'))"
        )
        assert page.value(tables)
        nodes = page.ask("Accessibility.getFullAXTree")["nodes"]
        named = {"link", "button", "textbox", "searchbox", "combobox", "image", "navigation", "region", "img"}
        nameless = [
            one for one in nodes if one["role"]["value"] in named and not one.get("name", {}).get("value")
        ]
        assert [one for one in nameless if not one["ignored"]] == []


def test_markup_in_every_field_stays_text(page: Page, tmp_path: Path) -> None:
    site = written(tmp_path, EVIL)
    for path in PAGES:
        page.ask("Page.enable")
        page.open(site / path)
        assert page.complaints() == []
        assert page.requests() == [(site / path).as_uri()]
        assert page.value("document.scripts.length") == 1
        assert page.value("document.images.length") == 0
        assert EVIL in page.value("document.documentElement.textContent")
    page.open(site / "index.html")
    page.value("document.querySelector('#search').focus()")
    page.type(EVIL)
    assert page.complaints() == []
    assert invalid(site) == []


_UNKNOWN = '<a> proprietary attribute "aria-current"'
"""Debian's tidy is older than that one of WAI-ARIA 1.1."""


def invalid(site: Path) -> list[str]:
    """What the validator has to say of any page."""
    paths = [str(path) for path in sorted(site.rglob("*.html"))]
    words = ("tidy", "-quiet", "-errors", "-utf8", "--gnu-emacs", "yes", "--strict-tags-attributes", "yes")
    ended = subprocess.run((*words, *paths), capture_output=True, text=True, check=False)
    return [line for line in ended.stderr.splitlines() if _UNKNOWN not in line]


def test_the_html_is_valid(site: Path) -> None:
    if shutil.which("tidy") is None:
        pytest.skip("tidy is not installed")
    assert invalid(site) == []


def test_the_first_paint_comes_within_half_a_second(page: Page, site: Path) -> None:
    page.ask("Page.bringToFront")
    page.open(site / "index.html")  # what the browser itself has to begin with
    assert min(page.first_paint(site / path) for path in PAGES) < 0.5
