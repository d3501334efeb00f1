"""Distorted images: against scipy's affine transform of matrices written out."""

import math

import numpy as np
import torch
from scipy import ndimage

from dlproj.data.digits import to_pixels
from dlproj.data.distortions import distorted_pixels

PICTURES = torch.zeros(40, 28, 28, dtype=torch.uint8)
PICTURES[:, 8:20, 9:18] = torch.randint(
    0, 255, (40, 12, 9), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_each_picture_is_turned_slanted_scaled_and_moved() -> None:
    drawn = (2 * torch.rand(6, len(PICTURES), generator=seeded()) - 1).double().numpy()
    given = distorted_pixels(PICTURES, seeded(), strength=1)[:, 0]
    for picture, (turn, slant, wide, high, right, down), image in zip(
        PICTURES.numpy(), drawn.T, given, strict=True
    ):
        angle = math.radians(12 * turn)
        rotation = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
        shear = [[1, math.tan(math.radians(8 * slant))], [0, 1]]
        matrix = np.array(rotation) @ shear @ np.diag([1 + 0.12 * wide, 1 + 0.12 * high])
        matrix, move = matrix[::-1, ::-1], np.array([2 * down, 2 * right])  # rows before columns
        expected = ndimage.affine_transform(
            picture / 255, matrix, offset=13.5 - matrix @ [13.5, 13.5] + move, order=1
        )
        torch.testing.assert_close(image.double(), torch.from_numpy(expected), rtol=0, atol=1e-4)


def test_no_strength_changes_and_draws_nothing() -> None:
    generator = seeded()
    before = generator.get_state()
    assert torch.equal(distorted_pixels(PICTURES, generator, strength=0), to_pixels(PICTURES))
    assert torch.equal(generator.get_state(), before)


def test_contrast_goes_from_half_and_not_beyond_black_and_white() -> None:
    plain = distorted_pixels(PICTURES, seeded(), strength=1)
    given = distorted_pixels(PICTURES, seeded(), strength=1, contrast=1.6)
    torch.testing.assert_close(given, (1.6 * plain - 0.3).clamp(0, 1))
    still = distorted_pixels(PICTURES, seeded(), strength=0, contrast=1.6)
    torch.testing.assert_close(still, to_pixels(PICTURES))
