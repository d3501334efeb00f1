"""Square against the algorithms and the numbers of its paper."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dlproj import attacks
from dlproj.attacks.square import _side
from dlproj.attacks.square_l2 import _bump, move_bump
from tests.support import papers
from tests.support.watched import Watched


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def box(change: Tensor) -> tuple[int, int]:
    """Height and width of the part of an image (channels, height, width) that is not zero."""
    rows, columns = change.any(0).nonzero().T
    return int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1


def test_sides_of_squares_over_ten_thousand_queries() -> None:
    """Side 25 is the square root of 0.8 of 28x28 pixels; and so on."""
    places = [
        1,
        10,
        11,
        50,
        51,
        200,
        201,
        500,
        501,
        1000,
        1001,
        2000,
        2001,
        4000,
        4001,
        6000,
        6001,
        8000,
        8001,
    ]
    expected = [25, 25, 18, 18, 13, 13, 9, 9, 6, 6, 4, 4, 3, 3, 2, 2, 2, 2, 1]
    published = papers.square_sides(10_000, 28, 28)
    assert [published[place - 1] for place in places] == expected
    image = torch.zeros(1, 1, 28, 28)
    assert [_side(query / 10_000, image) for query in range(1, 10_000)] == published


@pytest.mark.parametrize("queries", [1000, 200])
def test_square_halves_its_squares_as_published(queries: int) -> None:
    """The model never gives way, so each look is the first one with one square on it."""
    model, image = Watched(), torch.full((1, 1, 28, 20), 0.5)
    labels = torch.zeros(1, dtype=torch.long)
    attacks.square(model, image, labels, epsilon=0.1, queries=queries, generator=seeded())
    stripes, *looks = model.shown
    assert len(model.shown) == queries
    assert (stripes - image).abs() == pytest.approx(0.1, abs=1e-6)
    assert torch.equal(stripes, stripes[:, :, :1].expand_as(stripes))
    assert 0 < (stripes > image).float().mean() < 1
    sides = papers.square_sides(queries, 28, 20)
    seen: dict[int, set[tuple[int, int]]] = {side: set() for side in sides}
    signs = set()
    for look, side in zip(looks, sides, strict=True):
        change = (look - stripes)[0]
        if change.any():
            seen[side].add(box(change))
            signs.add(change.sum().sign().item())
            assert change.abs().max() == pytest.approx(0.2, abs=1e-6)
            assert (change.min() < 0) != (change.max() > 0)
    for side, boxes in seen.items():
        assert {height for height, _ in boxes} == {side}
        assert max(width for _, width in boxes) <= side
    assert signs == {1, -1}


def test_square_halves_its_squares_as_for_ten_thousand_queries_where_told() -> None:
    model, image = Watched(), torch.full((1, 1, 28, 28), 0.5)
    given: dict[str, Any] = {"epsilon": 0.1, "queries": 300, "generator": seeded()}
    attacks.square(model, image, torch.tensor([0]), rescale=False, **given)
    sides = papers.square_sides(10_000, 28, 28)
    for number, look in enumerate(model.shown[1:], 1):
        change = (look - model.shown[0])[0]
        assert not change.any() or box(change)[0] == sides[number - 1]


def bump(side: int) -> papers.Array:
    """A hill over a valley; of each, the k-th of rectangles upon each other is 1/k² high."""
    made = np.zeros((side, side))
    for top, bottom, sign in ((0, side // 2, 1), (side // 2, side, -1)):
        half = np.zeros((bottom - top, side))
        for row, column in itertools.product(range(bottom - top), range(side)):
            away = max(abs(row - (bottom - top) // 2), abs(column - side // 2))
            most = max(bottom - top, side) // 2
            half[row, column] = sum(1 / (k + 1) ** 2 for k in range(away, most + 1))
        made[top:bottom] = sign * half / np.linalg.norm(half)
    return made / np.linalg.norm(made)


@pytest.mark.parametrize("side", [3, 4, 5, 9])
def test_bumps_of_square_are_those_of_its_paper(side: int) -> None:
    images = torch.zeros(1, dtype=torch.float64)
    made = [_bump(side, images, seeded(seed)).numpy() for seed in range(9)]
    turned = [not np.allclose(each, bump(side)) for each in made]
    assert 0 < sum(turned) < 9
    for each, other in zip(made, turned, strict=True):
        np.testing.assert_allclose(each, bump(side).T if other else bump(side), atol=1e-12)


def test_square_in_l2_begins_with_tiles_and_moves_length_between_windows() -> None:
    """The model never gives way. Nothing is clipped: the image is grey and epsilon small."""
    model = Watched()
    images = torch.full((2, 3, 20, 20), 0.5, dtype=torch.float64)
    labels = torch.zeros(2, dtype=torch.long)
    given: dict[str, Any] = {"epsilon": 0.4, "queries": 60, "generator": seeded()}
    attacks.square(model, images, labels, norm="l2", **given)
    start, *looks = (shown - images for shown in model.shown)
    tiles = start.unfold(2, 4, 4).unfold(3, 4, 4)
    lengths = tiles.square().sum((4, 5)).sqrt()
    torch.testing.assert_close(lengths, torch.full_like(lengths, 0.4 / 75**0.5))
    sides = papers.square_sides(60, 20, 20)
    for look, side in zip(looks, sides, strict=True):
        torch.testing.assert_close(look.flatten(1).norm(dim=1), torch.full((2,), 0.4).double())
        moved = (look - start).abs() > 1e-9
        odd = min(max(side + 1 - side % 2, 3), 20)
        assert moved.sum(dim=(2, 3)).max() <= 2 * odd**2
        if 2 * odd < 20:  # elsewhere nothing changes, and the length of each channel stays
            assert not moved.all(dim=(2, 3)).any()
            torch.testing.assert_close(look.flatten(2).norm(dim=2), start.flatten(2).norm(dim=2))
            np.testing.assert_array_equal(moved[0].any(0).numpy(), moved[1].any(0).numpy())


def test_what_epsilon_leaves_over_goes_into_the_window_and_nothing_else_changes() -> None:
    """Of a change of 0.3, less than epsilon: as after a clipping."""
    images = torch.full((2, 3, 20, 20), 0.5, dtype=torch.float64)
    noise = torch.randn(images.shape, generator=seeded(), dtype=torch.float64)
    change = 0.3 * noise / noise.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    moved = move_bump(images + change, images, 3, 0.4, seeded(1)) - images
    torch.testing.assert_close(moved.flatten(1).norm(dim=1), torch.full((2,), 0.4).double())
    other = (moved - change).abs() > 1e-9
    assert other.sum(dim=(2, 3)).max() <= 18
    assert other.any()


def test_a_change_a_little_longer_than_epsilon_leaves_nothing_over() -> None:
    """As by rounding. Both windows are without change, so that nothing else fills the bump."""
    images = torch.full((1, 1, 20, 20), 0.5, dtype=torch.float64)
    here = images.clone()
    here[..., 0, 0] += 0.4 + 1e-9
    for seed in range(9):
        moved = move_bump(here, images, 3, 0.4, seeded(seed)) - images
        assert moved.flatten(1).norm(dim=1).item() == pytest.approx(0.4)


def test_square_in_l2_fools_within_epsilon_what_a_random_change_does_not() -> None:
    torch.manual_seed(3)
    model = nn.Sequential(nn.Flatten(), nn.Linear(100, 3))
    images = 0.3 + 0.4 * torch.rand(20, 1, 10, 10)
    labels = model(images).argmax(1)
    made, first = (
        attacks.square(
            model, images, labels, epsilon=0.5, queries=queries, norm="l2", generator=seeded()
        )
        for queries in (300, 1)
    )
    assert (made - images).flatten(1).norm(dim=1).max() <= 0.5 + 1e-6
    right = [int((model(each).argmax(1) == labels).sum()) for each in (made, first)]
    assert right[0] < right[1] - 3


def test_square_looks_a_thousand_times_unless_told_and_draws_from_its_generator_alone() -> None:
    model, images = Watched(), torch.rand(1, 1, 4, 4, generator=seeded())
    before = torch.get_rng_state()
    attacks.square(model, images, torch.tensor([0]), epsilon=0.1, generator=seeded(1))
    assert len(model.shown) == 1000
    assert torch.equal(torch.get_rng_state(), before)


def test_signs_of_square_are_drawn_evenly_in_the_precision_of_the_images() -> None:
    """0.35 in single precision is less, so that no clipping hides it."""
    model, images = Watched(), torch.full((1, 1, 2, 10_000), 0.5, dtype=torch.float64)
    attacks.square(model, images, torch.tensor([0]), epsilon=0.35, queries=2, generator=seeded())
    change = model.shown[0] - images
    torch.testing.assert_close(change.abs(), torch.full_like(change, 0.35), rtol=0, atol=1e-12)
    assert (change > 0).double().mean().item() == pytest.approx(0.5, abs=0.02)


def margins(model: nn.Module, images: Tensor, labels: Tensor) -> list[float]:
    """The label's logit less the highest other."""
    return [
        row[label] - max(row[other] for other in range(len(row)) if other != label)
        for row, label in zip(model(images).tolist(), labels.tolist(), strict=True)
    ]


