"""Arguments and options that several measuring commands share."""

from pathlib import Path

import click

from stackgen.bench.results import Job
from stackgen.cli.options import print_json
from stackgen.lock import Json

CLASSIFIERS: tuple[Job, ...] = ("resnet50", "alexnet")
BATCH: dict[Job, int] = {"gan": 8, "resnet50": 16, "alexnet": 64}


class Counts(click.ParamType[tuple[int, ...]]):
    """Whole numbers, joined by commas."""

    name = "counts"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """The numbers of a text."""
        if isinstance(value, tuple):
            return value
        words = str(value).split(",")
        if not all(word.isascii() and word.isdigit() and 0 < int(word) < 10**6 for word in words):
            self.fail(f"{value!r} are no numbers above 0, joined by commas, such as 4,8,16", param, ctx)
        return tuple(map(int, words))


framework = click.argument("framework", required=False)
output = click.option(
    "-o",
    "output",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where results go, for all nodes to see; PREFIX/bench/RELEASE where not given.",
)


rounds = click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="How often each side runs, in turn.",
)
mirror = click.option(
    "--mirror",
    type=click.Path(path_type=Path),
    help="Where the wheels are that pip installs, to compare; PREFIX/mirror where not given.",
)


def absolute(output: Path | None) -> Path | None:
    """A path that means the same in every directory."""
    return output.absolute() if output else None


def print_kept(shown: list[str], kept: list[dict[str, Json]], *, as_json: bool) -> None:
    """Print tables for people, or what was kept for machines."""
    if as_json:
        print_json(kept)
    else:
        click.echo("\n\n".join(shown))
