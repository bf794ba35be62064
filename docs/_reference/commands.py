"""Every command of `stackgen` with its options, from the commands themselves."""

import inspect
import re
from collections.abc import Iterator

import click

from stackgen.cli.commands import stackgen

_MARKUP = re.compile(r"([\\`*_<>\[\]{}#$|])")


def commands_page() -> str:
    """Markdown with a heading for each command and each of its own commands."""
    context = click.Context(stackgen, info_name="stackgen", **stackgen.context_settings)
    return "\n\n".join(_commands(stackgen, context)) + "\n"


def _commands(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in _shown(group, context):
        command = group.get_command(context, name)
        assert command is not None
        own = click.Context(command, info_name=name, parent=context)
        yield _command(command, own)
        if isinstance(command, click.Group):
            yield from _commands(command, own)


def _shown(group: click.Group, context: click.Context) -> tuple[str, ...]:
    """The names that `--help` shows, in its order."""
    formatter = context.make_formatter()
    group.format_commands(context, formatter)
    told = [line.split()[0] for line in formatter.getvalue().splitlines() if re.match(r"  \S", line)]
    return tuple(name for name in group.list_commands(context) if name in told)


def _command(command: click.Command, context: click.Context) -> str:
    path = context.command_path
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    parts = [
        f"({path.replace(' ', '-')})=",
        f"## {path}",
        f"```text\n{usage}\n```",
        *_paragraphs(command.help or ""),
        *(_option(*record) for record in _records(command, context)),
    ]
    return "\n\n".join(parts)


def _records(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and record[1] and "--help" not in parameter.opts:
            yield record


def _option(names: str, text: str) -> str:
    return f"`{names}`\n: {_prose(text)}"


def _paragraphs(text: str) -> Iterator[str]:
    """Paragraphs as prose; those that are marked to stay as they are stay so."""
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        if paragraph.startswith("\b"):
            yield "```text\n" + paragraph.removeprefix("\b").strip("\n") + "\n```"
        else:
            yield _prose(paragraph)


def _prose(text: str) -> str:
    """One line, in which markup is plain text but for what stands between backticks."""
    parts = " ".join(text.split()).split("`")
    escaped = [
        _MARKUP.sub(r"\\\1", part) if index % 2 == 0 else f"`{part}`" for index, part in enumerate(parts)
    ]
    return "".join(escaped)
