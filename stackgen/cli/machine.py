"""Commands about the machine that stackgen runs on."""

import click
from click.shell_completion import get_completion_class

from stackgen.cli.options import as_json, print_json, tools
from stackgen.doctor import Finding, State, examine
from stackgen.errors import WorkError

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
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell: `stackgen completion bash >> ~/.bashrc`."""
    found = get_completion_class(shell)
    root = click.get_current_context().find_root()
    if found is None:
        raise WorkError(f"there is no completion for {shell}")
    click.echo(found(root.command, {}, "stackgen", "_STACKGEN_COMPLETE").source())