@pytest.mark.parametrize("targeted", [False, True])
def test_square_keeps_what_lowers_the_margin_until_the_image_is_misread(targeted: bool) -> None:
    torch.manual_seed(5)
    network = nn.Sequential(nn.Flatten(), nn.Linear(2 * 8 * 8, 3))
    images, labels = torch.rand(1, 2, 8, 8), torch.tensor([1])
    network[1].bias.data = torch.tensor([0.0, -2.0 if targeted else 2.0, 0.0])
    model = Watched(network)
    made = attacks.square(
        model, images, labels, epsilon=0.3, queries=300, targeted=targeted, generator=seeded()
    )
    sign = -1 if targeted else 1
    heights = [sign * margins(network, look, labels)[0] for look in model.shown]
    assert min(heights) < heights[0]
    assert (heights[-1] < 0) == (len(heights) < 300)  # stops once it is read as wanted
    assert all(height > 0 for height in heights[:-1])
    assert torch.equal(made, model.shown[heights.index(min(heights))])
    best = 0
    sides = papers.square_sides(300, 8, 8)
    for number, look in enumerate(model.shown[1:], 1):
        change = (look - model.shown[best])[0]
        assert not change.any() or max(box(change)) <= sides[number - 1]
        best = number if heights[number] < heights[best] else best
    assert (made - images).abs().max() <= 0.3 + 1e-6
