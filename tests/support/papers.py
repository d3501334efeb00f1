"""Algorithms as their papers write them: for one example, with plain loops, in double precision."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Climbed = Callable[[Array], tuple[float, Array]]  # a function's value and gradient


def nearest(point: Array, centre: Array, epsilon: float, norm: str) -> Array:
    """The point brought back to within epsilon of the centre, then into [0, 1]."""
    change = point - centre
    if norm == "linf":
        change = np.minimum(np.maximum(change, -epsilon), epsilon)
    elif (length := math.sqrt((change**2).sum())) > epsilon:
        change = change * epsilon / length
    return np.minimum(np.maximum(centre + change, 0.0), 1.0)


def steepest(gradient: Array, norm: str) -> Array:
    """The direction of length one that climbs the most."""
    if norm == "linf":
        return np.sign(gradient)
    return gradient / math.sqrt((gradient**2).sum())


def checkpoints(steps: int) -> list[int]:
    """Steps after which Auto-PGD looks back: 0.22 of all, then ever closer, 0.06 at the least.

    Croce & Hein 2020, section 3.2; shares are in hundredths here, so that nothing is rounded.
    """
    shares = [0, 22]
    while shares[-1] < 100:
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - 3, 6))
    return sorted({min(-(-share * steps // 100), steps) for share in shares[1:]})


def auto_pgd(
    climbed: Climbed, image: Array, start: Array, *, epsilon: float, steps: int, norm: str
) -> Array:
    """Algorithm 1 of Croce & Hein 2020, with momentum 0.75 and at least 0.75 of steps rising.

    As dlproj has it, the first step has the weight of all others, and after a return to the best
    point the momentum begins anew.
    """
    size, here, before = 2 * epsilon, start, start
    value, slope = climbed(here)
    best, best_value, best_slope = here, value, slope
    size_then, best_then, rises, last = None, best_value, 0, 0
    for step in range(1, steps + 1):
        ahead = nearest(here + size * steepest(slope, norm), image, epsilon, norm)
        moved = here + 0.75 * (ahead - here) + 0.25 * (here - before)
        here, before = nearest(moved, image, epsilon, norm), here
        value, old = climbed(here)[0], value
        slope = climbed(here)[1]
        rises += value > old
        if value > best_value:
            best, best_value, best_slope = here, value, slope
        if step in checkpoints(steps):
            seldom = rises < 0.75 * (step - last)
            stuck = size_then == size and best_then == best_value
            size_then, best_then, rises, last = size, best_value, 0, step
            if seldom or stuck:
                size /= 2
                here = before = best
                value, slope = best_value, best_slope
    return best


def square_sides(queries: int, height: int, width: int) -> list[int]:
    """Sides of the squares that the Square attack tries, in the order of its queries.

    Andriushchenko et al. 2020, section 5: at first a share of 0.8 of the pixels, halved after 10,
    50, 200, 500, 1000, 2000, 4000, 6000 and 8000 of 10,000 queries, and so for other numbers.
    """
    halvings = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
    sides = []
    for query in range(1, queries):
        share = 0.8 / 2 ** sum(query * 10_000 > after * queries for after in halvings)
        sides.append(max(1, min(height, width, round(math.sqrt(share * height * width)))))
    return sides


def onto_plane(point: Array, weights: Array, offset: float, norm: str) -> Array:
    """The smallest change within [0, 1] onto <weights, x> = offset, by halving its multiplier."""
    gap = offset - (weights * point).sum()
    way = np.sign(gap) * (np.sign(weights) if norm == "linf" else weights)

    def change(multiplier: float) -> Array:
        return np.clip(point + multiplier * way, 0, 1) - point

    low, high = 0.0, 1e6
    for _ in range(120):
        middle = (low + high) / 2
        if abs((weights * change(middle)).sum()) < abs(gap):
            low = middle
        else:
            high = middle
    return change(high)


def fab(lead: Climbed, image: Array, *, steps: int, norm: str) -> Array:
    """FAB for two classes (Croce & Hein 2020, algorithm 1), from the image, without a last search.

    `lead` is how far the other class is above; the settings are alpha 0.1, eta 1.05 and beta 0.9.
    """

    def size(change: Array) -> float:
        return float(np.abs(change).max()) if norm == "linf" else math.sqrt((change**2).sum())

    here, best, nearest = image, image, math.inf
    for _ in range(steps):
        value, slope = lead(here)
        offset = (slope * here).sum() - value
        from_here = onto_plane(here, slope, offset, norm)
        from_image = onto_plane(image, slope, offset, norm)
        share = min(size(from_here) / (size(from_here) + size(from_image)), 0.1)
        here = (1 - share) * (here + 1.05 * from_here) + share * (image + 1.05 * from_image)
        here = np.clip(here, 0, 1)
        if lead(here)[0] > 0:
            if size(here - image) < nearest:
                best, nearest = here, size(here - image)
            here = 0.1 * image + 0.9 * here
    return best
