"""A site with notebooks: two small frameworks, engines on nodes, and the image of one of them."""

from dataclasses import dataclass
from pathlib import Path

import yaml
from cluster import CORES
from desk import Desk
from imagehouse import ImageHouse

from stackgen import host
from stackgen.lock import Images, Lock, read_lock
from stackgen.model import Environment
from stackgen.plan import Plan, plan

LAB = """\
name: lab
release: {release}
system: cluster
prefix: {prefix}
notebooks: {{parallel: true}}
frameworks:
  tomli:
    version: 2.2.1
    from: wheels
    settings: {{HEAT: warm, MINE: theirs, OMP_NUM_THREADS: "{{threads}}"}}
  pluggy:
    version: 1.6.0
    from: wheels
    settings: {{HEAT: cold}}
"""


def small_cluster() -> str:
    """This machine as the file of a system with the tests' Slurm."""
    here = host.detect().model_dump(by_alias=True, exclude_none=True, exclude_defaults=True, mode="json")
    partition = {"nodes": "1..4", "time": "1:00:00", "cores": CORES, "default": True}
    here |= {"nodes": {"count": 4, "sockets": 2, "cores": CORES, "memory": "2 GB"}}
    here |= {"externals": [{"spec": "openmpi@4.1.4", "prefix": "/usr"}]}
    here |= {"scheduler": {"kind": "slurm", "partitions": {"batch": partition}}}
    return yaml.safe_dump(here)


@dataclass(frozen=True)
class Lab:
    """A site whose notebooks start engines on nodes; its releases are made by the commands."""

    desk: Desk

    @property
    def prefix(self) -> Path:
        return self.desk.directory / "hpai"

    @property
    def kernels(self) -> Path:
        """What the site's notebook servers are told of."""
        return self.prefix / "current/share/jupyter"

    @property
    def release(self) -> Path:
        """The release that is current."""
        return max((self.prefix / "releases").glob("[0-9]"))

    def publish(self, release: str) -> None:
        self.desk.write("lab.yaml", LAB.format(release=release, prefix=self.prefix))
        outcome = self.desk("build", "lab.yaml")
        assert outcome.status == 0, outcome.stderr

    def framework(self, name: str) -> str:
        (place,) = (self.prefix / "pythons").glob(f"{name}-*")
        return str(place)


@dataclass(frozen=True)
class PackedLab(ImageHouse):
    """The image of one of the site's frameworks."""

    lab: Lab | None = None

    def locked(self) -> tuple[Plan, Lock]:
        assert self.lab
        found = read_lock(self.lab.desk.directory / "lab.lock").wheel_lock("tomli")
        base = self.base
        text = {"from": "wheels", "version": "2.2.1", "python": found.python, "image": True}
        values = {"name": "site", "release": "1", "system": "this", "prefix": str(self.house.prefix)}
        containers = {"base": f"{base.reference}@{base.digest}"}
        asked = {**values, "frameworks": {"tomli": text}, "notebooks": "true", "containers": containers}
        made = plan(Environment.model_validate({**asked, "toolchain": {"mpi": "none"}}), self.system)
        return made, Lock(environment="site", inputs={}, wheels=(found,), images=Images(images=(base,)))
