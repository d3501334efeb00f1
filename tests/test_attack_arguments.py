"""What attacks are called with: read rightly, or refused in words; never anything else."""

import copy
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import dlproj
from dlproj.attacks.common import dlr, targeted_dlr

ATTACKS: dict[str, Callable[..., Any]] = {
    "fgsm": dlproj.fgsm,
    "bim": partial(dlproj.bim, steps=2),
    "mifgsm": partial(dlproj.mifgsm, steps=2),
    "pgd": partial(dlproj.pgd, steps=2),
    "apgd": partial(dlproj.apgd, steps=3),
    "apgd_targeted": partial(dlproj.apgd_targeted, steps=3),
    "fab": partial(dlproj.fab, steps=3),
    "fab_targeted": partial(dlproj.fab_targeted, steps=2),
    "deepfool": partial(dlproj.deepfool, steps=3),
    "square": partial(dlproj.square, queries=3),
    "ensemble": partial(dlproj.ensemble, steps=3, queries=3),
    "autoattack": partial(dlproj.autoattack, steps=2, queries=3),
}
NEAREST = {"fab", "fab_targeted", "deepfool"}  # which move an image no further than they must
each_attack = pytest.mark.parametrize("name", ATTACKS)


def network(classes: int = 4, pixels: int = 36) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(pixels, 20),
        nn.BatchNorm1d(20),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(20, classes),
    )


def pictures(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(shape or (5, 1, 6, 6), generator=generator, dtype=torch.float32)


LABELS = torch.tensor([0, 1, 2, 3, 0])


class Detached(nn.Sequential):
    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = super().forward(images)  # type: ignore[no-untyped-call]
        return logits.detach()


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "bytes": ({"images": (255 * pictures()).byte()}, "images / 255"),
    "0 to 255": ({"images": 255 * pictures()}, "must be in [0, 1], not in"),
    "normalised": ({"images": pictures() - 0.5}, "let the model itself normalise"),
    "not a number": ({"images": pictures() / 0}, "must be in [0, 1]"),
    "integers": ({"images": pictures().long()}, "floating-point numbers in [0, 1], not int64"),
    "an array": ({"images": pictures().numpy()}, "torch.Tensor, not numpy.ndarray"),
    "no batch": ({"images": torch.rand(36)}, "must be (batch, ...)"),
    "empty": ({"images": pictures()[:0], "labels": LABELS[:0]}, "a pixel or more, not (0, 1, 6, 6"),
    "double": ({"images": pictures().double()}, "its weights are torch.float32, images.to("),
    "too small": ({"images": pictures()[..., :3]}, "does not take images (5, 1, 6, 3)"),
    "one-hot": ({"labels": torch.eye(4)[LABELS]}, "labels.argmax(1)"),
    "short": ({"labels": LABELS[:4]}, "labels must be (5,), a class for each image, not (4,)"),
    "floating labels": ({"labels": LABELS.float()}, "labels must be integers, not float32"),
    "negative": ({"labels": LABELS - 1}, "classes from 0 on, not -1"),
    "a fifth class": ({"labels": LABELS + 1}, "labels must be below 4"),
    "a list": ({"labels": LABELS.tolist()}, "labels must be a torch.Tensor, not list"),
    "a function": ({"model": lambda images: images}, "model must be a torch.nn.Module"),
    "epsilon of 255": ({"epsilon": 8}, "not 8: 8/255 is 0.0314"),
    "below 0": ({"epsilon": -0.1}, "a finite number from 0 on, not -0.1"),
    "nan": ({"epsilon": float("nan")}, "not nan"),
    "infinite": ({"epsilon": float("inf")}, "not inf"),
    "text": ({"epsilon": "8/255"}, "one number, such as 8 / 255"),
    "several": ({"epsilon": torch.rand(5)}, "epsilon must be one number"),
    "misnamed": ({"eps": 0.1}, "'eps'"),
    "one output": ({"model": network(1)}, "torch.stack([-z, z], 1)"),
    "a map": ({"model": nn.Conv2d(1, 4, 3)}, "must return logits (5, classes), not (5, 4, 4, 4)"),
    "a pair": ({"model": nn.Sequential(nn.Flatten(0, 1), nn.GRU(6, 4))}, "not tuple"),
}


