#!/bin/bash
#BSUB -J pytorch
#BSUB -q killable
#BSUB -nnodes 1
#BSUB -W 24:00
#BSUB -o pytorch-%J.out

# PyTorch 2.3.1 in the release 2026.11, in the partition killable of Summit:
# 1 node, 1 rank on it, 7 cores for it, 1 GPU a node.
#
#   bsub -P ACCOUNT process.sh                        its own check, on all ranks
#   bsub -P ACCOUNT process.sh train.py --epochs 3    your program
#
# Options of bsub win over the lines above: `bsub -nnodes 4 -W 1:00 process.sh`. Where LSF does not read the
# lines of a script that it is given by name, write `bsub < process.sh`.

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
module --quiet use /sw/summit/hpai/releases/2026.11/modules/Core
module load hpai/pytorch/2.3.1 || exit 1

if [ $# -eq 0 ]; then set -- -c 'import torch as it; print(it.__name__, it.__version__)'; fi
case $1 in *.py | -*) set -- python "$@" ;; esac
# One resource set for each rank. Of the hosts, one has no share in it: the one on which this script runs.
nodes=$(($(sort -u "${LSB_DJOB_HOSTFILE:?is not set: this is no job of LSF}" | wc -l) - 1))
exec jsrun --nrs "$((1 * nodes))" --rs_per_host 1 --tasks_per_rs 1 \
    --cpu_per_rs 7 --bind packed:7 --gpu_per_rs 1 \
    /sw/summit/hpai/releases/2026.11/bin/hpai rank -- "$@"
