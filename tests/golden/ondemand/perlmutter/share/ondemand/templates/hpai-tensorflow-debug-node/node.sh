#!/bin/bash
#SBATCH --job-name=tensorflow
#SBATCH --qos=debug
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=64
#SBATCH --gres=gpu:4
#SBATCH --time=00:30:00
#SBATCH --output=%x-%j.out
#SBATCH --constraint=gpu
#SBATCH --hint=nomultithread

# TensorFlow 2.21.0 in the release 2026.11, in the partition debug of Perlmutter (GPU):
# 1 node, 1 rank on it, 64 cores for it, 4 GPUs a node.
#
#   sbatch node.sh                        its own check, on all ranks
#   sbatch node.sh train.py --epochs 3    your program
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
module --quiet use /global/common/software/hpai/releases/2026.11/modules/Core
module load hpai/tensorflow/2.21.0 || exit 1

if [ $# -eq 0 ]; then set -- -c 'import tensorflow as it; print(it.__name__, it.__version__)'; fi
case $1 in *.py | -*) set -- python "$@" ;; esac
# srun takes nodes and ranks from the job, but from Slurm 22.05 on no longer the cores of each.
exec srun --kill-on-bad-exit=1 --export=ALL \
    ${SLURM_CPUS_PER_TASK:+"--cpus-per-task=$SLURM_CPUS_PER_TASK"} \
    /global/common/software/hpai/releases/2026.11/bin/hpai rank -- "$@"
