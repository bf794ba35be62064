"""The command that tells users what there is: `stackgen catalog`."""

from pathlib import Path

import click

from stackgen.catalog import kept_releases, read_catalog, site_tree, write_site
from stackgen.cli.options import place, tools
from stackgen.cli.prefixes import prefix_at
from stackgen.errors import InputError
from stackgen.jobs.script import counted


@click.command()
@place
@click.option(
    "-o",
    "output",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where the pages go; those of releases that are gone stay there.",
)
@click.option(
    "--bench",
    "benches",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path),
    help="What `stackgen bench -o DIR` has measured, beside what lies in PREFIX/bench; several times.",
)
def catalog(place: Path, output: Path, benches: tuple[Path, ...]) -> None:
    """Write pages that tell users what there is and how to use it.

    They need no server: open DIR/index.html, or copy DIR to where the web finds it. The pages hold all that
    they show, and fetch nothing.
    """
    prefix, directory = prefix_at(place), output.absolute()
    for bench in benches:
        if not bench.is_dir():
            raise InputError.of(f"{bench} is not there", "give --bench a directory of `stackgen bench -o`")
    used = tools()
    found = read_catalog(prefix, [bench.absolute() for bench in benches], used.progress)
    kept = kept_releases(directory, found)
    changed = write_site(site_tree(found, kept), directory, found, kept, used.progress)
    told = f"{counted(len(found.releases), 'release')} with pages, of which {found.current.name} is current"
    files = f"{counted(changed, 'file')} written" if changed else "nothing has changed"
    click.echo(f"{told}: {files}", err=True)
    click.echo(directory / "index.html")