@each_attack
@pytest.mark.parametrize("kind", WRONG)
def test_wrong_arguments_are_refused(name: str, kind: str) -> None:
    changes, message = WRONG[kind]
    right = {"model": network(), "images": pictures(), "labels": LABELS, "epsilon": 0.1}
    with pytest.raises(dlproj.UsageError) as refusal:
        ATTACKS[name](**{**right, **changes})
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("attack", "options", "message"),
    [
        (dlproj.fgsm, {"norm": "Linf"}, "norm must be 'linf' or 'l2', not 'Linf'"),
        (dlproj.fgsm, {"targeted": "yes"}, "targeted must be True or False"),
        (dlproj.pgd, {"steps": 0}, "steps must be a whole number from 1 on, not 0"),
        (dlproj.pgd, {"steps": 2.0}, "not 2.0"),
        (dlproj.pgd, {"restarts": True}, "not True"),
        (dlproj.pgd, {"step_size": 0}, "step_size must be a finite number above 0"),
        (dlproj.pgd, {"generator": 7}, "generator must be a torch.Generator, not int"),
        (dlproj.pgd, {"random_start": 1}, "random_start must be True or False"),
        (dlproj.mifgsm, {"decay": -1}, "decay must be a finite number from 0 on"),
        (dlproj.apgd, {"loss": "DLR"}, "loss must be 'ce' or 'dlr', not 'DLR'"),
        (dlproj.square, {"queries": 0}, "queries must be a whole number"),
        (dlproj.square, {"rescale": None}, "rescale must be True or False"),
        (dlproj.square, {"norm": "l1"}, "norm must be 'linf' or 'l2', not 'l1'"),
        (dlproj.apgd_targeted, {"targets": 0}, "targets must be a whole number from 1 on, not 0"),
        (dlproj.deepfool, {"overshoot": -1}, "overshoot must be a finite number from 0 on, not -1"),
        (dlproj.ensemble, {"tally": {}}, "tally must be a collections.Counter, not dict"),
    ],
)
def test_wrong_options_are_refused(
    attack: Callable[..., Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(dlproj.UsageError) as refusal:
        attack(network(), pictures(), LABELS, epsilon=0.1, **options)
    assert message in str(refusal.value)


def test_a_sweep_checks_each_epsilon() -> None:
    for epsilons in ([], 0.1, "0.1", [0.1, 8], [0.1, "x"], None):
        with pytest.raises(dlproj.UsageError, match="epsilons"):
            dlproj.fgsm_sweep(network(), pictures(), LABELS, epsilons=epsilons)  # type: ignore[arg-type]
    made = dlproj.fgsm_sweep(network(), pictures(), LABELS, epsilons=torch.tensor([0, 0.1]))  # type: ignore[arg-type]
    assert len(made) == 2


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.floats(width=32),
    st.text(max_size=4),
    st.just([1, 2]),
    st.just({}),
    st.just(np.float32(0.1)),
    st.just(torch.tensor(0.1)),
)
DTYPES = (
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.uint16,
    torch.int64,
    torch.bool,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.complex64,
)


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    """Of any kind and shape, some of them images or labels."""
    shape = draw(
        st.sampled_from([(), (5,), (5, 36), (5, 6, 6), (5, 1, 6, 6), (0, 1, 6, 6), (5, 4)])
    )
    scale = draw(st.sampled_from([1, 4, 255, -1, float("nan")]))
    values = scale * torch.rand(shape, generator=torch.Generator().manual_seed(1))
    return values.to(draw(st.sampled_from(DTYPES)))


@each_attack
@settings(max_examples=60)
@given(data=st.data())
def test_any_arguments_are_read_rightly_or_refused(name: str, data: st.DataObject) -> None:
    right: dict[str, Any] = {
        "model": network(),
        "images": pictures(),
        "labels": LABELS,
        "epsilon": 0.1,
        "norm": "linf",
        "targeted": False,
    }
    for argument in data.draw(st.sets(st.sampled_from([*right]), max_size=2)):
        right[argument] = data.draw(st.one_of(anything, tensors()))
    try:
        made = ATTACKS[name](**right)
    except dlproj.UsageError:
        return
    assert made.shape == right["images"].shape
    assert made.dtype == right["images"].dtype
    assert made.min() >= 0
    assert made.max() <= 1
    change = (made - right["images"]).double().flatten(1)
    size = change.abs().max() if right["norm"] == "linf" else change.norm(dim=1).max()
    assert size <= float(right["epsilon"]) + 1e-6


@each_attack
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.uint16])
def test_labels_of_any_width_are_taken(name: str, dtype: torch.dtype) -> None:
    attack = partial(ATTACKS[name], network(), pictures(), epsilon=0.1)
    torch.manual_seed(1)
    wide = attack(labels=LABELS)
    torch.manual_seed(1)
    assert torch.equal(attack(labels=LABELS.to(dtype)), wide)


