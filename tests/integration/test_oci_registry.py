"""Images from a real registry: locked, brought into a mirror, read back; and what registries may do wrong."""

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from registry import (
    HELLO,
    HTPASSWD,
    INDEX,
    MANIFEST,
    MORE,
    SMALL,
    Registry,
    digest,
    image,
    index_of,
    layer,
    registry,
)
from stages import planned

from stackgen.errors import InputError, StackgenError, WorkError
from stackgen.lock import Images, Lock, inputs, lock_tree, parse_lock
from stackgen.mirror import Mirror, mirror, prune, verify
from stackgen.model import Environment, System
from stackgen.oci import Origins, config_of, layers_of, lock_images
from stackgen.oci.references import parse_reference
from stackgen.oci.registries import Registries
from stackgen.plan import Plan, plan
from stackgen.progress import Silent
from stackgen.rootfs import root_file_system
from stackgen.run import Command, Outcome
from stackgen.site import Site

pytestmark = pytest.mark.usefixtures("own_home")


@pytest.fixture
def site(hub: Registry) -> Site:
    return Site(insecure_registries=(hub.host,))


def plan_of(reference: str) -> Plan:
    return planned(tool={"from": "container", "version": "1", "image": reference})


def locked(reference: str, site: Site, run) -> Images:
    return lock_images(plan_of(reference), Path("/"), site, run, Silent())


def lock_of(reference: str, site: Site, run) -> tuple[Plan, Lock]:
    plan = plan_of(reference)
    return plan, Lock(
        environment="site", inputs=inputs(plan), images=lock_images(plan, Path("/"), site, run, Silent())
    )


def collected(planned: tuple[Plan, Lock], into: Path, site: Site, run, **more) -> Mirror:
    plan, lock = planned
    origins = Origins(locked=((plan, lock, Path("/")),), site=site, run=run, progress=Silent())
    return mirror({"site": lock}, into, site, run, Silent(), images=origins, **more)


def refusal(reference: str, site: Site, run) -> str:
    with pytest.raises(StackgenError) as caught:
        locked(reference, site, run)
    return str(caught.value)


def test_an_image_is_locked_by_the_hashes_of_all_its_blobs(hub, site, run):
    reference = hub.push("vendor/small", SMALL)
    (found,) = locked(reference, site, run).images
    assert found.reference == f"{hub.host}/vendor/small"
    assert (found.framework, found.digest, found.architecture) == ("tool", SMALL.digest, "x86_64")
    assert [f"sha256:{one.file.sha256}" for one in found.layers] == [digest(HELLO), digest(MORE)]
    assert [one.file.size for one in found.layers] == [len(HELLO), len(MORE)]
    assert found.manifest.size == len(SMALL.manifest)


def test_what_an_older_lock_knows_of_a_digest_is_not_asked_again(hub, site, run):
    reference = hub.push("vendor/small", SMALL)
    before = locked(reference, site, run)
    again = lock_images(
        planned(other={"from": "container", "version": "1", "image": reference}),
        *(Path("/"), site, no_process, Silent()),
        known=before,
    )
    assert again.images == (replace(before.images[0], framework="other"),)


def test_an_image_that_packed_ones_stand_on_is_locked(hub, site, run):
    reference = hub.push("site/base", SMALL)
    wanted = plan(
        Environment.model_validate(
            {
                "name": "site",
                "release": "1",
                "system": "there",
                "prefix": "/site/ai",
                "containers": {"base": reference},
                "frameworks": {
                    "six": {"from": "wheels", "version": "1.17.0", "python": "3.11", "image": True}
                },
            }
        ),
        System.model_validate({"name": "there", "os": "rhel8", "glibc": "2.28", "target": "x86_64_v3"}),
    )
    (found,) = lock_images(wanted, Path("/"), site, run, Silent()).of("base")
    assert (found.reference, found.digest) == (f"{hub.host}/site/base", SMALL.digest)


def test_locking_fetches_no_layer(hub, site, run):
    reference = hub.push("vendor/small", SMALL)
    hub.fetched()
    locked(reference, site, run)
    assert not {digest(HELLO), digest(MORE)} & set(hub.fetched())


def test_a_lock_with_an_image_is_written_and_read_again(hub, site, run, tmp_path):
    _, lock = lock_of(hub.push("vendor/small", SMALL), site, run)
    texts = {path: file.text for path, file in lock_tree(lock).items()}
    assert parse_lock(texts, tmp_path) == lock


