#!/bin/bash
# Started by the job in its session's directory, beside what the user has chosen.
here=$PWD
. "$here/choices.sh"
case $framework in
    tensorflow)
        module=hpai/tensorflow/2.21.0
        server=jupyterlab
        ;;
    *)
        printf '%s\n' "there is no framework $framework in this app any more: open its form anew" >&2
        exit 1
        ;;
esac
case $directory in
    "~" | "~/"*) directory=$HOME${directory#"~"} ;;
    /*) ;;
    *) directory=$HOME/$directory ;;
esac
if [ ! -d "$directory" ]; then
    printf '%s\n' "there is no directory $directory on $(hostname)" >&2
    exit 1
fi
export ONDEMAND_DIRECTORY="$directory"
export SLURM_EXPORT_ENV=ALL # OnDemand submits without an environment; the steps of the job are to have this one

if ! type module >/dev/null 2>&1; then # no login shell has been here
    for lmod in ${LMOD_PKG:+"$LMOD_PKG/init/bash"} \
        /etc/profile.d/lmod.sh \
        /etc/profile.d/z00_lmod.sh \
        /usr/share/lmod/lmod/init/bash \
        /opt/apps/lmod/lmod/init/bash \
        /usr/local/lmod/lmod/init/bash \
        /opt/lmod/lmod/init/bash \
        /opt/cray/pe/lmod/lmod/init/bash \
        /etc/profile.d/modules.sh \
        ; do
        if [ -r "$lmod" ]; then . "$lmod"; fi
        if type module >/dev/null 2>&1; then break; fi
    done
fi
if ! type module >/dev/null 2>&1; then
    echo "no module command on $(hostname): set LMOD_PKG to where Lmod lies" >&2
    exit 1
fi
# Quietly, for where such modules have been loaded already, Lmod tells that it takes them from here now.
module --quiet use /global/common/software/hpai/releases/2026.11/modules/Core
module load "$module" || exit 1

export JUPYTER_PATH=/global/common/software/hpai/releases/2026.11/share/jupyter${JUPYTER_PATH:+":$JUPYTER_PATH"} # the kernels of all frameworks
export JUPYTER_RUNTIME_DIR="$here/runtime" # no session meets another one's files
mkdir -p -m 700 "$JUPYTER_RUNTIME_DIR"
exec python -m "$server" --config="$here/jupyter_ondemand.py"
