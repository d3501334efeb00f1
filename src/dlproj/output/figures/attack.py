"""Figures of `attack`."""

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from dlproj.attacks.result import Attacked
from dlproj.data.digits import Images
from dlproj.output.figures.digits import draw_confidence
from dlproj.output.figures.sheet import Sheet, in_squares, on_paper, signed
from dlproj.output.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    empty_figure,
    label_of,
    new_figure,
    save,
)
from dlproj.store.runs import RunDir

SHOWN = 8  # images in the gallery


def draw(
    run: RunDir,
    test: Images,
    clean: Tensor,
    results: Sequence[Attacked],
    rows: Sequence[dict[str, Any]],
    names: Sequence[str],
) -> None:
    """All of them.

    Args:
        run: where they go.
        test: the original images.
        clean: the network's probabilities (n, classes) for those.
        results: the adversarial images at each epsilon.
        rows: the metrics at each epsilon.
        names: of the network's classes.
    """
    # Half right and half wrong shows the most.
    telling = min(zip(results, rows, strict=True), key=lambda pair: abs(pair[1]["accuracy"] - 0.5))
    result, row = telling
    pictures = (result.images[:, 0].cpu() * 255).round().byte()
    draw_confidence(
        run,
        Images(pictures, test.labels),
        result.logits.softmax(1).cpu(),
        names,
        what=f"Adversarial images ({row['method'].upper()}, ε = {row['epsilon']:g})",
    )
    accuracy = (clean.argmax(1).cpu() == test.labels).float().mean().item()
    draw_accuracy(run, rows, accuracy, 1 / len(names))
    draw_gallery(run, test, clean.cpu(), result, row, names)
    if result.distances is not None:
        draw_distances(run, result.distances.cpu(), rows)


def draw_accuracy(
    run: RunDir, rows: Sequence[dict[str, Any]], clean_accuracy: float, chance: float
) -> None:
    """Accuracy against epsilon."""
    figure, axes = new_figure(8, 4.5)
    ordered = sorted(rows, key=lambda row: row["epsilon"])
    axes.plot(
        [row["epsilon"] for row in ordered],
        [row["accuracy"] for row in ordered],
        "o-",
        color=RED,
        label="adversarial images",
    )
    axes.axhline(clean_accuracy, color=BLUE, linestyle="--", label="clean images")
    axes.axhline(chance, color=GREY, linestyle=":", label="guessing")
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(f"ε ({rows[0]['norm']}, pixel values in [0, 1])")
    axes.set_ylabel("accuracy")
    axes.set_title(f"What {rows[0]['method'].upper()} leaves of the accuracy")
    axes.legend()
    save(figure, run, "accuracy_by_epsilon")


