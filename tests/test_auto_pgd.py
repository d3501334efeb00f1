"""Auto-PGD against the algorithm of its paper, in plain loops."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dlproj.attacks.apgd import _stretches, ascend
from dlproj.attacks.common import start_at_random
from tests.support import papers

NORMS = ("linf", "l2")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Hills(nn.Module):
    """Never misread: the logit of class 0 is far above; that of class 1 is a hilly landscape."""

    def __init__(self) -> None:
        super().__init__()
        self.waves = torch.randn(12, 9, generator=seeded(), dtype=torch.float64) * 4

    def height(self, points: Tensor) -> Tensor:
        return (points.flatten(1) @ self.waves.T).sin().sum(1)

    def forward(self, images: Tensor) -> Tensor:
        height = self.height(images)
        return torch.stack([torch.full_like(height, 100), height], dim=1)


@pytest.mark.parametrize(
    ("norm", "epsilon", "steps"),
    [
        *[("linf", 0.2, steps) for steps in (1, 7, 30, 100)],
        *[("l2", 0.5, steps) for steps in (1, 7, 30)],
    ],
)
def test_auto_pgd_is_the_algorithm_of_its_paper(norm: str, epsilon: float, steps: int) -> None:
    """After 100 steps in l2 all stand on a top, where the last bit says whether a step rose."""
    model = Hills()
    images = torch.rand(6, 1, 3, 3, generator=seeded(1), dtype=torch.float64)
    made = ascend(
        model,
        images,
        torch.zeros(6, dtype=torch.long),
        lambda logits, _: logits[:, 1],
        epsilon=epsilon,
        steps=steps,
        restarts=1,
        norm=norm,
        targeted=False,
        generator=seeded(2),
    )
    starts = start_at_random(images, epsilon, norm, seeded(2))

    def climbed(point: papers.Array) -> tuple[float, papers.Array]:
        here = torch.from_numpy(point)[None].requires_grad_()
        height = model.height(here)
        (slope,) = torch.autograd.grad(height.sum(), here)
        return height.item(), slope[0].numpy()

    for image, start, found in zip(images, starts, made, strict=True):
        expected = papers.auto_pgd(
            climbed, image.numpy(), start.numpy(), epsilon=epsilon, steps=steps, norm=norm
        )
        np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("norm", NORMS)
def test_auto_pgd_looks_back_as_its_paper_when_values_tie_and_exactly_enough_rise(
    norm: str,
) -> None:
    """Values and slopes are written down beforehand; the last point is the best of most images."""
    random = np.random.default_rng(0)
    count, steps = 40, 18  # of which the first 4 are a stretch
    values = random.choice([-1.0, 0.0, 1.0, 1.0, 1.0], (steps + 1, count)).cumsum(0)
    slopes = random.normal(size=(steps + 1, count, 9))
    rises = (np.diff(values[:5], axis=0) > 0).sum(0)
    assert {2, 3, 4} <= set(rises.tolist())
    looks = itertools.count()

    def written(logits: Tensor, which: Tensor) -> Tensor:
        look, pixels = next(looks), logits[:, 1:]
        slope, value = torch.from_numpy(slopes[look])[which], torch.from_numpy(values[look])[which]
        return ((pixels - pixels.detach()) * slope).sum(1) + value

    images = torch.rand(count, 1, 3, 3, generator=seeded(), dtype=torch.float64)
    made = ascend(
        FirstIsFar(),
        images,
        torch.zeros(count, dtype=torch.long),
        written,
        epsilon=0.2,
        steps=steps,
        restarts=1,
        norm=norm,
        targeted=False,
        generator=seeded(1),
    )
    starts = start_at_random(images, 0.2, norm, seeded(1))
    for number in range(count):
        calls = itertools.count(1)

        def climbed(
            _: papers.Array, number: int = number, calls: Iterator[int] = calls
        ) -> tuple[float, papers.Array]:
            look = next(calls) // 2  # once at the start, then for a value and for a slope
            return values[look, number], slopes[look, number].reshape(1, 3, 3)

        expected = papers.auto_pgd(
            climbed,
            images[number].numpy(),
            starts[number].numpy(),
            epsilon=0.2,
            steps=steps,
            norm=norm,
        )
        np.testing.assert_allclose(made[number].numpy(), expected, rtol=0, atol=1e-8)


class FirstIsFar(nn.Module):
    """Class 0 is far above; the other logits are the pixels."""

    def forward(self, images: Tensor) -> Tensor:
        pixels = images.flatten(1)
        return torch.cat([torch.full_like(pixels[:, :1], 100), pixels], dim=1)


@pytest.mark.parametrize(
    ("steps", "places"),
    [
        (100, [22, 41, 57, 70, 80, 87, 93, 99, 100]),  # the appendix of the paper
        (50, [11, 21, 29, 35, 40, 44, 47, 50]),
        (10, [3, 5, 6, 7, 8, 9, 10]),
        (1, [1]),
    ],
)
def test_checkpoints_of_auto_pgd(steps: int, places: list[int]) -> None:
    assert list(itertools.accumulate(_stretches(steps))) == places
    assert papers.checkpoints(steps) == places
