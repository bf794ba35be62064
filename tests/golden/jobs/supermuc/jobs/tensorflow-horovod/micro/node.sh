#!/bin/bash
#SBATCH --job-name=tensorflow-horovod
#SBATCH --partition=micro
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=24
#SBATCH --time=48:00:00
#SBATCH --output=%x-%j.out

# TensorFlow 2.14.1 in the release 2026.11, in the partition micro of SuperMUC-NG:
# 1 node, 2 ranks on it, 24 cores for each.
#
#   sbatch -A ACCOUNT node.sh                        its own check, on all ranks
#   sbatch -A ACCOUNT node.sh train.py --epochs 3    your program
#
# Options of sbatch win over the lines above: `sbatch -N 4 -t 01:00:00 node.sh`.

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
module --quiet use /dss/hpai/releases/2026.11/modules/Core
module load hpai/tensorflow/2.14.1 || exit 1

if [ $# -eq 0 ]; then set -- /dss/hpai/releases/2026.11/share/checks/ranks_horovod_tensorflow.py; fi
case $1 in *.py | -*) set -- python "$@" ;; esac
ranks=${SLURM_NTASKS:-$((SLURM_JOB_NUM_NODES * 2))}
exec mpiexec -n "$ranks" \
    /dss/hpai/releases/2026.11/bin/hpai rank -- "$@"
