"""The ensemble: which attacks come in turn, on what, towards which classes, and who is credited."""

from collections import Counter
from importlib import import_module
from inspect import signature
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
    monkeypatch.setattr(module, "apgd_targeted", fools_one("others"))
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


class Stubborn(nn.Module):
    """Sees the same in every image."""

    def __init__(self, *row: float) -> None:
        super().__init__()
        self.row = torch.tensor(row)

    def forward(self, images: Tensor) -> Tensor:
        return self.row.expand(len(images), -1).clone()


@pytest.mark.parametrize(("classes", "targets", "aims"), [(5, 3, [2, 3, 1]), (3, 9, [2, 1])])
def test_targeted_apgd_aims_at_the_likeliest_others_in_turn(
    classes: int, targets: int, aims: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = [5.0, 1.0, 3.0, 2.0, 0.0][:classes]
    images, labels = torch.zeros(2, 1, 1, 1), torch.tensor([0, 0])
    aimed: list[float] = []
    options: dict[str, Any] = {"epsilon": 0.3, "steps": 9, "norm": "l2", "generator": seeded()}

    def ascend(model: Any, images: Tensor, own: Tensor, objective: Any, **given: Any) -> Tensor:
        assert given == {**options, "restarts": 1, "targeted": False}
        value = objective(model(images[:1]), torch.tensor([1]))
        aimed.append(value.item())
        return images

    monkeypatch.setattr(import_module("dlproj.attacks.apgd"), "ascend", ascend)
    made = attacks.apgd_targeted(Stubborn(*row), images, labels, targets=targets, **options)
    assert torch.equal(made, images)
    scale = 5 - (2 + 1) / 2 if classes == 5 else 5 - 1
    assert aimed == pytest.approx([(row[aim] - 5) / scale for aim in aims])


def test_targeted_apgd_towards_a_given_class_aims_at_that_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aimed: list[float] = []

    def ascend(model: Any, images: Tensor, aims: Tensor, objective: Any, **given: Any) -> Tensor:
        assert given["targeted"] is True
        assert aims.tolist() == [3, 3]
        aimed.append(objective(model(images[:1]), torch.tensor([1])).item())
        return images

    monkeypatch.setattr(import_module("dlproj.attacks.apgd"), "ascend", ascend)
    images, labels = torch.zeros(2, 1, 1, 1), torch.tensor([3, 3])
    model = Stubborn(5.0, 1.0, 3.0, 2.0, 0.0)
    attacks.apgd_targeted(model, images, labels, epsilon=0.1, targeted=True)
    assert aimed == pytest.approx([(2 - 5) / (5 - (2 + 1) / 2)])


def test_targeted_apgd_goes_on_with_what_is_not_misread(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []

    def ascend(_: Any, images: Tensor, *__: Any, **___: Any) -> Tensor:
        given.append(len(images))
        return torch.cat([torch.ones_like(images[:2]), images[2:]])

    monkeypatch.setattr(import_module("dlproj.attacks.apgd"), "ascend", ascend)
    images, labels = torch.zeros(3, 1, 1, 1), torch.zeros(3, dtype=torch.long)
    made = attacks.apgd_targeted(Brightness(), images, labels, epsilon=1, steps=1)
    assert given == [3]  # of two classes there is one other
    assert made.flatten().tolist() == [1, 1, 0]


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize(
    ("classes", "second"), [(2, None), (3, ("apgd-dlr", "dlr")), (4, ("apgd-t", "apgd_targeted"))]
)
def test_autoattack_is_its_four_parts_with_the_published_settings(
    classes: int, second: tuple[str, str] | None, norm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DLR needs a third class, its targeted form a fourth."""
    module = import_module("dlproj.attacks.ensemble")
    given: list[tuple[str, dict[str, Any]]] = []

    def fails(name: str) -> Any:
        def attack(_: nn.Module, images: Tensor, __: Tensor, **options: Any) -> Tensor:
            given.append((options.get("loss", name), options))
            return images

        return attack

    for name in ("apgd", "apgd_targeted", "fab_targeted", "square"):
        monkeypatch.setattr(module, name, fails(name))
    model = Stubborn(*[float(-number) for number in range(classes)])
    tally: Counter[str] = Counter()
    images, labels = torch.zeros(3, 1, 1, 1), torch.zeros(3, dtype=torch.long)
    attacks.autoattack(model, images, labels, epsilon=0.1, norm=norm, tally=tally)
    middle = [second] if second else []
    parts = [("apgd-ce", "ce"), *middle, ("fab-t", "fab_targeted"), ("square", "square")]
    assert [name for name, _ in given] == [function for _, function in parts]
    assert [*tally.items()] == [(name, 0) for name, _ in parts]
    for name, options in given:
        assert (options["epsilon"], options["norm"]) == (0.1, norm)
        if name == "square":
            assert (options["queries"], options["rescale"]) == (5000, False)
        else:
            assert (options["steps"], options["restarts"]) == (100, 1)
            assert options.get("targets", 9) == 9


def test_nine_classes_are_aimed_at_unless_told() -> None:
    for attack in (attacks.apgd_targeted, attacks.fab_targeted):
        assert signature(attack).parameters["targets"].default == 9
