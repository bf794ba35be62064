"""What schedulers and launchers put into the environment of a job, and the cores that a rank then has."""

from stackgen.inside.threads import Processors

NODE = Processors(allowed=48, online=48, siblings=1)

JOBS = {
    "nothing": ({}, NODE, None),
    "slurm, cores asked for": ({"SLURM_CPUS_PER_TASK": "12"}, NODE, 12),
    "slurm, cores asked for, no job of this node": (
        {"SLURM_CPUS_PER_TASK": "12"},
        Processors(4, 4, 1),
        12,
    ),
    "slurm, cores asked for and fewer had": (
        {"SLURM_CPUS_PER_TASK": "12", "SLURM_CPUS_ON_NODE": "12"},
        Processors(6, 48, 1),
        6,
    ),
    "slurm, ranks asked for": (
        {"SLURM_CPUS_ON_NODE": "48", "SLURM_NTASKS": "8", "SLURM_TASKS_PER_NODE": "4(x2)"},
        NODE,
        12,
    ),
    "slurm, ranks asked for, hyperthreads": (
        {"SLURM_CPUS_ON_NODE": "96", "SLURM_NTASKS": "8", "SLURM_TASKS_PER_NODE": "4(x2)"},
        Processors(96, 96, 2),
        12,
    ),
    "slurm, nodes that differ": (
        {"SLURM_CPUS_ON_NODE": "48", "SLURM_NTASKS_PER_NODE": "3", "SLURM_TASKS_PER_NODE": "3(x2),1"},
        NODE,
        16,
    ),
    "slurm, number of ranks open": (
        {"SLURM_CPUS_ON_NODE": "48", "SLURM_TASKS_PER_NODE": "1(x2)"},
        NODE,
        None,
    ),
    "slurm, a step": (
        {
            "SLURM_CPUS_ON_NODE": "48",
            "SLURM_STEP_ID": "0",
            "SLURM_STEP_TASKS_PER_NODE": "2(x2)",
            "SLURM_NTASKS": "4",
            "SLURM_TASKS_PER_NODE": "1(x2)",
        },
        NODE,
        24,
    ),
    "slurm, more ranks than cores": (
        {"SLURM_CPUS_ON_NODE": "2", "SLURM_NTASKS": "4", "SLURM_TASKS_PER_NODE": "4"},
        NODE,
        1,
    ),
    "open mpi, not bound": ({"OMPI_COMM_WORLD_LOCAL_SIZE": "4"}, NODE, 12),
    "open mpi, bound to a core": ({"OMPI_COMM_WORLD_LOCAL_SIZE": "2"}, Processors(1, 48, 1), 1),
    "open mpi, bound to cores": ({"OMPI_COMM_WORLD_LOCAL_SIZE": "4"}, Processors(12, 48, 1), 12),
    "open mpi in slurm": (
        {
            "OMPI_COMM_WORLD_LOCAL_SIZE": "4",
            "SLURM_CPUS_ON_NODE": "24",
            "SLURM_STEP_ID": "0",
            "SLURM_STEP_TASKS_PER_NODE": "1",
        },
        NODE,
        6,
    ),
    "hydra": ({"MPI_LOCALNRANKS": "2"}, NODE, 24),
    "hydra, nobody counts the cores": ({"MPI_LOCALNRANKS": "2"}, None, None),
    "pals": ({"PALS_LOCAL_SIZE": "4"}, NODE, 12),
    "lsf, its script": ({"LSB_DJOB_NUMPROC": "43", "LSB_MCPU_HOSTS": "batch1 1 a01 42 "}, NODE, None),
    "lsf, open mpi": ({"OMPI_COMM_WORLD_LOCAL_SIZE": "2", "LSB_MCPU_HOSTS": "a01 20 a02 20"}, NODE, 10),
    "jsrun": (
        {"JSM_NAMESPACE_LOCAL_SIZE": "6", "OMP_NUM_THREADS": "28"},
        Processors(28, 176, 4),
        7,
    ),
    "pbs": ({"PBS_JOBID": "1.a", "NCPUS": "32", "OMP_NUM_THREADS": "4"}, NODE, 4),
    "pbs, without its count": ({"PBS_JOBID": "1.a", "NCPUS": "32"}, NODE, 32),
    "pbs, hydra": (
        {"PBS_JOBID": "1.a", "NCPUS": "48", "OMP_NUM_THREADS": "48", "MPI_LOCALNRANKS": "8"},
        NODE,
        6,
    ),
    "the user's threads, no job": ({"OMP_NUM_THREADS": "3"}, NODE, None),
}
"""What is set in a job, what Linux says, and the cores of a rank."""

NONSENSE = [
    "",
    "abc",
    "0",
    "-1",
    "1.5",
    " 4",
    "4 ",
    "4\n",
    "\u0664",
    "1" * 400,
    "4(x2)(x2)",
    ",",
    "4,",
    "$(id)",
]
"""What no variable of a number ought to hold."""
