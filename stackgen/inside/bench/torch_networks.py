"""The networks that `stackgen bench scaling` trains with PyTorch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

LATENT = 200
Shape = tuple[int, int, int]


class Generator(nn.Module):
    """Calorimeter images out of noise times an energy, about as 3DGAN does it."""

    def __init__(self, shape: Shape, width: int) -> None:
        super().__init__()
        self.middle = tuple((edge + 1) // 2 for edge in shape)
        self.shape = shape
        self.start = nn.Linear(LATENT, 8 * 7 * 7 * 8)
        self.first = nn.Conv3d(8, width, (5, 5, 7), padding="same")
        self.second = nn.Conv3d(width, 6, (5, 5, 7), padding="same")
        self.third = nn.Conv3d(6, 6, (3, 3, 5), padding="same")
        self.last = nn.Conv3d(6, 1, (3, 3, 3), padding="same")
        self.norms = nn.ModuleList([nn.BatchNorm3d(width), nn.BatchNorm3d(6), nn.BatchNorm3d(6)])

    def forward(self, noise: torch.Tensor) -> torch.Tensor:
        """A batch of images, one channel each."""
        found = self.start(noise).view(-1, 8, 7, 7, 8)
        found = self.norms[0](functional.leaky_relu(self.first(found)))
        found = functional.interpolate(found, size=self.middle)
        found = self.norms[1](functional.leaky_relu(self.second(found)))
        found = functional.interpolate(found, size=self.shape)
        found = self.norms[2](functional.leaky_relu(self.third(found)))
        return functional.relu(self.last(found))


class Discriminator(nn.Module):
    """Real or made, and the energy of the particle."""

    def __init__(self) -> None:
        super().__init__()
        kernels = (5, 5, 5)
        self.convolutions = nn.ModuleList(
            [
                nn.Conv3d(1, 16, kernels, padding="same"),
                nn.Conv3d(16, 8, kernels, padding="same"),
                nn.Conv3d(8, 8, kernels, padding="same"),
                nn.Conv3d(8, 8, kernels, padding="same"),
            ]
        )
        self.norms = nn.ModuleList([nn.BatchNorm3d(8) for _ in range(3)])
        self.heads = nn.Linear(8 * 4 * 4 * 4, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Two numbers an image: the logit of `real`, and the energy."""
        found = functional.leaky_relu(self.convolutions[0](images))
        found = functional.avg_pool3d(found, 2)
        for number in range(3):
            found = self.norms[number](functional.leaky_relu(self.convolutions[number + 1](found)))
        return self.heads(functional.adaptive_avg_pool3d(found, 4).flatten(1))


class Block(nn.Module):
    """A bottleneck of ResNet-50 (version 1.5: the stride is in the 3x3 convolution)."""

    def __init__(self, entering: int, inner: int, stride: int) -> None:
        super().__init__()
        leaving = 4 * inner
        self.body = nn.Sequential(
            *(nn.Conv2d(entering, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU(inplace=True)),
            nn.Conv2d(inner, inner, 3, stride, 1, bias=False),
            *(nn.BatchNorm2d(inner), nn.ReLU(inplace=True)),
            *(nn.Conv2d(inner, leaving, 1, bias=False), nn.BatchNorm2d(leaving)),
        )
        self.short = (
            nn.Identity()
            if entering == leaving
            else nn.Sequential(nn.Conv2d(entering, leaving, 1, stride, bias=False), nn.BatchNorm2d(leaving))
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """The block's output, past its rectifier."""
        return functional.relu(self.body(images) + self.short(images))


def resnet50() -> nn.Module:
    """ResNet-50 for a thousand classes: 25 557 032 parameters."""
    layers: list[nn.Module] = [
        *(nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)),
        *(nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)),
    ]
    entering = 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        inner = 64 * 2**stage
        for block in range(blocks):
            layers.append(Block(entering, inner, 2 if stage and not block else 1))
            entering = 4 * inner
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(entering, 1000))


def alexnet() -> nn.Module:
    """AlexNet in one column, for a thousand classes: 61 100 840 parameters."""
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 192, 5, 1, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(192, 384, 3, 1, 1), nn.ReLU(inplace=True)),
        *(nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU(inplace=True)),
        *(nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2)),
        *(nn.AdaptiveAvgPool2d(6), nn.Flatten()),
        *(nn.Linear(256 * 6 * 6, 4096), nn.ReLU(inplace=True)),
        *(nn.Linear(4096, 4096), nn.ReLU(inplace=True)),
        nn.Linear(4096, 1000),
    )


CLASSIFIERS = {"resnet50": resnet50, "alexnet": alexnet}
"""By job, what tells a thousand classes of pictures apart."""
