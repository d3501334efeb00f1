"""Figures of `train-digits`."""

from collections.abc import Sequence

from torch import Tensor

from dlproj.data.digits import Images
from dlproj.output.figures.confusion import draw_confusion
from dlproj.output.figures.curves import draw_training_curve
from dlproj.output.figures.sheet import Sheet, framed, in_squares, on_paper, signed
from dlproj.output.figures.style import (
    GREEN,
    RED,
    empty_figure,
    label_of,
    labels_of,
    lay_out,
    new_figure,
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
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), labels_of(names))
    axes.set_ylabel("true label")
    axes.set_xlabel("probability given to the true label")
    axes.set_title(f"{what} by confidence: green is right; red is wrong, with what was read")
    lay_out(figure)
    sheet = Sheet(figure)
    own = probabilities.gather(1, images.labels[:, None])[:, 0]
    predicted = probabilities.argmax(1)
    for label in range(len(names)):
        for index in _spread(own, images.labels == label):
            x, y = axes.transData.transform((float(own[index]), label))
            y = figure.bbox.height - y
            wrong = int(predicted[index]) != label
            picture = on_paper(images.pictures[index])
            sheet.paste(framed(picture, RED if wrong else GREEN), x, y)
            if wrong:
                sheet.write(
                    label_of(names[int(predicted[index])]),
                    x + 19,
                    y - 10,
                    color=RED,
                    weight="bold",
                    fontsize=11,
                    bbox={"facecolor": "white", "alpha": 0.85, "pad": 0.3, "linewidth": 0},
                )
    save(figure, run, "confidence")


def _spread(probabilities: Tensor, mask: Tensor) -> list[int]:
    """Indices in `mask`, from the lowest probability on, a picture's width or more apart."""
    candidates = mask.nonzero()[:, 0]
    order = candidates[probabilities[candidates].argsort(stable=True)]
    chosen: list[int] = []
    reached = -1.0
    for index, probability in zip(order.tolist(), probabilities[order].tolist(), strict=True):
        if probability - reached >= PICTURE_WIDTH:
            chosen.append(index)
            reached = probability
    return chosen


def draw_mistakes(run: RunDir, images: Images, probabilities: Tensor, names: Sequence[str]) -> None:
    """The wrong answers given with the most confidence."""
    confidence, predicted = probabilities.max(1)
    wrong = (predicted != images.labels).nonzero()[:, 0]
    worst = wrong[confidence[wrong].argsort(descending=True, stable=True)][:24].tolist()
    figure = empty_figure(11, 5.6, f"The most confident of {len(wrong)} mistakes in {len(images)}")
    sheet = Sheet(figure)
    for place, index in enumerate(worst):
        row, column = divmod(place, 8)
        x, y = 206 * (column + 0.5), 210 + 264 * row
        sheet.paste(in_squares(on_paper(images.pictures[index]), 7), x, y)
        sheet.write(
            f"{label_of(names[int(images.labels[index])])} read as "
            f"{label_of(names[int(predicted[index])])}\n"
            f"{float(confidence[index]):.1%} sure",
            x,
            y - 106,
            fontsize=10,
            ha="center",
            va="bottom",
        )
    save(figure, run, "mistakes")


def draw_first_layer(run: RunDir, filters: Tensor, answers: Tensor) -> None:
    """Each filter of the first layer above what it answers to one image; blue is negative."""
    title = "Each filter of the first layer, and below it what it answers to a test image"
    figure = empty_figure(11, 6.6, title)
    sheet = Sheet(figure)
    for index, (own, answer) in enumerate(zip(filters[:, 0], answers, strict=True)):
        row, column = divmod(index, 8)
        x, y = 206 * (column + 0.5), 165 + 474 * row
        sheet.paste(in_squares(signed(own, "RdBu_r"), 64), x, y)
        sheet.paste(in_squares(signed(answer, "RdBu_r"), 7), x, y + 222)
    save(figure, run, "first_layer")
