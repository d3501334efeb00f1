"""Figures of `attack`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from dlproj.data.digits import Images
from dlproj.output.figures.digits import draw_confidence
from dlproj.output.figures.style import BLUE, GREEN, GREY, RED, new_figure, picture_axes, save
from dlproj.output.run_dir import RunDir

if TYPE_CHECKING:
    from dlproj.experiments.attack import Attacked

SHOWN = 8  # images in the gallery


def draw(
    run: RunDir,
    test: Images,
    clean: Tensor,
    results: Sequence["Attacked"],
    rows: Sequence[dict[str, Any]],
) -> None:
    """All of them.

    Args:
        run: where they go.
        test: the original images.
        clean: the network's probabilities (n, classes) for those.
        results: the adversarial images at each epsilon.
        rows: the metrics at each epsilon.
    """
    names = [str(label) for label in range(clean.shape[1])]
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
    draw_accuracy(run, rows, (clean.argmax(1).cpu() == test.labels).float().mean().item())
    draw_gallery(run, test, clean.cpu(), result, row)


def draw_accuracy(run: RunDir, rows: Sequence[dict[str, Any]], clean_accuracy: float) -> None:
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
    axes.axhline(0.1, color=GREY, linestyle=":", label="guessing")
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(f"ε ({rows[0]['norm']}, pixel values in [0, 1])")
    axes.set_ylabel("accuracy")
    axes.set_title(f"What {rows[0]['method'].upper()} leaves of the accuracy")
    axes.legend()
    save(figure, run, "accuracy_by_epsilon")


def draw_gallery(
    run: RunDir, test: Images, clean: Tensor, result: "Attacked", row: dict[str, Any]
) -> None:
    """Original, perturbation and adversarial image, one of each label as far as they go."""
    chosen = _one_of_each(test.labels)[:SHOWN]
    figure, axes = new_figure(
        1.35 * len(chosen) + 0.6, 5.2, nrows=3, ncols=len(chosen), squeeze=False
    )
    after = result.logits.softmax(1).cpu()
    for column, index in enumerate(chosen):
        label = int(test.labels[index])
        original = test.pictures[index].numpy() / 255
        adversarial = result.images[index, 0].cpu().numpy()
        span = max(float(abs(adversarial - original).max()), 1e-9)
        for place in axes[:, column]:
            picture_axes(place)
        axes[0, column].imshow(1 - original, cmap="gray", vmin=0, vmax=1)
        axes[1, column].imshow(adversarial - original, cmap="RdBu", vmin=-span, vmax=span)
        axes[2, column].imshow(1 - adversarial, cmap="gray", vmin=0, vmax=1)
        for place, probabilities in (
            (axes[0, column], clean[index]),
            (axes[2, column], after[index]),
        ):
            seen = int(probabilities.argmax())
            place.set_title(
                f"{seen}\n{float(probabilities[seen]):.0%}", loc="center", fontsize=11,
                color=GREEN if seen == label else RED,
            )  # fmt: skip
    for place, text in zip(axes[:, 0], ("original", "change", "adversarial"), strict=True):
        place.set_ylabel(text)
    figure.suptitle(
        f"{row['method'].upper()}, ε = {row['epsilon']:g}: what is seen, and with what confidence",
        weight="bold", x=0.02, ha="left",
    )  # fmt: skip
    save(figure, run, "gallery")


def _one_of_each(labels: Tensor) -> list[int]:
    """The first image of each label."""
    return [int((labels == label).nonzero()[0, 0]) for label in sorted(set(labels.tolist()))]
