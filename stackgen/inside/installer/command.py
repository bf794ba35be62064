"""The command line of the installer."""

import argparse
import errno
import os
import signal
import sys
from typing import NoReturn, Sequence

from stackgen.inside.installer.kit import Kit
from stackgen.inside.installer.machine import find_python, tools_for_here
from stackgen.inside.installer.place import held, prepare
from stackgen.inside.installer.putting import put_spack, put_stackgen
from stackgen.inside.installer.signature import require_signature
from stackgen.inside.installer.telling import RefusalError, say


def install(root: str, words: Sequence[str]) -> None:
    """Do what the command line says with the kit in a directory."""
    parser = argparse.ArgumentParser(description="Put stackgen, out of this kit, into a directory.")
    parser.add_argument(
        "--prefix", metavar="DIR", required=True, help="the directory; nothing is written elsewhere"
    )
    parser.add_argument(
        "--python", metavar="PROGRAM", help="the Python that stackgen is to have, 3.11 or newer"
    )
    parser.add_argument(
        "--require-signature", action="store_true", help="refuse a kit that nobody signed whom gpg knows"
    )
    parser.add_argument(
        "--keys", metavar="FILE", help="the public keys that count, instead of those in your keyring"
    )
    options = parser.parse_args(words)
    kit = Kit(root)
    if options.require_signature or options.keys:
        say("signed by {}".format(require_signature(kit, options.keys)))
    tools = tools_for_here(kit)
    python, chosen = find_python(kit, tools, options.python)
    directory = os.path.abspath(os.path.expanduser(options.prefix))
    prepare(directory, kit)
    with held(directory):
        put_stackgen(kit, chosen, python, directory)
        put_spack(kit, directory)
    _tell_how_to_go_on(kit, directory)


def _tell_how_to_go_on(kit: Kit, directory: str) -> None:
    say("stackgen is in {}; next:\n".format(directory))
    for match in kit.named(r"environments/([^/]+)\.lock/lock\.json"):
        form = "{0}/bin/stackgen build {1}/environments/{2}.yaml --mirror {1} --offline\n"
        sys.stdout.write(form.format(directory, kit.root, match.group(1)))
    sys.stdout.flush()


def main(root: str, words: Sequence[str]) -> int:
    """Run; the exit status: 0 done, 1 it failed, 2 the kit, the machine or the words are wrong."""
    os.umask(0o022)
    signal.signal(signal.SIGTERM, _interrupted)
    signal.signal(signal.SIGHUP, _interrupted)
    try:
        install(root, words)
    except RefusalError as refusal:
        say(" ".join(str(refusal).split()))
        return refusal.status
    except OSError as error:
        where = " ({})".format(error.filename) if error.filename else ""
        say("cannot go on: {}{}{}".format(error.strerror or error, where, _remedy(error, root)))
        return 1
    except KeyboardInterrupt:
        say("interrupted; the same command goes on")
        return 130
    return 0


def _remedy(error: OSError, root: str) -> str:
    """Nothing where it is the kit that cannot be read: whose the file is says it all."""
    if str(error.filename).startswith(os.path.join(root, "")):
        return ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "; free some space and run it again"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR):
        return "; name a directory that you may write to by --prefix"
    return ""


def _interrupted(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)
