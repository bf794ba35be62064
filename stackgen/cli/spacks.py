"""The command that brings Spack."""

from pathlib import Path

import click

from stackgen.bootstrap import bootstrap as bootstrapped
from stackgen.bootstrap import verify
from stackgen.cli.options import tools, verbose
from stackgen.pins import PINS
from stackgen.spack.home import PLACE_VARIABLE, shared_place, spack_place


@click.command(short_help="Put the pinned Spack where stackgen finds it.")
@click.option(
    "--from",
    "origins",
    metavar="X",
    multiple=True,
    help="A kit, a git directory or address, a release's archive, or a directory with them; may be repeated.",
)
@click.option("--offline", is_flag=True, help="Take it from there alone; a kit holds it.")
@click.option("--into", metavar="DIR", type=click.Path(path_type=Path), help="Put it there instead.")
@click.option("--beside", is_flag=True, help="Put it beside this stackgen, for all who use that.")
@click.option("--verify", "again", is_flag=True, help="Read all of it again, if it is there already.")
@verbose
def bootstrap(  # noqa: PLR0913 - one argument an option
    origins: tuple[str, ...], into: Path | None, *, offline: bool, beside: bool, again: bool, verbose: bool
) -> None:
    """Put the pinned Spack and its packages where stackgen finds them.

    They come from what --from names, else from their public git addresses, and are compared with what is
    pinned. Only frameworks and packages that Spack builds need it.
    """
    place = into.expanduser().absolute() if into else shared_place() if beside else spack_place()
    session = tools(verbose=verbose)
    made = bootstrapped(origins, place, session.run, session.progress, offline=offline)
    if again and not made:
        verify(place)
    what = f"{PINS.spack.title} with packages {PINS.packages.version}"
    click.echo(f"{what} is {'now' if made else 'already'} in {place}")
    if place != spack_place():
        click.echo(f"stackgen finds it there once {PLACE_VARIABLE}={place} is set", err=True)