@each_attack
def test_attacks_work_where_gradients_are_switched_off(name: str) -> None:
    model, images = network(), pictures()
    torch.manual_seed(1)
    usual = ATTACKS[name](model, images, LABELS, epsilon=0.1)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            torch.manual_seed(1)
            assert torch.equal(ATTACKS[name](model, images, LABELS, epsilon=0.1), usual)
            again = [copy.deepcopy(model), images.clone(), LABELS.clone()]  # made in that mode
            torch.manual_seed(1)
            made = ATTACKS[name](*again, epsilon=0.1)
            assert torch.equal(made, usual)
            assert not made.is_inference()
            assert torch.is_grad_enabled() is False


@each_attack
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_move_as_many_pixels(name: str, dtype: torch.dtype) -> None:
    made = ATTACKS[name](network().to(dtype), pictures().to(dtype), LABELS, epsilon=0.1)
    assert made.dtype == dtype
    change = (made.float() - pictures()).abs()
    few = {"ensemble": 0.3, "autoattack": 0.3, **dict.fromkeys(NEAREST, 0.19)}
    assert (0.02 if name in NEAREST else 0.09) < change.max() < 0.11
    assert (change > 0.01).float().mean() > few.get(name, 0.7)


@each_attack
def test_the_default_precision_changes_nothing(name: str) -> None:
    made = []
    for dtype in (torch.float32, torch.float64):
        model = network()
        torch.set_default_dtype(dtype)
        try:
            generator = (
                {} if name in {"fgsm", "bim", "mifgsm", "deepfool"} else {"generator": seeded()}
            )
            made.append(ATTACKS[name](model, pictures(), LABELS, epsilon=0.1, **generator))
        finally:
            torch.set_default_dtype(torch.float32)
    assert torch.equal(*made)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(5)


@each_attack
def test_colour_and_few_classes_are_read_rightly(name: str) -> None:
    colour = ATTACKS[name](network(pixels=108), pictures(5, 3, 6, 6), LABELS, epsilon=0.1)
    assert colour.shape == (5, 3, 6, 6)
    for classes in (2, 3):
        made = ATTACKS[name](network(classes), pictures(), LABELS % classes, epsilon=0.1)
        assert made.isfinite().all()


@each_attack
def test_flat_images_are_taken_or_refused_by_name(name: str) -> None:
    attack = partial(ATTACKS[name], network(), pictures().flatten(1), LABELS, epsilon=0.1)
    if name in {"square", "ensemble", "autoattack"}:
        with pytest.raises(dlproj.UsageError, match=r"square.*needs images \(batch, channels"):
            attack()
    else:
        assert attack().shape == (5, 36)


