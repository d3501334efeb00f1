"""FAB and DeepFool: the way to a plane within the box, and the smallest change there is."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize
from torch import Tensor, nn

from dlproj import attacks
from dlproj.attacks.common import lengths
from dlproj.attacks.minimal.plane import nearest_plane, plane_around, plane_between, to_plane
from tests.support import papers

NORMS = ("linf", "l2")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def smallest_onto_plane(point: Any, weights: Any, offset: float, norm: str) -> float:
    """Size of the smallest change onto the plane within the box; infinite if there is none."""
    count = len(point)
    if norm == "linf":  # minimise t with -t <= change <= t
        ones = np.ones((count, 1))
        sides = np.block([[np.eye(count), -ones], [-np.eye(count), -ones]])
        solved = linprog(
            [0] * count + [1],
            A_ub=sides,
            b_ub=np.zeros(2 * count),
            A_eq=[[*weights, 0]],
            b_eq=[offset - weights @ point],
            bounds=[*zip(-point, 1 - point, strict=True), (0, None)],
        )
        return solved.fun if solved.success else np.inf
    low, high = 0.0, 1e6  # along the way of the multiplier, by halving
    gap = offset - weights @ point

    def change(multiplier: float) -> Any:
        return np.clip(point + multiplier * np.sign(gap) * weights, 0, 1) - point

    if weights @ change(high) * np.sign(gap) < abs(gap) - 1e-9:
        return np.inf
    for _ in range(200):
        middle = (low + high) / 2
        reached = weights @ change(middle) * np.sign(gap) >= abs(gap)
        low, high = (low, middle) if reached else (middle, high)
    return float(np.linalg.norm(change(high)))


@pytest.mark.parametrize("norm", NORMS)
@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 9),
    scale=st.sampled_from([1e-12, 1, 1e6]),
    shift=st.floats(-3, 3),
    seed=st.integers(0, 1000),
)
def test_the_way_to_a_plane_is_the_smallest_within_the_box(
    norm: str, count: int, scale: float, shift: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    points = random.choice([0, 1, 0.5, random.random()], (3, count))
    weights = random.normal(size=(3, count)) * (random.random((3, count)) < 0.8)
    offset = (weights * points).sum(1) + shift * random.random(3)
    made = to_plane(
        torch.tensor(points), scale * torch.tensor(weights), scale * torch.tensor(offset), norm
    ).numpy()
    assert (points + made).min() >= 0
    assert (points + made).max() <= 1 + 1e-12
    for row in range(3):
        size = np.abs(made[row]).max() if norm == "linf" else np.linalg.norm(made[row])
        expected = smallest_onto_plane(points[row], weights[row], offset[row], norm)
        if np.isfinite(expected):
            assert weights[row] @ (points[row] + made[row]) == pytest.approx(offset[row], abs=1e-6)
            assert size == pytest.approx(expected, abs=1e-6)
        else:  # as far as the box goes
            towards = np.sign(weights[row]) * np.sign(offset[row] - weights[row] @ points[row])
            corner = np.where(towards > 0, 1, 0)
            moving = weights[row] != 0
            np.testing.assert_allclose((points[row] + made[row])[moving], corner[moving])


def test_in_l2_no_other_solver_finds_less() -> None:
    random = np.random.default_rng(3)
    point, weights = random.random(6), random.normal(size=6)
    offset = float(weights @ np.where(weights > 0, 0.9, 0.1))
    solved = minimize(
        lambda x: ((x - point) ** 2).sum(),
        point,
        bounds=[(0, 1)] * 6,
        constraints={"type": "eq", "fun": lambda x: weights @ x - offset},
        method="SLSQP",
        options={"ftol": 1e-14},
    )
    rows = torch.tensor(np.array([point, weights]))
    made = to_plane(rows[:1], rows[1:], torch.tensor([offset], dtype=torch.float64), "l2")
    np.testing.assert_allclose(point + made[0].numpy(), solved.x, atol=1e-5)


class Linear(nn.Linear):
    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images.flatten(1))


def linear(classes: int) -> Linear:
    model = Linear(16, classes).double()
    for weights in model.parameters():
        weights.data = torch.randn(weights.shape, generator=seeded(1), dtype=torch.float64)
    return model


def grey(count: int, side: int = 4) -> Tensor:
    """Near the middle of the box, so that small changes stay inside it."""
    noise = torch.rand(count, 1, side, side, generator=seeded(7), dtype=torch.float64)
    return 0.45 + 0.1 * noise


def distances_by_formula(model: Linear, images: Tensor, labels: Tensor, norm: str) -> Any:
    """To each class of a linear model: difference of logits by the dual norm of that of weights."""
    weights, bias = model.weight.detach().numpy(), model.bias.detach().numpy()
    rows = []
    for image, label in zip(images.flatten(1).numpy(), labels.tolist(), strict=True):
        logits = weights @ image + bias
        differences = weights - weights[label]
        sizes = (
            np.abs(differences).sum(1) if norm == "linf" else np.linalg.norm(differences, axis=1)
        )
        with np.errstate(invalid="ignore"):
            rows.append(
                np.where(np.arange(len(bias)) == label, np.inf, (logits[label] - logits) / sizes)
            )
    return np.array(rows)


@pytest.mark.parametrize("norm", NORMS)
def test_the_nearest_plane_is_that_of_the_formula(norm: str) -> None:
    model, images = linear(5), grey(6)
    labels = model(images).argmax(1)
    logits, lead, slope = nearest_plane(model, images, labels, norm)
    nearest = distances_by_formula(model, images, labels, norm).argmin(1)
    weights = model.weight.detach()
    rows = torch.arange(6)
    torch.testing.assert_close(logits, model(images).detach())
    torch.testing.assert_close(lead, logits[rows, nearest] - logits[rows, labels])
    torch.testing.assert_close(slope.flatten(1), weights[nearest] - weights[labels])
    aims = (labels + 1) % 5
    _, lead, slope = plane_between(model, images, labels, aims)
    torch.testing.assert_close(lead, logits[rows, aims] - logits[rows, labels])
    torch.testing.assert_close(slope.flatten(1), weights[aims] - weights[labels])
    _, lead, slope = plane_around(model, images, aims)
    torch.testing.assert_close(lead, logits[rows, aims] - logits[rows, labels])
    torch.testing.assert_close(slope.flatten(1), weights[aims] - weights[labels])


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["deepfool", "fab", "fab_targeted"])
def test_of_a_linear_network_the_smallest_change_is_that_of_the_formula(
    name: str, norm: str
) -> None:
    """DeepFool goes 1e-4 and then 2 % beyond; FAB ends a little beyond."""
    model, images = linear(5), grey(8)
    labels = model(images).argmax(1)
    made = getattr(attacks, name)(model, images, labels, norm=norm)
    assert (model(made).argmax(1) != labels).all()
    found = lengths(made - images, norm).numpy()
    expected = distances_by_formula(model, images, labels, norm).min(1)
    if name == "deepfool":
        np.testing.assert_allclose(found, 1.02 * (expected + 1e-4), rtol=1e-9)
    else:
        assert (found >= expected * (1 - 1e-12)).all()
        assert (found <= expected * 1.01).all()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["deepfool", "fab", "fab_targeted"])
def test_a_given_class_is_reached_and_too_far_is_left_alone(name: str, norm: str) -> None:
    model, images = linear(3), grey(8)
    aims = model(images).argmin(1)
    attack = getattr(attacks, name)
    made = attack(model, images, aims, norm=norm, targeted=True)
    assert (model(made).argmax(1) == aims).all()
    sizes = lengths(made - images, norm)
    epsilon = sizes.median().item() * 1.0001
    near = attack(model, images, aims, norm=norm, targeted=True, epsilon=epsilon)
    reached = model(near).argmax(1) == aims
    assert torch.equal(reached, sizes <= epsilon)
    assert 0 < reached.sum() < 8
    assert torch.equal(near[~reached], images[~reached])
    assert (lengths(near - images, norm) <= epsilon).all()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_fab_takes_the_steps_of_its_paper(norm: str, steps: int) -> None:
    """Two classes, so that there is one plane, and curved, so that the steps go on."""

    class Curved(nn.Module):
        def lead(self, points: Tensor) -> Tensor:
            return (3 * points.flatten(1) @ WAVES).sin().sum(1) + points.flatten(1).sum(1) - 8

        def forward(self, images: Tensor) -> Tensor:
            lead = self.lead(images)
            return torch.stack([-lead / 2, lead / 2], dim=1)

    model = Curved()
    images = torch.rand(6, 1, 3, 3, generator=seeded(2), dtype=torch.float64) / 2
    labels = torch.zeros(6, dtype=torch.long)
    assert (model(images).argmax(1) == labels).all()

    def lead(point: papers.Array) -> tuple[float, papers.Array]:
        here = torch.from_numpy(point)[None].requires_grad_()
        value = model.lead(here)
        (slope,) = torch.autograd.grad(value.sum(), here)
        return value.item(), slope[0].numpy()

    for name in ("fab", "fab_targeted"):
        made = getattr(attacks, name)(model, images, labels, norm=norm, steps=steps)
        for image, found in zip(images, made, strict=True):
            expected = papers.fab(lead, image.numpy(), steps=steps, norm=norm)
            np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-6)


WAVES = torch.randn(9, 12, generator=seeded(), dtype=torch.float64)


@pytest.mark.parametrize(
    ("norm", "epsilon", "most"),
    [("linf", 0.2, 0.1), ("linf", 0.5, 0.15), ("l2", 0.6, 0.3), ("l2", 2.0, 0.5)],
)
def test_a_restart_of_fab_begins_half_as_far_as_it_may_go(
    norm: str, epsilon: float, most: float
) -> None:
    """Half of epsilon, at most half of 0.3 or, in l2, of 1 (Croce & Hein 2020, section 3.5)."""
    seen = []

    class NeverMisread(nn.Linear):
        def forward(self, images: Tensor) -> Tensor:
            seen.append(images.detach())
            logits = super().forward(images.flatten(1))
            return logits + torch.tensor([1e3, 0, 0])

    images, labels = torch.full((20, 1, 4, 4), 0.5), torch.zeros(20, dtype=torch.long)
    options: dict[str, Any] = {"epsilon": epsilon, "norm": norm, "steps": 1, "restarts": 2}
    attacks.fab(NeverMisread(16, 3), images, labels, generator=seeded(), **options)
    # At first the images; then with each start a look at the planes and one at the step.
    far = lengths(seen[3] - images, norm)
    assert far.max() <= most + 1e-6
    assert far.min() > 0.5 * most
    assert (seen[3] - images).mean().abs() < 0.1 * most


def test_restarts_of_fab_find_what_is_no_further() -> None:
    torch.manual_seed(0)
    first = nn.Linear(36, 40)
    first.weight.data *= 60
    model = nn.Sequential(nn.Flatten(), first, nn.Tanh(), nn.Linear(40, 4)).eval()
    images = torch.rand(12, 1, 6, 6, generator=seeded(1))
    labels = model(images).argmax(1)
    sizes = {
        restarts: lengths(
            attacks.fab(model, images, labels, steps=8, restarts=restarts, generator=seeded(2))
            - images,
            "linf",
        )
        for restarts in (1, 8)
    }
    assert (sizes[8] <= sizes[1]).all()
    assert (sizes[8] < sizes[1]).any()


def test_what_is_misread_already_needs_no_change() -> None:
    model, images = linear(3), grey(4)
    labels = (model(images).argmax(1) + 1) % 3
    for attack in (attacks.deepfool, attacks.fab, attacks.fab_targeted):
        assert torch.equal(attack(model, images, labels), images)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("attack", [attacks.fab, attacks.fab_targeted])
def test_an_image_on_the_boundary_is_asked_about_and_no_nonsense(attack: Any, norm: str) -> None:
    """The distance to the plane is 0, which nothing is to be divided by."""
    linear = nn.Linear(4, 2)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[1.0], [-1.0]]).expand(2, 4))
        linear.bias.copy_(torch.tensor([-2.0, 2.0]))
    model = nn.Sequential(nn.Flatten(), linear)
    asked: list[Tensor] = []
    model.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[0].detach().clone()))
    images, labels = torch.full((1, 1, 2, 2), 0.5), torch.tensor([0])
    made = attack(model, images, labels, norm=norm, steps=30)
    assert torch.cat(asked).isfinite().all()
    assert (made - images).abs().max() < 0.1
