"""What the measurements of `attack --diagnose` say, by rules stated with each claim.

Each rule has thresholds. Of one network they are met or not. Of several, that a number lies beyond
one holds where the whole 95 % interval of its mean over networks does, and fails where none of it
does; else it is open, and the claim undecided. What is compared is compared network by network.
"""

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from dlproj.diagnosis.judge import above, below, judge
from dlproj.diagnosis.samples import (
    difference_in_words,
    differences,
    ratio_in_words,
    with_interval,
)
from dlproj.results import Explanation

HIGH = "the network reads digits by their high frequencies"
PERTURBATIONS = "perturbations are of high frequency"
HALVES = "it is the high frequencies of a perturbation that fool the network"
ANY_CHANGE = "networks are sensitive to small changes of the image as such"
FLAW = "perturbations exploit flaws of the one network's decisions"
LOOKS = "adversarial images look very much like the originals"
KEEPS = "the attack does not change which digit the image shows"

Networks = Sequence[dict[str, Any]]  # of each network what `attack.diagnose` measured


def claims(networks: Networks, *, sampled: bool = False) -> list[Explanation]:
    """The report's explanations, of one network or of a sample of several."""
    rules: dict[Callable[[Networks], dict[str, Any]], str] = {
        _relies_on_high_frequencies: "filters",
        _perturbations_are_high: "spectrum",
        _high_half_does_the_harm: "halves",
        _sensitive_to_any_change: "margins",
        _flaw_of_one_network: "transfer",
        _looks_like_the_original: "likeness",
        _keeps_its_digit: "likeness",
    }
    found = []
    for rule, needs in rules.items():
        known = [each for each in networks if needs in each]
        if known:
            count = len(known) if sampled else None
            found.append(judge(**rule(known), sampled=count, kind="networks"))
    return found


def _of(networks: Networks, *names: str) -> list[list[float]]:
    """Numbers of each network, by the names under which they lie."""
    columns = []
    for name in names:
        part, key = name.split(".")
        columns.append([each[part][key] for each in networks])
    return columns


def _relies_on_high_frequencies(networks: Networks) -> dict[str, Any]:
    """Supported: the upper half of all frequencies is read better than the lower half.

    Not supported: the lower half alone loses at most two points, and the upper half more.
    """
    (clean,) = _of(networks, "accuracy.clean")
    middle = len(networks[0]["filters"]["radius"]) // 2 - 1
    low, high = (
        [each["filters"][f"clean_{band}"][middle] for each in networks] for band in ("low", "high")
    )
    return {
        "claim": HIGH,
        "supported": above(differences(high, low), 0),
        "refuted": ~above(differences(clean, low), 0.02) & above(differences(clean, high), 0.02),
        "evidence": f"clean accuracy {fmean(clean):.1%}; {with_interval(low, '.1%')} with "
        f"frequencies up to {middle + 1} of {2 * (middle + 1)} alone, "
        f"{fmean(high):.1%} with those above alone, a difference of "
        f"{difference_in_words(low, high, '.1%')}",
    }


def _perturbations_are_high(networks: Networks) -> dict[str, Any]:
    """Supported: they lie above random noise of the same size. Not: below the digits too."""
    own, noise, digits = (
        [each["spectrum"]["mean_frequency"][kind] for each in networks]
        for kind in ("perturbations", "noise", "digits")
    )
    return {
        "claim": PERTURBATIONS,
        "supported": above(differences(own, noise), 0),
        "refuted": ~above(differences(own, digits), 0),
        "evidence": f"mean frequency {fmean(own):.1f} cycles per image; digits "
        f"{fmean(digits):.1f}, a difference of {difference_in_words(own, digits, '.1f')}; random "
        f"signs of the same size {fmean(noise):.1f}, a difference of "
        f"{difference_in_words(own, noise, '.1f')}",
    }