def test_of_a_list_the_image_for_the_system_is_locked(hub, site, run):
    other = image(layer({"a": "b"}), architecture="arm64")
    hub.push("vendor/many", SMALL)
    hub.push("vendor/many", other)
    both = index_of({"arm64": other, "amd64": SMALL})
    (found,) = locked(hub.push_manifest("vendor/many", both, INDEX), site, run).images
    assert (found.digest, f"sha256:{found.manifest.sha256}") == (digest(both), SMALL.digest)


def test_an_image_for_another_machine_is_refused(hub, site, run):
    other = image(layer({"a": "b"}), architecture="arm64")
    reference = hub.push("vendor/other", other)
    assert refusal(reference, site, run) == (
        f"frameworks.tool.image: {reference} is for linux/arm64, and the system has x86_64 (amd64); "
        "name the digest of the image for this system"
    )
    alone = hub.push_manifest("vendor/other", index_of({"arm64": other, "ppc64le": other}), INDEX)
    assert refusal(alone, site, run) == (
        f"frameworks.tool.image: {alone} is not to be had for x86_64 (amd64); it has arm64, ppc64le"
    )


def test_its_blobs_come_into_a_mirror_where_other_tools_read_them(hub, site, run, tmp_path):
    both = lock_of(hub.push("vendor/small", SMALL), site, run)
    made = collected(both, tmp_path / "mirror", site, run)
    assert made.lacks(both[1]) == ()
    assert verify(made.root, Silent()) == ()
    assert json.loads((made.root / "manifest.json").read_text())["format"] == 3
    blobs = made.root / "images/sha256"
    assert {f"sha256:{path.name}" for path in blobs.iterdir()} == {*SMALL.blobs, SMALL.digest}
    assert not (made.root / "images/coming").exists()


def test_what_is_read_is_what_was_pushed(hub, site, run, tmp_path):
    both = lock_of(hub.push("vendor/small", SMALL), site, run)
    made = collected(both, tmp_path / "mirror", site, run)
    (found,) = both[1].images.images
    inside = root_file_system((layers_of(found, made),))
    assert inside.read(["/usr/bin/hello", "/opt/more/text"]) == {
        "/usr/bin/hello": b"#!/bin/sh\necho hello\n",
        "/opt/more/text": b"more\n",
    }
    config = config_of(found, made)
    assert (config.environment, config.directory) == ({"PATH": "/opt/bin:/usr/bin", "LANG": "C"}, "/")
    assert config.path == ("/opt/bin", "/usr/bin")


def no_process(command: Command) -> Outcome:
    """A runner that fakes nothing and allows nothing."""
    raise AssertionError(f"{command} was started")


def test_a_second_run_starts_nothing(hub, site, run, tmp_path):
    both = lock_of(hub.push("vendor/small", SMALL), site, run)
    made = collected(both, tmp_path / "mirror", site, run)
    assert collected(both, made.root, site, no_process) == made


def test_only_what_is_missing_is_fetched(hub, site, run, tmp_path):
    both = lock_of(hub.push("vendor/small", SMALL), site, run)
    made = collected(both, tmp_path / "mirror", site, run)
    made.path(both[1].images.images[0].layers[1].file).unlink()
    hub.fetched()
    collected(both, made.root, site, run)
    assert digest(MORE) in (asked := hub.fetched())
    assert digest(HELLO) not in asked
    assert verify(made.root, Silent()) == ()


def test_what_was_altered_is_fetched_again(hub, site, run, tmp_path):
    both = lock_of(hub.push("vendor/small", SMALL), site, run)
    made = collected(both, tmp_path / "mirror", site, run)
    place = made.path(both[1].images.images[0].layers[0].file)
    place.write_bytes(HELLO[:-1] + b"x")
    with pytest.raises(WorkError, match="does not hold what the lock names"):
        layers_of(both[1].images.images[0], made)
    collected(both, made.root, site, run)
    assert place.read_bytes() == HELLO


def test_a_run_goes_on_where_another_was_ended(hub, site, run, tmp_path):
    both = lock_of(hub.push("vendor/small", SMALL), site, run)
    blobs = tmp_path / "mirror/images/coming/blobs/sha256"
    blobs.mkdir(parents=True)
    (blobs / digest(HELLO).removeprefix("sha256:")).write_bytes(HELLO)
    hub.fetched()
    made = collected(both, tmp_path / "mirror", site, run)
    assert digest(HELLO) not in hub.fetched()
    assert verify(made.root, Silent()) == ()


def test_a_kit_may_have_any_name(hub, site, run, tmp_path):
    both = lock_of(hub.push("vendor/small", SMALL), site, run)
    made = collected(both, tmp_path / "kit of 10:30", site, run)
    assert verify(made.root, Silent()) == ()


