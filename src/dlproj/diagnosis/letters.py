"""What a recurrent network keeps of the letters of a word, and what its gates do."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dlproj.data.batches import epoch_generator
from dlproj.data.words import Words, by_length
from dlproj.models.langid import CharGRU

FAR = 8  # letters before the last


def gradient_by_distance(model: CharGRU, words: Words) -> list[float]:
    """Mean length of the gradient by a letter's vector, 0, 1, … FAR letters before the last.

    It is that of the loss, in evaluation mode, of the words with more than FAR letters.
    """
    total, count = torch.zeros(FAR + 1, dtype=torch.float64), 0
    for length, rows in by_length(words.lengths):
        if length <= FAR:
            continue
        letters = words.letters[rows, :length]
        vectors = model.vectors(letters).detach().requires_grad_()
        loss = F.cross_entropy(model.read(vectors, letters), words.labels[rows], reduction="sum")
        (gradient,) = torch.autograd.grad(loss, vectors)
        lengths = gradient.norm(dim=2).double().sum(1)  # (length,)
        total += lengths.flip(0)[: FAR + 1]
        count += len(rows)
    return (total / max(count, 1)).tolist()


@torch.no_grad()
def accuracy_with_gate_held(model: CharGRU, words: Words, held: str | None) -> float:
    """Accuracy of a GRU of one layer and direction, one of whose gates is always at its mean.

    Cho et al. 2014, equations 5 to 8, as torch writes them.

    Args:
        model: the network.
        words: to name the language of.
        held: "reset" or "update"; None leaves both alone.
    """
    means = gate_means(model, words) if held else {}
    right = 0
    for length, rows in by_length(words.lengths):
        states = torch.zeros(len(rows), model.recurrent.hidden_size)
        for vectors in model.vectors(words.letters[rows, :length]):
            gates, new, hidden = _gates(model, vectors, states)
            if held:
                gates[held] = means[held].expand_as(states)
            candidate = torch.tanh(new + gates["reset"] * hidden)
            states = candidate + gates["update"] * (states - candidate)
        named = model.output(states).argmax(1)
        right += int((named == words.labels[rows]).sum())
    return right / len(words)


@torch.no_grad()
def gate_means(model: CharGRU, words: Words) -> dict[str, Tensor]:
    """Mean of each unit's gates (units,) over all letters of the words."""
    total, count = {"reset": torch.zeros(()), "update": torch.zeros(())}, 0
    for length, rows in by_length(words.lengths):
        states = torch.zeros(len(rows), model.recurrent.hidden_size)
        for vectors in model.vectors(words.letters[rows, :length]):
            gates, new, hidden = _gates(model, vectors, states)
            total = {name: total[name] + gate.sum(0) for name, gate in gates.items()}
            count += len(rows)
            candidate = torch.tanh(new + gates["reset"] * hidden)
            states = candidate + gates["update"] * (states - candidate)
    return {name: each / count for name, each in total.items()}


def _gates(
    model: CharGRU, vectors: Tensor, states: Tensor
) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Both gates, and what the candidate is made of: from the letter, and from the state."""
    layer: Any = model.recurrent
    reset, update, new = F.linear(vectors, layer.weight_ih_l0, layer.bias_ih_l0).chunk(3, 1)
    reset_state, update_state, hidden = F.linear(
        states, layer.weight_hh_l0, layer.bias_hh_l0
    ).chunk(3, 1)
    gates = {
        "reset": torch.sigmoid(reset + reset_state),
        "update": torch.sigmoid(update + update_state),
    }
    return gates, new, hidden


def shuffled(words: Words, seed: int) -> Words:
    """The same words with the letters of each in another order."""
    keys = torch.rand(words.letters.shape, generator=epoch_generator(seed))
    places = torch.arange(words.letters.shape[1])
    keys[places >= words.lengths[:, None]] = 2  # what is behind the last letter stays there
    return Words(words.letters.gather(1, keys.argsort(1)), words.lengths, words.labels)
