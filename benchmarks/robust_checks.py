"""Is a network robust, or only hard to attack? What its threshold hides, attacks from all sides.

Usage: .venv/bin/python benchmarks/robust_checks.py MODEL [--other RUN] [--images 1000]

MODEL, a run or a file of `train-digits --adversarial`, has a steep sigmoid before all else, whose
gradients are small: a reason to doubt what gradient attacks find (Carlini et al. 2019; Tramèr et
al. 2020). Each line of the table would show that it hides something. RUN is a second network, whose
adversarial images are shown to the first.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from bench import machine, write_section
from torch import Tensor, nn

from dlproj import attacks
from dlproj.attacks.common import lengths, margin
from dlproj.data.digits import load_digits, to_pixels
from dlproj.models.digits import RobustCNN
from dlproj.models.files import DIGITS, load_model
from dlproj.training.device import choose_machine

EPSILON = 0.3
BATCH = 125
MOST_PIXELS = 100

Attack = Callable[[Tensor, Tensor], Tensor]


class Box(nn.Module):
    """A network of what lies between the darkest and the lightest that epsilon leaves each pixel.

    The sigmoid only rises: what it makes of the pixels that are allowed is again a range for each,
    here from 0 to 1. In it, no slope vanishes.
    """

    def __init__(self, model: RobustCNN, images: Tensor, epsilon: float) -> None:
        super().__init__()
        self.model = model
        self.low = self._behind((images - epsilon).clamp(0, 1))
        self.high = self._behind((images + epsilon).clamp(0, 1))

    def _behind(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.model.slope * (images - self.model.threshold)).detach()

    def pixels(self, places: Tensor) -> Tensor:
        """The image (batch, 1, 28, 28) that has these places in the box."""
        behind = self.low + (self.high - self.low) * places
        return (behind.logit() / self.model.slope + self.model.threshold).clamp(0, 1)

    def places(self, images: Tensor) -> Tensor:
        """Where images are in the box; in the middle of one without width."""
        width = self.high - self.low
        return torch.where(width > 0, (self._behind(images) - self.low) / width, 0.5)

    def forward(self, places: Tensor) -> Tensor:
        """Logits (batch, classes)."""
        return self.model(self.pixels(places))


def in_the_box(model: RobustCNN, images: Tensor, labels: Tensor) -> Tensor:
    """PGD with momentum from random corners of the box, on the loss and towards each class."""
    box, generator = Box(model, images, EPSILON), torch.Generator().manual_seed(0)
    best, least = images.clone(), margin(model(images), labels)
    for objective in box_objectives(labels):
        places = (torch.rand(images.shape, generator=generator) < 0.5).float()
        before = places
        for step in range(100):
            slope = gradient(box, places, objective)
            moved = places + (1 - step / 100) * 0.25 * slope.sign() + 0.75 * (places - before)
            before, places = places, moved.clamp(0, 1)
            made = box.pixels(places)
            left = margin(model(made), labels)
            best[left < least], least = made[left < least], torch.minimum(left, least)
    return best


def box_objectives(labels: Tensor) -> Iterator[Callable[[Tensor], Tensor]]:
    """What is to be raised: the cross-entropy twice, then the lead of each other class."""
    for _ in range(2):
        yield lambda logits: F.cross_entropy(logits, labels, reduction="none")
    for turn in range(1, 10):
        aims = (labels + turn) % 10
        yield lambda logits, aims=aims: (  # type: ignore[misc]
            logits.gather(1, aims[:, None]) - logits.gather(1, labels[:, None])
        )[:, 0]


def gradient(model: nn.Module, here: Tensor, objective: Callable[[Tensor], Tensor]) -> Tensor:
    """Of each image's own objective."""
    here = here.detach().requires_grad_()
    return torch.autograd.grad(objective(model(here)).sum(), here)[0]


