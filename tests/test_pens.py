"""Training for photos: digits of many pens, and shapes to be unsure of."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont

from dlproj.data.batches import ShuffledBatches
from dlproj.data.digits import load_digits, to_pixels
from dlproj.data.pens import SIGNS, pen_strokes, shapes
from dlproj.errors import UsageError
from dlproj.experiments.pens import PenBatches, open_set_loss
from dlproj.settings.digits import DigitsConfig
from tests.support import pens

DIGITS = to_pixels(load_digits().train.pictures[:40])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_pens_change_the_stroke_and_keep_the_digit() -> None:
    drawn = pen_strokes(DIGITS, seeded())
    assert drawn.shape == DIGITS.shape
    assert drawn.amin() >= 0
    assert torch.equal(drawn.amax((1, 2, 3)), torch.ones(len(drawn)))
    ink = drawn.sum((1, 2, 3)) / DIGITS.sum((1, 2, 3))
    assert ink.min() < 0.8
    assert ink.max() > 1.3
    both = torch.stack([drawn.flatten(1), DIGITS.flatten(1)])
    alike = F.cosine_similarity(both[0], both[1])
    assert alike.median() > 0.85
    assert torch.equal(drawn, pen_strokes(DIGITS, seeded()))
    assert not torch.equal(drawn, pen_strokes(DIGITS, seeded(1)))


def test_pens_are_what_numpy_makes_of_the_same_random_numbers() -> None:
    faint = torch.cat([0.15 * DIGITS, 0.05 * DIGITS])  # of which the last stay below 0.1
    many = torch.cat([DIGITS.repeat(5, 1, 1, 1), faint])  # gaps and rests come once in eight
    expected = pens.pen_strokes(many[:, 0].double().numpy(), seeded(2))
    made = pen_strokes(many, seeded(2))[:, 0].double().numpy()
    np.testing.assert_allclose(made, expected, rtol=0, atol=1e-4)


def test_shapes_are_what_numpy_makes_of_the_same_random_numbers() -> None:
    draws, count = seeded(4), len(DIGITS)
    digits = DIGITS[:, 0].double().numpy()
    blots, crossings = pens.blots(count, draws), pens.crossings(count, draws)
    lying = [line * pens.SQUARE for line in pens.lines(count, draws, 1.5, 0.6)]
    signs = torch.randint(33, (count,), generator=draws).tolist()
    for place, image in enumerate(shapes(DIGITS, seeded(4))[:, 0].double().numpy()):
        expected = [
            blots[place],
            crossings[place],
            lying[place],
            pens.pair(digits[place], digits[place - 1]),
            printed(SIGNS[signs[place]]),
        ][place % 5]
        np.testing.assert_allclose(image, expected, rtol=0, atol=1e-4)


def printed(sign: str) -> Any:
    """A sign of 24 points in the middle, in Pillow's own font."""
    picture = Image.new("L", (28, 28))
    font = ImageFont.load_default(24)
    ImageDraw.Draw(picture).text((14, 14), sign, 255, font, anchor="mm")
    return np.asarray(picture) / 255


def test_shapes_are_drawn_where_digits_are() -> None:
    made = shapes(DIGITS, seeded())
    assert made.shape == DIGITS.shape
    assert made.amin() >= 0
    assert made.amax() <= 1
    outside = F.pad(torch.zeros(20, 20), [4] * 4, value=1)
    drawn = torch.arange(len(made)) % 5 < 3  # blots, crossings and lines
    assert not (made[drawn] * outside).any()
    assert (made.sum((1, 2, 3)) > 5).all()


def test_the_loss_of_classes_is_cross_entropy_and_of_shapes_least_where_unsure() -> None:
    logits, labels = torch.randn(6, 10, generator=seeded()), torch.tensor([0, 3, 9, 1, 5, 5])
    expected = F.cross_entropy(logits, labels, label_smoothing=0.1)
    torch.testing.assert_close(open_set_loss(logits, labels, label_smoothing=0.1), expected)
    shape = torch.tensor([10])
    unsure = open_set_loss(torch.zeros(1, 10), shape, label_smoothing=0.1)
    torch.testing.assert_close(unsure, torch.tensor(10.0).log())
    assert open_set_loss(5 * torch.eye(10)[:1], shape, label_smoothing=0.1) > unsure + 0.5


def test_a_fifth_of_each_batch_is_no_digit() -> None:
    batches = ShuffledBatches(
        load_digits().train.pictures[:40],
        load_digits().train.labels[:40],
        batch_size=20,
        seed=0,
        prepare=lambda pictures, _: to_pixels(pictures),
    )
    made = PenBatches(batches, 10)
    epoch = [*made.epoch(0)]
    assert len(epoch) == len(made) == 2
    for images, labels in epoch:
        assert images.shape == (25, 1, 28, 28)
        assert (labels == 10).sum() == 5
    resumed = next(iter(made.epoch(0, done=1)))
    assert torch.equal(resumed[0], epoch[1][0])
    assert torch.equal(resumed[1], epoch[1][1])


def test_pens_and_adversarial_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="--pens, as in --recipe pictures, and --adversarial"):
        DigitsConfig(pens=True, adversarial=True)