@each_attack
def test_the_model_is_afterwards_as_it_was(name: str) -> None:
    """Parts frozen in evaluation mode, weights that want no gradient, gradients, buffers."""
    model = network().train()
    model[2].eval()
    model[1].requires_grad_(False)
    model(pictures()).sum().backward()
    before = state(model)
    images = pictures().requires_grad_()
    assert not ATTACKS[name](model, images, LABELS, epsilon=0.1).requires_grad
    assert images.grad is None
    assert state(model) == before
    with pytest.raises(dlproj.UsageError):
        ATTACKS[name](model, pictures(), LABELS + 1, epsilon=0.1)
    assert state(model) == before


def state(model: nn.Module) -> list[Any]:
    weights = [
        (each.requires_grad, None if each.grad is None else each.grad.tolist())
        for each in model.parameters()
    ]
    values = [value.tolist() for value in model.state_dict().values()]
    return [[module.training for module in model.modules()], weights, values]


def test_threads_on_one_model_leave_it_as_it_was() -> None:
    model = network().train()
    model[2].eval()
    before, expected = (
        state(model),
        dlproj.pgd(model, pictures(), LABELS, epsilon=0.1, random_start=False),
    )
    made: list[Tensor] = []

    def attack_often() -> None:
        attack = partial(dlproj.pgd, model, pictures(), LABELS, epsilon=0.1, random_start=False)
        made.extend(attack() for _ in range(5))

    threads = [threading.Thread(target=attack_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 20
    assert all(torch.equal(each, expected) for each in made)
    assert state(model) == before


def test_probabilities_are_warned_of() -> None:
    model = nn.Sequential(network(), nn.Softmax(1))
    with pytest.warns(UserWarning, match="the model's outputs are probabilities"):
        dlproj.fgsm(model, pictures(), LABELS, epsilon=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dlproj.fgsm(nn.Sequential(network(), nn.LogSoftmax(1)), pictures(), LABELS, epsilon=0.1)


def test_a_model_without_gradients_is_refused_where_they_are_needed() -> None:
    model = Detached(*network())
    with pytest.raises(dlproj.UsageError, match="square is the attack that needs none"):
        dlproj.fgsm(model, pictures(), LABELS, epsilon=0.1)
    assert dlproj.square(model, pictures(), LABELS, epsilon=0.1, queries=5).isfinite().all()


def test_dlr_of_two_classes_is_the_margin() -> None:
    logits = torch.tensor([[1.0, 3.0], [2.0, 0.5]])
    labels = torch.tensor([1, 1])
    torch.testing.assert_close(dlr(logits, labels), torch.tensor([-2.0, 1.5]))
    torch.testing.assert_close(targeted_dlr(logits, labels, 1 - labels), torch.tensor([-2.0, 1.5]))


def test_dlr_of_two_classes_finds_what_the_cross_entropy_finds() -> None:
    model, images = network(2).eval(), pictures(200, 1, 6, 6)
    labels = model(images).argmax(1)
    left = {
        loss: int(
            (
                model(
                    dlproj.apgd(
                        model, images, labels, epsilon=0.3, steps=10, loss=loss, generator=seeded()
                    )
                ).argmax(1)
                == labels
            ).sum()
        )
        for loss in ("ce", "dlr")
    }
    assert left["dlr"] <= left["ce"] + 2 < 150


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = network()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.inner(images)
        return logits if images.mean() < 0.9 else -logits


def test_what_cannot_be_prepared_is_copied_as_it_is() -> None:
    hooked = network().eval()
    hooked.register_forward_pre_hook(lambda _, seen: (1 - seen[0],))
    for model in (hooked, Branching().eval()):
        prepared = dlproj.prepare(model)
        assert prepared is not model
        assert torch.equal(prepared(pictures()), model(pictures()))
        assert not any(weights.requires_grad for weights in prepared.parameters())
    with pytest.raises(dlproj.UsageError, match=r"model must be a .*Module, not int"):
        dlproj.prepare(3)  # type: ignore[arg-type]
