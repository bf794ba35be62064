"""The commands of containers: small programs of a release that become those of an image."""

import re
from collections.abc import Iterable

from stackgen.containers.entrance import Entrance
from stackgen.jobs.quoting import Words, shell_templates
from stackgen.tree import File, Tree

TEMPLATES = shell_templates("stackgen.containers")
_NAME_IN_SHELL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def command_tree(entrances: Iterable[Entrance], release: str) -> Tree:
    """`containers/<name>/bin/<command>` of a release, whose directory that is, and what they share."""
    found = Tree()
    for one in entrances:
        place = f"containers/{one.name}"
        found |= _of(one, f"{release}/{place}").below(place)
    return found


def _of(entrance: Entrance, place: str) -> Tree:
    shared = {
        "enter": File(_rendered("enter.sh.j2", entrance, place), 0o755),
        "start": File(_rendered("start.sh.j2", entrance, place)),
        "hold": File(_rendered("hold.sh", entrance, place)),
    }
    template = TEMPLATES.get_template("command.sh.j2")
    commands = {
        f"bin/{name}": File(template.render(program=program, place=place), 0o755)
        for name, program in entrance.commands.items()
    }
    # Whatever else is inside, such as the Python of an environment that has been made on top.
    any_other = entrance.module.rpartition("/")[2]
    return Tree(
        {f"bin/{any_other}": File(template.render(program=Words(""), place=place), 0o755), **commands}
        | shared
    )


def _rendered(template: str, entrance: Entrance, place: str) -> str:
    environment = {"PATH": ":".join(entrance.path), **entrance.environment}
    return TEMPLATES.get_template(template).render(
        module=entrance.module,
        namespace=entrance.namespace,
        image=entrance.image,
        digest=entrance.digest,
        ch_run=entrance.ch_run,
        path=entrance.path,
        place=place,
        environment=[set_inside(name, text) for name, text in environment.items()],
        defaults=[(is_set(name), set_inside(name, text)) for name, text in entrance.defaults.items()],
        binds=entrance.binds,
        covered=entrance.covered,
        seen=entrance.seen,
    )


def set_inside(name: str, text: str) -> str:
    """The option of ch-run that sets a variable; it takes one pair of quotes away, ours."""
    return f"--set-env={name}='{text}'"


def is_set(name: str) -> Words:
    """A test of a shell whether the user has set a variable; never, where a shell cannot know it."""
    return Words(f'[ "${{{name}+set}}" ]' if _NAME_IN_SHELL.fullmatch(name) else "false")
