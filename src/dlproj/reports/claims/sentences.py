"""Every sentence of the report that can be measured, in its order, and what measures it."""

from collections.abc import Sequence
from dataclasses import dataclass

from dlproj.reports.claims import digits, langid, numbers, others
from dlproj.reports.claims.base import Measure
from dlproj.reports.claims.laboratories import attacked, inside, normalised


@dataclass(frozen=True)
class Sentence:
    """A sentence: its place in the report, its words translated, and what measures it."""

    place: str
    words: str
    measures: Sequence[Measure]

    @property
    def source(self) -> str:
        """For a row."""
        return f"{self.place}: “{self.words}”"


def each_norm(claim: str) -> list[Measure]:
    """Of the two normalisations beside BatchNorm."""
    return [normalised(claim.format(name)) for name in ("LayerNorm", "GroupNorm")]


FASTER, GENERALISES = "{} speeds training up", "{} improves generalisation (lessens over-fitting)"
INPUTS = "{} lessens the dependence on the scale of inputs"
WEIGHTS = "{} lessens the dependence on the scale of first weights"
BATCH = "BatchNorm"

SENTENCES = (
    Sentence("Task 1, first item", "Therefore in_features = 64*5*5.", [digits.shapes]),
    Sentence(
        "Task 1, third item",
        "After a few tries the hyperparameters are set to the rather common lr=0.02, "
        "momentum=0.92, and the effect is found to be good already.",
        [digits.good_settings],
    ),
    Sentence(
        "Task 1, result",
        "The confidence is mostly above 0.9.",
        [digits.sure, digits.calibrated],
    ),
    Sentence(
        "Task 1, result",
        "Only a few digits that are written carelessly are misread, some of which people may "
        "misread, too.",
        [digits.few_misread, digits.misread_by_others],
    ),
    Sentence(
        "Question 1, first paragraph",
        "Each hidden layer meets internal covariate shift; BatchNorm normalises it away.",
        [inside("BatchNorm removes the drift of layer inputs (internal covariate shift)")],
    ),
    Sentence(
        "Question 1, first paragraph",
        "That makes training converge more and more slowly.",
        [inside("less drift is why training goes better")],
    ),
    Sentence(
        "Question 1, first paragraph",
        "The data may fall into the region where the activation is saturated.",
        [inside("BatchNorm keeps ReLU units from dying (saturation)")],
    ),
    Sentence(
        "Question 1, first paragraph",
        "BatchNorm turns the input of each layer into a standard normal distribution of mean 0 and "
        "variance 1.",
        [
            normalised("BatchNorm makes what the next function is given of mean 0 and variance 1"),
            normalised("what BatchNorm gives on is normally distributed"),
        ],
    ),
    Sentence(
        "Question 1, first paragraph",
        "It avoids vanishing gradients.",
        [inside("BatchNorm prevents vanishing gradients")],
    ),
    Sentence(
        "Question 1, first paragraph",
        "It speeds training up greatly.",
        [
            normalised(FASTER.format(BATCH)),
            inside("BatchNorm trains at a wider range of learning rates, and faster"),
        ],
    ),
    Sentence(
        "Question 1, first paragraph",
        "It makes the model less dependent on the scale and distribution of input features.",
        [normalised(INPUTS.format(BATCH)), normalised(WEIGHTS.format(BATCH))],
    ),
    Sentence(
        "Question 1, first paragraph",
        "It can also improve the model's generalisation.",
        [normalised(GENERALISES.format(BATCH))],
    ),
    Sentence(
        "Question 1, second paragraph",
        "With BatchNorm layers the final test accuracy is 98.84%.",
        [numbers.accuracy],
    ),
    Sentence(
        "Question 1, second paragraph",
        "Without any BatchNorm layer the test accuracy is 97.77%.",
        [numbers.without],
    ),
    Sentence(
        "Question 1, second paragraph",
        "Without BatchNorm layers the test accuracy falls somewhat.",
        [numbers.worth],
    ),
    Sentence(
        "Question 1, second paragraph",
        "So that it does not reach the minimum of 98.00%.",
        [digits.passes_without],
    ),
    Sentence(
        "Task 2, second item",
        "The optimizer is replaced by Adam, with lr=0.05.",
        [others.adam],
    ),
    Sentence(
        "Task 2, second item",
        "Each epoch needs a validation beside the training; its loss is computed and shown.",
        [others.validates],
    ),
    Sentence("Task 2, result", "The final loss is 0.000313.", [numbers.curve]),
    Sentence("Task 2, result", "It is far below the 0.02 that is asked for.", [others.far_below]),
    Sentence(
        "Task 3, first paragraph",
        "A small perturbation changes what the model predicts.",
        [numbers.fooled],
    ),
    Sentence(
        "Task 3, first paragraph",
        "It does not change the label of the original data.",
        [attacked("the attack does not change which digit the image shows")],
    ),
    Sentence(
        "Task 3, step 1",
        "The model is set to evaluation mode to make sure that no gradients are computed.",
        [others.no_gradient_in_evaluation],
    ),
    Sentence(
        "Task 3, steps 9 and 10",
        "Each pixel is moved by the sign times ε and clipped to [0, 1].",
        [others.within_epsilon],
    ),
    Sentence(
        "Task 3, question",
        "They look very similar to the original data; the perturbation is imperceptible.",
        [attacked("adversarial images look very much like the originals")],
    ),
    Sentence(
        "Task 3, question",
        "Networks often rely on high-frequency features to predict.",
        [attacked("the network reads digits by their high frequencies")],
    ),
    Sentence(
        "Task 3, question",
        "High-frequency features are very sensitive to small changes; attacks use that.",
        [
            attacked("perturbations are of high frequency"),
            attacked("it is the high frequencies of a perturbation that fool the network"),
        ],
    ),
    Sentence(
        "Task 3, question",
        "The perturbations may exploit flaws in how the model decides.",
        [attacked("perturbations exploit flaws of the one network's decisions")],
    ),
    Sentence(
        "Task 3, question",
        "Networks are sensitive to small perturbations of the input space.",
        [attacked("networks are sensitive to small changes of the image as such")],
    ),
    Sentence(
        "Task 3, question",
        "The robustness of networks has to be improved.",
        [others.can_be_robust],
    ),
    Sentence(
        "Task 4, first paragraph",
        "The one-hot vectors of this task are not that large; an embedding is not needed.",
        [langid.embedding],
    ),
    Sentence(
        "Task 4, second paragraph",
        "The one-hot vectors of words have a length of 47.",
        [langid.letters],
    ),
    Sentence(
        "Task 4, GRU layer",
        "We take the last time step, for only that result stands for the language of the word.",
        [langid.readout],
    ),
    Sentence("Task 4, result", "The test accuracy is 88.20%.", [numbers.words]),
    Sentence(
        "Conclusion, convolution",
        "Its main aim is to detect local features, such as edges.",
        [digits.edges],
    ),
    Sentence(
        "Conclusion, normalisation",
        "Normalisation improves generalisation and lessens over-fitting; common kinds are batch "
        "and layer normalisation.",
        each_norm(GENERALISES),
    ),
    Sentence("Conclusion, normalisation", "It speeds the training up.", each_norm(FASTER)),
    Sentence(
        "Question 1, first paragraph, of the other kinds",
        "It makes the model less dependent on the scale of inputs.",
        [*each_norm(INPUTS), *each_norm(WEIGHTS)],
    ),
    Sentence(
        "Conclusion, pooling",
        "Pooling makes feature maps smaller and keeps the main features.",
        [digits.pooling],
    ),
    Sentence(
        "Conclusion, recurrent networks",
        "They have a memory, and capture the context in a sequence.",
        [langid.context],
    ),
    Sentence(
        "Conclusion, GRU",
        "The GRU is to solve the vanishing and exploding gradients of the plain RNN.",
        [langid.vanishing, langid.exploding, langid.cells],
    ),
    Sentence(
        "Conclusion, GRU",
        "Its reset and update gates control effectively what is passed on and forgotten.",
        [langid.gates],
    ),
    Sentence(
        "not the report's: Santurkar et al. 2018",
        "BatchNorm makes the optimisation landscape smoother.",
        [inside("BatchNorm makes the loss smoother (Santurkar et al. 2018)")],
    ),
)
