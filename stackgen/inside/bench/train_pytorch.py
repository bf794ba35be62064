"""Train a fixed network on synthetic data with PyTorch, and leave the seconds of every step."""

from __future__ import annotations

import argparse
import os
import socket
from typing import Any

from ranks import arguments, end, leave, place, timed, trained

ASKED = arguments()
RANK, RANKS = place(ASKED.fork)  # before PyTorch starts threads, which no fork survives

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch_networks import CLASSIFIERS, LATENT, Discriminator, Generator  # noqa: E402


class Ranks:
    """How gradients come together: by Horovod, by torch's own distribution, or not at all with one rank."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.horovod: Any = None
        self.rank, self.size, self.local = RANK, RANKS, int(os.environ.get("LOCAL_RANK", "0"))
        if asked.distribution == "horovod":
            import horovod.torch as horovod

            horovod.init()
            self.horovod = horovod
            self.rank, self.size, self.local = horovod.rank(), horovod.size(), horovod.local_rank()
        self.device = torch.device("cpu")
        if torch.cuda.is_available():
            self.device = torch.device("cuda", self.local % torch.cuda.device_count())
            torch.cuda.set_device(self.device)
        if not self.horovod and self.size > 1:
            torch.distributed.init_process_group("nccl" if self.device.type == "cuda" else "gloo")

    def wrapped(self, network: nn.Module) -> nn.Module:
        """The network as it is called; with torch's own distribution that brings gradients together."""
        network = network.to(self.device)
        if self.horovod:
            self.horovod.broadcast_parameters(network.state_dict(), root_rank=0)
        elif self.size > 1:
            return nn.parallel.DistributedDataParallel(network)
        return network

    def optimizer(self, network: nn.Module) -> Any:
        """Plain stochastic descent: what is measured is the network, and the ranks."""
        rule = torch.optim.SGD(network.parameters(), lr=1e-4)
        if not self.horovod:
            return rule
        return self.horovod.DistributedOptimizer(rule, named_parameters=network.named_parameters())

    def hosts(self) -> int:
        """On how many machines the ranks are."""
        name = socket.gethostname()
        if self.horovod:
            return len(set(self.horovod.allgather_object(name)))
        if self.size == 1:
            return 1
        found: list[Any] = [None] * self.size
        torch.distributed.all_gather_object(found, name)
        return len(set(found))

    def close(self) -> None:
        """Leave in order: Gloo aborts in some exits that skip this."""
        if self.horovod:
            self.horovod.shutdown()
        elif self.size > 1:
            torch.distributed.barrier()
            torch.distributed.destroy_process_group()


def gan(ranks: Ranks, asked: argparse.Namespace) -> tuple[Any, int]:
    """One step of both networks, as in 3DGAN: real, made, and twice the generator."""
    shape, width = ((13, 13, 7), 8) if asked.small else ((51, 51, 25), 64)
    makers, judges = Generator(shape, width), Discriminator()
    count = sum(entry.numel() for network in (makers, judges) for entry in network.parameters())
    make, judge = ranks.wrapped(makers), ranks.wrapped(judges)
    by_make, by_judge = ranks.optimizer(makers), ranks.optimizer(judges)
    images = torch.rand(asked.batch, 1, *shape, device=ranks.device)
    energies = torch.rand(asked.batch, 1, device=ranks.device)

    def loss(found: torch.Tensor, *, real: float) -> torch.Tensor:
        wanted = torch.full_like(found[:, :1], real)
        return (
            functional.binary_cross_entropy_with_logits(found[:, :1], wanted)
            + (found[:, 1:] - energies).abs().mean()
        )

    def descend(rule: Any, value: torch.Tensor) -> float:
        rule.zero_grad()
        value.backward()
        rule.step()
        return float(value.detach())

    def step() -> float:
        noise = torch.randn(asked.batch, LATENT, device=ranks.device) * energies
        descend(by_judge, loss(judge(images), real=1.0))
        with torch.no_grad():
            made = makers(noise)
        descend(by_judge, loss(judge(made), real=0.0))
        judges.requires_grad_(requires_grad=False)  # and unwrapped: its gradients are not asked for here
        descend(by_make, loss(judges(make(noise)), real=1.0))
        last = descend(by_make, loss(judges(make(noise)), real=1.0))
        judges.requires_grad_(requires_grad=True)
        return last

    return step, count


def images(ranks: Ranks, asked: argparse.Namespace) -> tuple[Any, int]:
    """One step of ResNet-50 or AlexNet."""
    edge = 64 if asked.small else 224
    network = CLASSIFIERS[asked.job]()
    model, rule = ranks.wrapped(network), ranks.optimizer(network)
    pictures = torch.rand(asked.batch, 3, edge, edge, device=ranks.device)
    labels = torch.randint(1000, (asked.batch,), device=ranks.device)

    def step() -> float:
        rule.zero_grad()
        value = functional.cross_entropy(model(pictures), labels)
        value.backward()
        rule.step()
        return float(value.detach())

    return step, sum(entry.numel() for entry in network.parameters())


def main() -> None:
    """Train, and let rank 0 leave the result."""
    torch.manual_seed(1)
    if text := os.environ.get("OMP_NUM_THREADS"):
        torch.set_num_threads(int(text))
    ranks = Ranks(ASKED)
    step, parameters = (gan if ASKED.job == "gan" else images)(ranks, ASKED)
    seconds, loss = timed(step, ASKED)
    hosts = ranks.hosts()
    ranks.close()
    if ranks.rank == 0:
        versions = {"torch": str(torch.__version__)}
        if ranks.horovod:
            import horovod

            versions["horovod"] = str(horovod.__version__)
        told = {"hosts": hosts, "parameters": parameters, "loss": loss, "device": ranks.device.type}
        leave(ASKED.out, trained(ASKED, ranks.size, seconds, versions=versions, **told))


main()
end()
