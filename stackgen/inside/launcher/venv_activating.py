"""What users source: an environment's programs come first, then the framework's, whatever is loaded."""

import os
import shlex
from typing import List

from stackgen.inside.launcher.surroundings import capitals, place_of_release
from stackgen.inside.launcher.venv_scripts import (
    VenvWords,
    assigned_by,
    defaults_of,
    gone_text,
    real_python,
)

_SH = """\
# Source this in bash or zsh; in tcsh and fish there are activate.csh and activate.fish.
if [ ! -x {real} ]; then
    echo {gone} >&2
    return 1 2>/dev/null || exit 1
fi

if [ "${{VIRTUAL_ENV-}}" ] && [ "${{_OLD_VIRTUAL_PATH+set}}" ]; then
    deactivate
fi

deactivate () {{
    PATH=$_OLD_VIRTUAL_PATH
    export PATH
    if [ "${{_OLD_VIRTUAL_PS1+set}}" ]; then PS1=$_OLD_VIRTUAL_PS1; fi
    unset _OLD_VIRTUAL_PATH _OLD_VIRTUAL_PS1 VIRTUAL_ENV VIRTUAL_ENV_PROMPT
{undone}
    unset -f deactivate
    hash -r 2>/dev/null
}}

{note}
_OLD_VIRTUAL_PATH=$PATH
PATH={path}:$PATH
VIRTUAL_ENV={place}
VIRTUAL_ENV_PROMPT={name}
export PATH VIRTUAL_ENV VIRTUAL_ENV_PROMPT
{done}
if [ ! "${{VIRTUAL_ENV_DISABLE_PROMPT-}}" ] && [ "${{PS1+set}}" ]; then
    _OLD_VIRTUAL_PS1=$PS1
    PS1={prompt}$PS1
fi
hash -r 2>/dev/null
"""
_NOTE_SH = """\
if [ "${{{family}-}}" ] && [ "${{{root}-}}" != {prefix} ]; then
    echo "note: ${family}/${family}_VERSION is loaded, and not used:" {stands} >&2
fi"""
_CSH = """\
# Source this in tcsh.
if (! -x {real}) then
    echo {gone}
else
    if ($?_OLD_VIRTUAL_PATH) then
        source "$VIRTUAL_ENV/bin/deactivate.csh"
    endif
    if ($?{family}) then
        if (! $?{root}) setenv {root} ""
        if ("${root}" != {prefix}) echo "note: ${family} is loaded, and not used:" {stands}
    endif
    set _OLD_VIRTUAL_PATH = "$PATH"
    setenv PATH {path}":$PATH"
    setenv VIRTUAL_ENV {place}
    setenv VIRTUAL_ENV_PROMPT {name}
{done}
    if (! $?VIRTUAL_ENV_DISABLE_PROMPT && $?prompt) then
        set _OLD_VIRTUAL_PROMPT = "$prompt:q"
        set prompt = {prompt}"$prompt:q"
    endif
    alias deactivate 'source "$VIRTUAL_ENV/bin/deactivate.csh"'
    rehash
endif
"""
_UNCSH = """\
# What `deactivate` does in tcsh.
if ($?_OLD_VIRTUAL_PATH) then
    setenv PATH "$_OLD_VIRTUAL_PATH"
    unset _OLD_VIRTUAL_PATH
endif
if ($?_OLD_VIRTUAL_PROMPT) then
    set prompt = "$_OLD_VIRTUAL_PROMPT:q"
    unset _OLD_VIRTUAL_PROMPT
endif
unsetenv VIRTUAL_ENV
unsetenv VIRTUAL_ENV_PROMPT
{undone}
unalias deactivate
rehash
"""
_FISH = """\
# Source this in fish.
if not test -x {real}
    echo {gone} >&2
    return 1
end

if set -q _OLD_VIRTUAL_PATH
    deactivate
end

function deactivate
    set -gx PATH $_OLD_VIRTUAL_PATH
    set -e _OLD_VIRTUAL_PATH
    set -e VIRTUAL_ENV
    set -e VIRTUAL_ENV_PROMPT
{undone}
    if functions -q _old_fish_prompt
        functions -e fish_prompt
        functions -c _old_fish_prompt fish_prompt
        functions -e _old_fish_prompt
    end
    functions -e deactivate
end

if set -q {family}; and test "${root}" != {prefix}
    echo "note: ${family}/${family}_VERSION is loaded, and not used:" {stands} >&2
end
set -g _OLD_VIRTUAL_PATH $PATH
set -gx PATH {path} $PATH
set -gx VIRTUAL_ENV {place}
set -gx VIRTUAL_ENV_PROMPT {name}
{done}
if not set -q VIRTUAL_ENV_DISABLE_PROMPT; and functions -q fish_prompt
    functions -c fish_prompt _old_fish_prompt
    function fish_prompt
        printf '%s' {prompt}
        _old_fish_prompt
    end
end
"""


def _directories(words: VenvWords) -> List[str]:
    """What comes first on PATH."""
    return [words.place + "/bin", words.framework.prefix + "/bin", place_of_release(words.site) + "/bin"]


def _stands(words: VenvWords) -> str:
    return "{} stands on {} of the release {}".format(words.place, words.framework.module, words.site.release)


