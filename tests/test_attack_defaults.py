"""What attacks do unless they are told otherwise, as their papers have it."""

import math
from inspect import signature
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dlproj import attacks
from tests.support.watched import Watched


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


@pytest.mark.parametrize(
    ("attack", "options"),
    [
        (attacks.apgd, {"steps": 9, "restarts": 2}),
        (attacks.square, {"queries": 9}),
        (attacks.fab, {"steps": 5, "restarts": 2}),
        (attacks.deepfool, {"steps": 5}),
    ],
)
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_an_image_is_left_alone_once_it_is_misread(
    attack: Any, options: dict[str, Any], norm: str
) -> None:
    """Of two images one is misread from the start, and the other always read rightly."""
    model = Watched(NeverMisread())
    images = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    made = attack(model, images, torch.tensor([1, 0]), epsilon=0.1, norm=norm, **options)
    start, *rest = model.shown
    assert [len(start), *{len(shown) for shown in rest}] == [2, 1]
    assert torch.equal(made[0], start[0])


def test_pgd_takes_ten_steps_from_one_start() -> None:
    assert looks(attacks.pgd)[0] == 10
    assert looks(attacks.pgd, steps=3, restarts=2)[0] == 2 * 3 + 2  # and compares the two


PUBLISHED: dict[str, dict[str, Any]] = {
    "fgsm": {},
    "fgsm_sweep": {},
    "bim": {"steps": 10, "step_size": None},
    "mifgsm": {"steps": 10, "step_size": None, "decay": 1.0},  # Dong et al. 2018, section 4.1
    "pgd": {"steps": 10, "step_size": None, "restarts": 1, "random_start": True},
    "apgd": {"steps": 100, "restarts": 1, "loss": "ce"},
    "apgd_targeted": {"steps": 100, "restarts": 1, "targets": 9},  # AutoAttack's version
    "fab": {"steps": 100, "restarts": 1, "epsilon": math.inf},
    "fab_targeted": {"steps": 100, "restarts": 1, "targets": 9, "epsilon": math.inf},
    "deepfool": {"steps": 50, "overshoot": 0.02, "epsilon": math.inf},  # as its authors' code
    "square": {"queries": 1000, "rescale": True},
    "ensemble": {"steps": 100, "restarts": 1, "queries": 1000, "tally": None},
    "autoattack": {"steps": 100, "restarts": 1, "queries": 5000, "tally": None},
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_an_attack_does_what_was_published_unless_told_otherwise(name: str) -> None:
    parameters = signature(getattr(attacks, name)).parameters.values()
    given = {each.name: each.default for each in parameters if each.default is not each.empty}
    given.pop("generator", None)
    assert given == {"norm": "linf", "targeted": False} | PUBLISHED[name]


def test_the_command_takes_as_many_steps_and_queries_as_the_functions() -> None:
    """Of a method that has them; APGD's two losses are one function."""
    for method, attack in attacks.METHODS.items():
        default = {each.name: each.default for each in signature(attack).parameters.values()}
        assert default.get("steps", 10) == attacks.STEPS.get(method, 10), method
        assert default.get("queries", 1000) == attacks.QUERIES.get(method, 1000), method
    for loss in ("ce", "dlr"):
        _, made = looks(attacks.METHODS[f"apgd-{loss}"], steps=2)
        assert torch.equal(made, looks(attacks.apgd, steps=2, loss=loss)[1])