@torch.no_grad()
def by_labels_alone(model: nn.Module, images: Tensor, labels: Tensor, *, queries: int) -> Tensor:
    """RayS (Chen & Gu 2020): the signs of a ray that leaves the class early, block by block."""
    flat = images.flatten(1)
    signs = torch.ones_like(flat)
    radius = torch.full((len(flat),), torch.inf)

    def misread(which: Tensor, signs: Tensor, radius: Tensor) -> Tensor:
        moved = (flat[which] + radius[:, None] * signs).clamp(0, 1)
        return model(moved.view(-1, *images.shape[1:])).argmax(1) != labels[which]

    everyone = torch.arange(len(flat))
    level, block, used = 0, 0, 0
    while used < queries:
        size = -(-flat.shape[1] // 2**level)
        tried = signs.clone()
        tried[:, block * size : (block + 1) * size] *= -1
        # A ray is of interest if it has left the class where the best one does.
        which = everyone[misread(everyone, tried, radius.clamp(max=1))]
        low, high = torch.zeros(len(which)), radius[which].clamp(max=1)
        for _ in range(10 if len(which) else 0):
            middle = (low + high) / 2
            out = misread(which, tried[which], middle)
            low, high = torch.where(out, low, middle), torch.where(out, middle, high)
        nearer = high < radius[which]
        signs[which[nearer]], radius[which[nearer]] = tried[which[nearer]], high[nearer]
        used += 11 if len(which) else 1
        block += 1
        if block * size >= flat.shape[1]:
            level, block = (level + 1) % 11, 0
    near = radius <= EPSILON
    moved = (flat + radius.clamp(max=EPSILON)[:, None] * signs).clamp(0, 1)
    return torch.where(near[:, None], moved, flat).view_as(images)


def pixel_by_pixel(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Images that are misread once some pixels are black or white, and how many pixels (batch,).

    Each time the one that promises the most by its gradient, towards the likeliest other class.
    """
    box = Box(model, images, 1.0) if isinstance(model, RobustCNN) else None
    here = box.places(images) if box else images.clone()
    asked: nn.Module = box or model
    with torch.no_grad():
        others = asked(here).scatter(1, labels[:, None], -torch.inf).argmax(1)
    count = torch.zeros(len(images))
    for _ in range(MOST_PIXELS):
        with torch.no_grad():
            standing = asked(here).argmax(1) == labels
        if not standing.any():
            break
        count += standing

        def lead(logits: Tensor) -> Tensor:
            return (logits.gather(1, others[:, None]) - logits.gather(1, labels[:, None]))[:, 0]

        slope = gradient(asked, here, lead).flatten(1)
        gain = torch.maximum(slope * (1 - here.flatten(1)), -slope * here.flatten(1))
        most = gain.argmax(1, keepdim=True)
        white = (slope.gather(1, most) > 0).float()
        changed = here.flatten(1).scatter(1, most, white).view_as(here)
        here = torch.where(standing[:, None, None, None], changed, here)
    return (box.pixels(here) if box else here), count


@torch.no_grad()
def nearest_on_the_way(model: nn.Module, images: Tensor, made: Tensor, labels: Tensor) -> Tensor:
    """How far (batch,) from the images, in L2, the way to misread ones leaves the class; or inf."""
    shape = (-1, 1, 1, 1)
    low, high = torch.zeros(len(images)), torch.ones(len(images))
    for _ in range(10):
        middle = (low + high) / 2
        out = model(images + middle.view(shape) * (made - images)).argmax(1) != labels
        low, high = torch.where(out, low, middle), torch.where(out, middle, high)
    found = images + high.view(shape) * (made - images)
    fooled = model(found).argmax(1) != labels
    return lengths(found - images, "l2").masked_fill(~fooled, torch.inf)


def attacks_of(model: RobustCNN, other: nn.Module | None) -> Iterator[tuple[str, Attack]]:
    """The checks, as attacks, by what the table calls them."""
    generator = torch.Generator().manual_seed(0)

    def random_signs(images: Tensor, _: Tensor) -> Tensor:
        noise = (torch.rand(images.shape, generator=generator) < 0.5).float() * 2 - 1
        return (images + EPSILON * noise).clamp(0, 1)

    def apgd(steps: int, restarts: int, epsilon: float = EPSILON) -> Attack:
        return lambda images, labels: attacks.apgd(
            model, images, labels, epsilon=epsilon, steps=steps, restarts=restarts,
            generator=generator,
        )  # fmt: skip

    yield "no attack", lambda images, _: images
    yield "random signs of the same size", random_signs
    for steps, restarts in ((10, 1), (30, 1), (100, 1), (300, 1), (100, 5)):
        yield f"APGD, {steps} steps, {restarts} restart(s)", apgd(steps, restarts)
    yield "in the box behind the threshold", lambda *given: in_the_box(model, *given)
    yield (
        "labels alone (RayS, 5,000 queries)",
        lambda *given: by_labels_alone(model, *given, queries=5000),
    )
    if other is not None:
        yield (
            "APGD on a network of another seed",
            lambda *given: attacks.apgd(other, *given, epsilon=EPSILON, generator=generator),
        )
    yield (
        "AutoAttack",
        lambda *given: attacks.autoattack(model, *given, epsilon=EPSILON, generator=generator),
    )
    for epsilon in (0.1, 0.2, 0.3, 0.35, 0.4, 0.45, 0.5):
        yield f"APGD, 100 steps, ε = {epsilon:g}", apgd(100, 1, epsilon)


def right_under(model: nn.Module, attack: Attack, images: Tensor, labels: Tensor) -> Tensor:
    """Which images (n,) are still read rightly."""
    parts = []
    for batch, own in zip(images.split(BATCH), labels.split(BATCH), strict=True):
        made = attack(batch, own)
        with torch.no_grad():
            parts.append(model(made).argmax(1) == own)
    return torch.cat(parts)


def sizes(model: nn.Module, images: Tensor, labels: Tensor) -> str:
    """Medians of the smallest changes found, in L2 by FAB and by any, and in pixels."""
    by_fab: list[Tensor] = []
    by_any: list[Tensor] = []
    counts: list[Tensor] = []
    for batch, own in zip(images.split(BATCH), labels.split(BATCH), strict=True):
        made = attacks.fab(model, batch, own, norm="l2", generator=torch.Generator().manual_seed(0))
        pixels, count = pixel_by_pixel(model, batch, own)
        ways = [nearest_on_the_way(model, batch, end, own) for end in (made, pixels)]
        by_fab.append(ways[0])
        by_any.append(torch.minimum(*ways))
        counts.append(count)
    l2 = f"{torch.cat(by_fab).median():.2f} | {torch.cat(by_any).median():.2f}"
    return f"{l2} | {torch.cat(counts).median():.0f}"


def main() -> None:
    """Attack from all sides and print the tables."""
    parser = argparse.ArgumentParser(description="Check that a network's robustness is real.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--other", type=Path, help="a network of another seed")
    parser.add_argument("--images", type=int, default=1000)
    arguments = parser.parse_args()
    where = machine()
    choose_machine("cpu", "fp32")
    model = load_model(arguments.model, "digits")[0].eval().requires_grad_(False)
    other = load_model(arguments.other, "digits")[0].eval() if arguments.other else None
    if not isinstance(model, RobustCNN):
        parser.error(f"{arguments.model} is no network of train-digits --adversarial")
    test = load_digits().test
    images, labels = to_pixels(test.pictures[: arguments.images]), test.labels[: arguments.images]
    lines = ["| attack, ε = 0.3 where none is named | left |", "| --- | ---: |"]
    together = torch.ones(len(images), dtype=torch.bool)
    for name, attack in attacks_of(model, other):
        right = right_under(model, attack, images, labels)
        lines.append(f"| {name} | {right.double().mean():.1%} |")
        print(lines[-1], flush=True)
        if "ε" not in name:
            together &= right
    lines.append(f"| all of them at ε = 0.3 together | {together.double().mean():.1%} |")
    lines += [
        "",
        "| median of the smallest change | L2 by FAB | L2 by either | pixels, one by one |",
    ]
    lines.append("| --- | ---: | ---: | ---: |")
    usual = load_model(DIGITS)[0].eval().requires_grad_(False)
    some = images[:250], labels[:250]
    lines.append(f"| this network | {sizes(model, *some)} |")
    lines.append(f"| the network of the report | {sizes(usual, *some)} |")
    write_section(
        "Is the robust network robust?",
        f"`.venv/bin/python benchmarks/robust_checks.py {arguments.model.name} --other "
        f"{arguments.other} --images {arguments.images}`, on {where}. The first "
        f"{arguments.images:,} test images; the smallest changes of at most 250.\n\n"
        + "\n".join(lines),
    )


if __name__ == "__main__":
    main()