def test_blobs_are_taken_from_any_directory_that_has_them(hub, site, run, tmp_path):
    both = lock_of(hub.push("vendor/small", SMALL), site, run)
    given = SMALL.lay(tmp_path / "layout")
    made = collected(both, tmp_path / "mirror", site, no_process, given=(given,))
    assert verify(made.root, Silent()) == ()


def test_two_images_share_a_layer(hub, site, run, tmp_path):
    plan = planned(
        one={"from": "container", "version": "1", "image": hub.push("vendor/one", SMALL)},
        two={"from": "container", "version": "1", "image": hub.push("vendor/two", image(HELLO))},
    )
    lock = Lock(
        environment="site", inputs=inputs(plan), images=lock_images(plan, tmp_path, site, run, Silent())
    )
    hub.fetched()
    made = collected((plan, lock), tmp_path / "mirror", site, run)
    assert hub.fetched().count(digest(HELLO)) == 1
    assert verify(made.root, Silent()) == ()


def test_pruning_removes_an_image_that_nobody_needs(hub, site, run, tmp_path):
    both = lock_of(hub.push("vendor/small", SMALL), site, run)
    made = collected(both, tmp_path / "mirror", site, run)
    left = tmp_path / "mirror/images/coming/oci-put-blob1"
    left.parent.mkdir()
    left.write_bytes(b"half")
    gone = prune(made.root, ("site",), Silent())
    assert len(gone) == len({*SMALL.blobs, SMALL.digest}) + 1
    assert not (made.root / "images").exists()


def test_a_site_maps_registries_to_its_own(hub, run, tmp_path):
    hub.push("copies/vendor/small", SMALL)
    site = Site(registries={"registry.example": f"{hub.host}/copies"}, insecure_registries=(hub.host,))
    both = lock_of(f"registry.example/vendor/small:1.0@{SMALL.digest}", site, run)
    assert both[1].images.images[0].reference == "registry.example/vendor/small"
    assert verify(collected(both, tmp_path / "mirror", site, run).root, Silent()) == ()


def lacking(both: tuple[Plan, Lock], into: Path, site: Site, run) -> list[str]:
    with pytest.raises(WorkError) as caught:
        collected(both, into, site, run)
    return str(caught.value).splitlines()


def test_what_cannot_be_had_is_listed_by_name_and_hash(hub, site, run, tmp_path):
    reference = hub.push("vendor/small", SMALL)
    both = lock_of(reference, site, run)
    closed = replace(site, registries={hub.host: "localhost:1"})
    first, *rows = lacking(both, tmp_path / "mirror", closed, run)
    assert first == "4 of 4 files could not be had; what came is kept, so run the same command again:"
    name = f"  tool {hub.host}/vendor/small"
    why = (
        "localhost:1 does not answer; see that there is a network and HTTPS_PROXY is right, "
        "or name another for it below `images.registries` in site.yaml"
    )
    assert f"{name}  layer 1 of 2  sha256 {digest(HELLO).removeprefix('sha256:')}  {why}" in rows


def test_a_blob_that_a_registry_has_altered_is_not_taken(hub, site, run, tmp_path):
    spoilt = image(layer({"a": "spoilt"}))
    both = lock_of(hub.push("vendor/spoilt", spoilt), site, run)
    place = hub.blob(digest(layer({"a": "spoilt"})))
    place.write_bytes(place.read_bytes()[:-1] + b"x")
    first, *rows = lacking(both, tmp_path / "mirror", site, run)
    assert first.startswith("2 of 3 files could not be had;")
    assert all(f"{hub.host} has something else than" in row for row in rows)
    assert not list((tmp_path / "mirror/images/sha256").glob(digest(layer({"a": "spoilt"}))[7:]))


def test_a_blob_that_breaks_off_is_not_taken(hub, site, run, tmp_path):
    short = layer({"a": "short" * 1000})
    both = lock_of(hub.push("vendor/short", image(short)), site, run)
    place = hub.blob(digest(short))
    place.write_bytes(place.read_bytes()[:10])
    _, *rows = lacking(both, tmp_path / "mirror", site, run)
    assert [row.split("  ")[2] for row in rows if "layer" in row] == ["layer 1 of 1"]


def test_a_digest_that_the_registry_has_not_is_refused(hub, site, run):
    reference = f"{hub.host}/vendor/small@sha256:{'0' * 64}"
    hub.push("vendor/small", SMALL)
    assert refusal(reference, site, run) == (f"{hub.host} has no {reference}; correct its name and digest")
    unknown = f"{hub.host}/vendor/nothing@{SMALL.digest}"
    assert refusal(unknown, site, run) == f"{hub.host} has no {unknown}; correct its name and digest"


