"""What others have published of the same training, for comparison; every number as its source prints it."""

from dataclasses import dataclass

from stackgen.bench.results import Row, rows_of_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A table of 3DGAN's training: seconds of an epoch by nodes."""

    title: str
    source: str
    ranks_per_node: int
    """0 where the source does not say."""
    seconds: tuple[tuple[int, float], ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """The table, with linear time and efficiency computed from the smallest job."""
        return rows_of_seconds(self.seconds, self.ranks_per_node)


_HPEC = (
    "D. Brayford, IEEE HPEC, 26.09.2019, slides 13 and 14: "
    "github.com/DavidBrayford/HPAI, Documents/Presentations/IEEE_HPEC_2019.pdf"
)
_MUNICH = (
    "D. Brayford, Intel AI, Munich, 2020, slides 13 to 15: "
    "github.com/DavidBrayford/HPAI, Documents/Presentations/Intel_AI_Munich_2020.pdf"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedMemory:
    """What a training took of memory, in GB."""

    network: str
    inside: float
    """In the container."""
    outside: float


CONTAINER_SOURCE = "D. Brayford and others, LRZ, of TensorFlow in Charliecloud: no meaningful overhead"
CONTAINER_MEMORY = (
    PublishedMemory(network="AlexNet", inside=331.33, outside=331.29),
    PublishedMemory(network="ResNet-50", inside=324.89, outside=324.47),
)

PUBLISHED = (
    Published(
        title="SuperMUC-NG, 1 rank a node of 48 threads, in a container",
        source=_HPEC,
        ranks_per_node=1,
        seconds=(
            *((4, 3806), (8, 1910), (16, 1001), (32, 504)),
            *((64, 253), (128, 124), (256, 61), (512, 33)),
        ),
    ),
    Published(
        title="SuperMUC-NG, 4 ranks a node of 12 threads, MPI of the container",
        source=_HPEC,
        ranks_per_node=4,
        seconds=((4, 959), (8, 507), (16, 264), (32, 137), (64, 72), (128, 39), (256, 21), (512, 12)),
    ),
    Published(
        title="SuperMUC-NG, Intel MPI of the system in the container",
        source=_MUNICH,
        ranks_per_node=0,
        # Its row of 768 nodes is left out: the linear time that it gives is that of 1024.
        seconds=(
            *((4, 907.26), (8, 479.52), (16, 244.42), (32, 124.22)),
            *((64, 62.24), (128, 31.22), (256, 15.63), (512, 7.84)),
        ),
    ),
    Published(
        title="SuperMUC-NG, 2 ranks a node of 48 threads, hyperthreading",
        source=_MUNICH,
        ranks_per_node=2,
        seconds=((4, 2302), (8, 1238), (16, 638), (32, 323), (64, 164), (128, 88), (256, 47), (512, 25)),
    ),
    Published(
        title="Stampede2, 4 ranks a node of 11 threads, no container",
        source=_HPEC,
        ranks_per_node=4,
        seconds=(
            *((1, 17831), (2, 8998), (4, 4545), (8, 2288)),
            *((16, 1151), (32, 581), (64, 293), (128, 148)),
        ),
    ),
)
