"""What each partition of a system offers to jobs, with all that it takes from elsewhere filled in."""

import re

from stackgen.inside.launcher.offer import Offer
from stackgen.model import Partition, System


def offers(system: System) -> tuple[Offer, ...]:
    """The partitions of a system in the order of its file."""
    partitions = system.scheduler.partitions
    return tuple(
        _offer(system, name, partition, partitions.get(partition.of or "", partition))
        for name, partition in partitions.items()
    )


def _offer(system: System, name: str, partition: Partition, true: Partition) -> Offer:
    """What a partition says, else what the true one behind it says, else what the system does."""
    least, _, most = partition.nodes.partition("..")
    ratio = partition.cores_per_gpu or true.cores_per_gpu or "0"
    usual, _, largest = ratio.partition("..")
    gpus = next((count for count in (partition.gpus, true.gpus) if count is not None), None)
    return Offer(
        name=name,
        queue=partition.of or name,
        kind=true.kind,
        least=int(least),
        most=int(most or least),
        seconds=seconds(partition.time or true.time or ""),
        usual_seconds=seconds(partition.usual_time or true.usual_time or ""),
        sockets=system.nodes.sockets if system.nodes else 1,
        cores=partition.cores or true.cores or (system.nodes.cores if system.nodes else 0),
        gpus=sum(gpu.count for gpu in system.accelerators) if gpus is None else gpus,
        cores_per_gpu=(int(usual), int(largest or usual)),
        options=(*system.scheduler.options, *(partition.options or true.options)),
        default=partition.default,
    )


def seconds(text: str) -> int:
    """A duration as Slurm reads it: 48:00:00, 7-00:00:00, 30:00 for minutes; 0 for an empty text."""
    days, dash, rest = text.rpartition("-")
    numbers = [int(number) for number in re.findall(r"\d+", rest)]
    if dash:
        numbers = [*numbers, 0, 0][:3]
    hours, minutes, rest_seconds = [0, 0, 0, *numbers][-3:]
    return int(days or 0) * 86400 + hours * 3600 + minutes * 60 + rest_seconds