def _high_half_does_the_harm(networks: Networks) -> dict[str, Any]:
    """Supported or not by five points between two parts of equal size."""
    low, high, radius = _of(
        networks, "halves.low_accuracy", "halves.high_accuracy", "halves.radius"
    )
    border = " or ".join(str(each) for each in sorted(set(radius)))
    more = differences(low, high)
    return {
        "claim": HALVES,
        "supported": above(more, 0.05),
        "refuted": below(more, -0.05),
        "evidence": f"stretched to the same size, frequencies up to {border} leave "
        f"{fmean(low):.1%} and those above leave {fmean(high):.1%}, a difference of "
        f"{difference_in_words(low, high, '.1%')}",
    }


def _sensitive_to_any_change(networks: Networks) -> dict[str, Any]:
    """Supported: random signs cost half of what the attack costs. Not: they cost under a tenth."""
    clean, noise, left = _of(networks, "accuracy.clean", "accuracy.noise", "accuracy.adversarial")
    harm, by_noise = differences(clean, left), differences(clean, noise)
    mean = {
        kind: fmean(each["margins"]["mean"][kind] for each in networks)
        for kind in ("clean", "noise", "adversarial")
    }
    return {
        "claim": ANY_CHANGE,
        "supported": above(harm, 0) & above(_beyond(by_noise, harm, 1 / 2), 0),
        "refuted": below(_beyond(by_noise, harm, 1 / 10), 0),
        "evidence": f"random signs of the same size leave {fmean(noise):.1%}, the attack "
        f"{fmean(left):.1%}, a difference of {difference_in_words(noise, left, '.1%')}; mean "
        f"margin {mean['clean']:.1f} before, {mean['noise']:.1f} and {mean['adversarial']:.1f} "
        "after",
    }


def _flaw_of_one_network(networks: Networks) -> dict[str, Any]:
    """Supported: others misread less than a tenth of what the attacked one does. Not: over half."""
    rows = [
        dict(zip(each["transfer"]["networks"], each["transfer"]["success"][0], strict=True))
        for each in networks
    ]
    first, *names = [name for name in rows[0] if all(name in row for row in rows)]
    own = [row[first] for row in rows]
    others = [fmean(share for name, share in row.items() if name != first) for row in rows]
    named = {name: fmean(row[name] for row in rows) for name in names}
    return {
        "claim": FLAW,
        "supported": below(_beyond(others, own, 1 / 10), 0),
        "refuted": above(_beyond(others, own, 1 / 2), 0),
        "evidence": f"they fool {fmean(own):.1%} there; shown to others: "
        + ", ".join(f"{name} {share:.1%}" for name, share in named.items())
        + f", which is {ratio_in_words(others, own)} as often",
    }


def _looks_like_the_original(networks: Networks) -> dict[str, Any]:
    """By structural similarity. Supported: at least 0.9. Not supported: below 0.7."""
    (alike,) = _of(networks, "likeness.similarity")
    sizes = " and ".join(f"{size:g}" for size in sorted({each["epsilon"] for each in networks}))
    return {
        "claim": LOOKS,
        "supported": ~below(alike, 0.9),
        "refuted": below(alike, 0.7),
        "evidence": f"their structural similarity at ε = {sizes} is "
        f"{with_interval(alike, '.2f')} on average; 1 would be the same image",
    }


def _keeps_its_digit(networks: Networks) -> dict[str, Any]:
    """Supported: a vote of neighbours reads nine in ten of what it read. Not: under half of it."""
    before, after, others_before, others = _of(
        networks,
        "likeness.neighbours_clean",
        "likeness.neighbours",
        "likeness.others_clean",
        "likeness.others",
    )
    kept = [now / max(then, 1e-9) for now, then in zip(after, before, strict=True)]
    return {
        "claim": KEEPS,
        "supported": ~below(kept, 0.9),
        "refuted": below(kept, 0.5),
        "evidence": f"the three nearest training images read {fmean(before):.1%} before and "
        f"{fmean(after):.1%} after it, {with_interval(kept, '.1%')} of that; networks that were "
        f"not attacked read {fmean(others_before):.1%} and {fmean(others):.1%}",
    }


def _beyond(part: Sequence[float], whole: Sequence[float], share: float) -> list[float]:
    """How far a part lies above a share of the whole, pair by pair."""
    return [one - share * other for one, other in zip(part, whole, strict=True)]
