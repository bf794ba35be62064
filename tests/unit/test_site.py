"""Where files may be fetched from: the site's file, else pip's configuration, else uv's default."""

import dataclasses
from pathlib import Path

import pytest

from stackgen.errors import InputError
from stackgen.site import PUBLIC_SOURCES, Site, load_site, without_credentials


@pytest.fixture
def etc(tmp_path) -> Path:
    return tmp_path / "etc"


@pytest.fixture
def caller(tmp_path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home")}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refusal(caller: dict[str, str], etc: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_site(caller, etc)
    return str(caught.value)


def test_where_nothing_is_configured_uvs_default_is_taken(caller, etc):
    site = load_site(caller, etc)
    assert site == Site(best_match=True)
    assert site.origin == "uv's default"


def test_a_site_file(caller, etc, tmp_path):
    (tmp_path / "wheels").mkdir()
    path = write(
        etc / "stackgen" / "site.yaml",
        "wheels:\n"
        "  index: https://index.example.org/simple\n"
        "  extra-indexes: [https://more.example.org/simple]\n"
        f"  directories: [{tmp_path}/wheels]\n",
    )
    assert load_site(caller, etc) == Site(
        origin=str(path),
        index="https://index.example.org/simple",
        extra_indexes=("https://more.example.org/simple",),
        links=(f"{tmp_path}/wheels",),
    )


def test_directories_alone(caller, etc, tmp_path):
    write(etc / "stackgen" / "site.yaml", f"wheels: {{index: none, directories: [{tmp_path}]}}\n")
    site = load_site(caller, etc)
    assert (site.index, site.links, site.no_index) == (None, (str(tmp_path),), True)


def test_the_users_file_wins_over_the_machines_and_the_named_one_over_both(caller, etc, tmp_path):
    for name, path in {
        "machine": etc / "stackgen" / "site.yaml",
        "user": tmp_path / "home" / ".config" / "stackgen" / "site.yaml",
        "named": tmp_path / "named.yaml",
    }.items():
        write(path, f"wheels: {{index: 'https://{name}.example.org/simple'}}\n")
    assert load_site(caller, etc).index == "https://user.example.org/simple"
    named = {**caller, "STACKGEN_SITE": str(tmp_path / "named.yaml")}
    assert load_site(named, etc).index == "https://named.example.org/simple"
    elsewhere = {**caller, "XDG_CONFIG_HOME": str(tmp_path / "other")}
    assert load_site(elsewhere, etc).index == "https://machine.example.org/simple"


def test_a_site_file_that_says_nothing_of_wheels_leaves_them_to_pips_configuration(caller, etc):
    write(etc / "stackgen" / "site.yaml", "{}\n")
    path = write(etc / "pip.conf", "[global]\nindex-url = https://index.example.org/simple\n")
    site = load_site(caller, etc)
    assert site.index == "https://index.example.org/simple"
    assert site.origin == f"pip's configuration ({path})"


def test_where_sources_come_from(caller, etc, tmp_path):
    write(
        etc / "stackgen" / "site.yaml",
        "sources:\n  mirrors: [/srv/my sources/, 'https://mirror.example.org/spack/']\n  upstream: no\n",
    )
    site = load_site(caller, etc)
    assert site.source_mirrors == ("file:///srv/my%20sources", "https://mirror.example.org/spack")
    assert (site.upstream, site.index, site.origin) == (False, None, "uv's default")
    write(
        tmp_path / "home/.config/stackgen/site.yaml",
        "wheels: {index: 'https://user:s3cret@index.example.org/simple'}\n",
    )
    both = load_site(caller, etc)
    assert both.source_mirrors == site.source_mirrors
    assert both.index == "https://user:s3cret@index.example.org/simple"


def test_where_images_come_from(caller, etc):
    (etc / "stackgen").mkdir(parents=True)
    (etc / "stackgen/site.yaml").write_text(
        "images:\n"
        "  registries: {docker.io: registry.site.example/mirror/hub}\n"
        "  insecure: [registry.site.example, 'localhost:5000']\n"
    )
    site = load_site(caller, etc)
    assert site.registry("docker.io") == "registry.site.example/mirror/hub"
    assert site.registry("registry.example") == "registry.example"
    assert site.insecure_registries == ("registry.site.example", "localhost:5000")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "images:\n  registries:\n    docker.io: https://registry.site.example\n",
            "3:16: images.registries.docker.io: 'https://registry.site.example' is no place in a registry; "
            "write HOST, or HOST/PATH, without https://",
        ),
        (
            "images:\n  insecure: [a/b]\n",
            "2:14: images.insecure[0]: 'a/b' is no registry; "
            "write its host as in names of images, such as docker.io",
        ),
        ("images:\n  registry: a\n", "2:3: images.registry: unknown key"),
    ],
)
def test_faults_about_registries_have_their_places(caller, etc, text, message):
    (etc / "stackgen").mkdir(parents=True)
    (etc / "stackgen/site.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        load_site(caller, etc)
    assert str(caught.value).startswith(f"{etc}/stackgen/site.yaml:{message}")


def test_addresses_of_a_source_are_asked_in_order():
    path, makers = "_source-cache/archive/ab/abc.tar.gz", ("https://makers.example.org/x.tar.gz",)
    site = Site(source_mirrors=("file:///srv/sources", "https://user:s3cret@mirror.example.org/spack"))
    assert site.source_addresses(path, makers) == (
        f"file:///srv/sources/{path}",
        f"https://user:s3cret@mirror.example.org/spack/{path}",
        *makers,
        f"{PUBLIC_SOURCES}/{path}",
    )
    assert len(dataclasses.replace(site, upstream=False).source_addresses(path, makers)) == 2
    assert site.credentials("https://mirror.example.org/spack/x") == ("user", "s3cret")
    assert "s3cret" not in repr(site)


def test_a_named_file_has_to_be_there(caller, etc, tmp_path):
    named = {**caller, "STACKGEN_SITE": str(tmp_path / "named.yaml")}
    assert refusal(named, etc) == (
        f"STACKGEN_SITE names {tmp_path}/named.yaml, and there is no such file;"
        " correct or unset STACKGEN_SITE"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "wheels: {indices: []}",
            "1:10: wheels.indices: unknown key; did you mean index?",
        ),
        (
            "wheels:\n  index: user:s3cret@host",
            "2:10: wheels.index: this is no address of an index; begin with https://, http:// or file:///",
        ),
        (
            "wheels:\n  extra-indexes: [none]",
            "2:19: wheels.extra-indexes[0]: this is no address of an index; "
            "begin with https://, http:// or file:///",
        ),
        (
            "wheels:\n  directories: [wheels]",
            "2:17: wheels.directories[0]: 'wheels' is not an absolute path; begin with / and leave out '..'",
        ),
        (
            "sources:\n  mirrors: [srv/sources]",
            "2:13: sources.mirrors[0]: this is neither an address nor a directory of a mirror; "
            "begin with https://, http://, file:/// or /",
        ),
        (
            "sources: {mirror: []}",
            "1:11: sources.mirror: unknown key; did you mean mirrors?",
        ),
        (
            "wheels: {index: &a https://x/, index: *a}",
            "1:32: wheels.index: this key is in line 1 already; keep one of the two",
        ),
    ],
)
def test_faults_of_a_site_file_have_their_places(caller, etc, text, message):
    path = write(etc / "stackgen" / "site.yaml", text)
    assert refusal(caller, etc) == f"{path}:{message}"


