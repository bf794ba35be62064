"""What tests against a server of their own share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from package_index import Index, Server, serving


@pytest.fixture
def own_home(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A home of the test's own, so that nothing of this machine's user gets in; uv's cache is shared."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("NETRC", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def small_index(tmp_path: Path) -> Index:
    """An index with nothing but a pip, which is in every lock."""
    index = Index(tmp_path / "index")
    index.add_wheel("pip", "26.0")
    return index


@pytest.fixture
def server(small_index: Index) -> Iterator[Server]:
    """A server for the small index."""
    with serving(small_index) as server:
        yield server
