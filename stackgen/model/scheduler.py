"""What runs the jobs of a system, and what jobs may ask of it."""

import re
import shlex
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, PositiveInt, model_validator

from stackgen.model.base import Strict, near, refuse
from stackgen.model.machine import CoreRange, Duration, Memory, NodeRange
from stackgen.model.scalars import Line

Count = Annotated[PositiveInt, Field(examples=[4])]


def _startable(text: str) -> str:
    try:
        words = shlex.split(text)
    except ValueError:
        raise refuse(f"{text!r} has a quote without its other half", "write it as in a shell") from None
    if strange := re.findall(r"\{(?!ranks\}).*?\}", text):
        raise refuse(f"{strange[0]} is no placeholder", "write {ranks} for how many ranks there are")
    if not words or not re.match(r"[\w/.]", words[0]):
        raise refuse("it starts nothing", "name a program, such as srun, or leave the key out")
    return text


def _one_word(text: str) -> str:
    if not re.fullmatch(r"-\S+", text):
        raise refuse(f"{text!r} is no option in one word", "write it such as --constraint=haswell")
    return text


Launch = Annotated[Line, AfterValidator(_startable), Field(examples=["srun --mpi=pmix"])]
Option = Annotated[Line, AfterValidator(_one_word), Field(examples=["--constraint=haswell"])]
"""What a scheduler is told, word for word."""


class Partition(Strict):
    """What jobs may ask of a scheduler's partition, queue or quality of service."""

    model_config = ConfigDict(serialize_by_alias=True)  # what it writes, it reads

    nodes: NodeRange = "1"
    """The smallest and the largest job, such as `1..16`."""
    time: Duration | None = None
    """The longest job."""
    usual_time: Annotated[Duration | None, Field(alias="usual-time")] = None
    """How long a job is that a user waits for and that asks for no time; else the scheduler decides."""
    cores: Count | None = None
    """Those of a node that jobs may use, as the scheduler counts them; else the system's `nodes.cores`."""
    gpus: Annotated[int, Field(ge=0, examples=[4])] | None = None
    """Those of a node; 0 where it has none, else the system's `accelerators`."""
    memory: Memory | None = None
    """That of a node."""
    cores_per_gpu: Annotated[CoreRange | None, Field(alias="cores-per-gpu")] = None
    """How many cores come with each GPU, the usual number first, such as `16..40`."""
    kind: Literal["partition", "qos"] = "partition"
    """`qos` where it is a quality of service, which jobs name by another option."""
    of: Line | None = None
    """The true partition, where this is another name for a part of it."""
    default: bool = False
    """Whether jobs that name none come here."""
    options: tuple[Option, ...] = ()
    """What jobs here tell the scheduler besides, word for word, such as `--exclusive`."""


class Scheduler(Strict):
    """What runs the jobs."""

    kind: Literal["slurm", "lsf", "pbs", "cobalt", "none"]
    """Which one it is."""
    launch: Launch | None = None
    """What starts the ranks of a job, where it is not what is usual for the scheduler and the MPI; `{ranks}`
    in it stands for how many there are, which srun and jsrun are told anyway."""
    account: Literal["required", "optional"] = "optional"
    """Whether each job has to name the project that it is charged to."""
    gpus: Annotated[Line, Field(examples=["gpu:v100"])] = "gpu"
    """What Slurm calls the GPUs in `--gres`."""
    options: tuple[Option, ...] = ()
    """What every job tells the scheduler, word for word, such as `--constraint=haswell`."""
    partitions: dict[Line, Partition] = Field(default_factory=dict)
    """Where jobs may go, by the names that users give."""

    @model_validator(mode="after")
    def _agreeing(self) -> "Scheduler":
        """Another name stands for a partition that is there, and one partition at most is the default."""
        true = {name for name, partition in self.partitions.items() if not partition.of}
        for name, partition in self.partitions.items():
            if partition.of and partition.of not in true:
                remedy = near(partition.of, true, "name one that has no `of:` itself")
                raise refuse(f"{name} is of {partition.of}, which is no true partition", remedy)
        defaults = [name for name, partition in self.partitions.items() if partition.default]
        if len(defaults) > 1:
            raise refuse(f"{' and '.join(defaults)} are each the default", "leave one of them")
        return self
