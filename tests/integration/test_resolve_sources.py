"""Locking with the real uv from all kinds of sources: servers, directories, with and without credentials."""

import hashlib

import pytest
from package_index import Index, serving, wheel
from stages import Recorder, locked, names, planned

from stackgen.errors import WorkError
from stackgen.lock import lock_tree
from stackgen.progress import Silent
from stackgen.resolve import resolve
from stackgen.run import LoggedRunner
from stackgen.site import Site

ALPHA = {"version": "newest", "python": "3.11"}

ELSE = "; use `from: spack` or `from: container`, another Python, or name {} under `sdists:`"

pytestmark = pytest.mark.usefixtures("own_home")


def failed(plan, site: Site, run) -> str:
    with pytest.raises(WorkError) as caught:
        resolve(plan, site, run, Silent())
    return str(caught.value)


@pytest.mark.parametrize("hash_name", ["", "md5", "sha512"])
def test_an_index_without_sha256_serves_too(small_index, server, run, hash_name):
    content = wheel("alpha", "1.0")
    small_index.add("alpha-1.0-py3-none-any.whl", content, hash_name)
    lock = locked(planned(alpha=ALPHA), Site(index=server.index), run)
    assert lock.packages[0].file.sha256 == hashlib.sha256(content).hexdigest()
    assert lock.packages[0].file.size == len(content)


def test_a_server_without_head_serves_too(small_index, server, run):
    content = wheel("alpha", "1.0")
    small_index.add("alpha-1.0-py3-none-any.whl", content)
    server.manners.heads = False
    assert locked(planned(alpha=ALPHA), Site(index=server.index), run).packages[0].file.size == len(content)


def test_directories_alone_serve_too(small_index, run):
    small_index.add_wheel("alpha", "1.0")
    site = Site(links=(str(small_index.root / "files"),), no_index=True)
    assert names(locked(planned(alpha=ALPHA), site, run))[0] == "alpha-1.0-py3-none-any.whl"


def test_the_first_index_with_a_package_decides_or_the_best_version_does(small_index, tmp_path, run):
    small_index.add_wheel("alpha", "2.0")
    own = Index(tmp_path / "own")
    own.add_wheel("alpha", "1.0")
    site = Site(index=small_index.address, extra_indexes=(own.address,))
    assert locked(planned(alpha=ALPHA), site, run).version("alpha") == "1.0"
    like_pip = Site(index=small_index.address, extra_indexes=(own.address,), best_match=True)
    assert locked(planned(alpha=ALPHA), like_pip, run).version("alpha") == "2.0"


def test_the_callers_settings_of_uv_pip_and_python_do_not_matter(small_index, run, monkeypatch, own_home):
    small_index.add_wheel("alpha", "1.0")
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    for name, value in {"UV_OFFLINE": "1", "UV_PRERELEASE": "allow", "PYTHONHOME": "/nowhere"}.items():
        monkeypatch.setenv(name, value)
    (own_home / ".config" / "uv").mkdir(parents=True)
    (own_home / ".config" / "uv" / "uv.toml").write_text("offline = true\n")
    assert (
        names(locked(planned(alpha=ALPHA), Site(index=small_index.address), run))[0]
        == "alpha-1.0-py3-none-any.whl"
    )


def test_credentials_open_an_index_and_are_never_shown(small_index, server, capfd):
    small_index.add_wheel("alpha", "1.0")
    server.manners.login = ("user", "s3cret/@%")
    site = Site(index=server.with_login("user", "s3cret%2F%40%25"))
    progress = Recorder()
    lock = resolve(planned(alpha=ALPHA), site, LoggedRunner(progress), progress)
    assert lock.wheels[0].version("alpha") == "1.0"
    shown = "".join(
        [*progress.lines, *progress.details, str(site), *(file.text for file in lock_tree(lock).values())]
    )
    assert "s3cret" not in shown
    assert "s3cret" not in "".join(capfd.readouterr())


def test_credentials_of_netrc_open_an_index(small_index, server, run, own_home):
    small_index.add_wheel("alpha", "1.0")
    server.manners.login = ("user", "s3cret")
    netrc = own_home / ".netrc"
    netrc.write_text("machine 127.0.0.1 login user password s3cret\n")
    netrc.chmod(0o600)
    assert locked(planned(alpha=ALPHA), Site(index=server.index), run).version("alpha") == "1.0"


def test_an_index_that_refuses_access_is_named(small_index, server, run):
    server.manners.login = ("user", "s3cret")
    assert failed(planned(alpha=ALPHA), Site(index=server.with_login("user", "wrong")), run) == (
        f"the index {server.index} refuses access (401 Unauthorized); "
        "put user and password into ~/.netrc or into the index's address in site.yaml"
    )


def test_an_index_that_does_not_answer_is_named(small_index, run):
    with serving(small_index) as server:
        gone = server.index
    message = failed(planned(alpha=ALPHA), Site(index=gone), run)
    assert message.startswith(f"{gone}/")
    assert message.endswith(
        "/ cannot be fetched: Connection refused (os error 111); "
        "check the network and HTTPS_PROXY, or name an index that is reachable in site.yaml"
    )
