"""An image as something to be built: made beside its place, and there in one rename or not at all."""

import time
from dataclasses import dataclass
from pathlib import Path

from stackgen import files
from stackgen.images.description import description_path, write_description
from stackgen.images.host import unmatched
from stackgen.images.making import put_together
from stackgen.images.origins import Origins
from stackgen.plan import ContainerPlan
from stackgen.programs import uv_program
from stackgen.progress import Progress
from stackgen.release import InstalledFramework
from stackgen.rootfs import squash
from stackgen.run import Command, Outcome, Runner
from stackgen.sandbox import Sandbox, confined
from stackgen.workshop import Workshop

_MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageJob:
    """An image to be made; what it is made from is looked for once it is its turn."""

    framework: InstalledFramework
    planned: ContainerPlan
    origins: Origins

    @property
    def final(self) -> Path:
        """Where the image will lie."""
        return Path(self.framework.image)

    @property
    def _readable(self) -> tuple[Path, ...]:
        """The programs that make it."""
        store = self.final.parents[1] / "store"
        return (uv_program().parent, *((store,) if store.is_dir() else ()))

    def __str__(self) -> str:
        return f"the image of {self.framework.name} {self.framework.version}"

    def make(self, sandbox: Sandbox, run: Runner, progress: Progress) -> None:
        """Make it; WorkError where that cannot be, and then nothing of it is there."""
        began = time.monotonic()
        workshop = Workshop.beside(self.final, run, sandbox, self._readable)
        with progress.task(f"making {self}", 0):
            try:
                workshop.open()
                self._make_in(workshop, progress)
            finally:
                files.remove(workshop.root)
        size, took = self.final.stat().st_size / _MIB, time.monotonic() - began
        progress.say(f"made {self} in {took:.0f} s, {size:.0f} MiB: {self.final}")

    def _make_in(self, workshop: Workshop, progress: Progress) -> None:
        by = self.origins.squasher(_Confined(workshop=workshop))
        recipe = self.origins.recipe(self.planned, self.framework, workshop)
        for pattern in unmatched(recipe.shown.libraries):
            progress.say(f"note: this machine has no {pattern}, so {self} does not show it either")
        content, description = put_together(recipe, self.origins.loader)
        for line in content.told:
            progress.log(line)
        made = workshop.root / self.final.name
        squash(content, made, by)
        described = description.model_copy(update={"sha256": files.sha256(made), "size": made.stat().st_size})
        write_description(made, described)
        with files.reported(f"cannot put {self.final} in place"):
            description_path(made).replace(description_path(self.final))
            made.replace(self.final)  # the last: where it is, all is
            files.sync(self.final.parent)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Confined:
    """Starts programs that may write in a workshop alone, and see no network."""

    workshop: Workshop

    def __call__(self, command: Command) -> Outcome:
        """Run a command so."""
        shop = self.workshop
        return shop.run(confined(command, shop.sandbox, (shop.root,), shop.readable))