def draw_distances(run: RunDir, distances: Tensor, rows: Sequence[dict[str, Any]]) -> None:
    """How many images the smallest changes found, (n,) and infinite where none is, lie at."""
    figure, axes = new_figure(8, 4.5)
    found = distances[distances.isfinite()]
    axes.hist(found.numpy(), bins=40, color=RED, alpha=0.75)
    # Of all images, not of those found alone: where over half have none, it is infinite.
    middle = distances.sort().values[(len(distances) - 1) // 2].item()
    if math.isfinite(middle):
        axes.axvline(middle, color=BLUE, linestyle="--", label=f"half of all images: {middle:.3g}")
        axes.legend()
    axes.set_xlim(left=0)
    axes.set_xlabel(f"smallest change found ({rows[0]['norm']}, pixel values in [0, 1])")
    axes.set_ylabel("images")
    axes.set_title(
        f"How far {rows[0]['method'].upper()} must go: {len(found):,} of {len(distances):,} images"
    )
    save(figure, run, "distances")


def draw_gallery(
    run: RunDir,
    test: Images,
    clean: Tensor,
    result: Attacked,
    row: dict[str, Any],
    names: Sequence[str],
) -> None:
    """Original, perturbation and adversarial image, one of each label as far as they go."""
    chosen = _one_of_each(test.labels)[:SHOWN]
    title = (
        f"{row['method'].upper()}, ε = {row['epsilon']:g}: what is seen, and with what confidence"
    )
    figure = empty_figure(1.35 * len(chosen) + 0.6, 5.2, title)
    sheet = Sheet(figure)
    after = result.logits.softmax(1).cpu()
    for text, y in (("original", 214), ("change", 418), ("adversarial", 678)):
        sheet.write(text, 30, y, rotation=90, ha="center", va="center")
    for column, index in enumerate(chosen):
        x = 160 + 202 * column
        original = test.pictures[index]
        adversarial = (result.images[index, 0].cpu() * 255).round().byte()
        change = result.images[index, 0].cpu() - original / 255
        sheet.paste(in_squares(on_paper(original), 7), x, 214)
        sheet.paste(in_squares(signed(change, "RdBu"), 7), x, 418)
        sheet.paste(in_squares(on_paper(adversarial), 7), x, 678)
        for y, probabilities in ((214, clean[index]), (678, after[index])):
            seen = int(probabilities.argmax())
            sheet.write(
                f"{label_of(names[seen])}\n{float(probabilities[seen]):.0%}",
                x,
                y - 104,
                fontsize=11,
                weight="bold",
                color=GREEN if seen == int(test.labels[index]) else RED,
                ha="center",
                va="bottom",
            )
    save(figure, run, "gallery")


def _one_of_each(labels: Tensor) -> list[int]:
    """The first image of each label."""
    return [int((labels == label).nonzero()[0, 0]) for label in sorted(set(labels.tolist()))]


def draw_diagnosis(run: RunDir, diagnosis: dict[str, Any]) -> None:
    """The figures of `--diagnose`."""
    draw_spectra(run, diagnosis["spectrum"])
    draw_filters(run, diagnosis["filters"], diagnosis["epsilon"])
    draw_transfer(run, diagnosis["transfer"], diagnosis["epsilon"])
    draw_margins(run, diagnosis["margins"], diagnosis["epsilon"])


KINDS = {"digits": (BLUE, "o"), "perturbations": (RED, "s"), "noise": (GREY, "^")}


def draw_spectra(run: RunDir, spectrum: dict[str, Any]) -> None:
    """Share of energy by radial frequency."""
    figure, axes = new_figure(8, 4.5)
    for name, (color, marker) in KINDS.items():
        shares = spectrum["energy"][name]
        label = f"{name}, mean {spectrum['mean_frequency'][name]:.1f}"
        axes.plot(range(1, len(shares) + 1), shares, f"{marker}-", color=color, label=label)
    axes.set_xticks(ticks := range(2, 15, 2), [*map(str, ticks[:-1]), "14 or more"])
    axes.set_xlabel("spatial frequency (cycles per image)")
    axes.set_ylabel("share of the energy")
    axes.set_ylim(bottom=0)
    axes.set_title("Where the energy of digits, perturbations and noise lies")
    axes.legend()
    save(figure, run, "spectra")


def draw_filters(run: RunDir, filters: dict[str, Any], epsilon: float) -> None:
    """Accuracy of filtered images, original and adversarial."""
    figure, panels = new_figure(11, 4.5, ncols=2, sharey=True)
    titles = {"low": "Only frequencies up to…", "high": "Only frequencies above…"}
    for axes, (band, title) in zip(panels, titles.items(), strict=True):
        for kind, color, marker in (("clean", BLUE, "o"), ("adversarial", RED, "s")):
            label = kind if kind == "clean" else f"{kind} (ε = {epsilon:g})"
            axes.plot(
                filters["radius"], filters[f"{kind}_{band}"], f"{marker}-", color=color, label=label
            )
        axes.axhline(0.1, color=GREY, linestyle=":", label="guessing")
        axes.set_title(title)
        axes.set_xlabel("cycles per image")
        axes.set_ylim(0, 1.02)
    panels[0].set_ylabel("accuracy")
    panels[1].legend(loc="upper right")
    save(figure, run, "filters")


def draw_transfer(run: RunDir, transfer: dict[str, Any], epsilon: float) -> None:
    """How often images made for one network fool another."""
    names = transfer["networks"]
    figure, axes = new_figure(3 + 1.1 * len(names), 1.5 + 0.9 * len(names))
    image = axes.imshow(transfer["success"], cmap="Reds", vmin=0, vmax=1)
    for row, shares in enumerate(transfer["success"]):
        for column, share in enumerate(shares):
            # Black would not be read on dark red.
            color = "white" if image.norm(share) > 0.6 else "black"
            axes.text(column, row, f"{share:.0%}", ha="center", va="center", color=color)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("shown to")
    axes.set_ylabel("made for")
    axes.set_title(f"Images that fool (ε = {epsilon:g})")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    save(figure, run, "transfer")


def draw_margins(run: RunDir, margins: dict[str, Any], epsilon: float) -> None:
    """Quantiles of the margin before and after."""
    figure, axes = new_figure(8, 3.6)
    looks = {"clean": BLUE, "noise": GREY, "adversarial": RED}
    for place, (name, color) in enumerate(looks.items()):
        lowest, low, middle, high, highest = margins[name]
        axes.plot([lowest, highest], [place, place], color=color, linewidth=2)
        axes.plot(
            [low, high], [place, place], color=color, linewidth=12, alpha=0.5, solid_capstyle="butt"
        )
        axes.plot(middle, place, "o", color=color, markersize=9)
    axes.axvline(0, color=ORANGE, linestyle="--")
    axes.text(0, -0.62, "← misread  ", color=ORANGE, ha="right", va="center")
    axes.set_yticks(range(len(looks)), ["clean", "random signs", "adversarial"])
    axes.set_ylim(len(looks) - 0.4, -0.8)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("logit of the true class less the highest other")
    axes.set_title(f"Margin at ε = {epsilon:g}: median, middle half, and 5 to 95 %")
    save(figure, run, "margins")
