"""Lengths of words in an ONNX graph: its GRUs or LSTMs stop where the padding of a word begins."""

from typing import Any

import numpy as np

LENGTHS = 4  # the place of `sequence_lens` among the inputs of each of them
RECURRENT = ("GRU", "LSTM")


def give_lengths(graph: Any) -> None:
    """Let each GRU or LSTM end at the last letter of `inputs` (batch, length) that is not -1.

    A word without a known letter has the length 1.
    """
    recurrent = [node for node in graph.node if node.op_type in RECURRENT]
    if not recurrent:
        return
    for node in recurrent:
        node.input.extend([""] * (LENGTHS + 1 - len(node.input)))
        node.input[LENGTHS] = "word_lengths"
    before = [*graph.node]
    del graph.node[:]
    graph.node.extend([*_count_letters(graph), *before])


def _count_letters(graph: Any) -> list[Any]:
    """The nodes that make `word_lengths` (batch,) of `inputs`."""
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415 - an optional dependency

    constants = {
        "words_zero": np.int64(0),
        "words_one": np.int64(1),
        "words_axis": np.array([1]),
    }
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()
    )
    make = helper.make_node
    return [
        make("Shape", ["inputs"], ["words_width"], start=1, end=2),
        make("Squeeze", ["words_width"], ["words_longest"]),
        make("Add", ["words_longest", "words_one"], ["words_end"]),
        make("Range", ["words_one", "words_end", "words_one"], ["words_places"]),
        make("GreaterOrEqual", ["inputs", "words_zero"], ["words_known"]),
        # The last place, counted from 1, that has a known letter; 1 where none has.
        make("Where", ["words_known", "words_places", "words_one"], ["words_lengths"]),
        make("ReduceMax", ["words_lengths", "words_axis"], ["words_last"], keepdims=0),
        make("Cast", ["words_last"], ["word_lengths"], to=TensorProto.INT32),
    ]