def _family(words: VenvWords) -> str:
    """The variable by which Lmod tells the framework that is loaded."""
    return "LMOD_FAMILY_{}_FRAMEWORK".format(capitals(words.site.namespace))


def activate_sh(words: VenvWords) -> str:
    """`bin/activate`."""
    done, undone = [], []
    for name, value in assigned_by(words).items():
        done.append(f'if [ "${{{name}+set}}" ]; then _OLD_VIRTUAL_{name}=${name}; fi')
        done.append(f"export {name}={shlex.quote(value)}")
        undone.append(f"    unset {name}")
        undone.append(
            f'    if [ "${{_OLD_VIRTUAL_{name}+set}}" ]; then'
            f" export {name}=$_OLD_VIRTUAL_{name}; unset _OLD_VIRTUAL_{name}; fi"
        )
    for name, value in defaults_of(words).items():
        done.append(
            f'if [ ! "${{{name}+set}}" ]; then export {name}={shlex.quote(value)}; _VIRTUAL_{name}=set; fi'
        )
        undone.append(f'    if [ "${{_VIRTUAL_{name}-}}" ]; then unset {name} _VIRTUAL_{name}; fi')
    note = _NOTE_SH.format(
        family=_family(words),
        root=words.framework.root,
        prefix=shlex.quote(words.framework.prefix),
        stands=shlex.quote(_stands(words)),
    )
    return _SH.format(
        real=shlex.quote(real_python(words.framework)),
        gone=shlex.quote(gone_text(words)),
        path=shlex.quote(":".join(_directories(words))),
        place=shlex.quote(words.place),
        name=shlex.quote(os.path.basename(words.place)),
        prompt=shlex.quote("({}) ".format(os.path.basename(words.place))),
        note=note,
        done="\n".join(done),
        undone="\n".join(undone),
    )


def _csh_word(text: str) -> str:
    """A text as one word of csh, which expands `!` even in quotes."""
    return "'" + text.replace("'", "'\\''").replace("!", "\\!") + "'"


def activate_csh(words: VenvWords) -> str:
    """`bin/activate.csh`."""
    done = []
    for name, value in assigned_by(words).items():
        done += [f"    if ($?{name}) then", f'        set _OLD_VIRTUAL_{name} = "${name}"', "    endif"]
        done.append(f"    setenv {name} {_csh_word(value)}")
    for name, value in defaults_of(words).items():
        done += [
            f"    if (! $?{name}) then",
            f"        setenv {name} {_csh_word(value)}",
            f"        set _VIRTUAL_{name}",
            "    endif",
        ]
    return _CSH.format(
        real=_csh_word(real_python(words.framework)),
        gone=_csh_word(gone_text(words)),
        family=_family(words),
        root=words.framework.root,
        prefix=_csh_word(words.framework.prefix),
        stands=_csh_word(_stands(words)),
        path=_csh_word(":".join(_directories(words))),
        place=_csh_word(words.place),
        name=_csh_word(os.path.basename(words.place)),
        prompt=_csh_word("({}) ".format(os.path.basename(words.place))),
        done="\n".join(done),
    )


def deactivate_csh(words: VenvWords) -> str:
    """`bin/deactivate.csh`."""
    undone = []
    for name in assigned_by(words):
        undone += [
            f"unsetenv {name}",
            f"if ($?_OLD_VIRTUAL_{name}) then",
            f'    if ("$_OLD_VIRTUAL_{name}" != "") setenv {name} "$_OLD_VIRTUAL_{name}"',
            f"    unset _OLD_VIRTUAL_{name}",
            "endif",
        ]
    for name in defaults_of(words):
        undone += [
            f"if ($?_VIRTUAL_{name}) then",
            f"    unsetenv {name}",
            f"    unset _VIRTUAL_{name}",
            "endif",
        ]
    return _UNCSH.format(undone="\n".join(undone))


def _fish_word(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def activate_fish(words: VenvWords) -> str:
    """`bin/activate.fish`."""
    done, undone = [], []
    for name, value in assigned_by(words).items():
        done.append(f"set -q {name}; and set -g _OLD_VIRTUAL_{name} ${name}")
        done.append(f"set -gx {name} {_fish_word(value)}")
        undone.append(f"    set -e {name}")
        undone.append(
            f"    if set -q _OLD_VIRTUAL_{name}; set -gx {name} $_OLD_VIRTUAL_{name};"
            f" set -e _OLD_VIRTUAL_{name}; end"
        )
    for name, value in defaults_of(words).items():
        done.append(
            f"if not set -q {name}; set -gx {name} {_fish_word(value)}; set -g _VIRTUAL_{name} set; end"
        )
        undone.append(f"    if set -q _VIRTUAL_{name}; set -e {name}; set -e _VIRTUAL_{name}; end")
    return _FISH.format(
        real=_fish_word(real_python(words.framework)),
        gone=_fish_word(gone_text(words)),
        family=_family(words),
        root=words.framework.root,
        prefix=_fish_word(words.framework.prefix),
        stands=_fish_word(_stands(words)),
        path=" ".join(map(_fish_word, _directories(words))),
        place=_fish_word(words.place),
        name=_fish_word(os.path.basename(words.place)),
        prompt=_fish_word("({}) ".format(os.path.basename(words.place))),
        done="\n".join(done),
        undone="\n".join(undone),
    )
