"""A site of two releases of one small framework, with a wheelhouse, for environments over it."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from package_index import wheel
from wheelhouse import PYTHON, Wheelhouse, module, pip_wheel

from stackgen import files
from stackgen.delivered import contents_tree
from stackgen.jobs import launcher_tree
from stackgen.modules import module_tree
from stackgen.notebooks import kernel_tree

SETTINGS = {"KMP_BLOCKTIME": "0", "HOSTILE": 'it\'s $HOME `id` "two" \\ * é', "RANKS": "{threads}"}


@dataclass(frozen=True)
class Site:
    """Releases of one framework below a prefix, and a wheelhouse."""

    root: Path

    @property
    def house(self) -> Path:
        return self.root / "house"

    def place(self, release: str) -> Path:
        return self.root / "ai/releases" / release

    def call(self, *words: object, release: str = "1", **environment: str):
        """`hpai` of a release."""
        return run(self.place(release) / "bin/hpai", *words, **environment)

    def changed(self, release: str, copy: Path, **told: object) -> Path:
        """A copy of a release that says other things of itself; its launcher."""
        for path in ("bin/hpai", "share/launcher.json", "share/packages/framework.json"):
            files.write(copy / path, (self.place(release) / path).read_text(), 0o755)
        place = copy / "share/launcher.json"
        known = json.loads(place.read_text()) | {"modules": str(copy / "modules/Core")}
        place.write_text(json.dumps(known | told))
        return copy / "bin/hpai"

    def framework(self, release: str = "1") -> Path:
        told = json.loads((self.place(release) / "share/launcher.json").read_text())
        return Path(told["frameworks"][0]["prefix"])


def run(*words: object, cwd: Path | None = None, **environment: str):
    home = {"HOME": "/proc/nobody", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return subprocess.run(
        [str(word) for word in words],
        env={**home, **environment},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def lines_of(done) -> list[str]:
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def made(root: Path) -> Site:
    """Two releases: of the second one `numbers1` is newer."""
    (root / "house").mkdir()
    site = Site(root)
    house = {
        "extra-1.0": module("extra", "1.0", "def main(): print('hi')\n", script="extra"),
        "numbers1-1.4": module("numbers1", "1.4"),
        "needy-1.0": wheel("needy", "1.0", requires=("numbers1<1.5",)),
        "fine-1.0": wheel("fine", "1.0", requires=("numbers1>=1",)),
    }
    for name, content in house.items():
        (site.house / f"{name}-py3-none-any.whl").write_bytes(content)
    for release, version in (("1", "1.5"), ("2", "1.6")):
        _publish(site, release, version)
    return site


def _publish(site: Site, release: str, version: str) -> None:
    house = Wheelhouse(site.root)
    modules = [house.module(name, version) for name in ("framework", "numbers1")]
    packages = [*modules, house.wheel(pip_wheel())]
    (framework,) = house.build(house.lock(*packages, framework="framework"))
    entry = {"from": "wheels", "version": "newest", "python": PYTHON, "settings": SETTINGS}
    asked = house.plan(
        release=release,
        wheelhouse=str(site.house),
        frameworks={"framework": {**entry, "package": "framework", "import": "framework"}},
    )
    framework = framework.model_copy(update={"settings": dict(asked.frameworks[0].about.settings)})
    told = (
        launcher_tree(asked, (framework,))
        | contents_tree((framework,), {})
        | kernel_tree(asked, (framework,))
    )
    files.write_tree(told | module_tree(asked, (framework,)), site.place(release))
