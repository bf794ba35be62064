"""Where packages of distributions lie in a mirror, and where they are looked for."""

import pytest

from stackgen.lock import Images, Lock, LockedDeb, LockedFile
from stackgen.mirror.layout import misplaced
from stackgen.mirror.packages import package_addresses, with_advice
from stackgen.mirror.wanted import relative_path
from stackgen.run import Command, Outcome
from stackgen.site import DistributionSources, Site

SHA256 = "ab" * 32


def deb(name: str, path: str) -> LockedDeb:
    return LockedDeb(
        package="bash", version="1.0+b1", file=LockedFile(name=name, size=1, sha256=SHA256), path=path
    )


BASH = deb("bash_1.0+b1_amd64.deb", "pool/main/b/bash/bash_1.0+b1_amd64.deb")


def nobody(command: Command) -> Outcome:
    """A Runner where nothing may be started."""
    raise AssertionError(command)


def test_its_place_is_its_own():
    place = relative_path(BASH.file)
    assert place == f"packages/ab/{SHA256}/bash_1.0+b1_amd64.deb"
    assert not misplaced(place, SHA256)


@pytest.mark.parametrize(
    "path",
    [
        f"packages/ab/{'cd' * 32}/bash.deb",
        f"packages/cd/{SHA256}/bash.deb",
        f"packages/ab/{SHA256}/bash.rpm",
        f"packages/ab/{SHA256}/.deb",
        f"packages/ab/{SHA256}/../bash.deb",
        f"packages/ab/{SHA256}/a/bash.deb",
        f"packages/{SHA256}/bash.deb",
    ],
)
def test_no_other_place_is(path):
    assert misplaced(path, SHA256)


def test_every_mirror_is_asked_in_its_order():
    site = Site(distributions={"debian": DistributionSources(mirrors=("https://a.example/d", "/srv/s"))})
    lock = Lock(environment="e", inputs={"base": {"distribution": "debian:12"}}, images=Images(base=(BASH,)))
    assert package_addresses({"e": lock}, site, nobody) == {
        SHA256: (
            "https://a.example/d/pool/main/b/bash/bash_1.0%2Bb1_amd64.deb",
            "file:///srv/s/pool/main/b/bash/bash_1.0%2Bb1_amd64.deb",
        )
    }


def test_a_lock_without_a_distribution_asks_nobody():
    assert package_addresses({"e": Lock(environment="e", inputs={})}, Site(), nobody) == {}


def test_advice_is_given_where_nobody_has_it_alone():
    gone, silent = "http://a.example/x: 404 Not Found", "http://b.example/x: no connection"
    advice = "its distribution has a newer one by now, which `stackgen lock --upgrade` takes"
    assert with_advice((gone,)) == (gone, advice)
    assert with_advice((gone, silent)) == (gone, silent)