def test_a_directory_that_is_not_there_is_refused(caller, etc, tmp_path):
    path = write(etc / "stackgen" / "site.yaml", f"wheels: {{directories: [{tmp_path}/none]}}\n")
    assert refusal(caller, etc) == (
        f"{path}: wheels.directories[0]: {tmp_path}/none is no directory here, or has a comma in its name; "
        "mount it, or take it out"
    )


def test_pips_files_and_variables_in_pips_order(caller, etc, tmp_path):
    (tmp_path / "links").mkdir()
    write(etc / "pip.conf", "[global]\nindex-url = https://global.example.org/simple\nno-index = true\n")
    write(
        tmp_path / "home" / ".config" / "pip" / "pip.conf",
        "[global]\nindex_url = https://user.example.org/%s/simple\nno-index = false\n"
        "extra-index-url =\n    https://one.example.org/simple\n    https://two.example.org/simple\n"
        f"[install]\nfind-links = {tmp_path}/links {tmp_path}/gone https://links.example.org/all.html\n",
    )
    site = load_site(caller, etc)
    assert site.index == "https://user.example.org/%s/simple"
    assert site.extra_indexes == ("https://one.example.org/simple", "https://two.example.org/simple")
    assert site.links == (f"{tmp_path}/links", "https://links.example.org/all.html")
    assert site.notes == (
        f"pip's find-links names {tmp_path}/gone: no directory here, or a comma in its name",
    )
    assert not site.no_index
    assert site.best_match
    variables = {
        "PIP_INDEX_URL": "https://v.example.org/simple",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": "~/x",
    }
    site = load_site({**caller, **variables}, etc)
    assert (site.index, site.no_index) == ("https://v.example.org/simple", True)
    assert site.notes == (
        f"pip's find-links names {tmp_path}/home/x: no directory here, or a comma in its name",
    )


def test_pips_configuration_can_be_named_or_switched_off(caller, etc, tmp_path):
    write(etc / "pip.conf", "[global]\nindex-url = https://global.example.org/simple\n")
    named = write(tmp_path / "named.conf", "[global]\nindex-url = https://named.example.org/simple\n")
    assert (
        load_site({**caller, "PIP_CONFIG_FILE": str(named)}, etc).index == "https://named.example.org/simple"
    )
    assert load_site({**caller, "PIP_CONFIG_FILE": "/dev/null"}, etc).index is None


def test_a_configuration_of_pip_that_cannot_be_read(caller, etc):
    path = write(etc / "pip.conf", "index-url = https://global.example.org/simple\n")
    assert refusal(caller, etc) == (
        f"{path}: pip's configuration cannot be read; "
        "mend it, or say in /etc/stackgen/site.yaml where files come from"
    )


def test_credentials_are_found_by_server_and_not_shown():
    site = Site(
        index="https://user:pass%2Fword@index.example.org:8443/simple",
        extra_indexes=("https://token@more.example.org/simple",),
    )
    assert site.credentials("https://index.example.org:8443/files/x.whl") == ("user", "pass/word")
    assert site.credentials("https://more.example.org/x.whl") == ("token", "")
    assert site.credentials("http://index.example.org:8443/files/x.whl") is None
    assert site.credentials("https://files.example.org/x.whl") is None
    assert "pass" not in repr(site)
    assert "token" not in repr(site)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://user:p%40ss@host:1/x?y#z", "https://host:1/x?y#z"),
        ("https://host/x", "https://host/x"),
        ("file:///srv/x@y", "file:///srv/x@y"),
    ],
)
def test_an_address_without_its_credentials(address, shown):
    assert without_credentials(address) == shown