def test_a_registry_without_https_is_not_asked_unless_the_site_says_so(hub, run):
    reference = hub.push("vendor/small", SMALL)
    assert refusal(reference, Site(), run) == (
        f"{hub.host} speaks no HTTPS; list it below `images.insecure` in site.yaml "
        "where the network to it can be trusted"
    )


def test_a_registry_that_wants_a_password_gets_that_of_skopeo(run, tmp_path, own_home):
    with registry(tmp_path / "closed", HTPASSWD, ("admin", "secret")) as closed:
        reference = closed.push("vendor/small", SMALL)
        site = Site(insecure_registries=(closed.host,))
        assert refusal(reference, site, run) == (
            f"{closed.host} does not give us {reference}; "
            f"correct its name, or `skopeo login {closed.host}` as who runs this"
        )
        known = {"auths": {closed.host: {"auth": "YWRtaW46c2VjcmV0"}}}
        (own_home / ".docker").mkdir()
        (own_home / ".docker/config.json").write_text(json.dumps(known))
        both = lock_of(reference, site, run)
        assert verify(collected(both, tmp_path / "mirror", site, run).root, Silent()) == ()


def test_the_certificate_of_a_registry_has_to_be_known(run, tmp_path, monkeypatch):
    with registry(tmp_path / "secured", secured=True) as secured:
        reference = secured.push("vendor/small", SMALL)
        assert refusal(reference, Site(), run) == (
            f"the certificate of {secured.host} is not trusted; name yours by SSL_CERT_FILE"
        )
        assert locked(reference, Site(insecure_registries=(secured.host,)), run)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "secured/certificate"))
        assert locked(reference, Site(), run)


def test_where_a_site_names_certificates_for_other_programs_they_count(run, tmp_path, monkeypatch):
    with registry(tmp_path / "secured", secured=True) as secured:
        reference = secured.push("vendor/small", SMALL)
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "secured/certificate"))
        assert locked(reference, Site(), run)


def manifest_of(layers: list[dict[str, object]], **more: object) -> bytes:
    kept = json.loads(SMALL.manifest)
    return json.dumps({**kept, "layers": layers, **more}).encode()


def test_a_manifest_with_ten_thousand_layers_is_refused(hub, site, run):
    hub.push("vendor/small", SMALL)
    one = json.loads(SMALL.manifest)["layers"][0]
    reference = hub.push_manifest("vendor/small", manifest_of([one] * 10_000), MANIFEST)
    assert refusal(reference, site, run) == (
        f"frameworks.tool.image: {reference} has 10000 layers, and at most 500 are taken; "
        "have it made with fewer"
    )


def test_an_image_with_a_layer_of_an_unknown_kind_is_refused(hub, site, run):
    hub.push("vendor/small", SMALL)
    strange = {**json.loads(SMALL.manifest)["layers"][0], "mediaType": "text/\x1b[31mred"}
    reference = hub.push_manifest("vendor/small", manifest_of([strange]), MANIFEST)
    assert refusal(reference, site, run) == (
        f"frameworks.tool.image: {reference} has a layer of the kind 'text/\\x1b[31mred', "
        "which cannot be read; take another image, or have this one made again"
    )


def test_a_registry_that_never_answers_is_given_up(run):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"localhost:{silent.getsockname()[1]}"
        asked = Registries(site=Site(insecure_registries=(host,)), run=run, patience=1)
        reference = parse_reference(f"{host}/a@{SMALL.digest}")
        with pytest.raises(WorkError) as caught:
            asked.manifest(reference)
    assert str(caught.value) == (
        f"{host} did not bring {reference} within 1 s; try again later; what came is kept"
    )


def test_a_manifest_that_is_another_than_its_digest_says_is_refused_by_us_too():
    def altered(command: Command) -> Outcome:
        """A fake skopeo that does not check."""
        return Outcome(status=0, stdout="{}", stderr="")

    asked = Registries(site=Site(), run=altered)
    with pytest.raises(WorkError) as caught:
        asked.manifest(parse_reference(f"registry.example/a@{SMALL.digest}"))
    assert str(caught.value) == (
        f"registry.example/a has the digest {digest(b'{}')} where {SMALL.digest} was asked for; "
        "do not use that registry until its admin knows why"
    )


def test_every_fault_of_several_frameworks_is_told_at_once(hub, site, run, tmp_path):
    other = hub.push("vendor/other", image(layer({"a": "b"}), architecture="arm64"))
    many = {name: {"from": "container", "version": "1", "image": other} for name in ("one", "two")}
    with pytest.raises(InputError) as caught:
        lock_images(planned(**many), tmp_path, site, run, Silent())
    assert [fault.where for fault in caught.value.faults] == ["frameworks.one.image", "frameworks.two.image"]
