"""The ensemble: which attacks come in turn, on what, towards which classes, and who is credited."""

from collections import Counter
from importlib import import_module
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dlproj import attacks


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


class Brightness(nn.Module):
    """Class 1 from a sum of 0.5 on, class 0 below."""

    def forward(self, images: Tensor) -> Tensor:
        total = images.flatten(1).sum(1)
        return torch.stack([0.5 - total, total - 0.5], dim=1)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_ensemble_tallies_its_parts_in_turn(norm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part is given what stands, and fools one image of those; Square is of linf alone."""
    module = import_module("dlproj.attacks.ensemble")
    given: list[tuple[str, int, dict[str, Any]]] = []

    def fools_one(name: str) -> Any:
        def attack(_: nn.Module, images: Tensor, __: Tensor, **options: Any) -> Tensor:
            given.append((options.get("loss", name), len(images), options))
            made = images.clone()
            made[0] = 1
            return made

        return attack

    monkeypatch.setattr(module, "apgd", fools_one("apgd"))
    monkeypatch.setattr(module, "square", fools_one("square"))
    monkeypatch.setattr(module, "_towards_others", fools_one("others"))
    images, labels = torch.zeros(6, 1, 1, 1), torch.zeros(6, dtype=torch.long)
    images[5] = 1  # misread from the start
    tally: Counter[str] = Counter()
    settings: dict[str, Any] = {"epsilon": 0.5, "steps": 7, "restarts": 3, "queries": 11}
    generator = seeded()
    made = attacks.ensemble(
        Brightness(), images, labels, norm=norm, tally=tally, generator=generator, **settings
    )
    names = ["apgd-ce", "apgd-dlr", "apgd-targeted", "square"][: 4 if norm == "linf" else 3]
    assert dict(tally) == dict.fromkeys(names, 1)
    assert list(tally) == names
    order = ["ce", "dlr", "others", "square"][: len(names)]
    assert [(name, count) for name, count, _ in given] == list(
        zip(order, (5, 4, 3, 2), strict=False)
    )
    assert made.flatten().tolist() == [1] * len(names) + [0] * (5 - len(names)) + [1]
    for name, _, options in given:
        assert options["generator"] is generator
        assert options["epsilon"] == 0.5
        if name == "square":
            assert (options["queries"], options["targeted"]) == (11, False)
        else:
            assert (options["steps"], options["norm"]) == (7, norm)
        if name in {"ce", "dlr"}:
            assert (options["restarts"], options["targeted"]) == (3, False)


@pytest.mark.parametrize(("classes", "aims"), [(5, [2, 3, 1]), (3, [2, 1])])
def test_the_ensemble_aims_at_the_three_likeliest_others_in_turn(
    classes: int, aims: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_module("dlproj.attacks.ensemble")
    row = torch.tensor([5.0, 1.0, 3.0, 2.0, 0.0])[:classes]
    images, labels = torch.zeros(2, 1, 1, 1), torch.tensor([0, 0])
    aimed: list[float] = []
    options: dict[str, Any] = {"epsilon": 0.3, "steps": 9, "norm": "l2", "generator": seeded()}

    def stubborn(images: Tensor) -> Tensor:
        return row.expand(len(images), classes).clone()

    def ascend(model: Any, images: Tensor, own: Tensor, objective: Any, **given: Any) -> Tensor:
        assert given == {**options, "restarts": 1, "targeted": False}
        value = objective(model(images[:1]), torch.tensor([1]))
        aimed.append(value.item())
        return images

    monkeypatch.setattr(module, "ascend", ascend)
    made = module._towards_others(stubborn, images, labels, **options)
    assert torch.equal(made, images)
    scale = 5 - (2 + 1) / 2 if classes == 5 else 5 - 1
    assert aimed == pytest.approx([(row[aim].item() - 5) / scale for aim in aims])


def test_the_ensemble_goes_on_with_what_is_not_misread(monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("dlproj.attacks.ensemble")
    given: list[int] = []

    def ascend(_: Any, images: Tensor, *__: Any, **___: Any) -> Tensor:
        given.append(len(images))
        return torch.cat([torch.ones_like(images[:2]), images[2:]])

    monkeypatch.setattr(module, "ascend", ascend)
    images, labels = torch.zeros(3, 1, 1, 1), torch.zeros(3, dtype=torch.long)
    model = Brightness()
    made = module._towards_others(
        model, images, labels, epsilon=1, steps=1, norm="linf", generator=None
    )
    assert given == [3]  # of two classes there is one other
    assert made.flatten().tolist() == [1, 1, 0]
