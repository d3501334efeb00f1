"""Ink and its preparation: against plain windows in numpy, and what LeCun et al. 1998 say."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.stats import norm

from dlproj.data.pictures.ink import edge_width, ink_of, ink_on_even_paper, rise_of, smooth
from dlproj.data.pictures.prepare import mnist_image

Array = NDArray[np.float32]


def windows(grey: Array, side: int, beyond: float) -> Array:
    """All pixels (height, width, side * side) of the square around each one."""
    padded = np.pad(grey, side // 2, constant_values=beyond)
    return sliding_window_view(padded, (side, side)).reshape(*grey.shape, -1)


def photo(height: int = 30, width: int = 90) -> Array:
    """Strokes of all shades on paper with noise, which gets dark towards its right edge."""
    random = np.random.default_rng(0)
    grey = 0.8 + 0.01 * random.normal(size=(height, width))
    for row in (6, 12, 18):
        grey[row : row + 2, 5:-12] *= np.linspace(1, 0.6, width - 17)
    grey[25:27, 5:-12] *= 0.1
    grey *= np.clip((width - np.arange(width)) / 8, 0.4, 1)
    return grey.clip(0, 1).astype(np.float32)


@pytest.mark.parametrize(("widest", "side"), [(0.05, 3), (0.18, 5), (0.3, 9)])
def test_ink_is_what_is_darker_than_its_paper_by_more_than_the_noise(
    widest: float, side: int
) -> None:
    """A closing: the darkest of what is brightest around; 1.4826 makes a deviation of a median."""
    grey = photo()
    brightest = windows(np.pad(grey, side), side, 0).max(-1)  # beyond the edges it is dark
    paper = windows(brightest, side, np.inf).min(-1)[side:-side, side:-side]
    darker = paper - grey
    darker = darker - np.median(darker)
    deviation = 1.4826 * np.median(np.abs(darker))
    share = darker / (paper + 0.04)
    expected = np.where((darker >= 4.5 * deviation) & (share >= 0.04), share, 0)
    np.testing.assert_allclose(ink_of(grey, widest), expected, rtol=0, atol=1e-6)
    assert 0 < (expected > 0).mean() < 0.5


def test_the_faintest_ink_is_a_twentyfifth_of_the_paper() -> None:
    """Without noise, 0.03 and 0.05 less than paper of 0.96."""
    grey = np.full((40, 40), 0.96, np.float32)
    grey[10, 10:30], grey[20, 10:30] = 0.93, 0.91
    ink = ink_of(grey, 0.1)
    assert not ink[10].any()
    assert ink[20, 15] == pytest.approx(0.05)


def test_on_even_paper_ink_is_darker_than_nearly_all_is_bright() -> None:
    grey = photo()
    share = 1 - (grey + 0.04) / (np.percentile(grey, 95) + 0.04)
    expected = np.where(share < 0.15, 0, share)
    np.testing.assert_allclose(ink_on_even_paper(grey), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("shape", "width"), [((30, 99), 1), ((90, 80), 2), ((300, 400), 3)])
def test_a_rise_is_above_the_darkest_within_reach(shape: tuple[int, int], width: int) -> None:
    """Within three widths of an edge and two pixels; an edge gets wider by a pixel in 150."""
    assert edge_width(shape) == width
    grey = np.random.default_rng(1).random(shape).astype(np.float32)[:90, :99]
    side = 2 * (3 * edge_width(grey.shape) + 2) + 1
    darkest = windows(grey, side, np.inf).min(-1)
    expected = 1 - (darkest + 0.04) / (grey + 0.04)
    np.testing.assert_allclose(rise_of(grey), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("side", "kept"), [(199, True), (200, False)])
def test_a_speck_goes_where_strokes_are_wider(side: int, kept: bool) -> None:
    grey = np.zeros((side, side), np.float32)
    grey[50, 60] = 1
    assert smooth(grey).any() == kept


def test_noise_is_smoothed_over_a_fivehundredth_of_the_picture() -> None:
    """A step becomes the normal distribution, of a deviation of one pixel here."""
    grey = np.zeros((500, 500), np.float32)
    grey[:, 250:] = 1
    places = np.arange(-3, 3) + 0.5
    step = smooth(grey)[100, 247:253]
    assert step == pytest.approx(norm.cdf(places), abs=0.02)


def test_a_digit_fits_into_twenty_pixels_with_its_mass_in_the_middle() -> None:
    """Of even numbers of pixels, so that each of MNIST's is the mean of four."""
    ink = np.zeros((60, 50), np.float32)
    ink[7:47, 12:24] = 0.82  # less 0.1 of the darkest, which is paper: 0.8
    ink[33:47, 24:36] = 1
    ink[50, 40] = 0.3  # fainter than the strokes that the box is drawn around
    image = mnist_image(ink)
    drawn = ink[7:47, 12:36]
    drawn = np.where(drawn > 0, (drawn - 0.1) / 0.9, 0)
    small = drawn.reshape(20, 2, 12, 2).mean((1, 3))
    rows, columns = np.nonzero(image)
    assert (rows.max() - rows.min() + 1, columns.max() - columns.min() + 1) == (20, 12)
    top, left = rows.min(), columns.min()
    np.testing.assert_array_equal(
        image[top : top + 20, left : left + 12], np.round(255 * small).astype(np.uint8)
    )
    weights = image / image.sum()
    for axis in (0, 1):
        centre = (weights.sum(1 - axis) * np.arange(28)).sum()
        assert abs(centre - 14) <= 0.5


def test_a_digit_that_is_off_its_middle_stays_within_the_image() -> None:
    ink = np.zeros((40, 40), np.float32)
    ink[0:12, 0:40], ink[12:40, 0:4] = 1, 1
    image = mnist_image(ink)
    assert (image[:, :20] > 0).any(1).sum() == 20


@pytest.mark.parametrize("pen", [1, 3, 5])
def test_a_thin_pen_is_made_as_wide_as_the_thinnest_of_mnist(pen: int) -> None:
    """A ring of 300 pixels: nine of a hundred is 27, whatever the pen was."""
    ink = np.zeros((300, 300), np.float32)
    ink[:pen], ink[-pen:], ink[:, :pen], ink[:, -pen:] = 1, 1, 1, 1
    image = mnist_image(ink)
    middle = image[14, image[14] > 0] / 255  # crosses two strokes
    side = 300 + 27 - pen
    assert middle.sum() / 2 == pytest.approx(20 * 27 / side, abs=0.03)


def test_a_wide_pen_stays_as_it_is() -> None:
    ink = np.zeros((200, 200), np.float32)
    ink[:40], ink[-40:], ink[:, :40], ink[:, -40:] = 1, 1, 1, 1
    expected = np.zeros((20, 20))
    expected[:4], expected[-4:], expected[:, :4], expected[:, -4:] = 255, 255, 255, 255
    np.testing.assert_array_equal(mnist_image(ink)[4:24, 4:24], expected)
