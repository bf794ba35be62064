"""`rank`: what a job starts on each rank."""

import os
from typing import Sequence

from stackgen.inside.launcher.description import Site, loaded_framework
from stackgen.inside.launcher.running import become
from stackgen.inside.launcher.words import LauncherError, parsed, shown
from stackgen.inside.rendezvous import variables
from stackgen.inside.threads import expanded, processors_here

RANK_HELP = """\
usage: {0} rank [--] command

Run a command as one rank of a parallel program, as `{1} {0} rank -- python train.py` does:
where the ranks meet and how many threads each has is set from what the scheduler says, where you have not.
A single rank of a job is told, too, that it is the only one."""


def rank(site: Site, words: Sequence[str]) -> None:
    """Become the command, with what its rank needs in its environment."""
    _, command = parsed(words, ())
    if not command:
        raise LauncherError("no command is given; write it after `{} rank --`".format(site.namespace))
    os.environ.update(variables(os.environ, alone=True))
    framework = loaded_framework(site, os.environ)
    if framework:
        os.environ.update(expanded(framework.settings, os.environ, processors_here()))
    become(command)


def rank_help(site: Site) -> str:
    """How it is used."""
    starting = shown([word.replace("{ranks}", "2") for word in site.launch])
    return RANK_HELP.format(site.namespace, starting)
