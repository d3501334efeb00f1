"""Figures of `train-digits`."""

from collections.abc import Sequence

from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from torch import Tensor

from dlproj.data.digits import Images
from dlproj.output.figures.confusion import draw_confusion
from dlproj.output.figures.curves import draw_training_curve
from dlproj.output.figures.style import (
    GREEN,
    RED,
    label_of,
    labels_of,
    new_figure,
    picture_axes,
    save,
)
from dlproj.store.runs import RunDir

PICTURE_WIDTH = 0.043  # of a picture in the confidence figure, in probability


def draw(
    run: RunDir,
    test: Images,
    probabilities: Tensor,
    matrix: Sequence[Sequence[int]],
    names: Sequence[str],
    first: tuple[Tensor, Tensor] | None,
) -> None:
    """All of them.

    Args:
        run: where they go.
        test: the test images.
        probabilities: (images, classes).
        matrix: the confusion matrix (true, predicted).
        names: of the classes.
        first: of a network whose first layer is a convolution of images: its filters
            (filters, 1, side, side) and what they answer to the first test image
            (filters, height, width).
    """
    draw_training_curve(run)
    draw_confusion(run, matrix, names)
    draw_confidence(run, test, probabilities, names)
    draw_mistakes(run, test, probabilities, names)
    if first:
        draw_first_layer(run, *first)


def draw_confidence(
    run: RunDir,
    images: Images,
    probabilities: Tensor,
    names: Sequence[str],
    *,
    what: str = "Test images",
) -> None:
    """The report's figure: pictures placed by the probability of their true label."""
    figure, axes = new_figure(12, 1 + 0.62 * len(names))
    own = probabilities.gather(1, images.labels[:, None])[:, 0]
    predicted = probabilities.argmax(1)
    for label in range(len(names)):
        for index in _spread(own, images.labels == label):
            place = float(own[index]), label
            wrong = int(predicted[index]) != label
            box = AnnotationBbox(
                OffsetImage(255 - images.pictures[index].numpy(), zoom=1.0, cmap="gray"),
                place,
                pad=0.1,
                bboxprops={"edgecolor": RED if wrong else GREEN, "linewidth": 2},
            )
            axes.add_artist(box)
            if wrong:
                axes.annotate(
                    label_of(names[int(predicted[index])]),
                    place,
                    (9, 5),
                    textcoords="offset points",
                    color=RED,
                    weight="bold",
                    fontsize=11,
                    zorder=4,
                    bbox={"facecolor": "white", "alpha": 0.85, "pad": 0.3, "linewidth": 0},
                )
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), labels_of(names))
    axes.set_ylabel("true label")
    axes.set_xlabel("probability given to the true label")
    axes.set_title(f"{what} by confidence: green is right; red is wrong, with what was read")
    save(figure, run, "confidence")


def _spread(probabilities: Tensor, mask: Tensor) -> list[int]:
    """Indices in `mask`, from the lowest probability on, a picture's width or more apart."""
    candidates = mask.nonzero()[:, 0]
    order = candidates[probabilities[candidates].argsort(stable=True)]
    chosen: list[int] = []
    for index in order.tolist():
        if not chosen or probabilities[index] - probabilities[chosen[-1]] >= PICTURE_WIDTH:
            chosen.append(index)
    return chosen


def draw_mistakes(run: RunDir, images: Images, probabilities: Tensor, names: Sequence[str]) -> None:
    """The wrong answers given with the most confidence."""
    confidence, predicted = probabilities.max(1)
    wrong = (predicted != images.labels).nonzero()[:, 0]
    worst = wrong[confidence[wrong].argsort(descending=True, stable=True)][:24].tolist()
    figure, axes = new_figure(11, 5.6, nrows=3, ncols=8)
    for place in axes.flat:
        picture_axes(place)
    for place, index in zip(axes.flat, worst, strict=False):
        place.imshow(255 - images.pictures[index].numpy(), cmap="gray")
        place.set_title(
            f"{label_of(names[int(images.labels[index])])} read as "
            f"{label_of(names[int(predicted[index])])}\n"
            f"{float(confidence[index]):.1%} sure",
            fontsize=10,
            loc="center",
            weight="normal",
        )
    figure.suptitle(
        f"The most confident of {len(wrong)} mistakes in {len(images)}",
        weight="bold",
        x=0.02,
        ha="left",
    )
    save(figure, run, "mistakes")


def draw_first_layer(run: RunDir, filters: Tensor, answers: Tensor) -> None:
    """Each filter of the first layer above what it answers to one image; blue is negative."""
    figure, axes = new_figure(11, 6.6, nrows=4, ncols=len(filters) // 2)
    for index, (own, answer) in enumerate(zip(filters[:, 0], answers, strict=True)):
        row, column = divmod(index, len(filters) // 2)
        for picture, place in ((own, axes[2 * row, column]), (answer, axes[2 * row + 1, column])):
            picture_axes(place)
            # As far to both sides, so that white is 0.
            reach = float(picture.abs().max()) or 1.0
            place.imshow(picture.numpy(), cmap="RdBu_r", vmin=-reach, vmax=reach)
    figure.suptitle(
        "Each filter of the first layer, and below it what it answers to a test image",
        weight="bold",
        x=0.02,
        ha="left",
    )
    save(figure, run, "first_layer")
