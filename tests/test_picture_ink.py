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


@pytest.mark.parametrize(("side", "width"), [(224, 2), (225, 3)])
def test_an_edge_gets_wider_from_the_middle_between_two_widths_on(side: int, width: int) -> None:
    """1.5 times 150 is 225."""
    assert edge_width((side, 900)) == edge_width((900, side)) == width


@pytest.mark.parametrize(
    ("shape", "kept"), [((199, 199), True), ((199, 400), True), ((200, 200), False)]
)
def test_a_speck_goes_where_strokes_are_wider(shape: tuple[int, int], kept: bool) -> None:
    grey = np.zeros(shape, np.float32)
    grey[50, 60] = 1
    assert smooth(grey).any() == kept


def test_a_speck_goes_where_most_of_nine_pixels_are_paper() -> None:
    grey = np.zeros((200, 200), np.float32)
    grey[50:52, 60:62] = 1
    assert not smooth(grey).any()
    grey[50:53, 61] = grey[51, 60:63] = 1
    assert smooth(grey).any()


def test_noise_is_smoothed_over_a_fivehundredth_of_the_shorter_side() -> None:
    """A step becomes the sum of a normal distribution, of a deviation of one pixel here."""
    grey = np.zeros((500, 700), np.float32)
    grey[:, 250:] = 1
    density = norm.pdf(np.arange(-4, 5))
    step = smooth(grey)[100, 246:255]
    assert step == pytest.approx(np.cumsum(density) / density.sum(), abs=1e-5)


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


@pytest.mark.parametrize(("shade", "rows"), [(0.40, 20), (0.43, 10)])
def test_what_is_a_third_as_dark_as_the_darkest_stretches_the_box(shade: float, rows: int) -> None:
    """0.35 of it, once the tenth that is paper is taken off: 0.1 + 0.9 * 0.35 is 0.415."""
    ink = np.zeros((60, 60), np.float32)
    ink[10:30, 10:30], ink[49, 30] = 1, shade
    assert (mnist_image(ink) > 200).any(1).sum() == rows


@pytest.mark.parametrize("turns", range(4))
def test_a_digit_that_is_off_its_middle_stays_within_the_image(turns: int) -> None:
    """A square with lines from a corner on; of 28 pixels, 20 begin at the ninth at the latest."""
    ink = np.zeros((40, 40), np.float32)
    ink[:16, :16] = ink[:4] = ink[:, :4] = 1
    expected = np.pad(255 * ink[::2, ::2], ((8, 0), (8, 0)))
    np.testing.assert_array_equal(mnist_image(np.rot90(ink, turns)), np.rot90(expected, turns))


@pytest.mark.parametrize("pen", [1, 3, 5, 25])
@pytest.mark.parametrize("height", [300, 200])
def test_a_thin_pen_is_made_as_wide_as_the_thinnest_of_mnist(pen: int, height: int) -> None:
    """A ring of 300 pixels: nine of a hundred is 27, whatever the pen was."""
    ink = np.zeros((height, 300), np.float32)
    ink[:pen], ink[-pen:], ink[:, :pen], ink[:, -pen:] = 1, 1, 1, 1
    image = mnist_image(ink)
    middle = image[14, image[14] > 0] / 255  # crosses two strokes
    side = 300 + 27 - pen
    assert middle.sum() / 2 == pytest.approx(20 * 27 / side, abs=0.02)
    np.testing.assert_allclose(image[image.any(1)], image[image.any(1)][::-1], atol=1)


def test_a_wide_pen_stays_as_it_is() -> None:
    ink = np.zeros((200, 200), np.float32)
    ink[:40], ink[-40:], ink[:, :40], ink[:, -40:] = 1, 1, 1, 1
    expected = np.zeros((20, 20))
    expected[:4], expected[-4:], expected[:, :4], expected[:, -4:] = 255, 255, 255, 255
    np.testing.assert_array_equal(mnist_image(ink)[4:24, 4:24], expected)


def test_a_line_of_one_pixel_is_not_lost() -> None:
    """Its pen is as wide as that of MNIST: nine of a hundred of 20 are less than two."""
    ink = np.zeros((30, 30), np.float32)
    ink[5:25, 9] = 1
    for drawn in (ink, ink.T):
        image = mnist_image(drawn)
        assert sorted((image > 0).any(axis).sum() for axis in (0, 1)) == [1, 20]


def test_the_darkest_ink_is_white_however_thin_the_line() -> None:
    """A diagonal one, which fills no pixel of the small image."""
    assert mnist_image(np.eye(22, dtype=np.float32)).max() == 255


def test_small_digits_are_enlarged_softly_and_not_beyond_the_darkest() -> None:
    """The first and the last of these rows are as dark as can be, away from the gap."""
    ink = np.ones((15, 15), np.float32)
    ink[6:9, 6:] = 0
    image = mnist_image(ink)
    drawn = image[image.any(1)][:, image.any(0)]
    assert drawn.shape == (20, 20)
    assert (drawn[:7, 12:] == 255).mean() > 0.8
    assert ((drawn > 20) & (drawn < 235)).any()
