"""All commands, in the order of their use; only the one that is asked for is imported."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

import click

from stackgen import __version__


@dataclass(frozen=True, slots=True)
class _Entry:
    """What the list of commands knows without importing any: the module of this package, and a few words.

    One without words is not for people.
    """

    module: str
    words: str


_COMMANDS: Mapping[str, _Entry] = {
    "init": _Entry("inputs", "Write a first environment file."),
    "check": _Entry("inputs", "Report every fault of environments, with its place."),
    "explain": _Entry("explaining", "Tell where each value comes from."),
    "schema": _Entry("inputs", "Print the JSON schema of the YAML files."),
    "lock": _Entry("locks", "Resolve every framework, and write ENV.lock."),
    "diff": _Entry("locks", "List what differs between two locks or releases."),
    "generate": _Entry("inputs", "Write the files that a build would generate."),
    "mirror": _Entry("mirrors", "Collect the files of locks, or check a collection."),
    "build": _Entry("builds", "Go the whole way: lock, mirror, build, test, publish."),
    "test": _Entry("builds", "Test the release in a clean login shell."),
    "publish": _Entry("builds", "Publish the release that has passed its tests."),
    "rollback": _Entry("releases", "Make an earlier release the current one."),
    "releases": _Entry("releases", "List the releases below a prefix."),
    "gc": _Entry("keeping", "Remove what nobody needs any more."),
    "shell": _Entry("releases", "Open a shell with a framework, without Lmod."),
    "catalog": _Entry("catalogs", "Write pages that tell users what there is."),
    "bench": _Entry("benches", "Measure training, kernels and start of a release."),
    "probe": _Entry("machine", "Write this machine's own system file."),
    "bootstrap": _Entry("spacks", "Put the pinned Spack where stackgen finds it."),
    "doctor": _Entry("machine", "Tell what this machine lacks for stackgen."),
    "part": _Entry("parts", ""),
    "completion": _Entry("machine", "Print the completion script of a shell."),
}


def command_in(words: list[str]) -> str:
    """The command that the words of a command line name, or `stackgen`."""
    return next((word for word in words if word in _COMMANDS), "stackgen")


class _LazyGroup(click.Group):
    """Commands that are imported when they are needed, and a hint where one is mistyped."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(import_module(f"stackgen.cli.{_COMMANDS[cmd_name].module}"), cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.words) for name, entry in _COMMANDS.items() if entry.words])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            from stackgen.model.base import near

            hint = near(name, _COMMANDS, "`stackgen --help` lists them")
            raise click.UsageError(f"there is no command {name}; {hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, "-V", "--version", prog_name="stackgen")
def stackgen() -> None:
    """Turn one YAML file per machine into its AI software stack.

    \b
    stackgen init                                  write an environment
    stackgen build environments/quickstart.yaml    lock, build, test, publish

    Afterwards users type `module load hpai/tensorflow`.
    """
