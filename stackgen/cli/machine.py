"""Commands about the machine that stackgen runs on."""

from pathlib import Path

import click
from click.shell_completion import get_completion_class

from stackgen.cli.options import as_json, print_json, tools
from stackgen.doctor import Finding, State, examine
from stackgen.errors import InputError, WorkError

_MARKS = {State.GOOD: "ok", State.OPTIONAL: "--", State.MISSING: "!!"}


@click.command()
@as_json
def doctor(*, as_json: bool) -> None:
    """Tell what this machine has and lacks for stackgen, and the command that installs it."""
    findings = examine(tools(verbose=False).run)
    if as_json:
        print_json(
            [{"name": f.name, "state": f.state.value, "found": f.found, "remedy": f.remedy} for f in findings]
        )
    else:
        for finding in findings:
            click.echo(_line(finding))
    missing = [finding.name for finding in findings if finding.state is State.MISSING]
    if missing:
        raise WorkError(f"this machine lacks {', '.join(missing)}", "see the lines marked !!")


def _line(finding: Finding) -> str:
    remedy = f"\n   {'':<12} -> {finding.remedy}" if finding.remedy else ""
    return f"{_MARKS[finding.state]} {finding.name:<12} {finding.found}{remedy}"


@click.command()
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write into a new file."
)
@click.option("--name", metavar="NAME", help="What people call the machine.")
@click.option(
    "--script", is_flag=True, help="Print the program that does it, for a machine without stackgen."
)
def probe(output: Path | None, name: str | None, *, script: bool) -> None:
    """Print this machine as a system file, or write it: -o environments/systems/NAME.yaml.

    A machine without stackgen needs Python 3.6 and the program: `stackgen probe --script > probe.py`,
    and there `python3 probe.py > NAME.yaml`.
    """
    from stackgen import files
    from stackgen.probing import probe_script, probed

    if output and output.exists():
        raise InputError.of(f"{output} exists already", "name another file")
    text = probe_script() if script else probed(name, tools(verbose=False).run)
    if not output:
        click.echo(text, nl=False)
        return
    files.write(output, text)
    use = f"python3 {output.name} > NAME.yaml" if script else f"read it, and write `system: {output.stem}`"
    click.echo(f"{output} is written; next: {use}")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell: `stackgen completion bash >> ~/.bashrc`."""
    found = get_completion_class(shell)
    root = click.get_current_context().find_root()
    if found is None:
        raise WorkError(f"there is no completion for {shell}")
    click.echo(found(root.command, {}, "stackgen", "_STACKGEN_COMPLETE").source())
