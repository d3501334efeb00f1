"""What attacks do unless they are told otherwise, as their papers have it."""

from typing import Any

import torch
from torch import Tensor, nn

from dlproj import attacks


class NeverMisread(nn.Module):
    """Class 0 is far above three others, which depend on the image; it counts its looks."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.others, self.looks = nn.Linear(16, 3), 0

    def forward(self, images: Tensor) -> Tensor:
        self.looks += 1
        others = self.others(images.flatten(1))
        return torch.cat([others.sum(1, keepdim=True) + 100, others], dim=1)


def looks(attack: Any, **options: Any) -> tuple[int, Tensor]:
    """How often an attack looks at the network, and what it makes."""
    model, generator = NeverMisread(), torch.Generator().manual_seed(1)
    images = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.zeros(2, dtype=torch.long)
    made = attack(model, images, labels, epsilon=0.1, generator=generator, **options)
    return model.looks, made


def test_apgd_takes_a_hundred_steps_from_one_start_on_the_cross_entropy() -> None:
    """Croce & Hein 2020, section 5: 100 iterations, and as in AutoAttack a single start."""
    count, made = looks(attacks.apgd)
    assert count == 1 + 100
    told, same = looks(attacks.apgd, steps=100, restarts=1, loss="ce", norm="linf", targeted=False)
    assert (told, torch.equal(same, made)) == (count, True)
    assert looks(attacks.apgd, restarts=3)[0] == 3 * count
    assert not torch.equal(looks(attacks.apgd, loss="dlr")[1], made)


def test_pgd_takes_ten_steps_from_one_start() -> None:
    assert looks(attacks.pgd)[0] == 10
    assert looks(attacks.pgd, steps=3, restarts=2)[0] == 2 * 3 + 2  # and compares the two
