"""Trained networks for other tools, as ONNX files."""

import json
import logging
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim

from dlproj.errors import DlprojError
from dlproj.models.catalogue import BY_NAME
from dlproj.models.files import load_model
from dlproj.models.langid import CharGRU
from dlproj.output.console import Console
from dlproj.output.document import document
from dlproj.output.tables.base import Table
from dlproj.store.runs import write_file
from dlproj.tools.onnx_lengths import give_lengths
from dlproj.version import __version__

CHECKED = 1000  # inputs on which both runtimes must agree
TOLERANCE = 1e-4  # of a logit, for logits of about 10
WORD_LENGTHS = (1, 2, 3, 4, 6, 9, 20, 64)  # letters of the words it is checked on


def export_onnx(path: Path, out: Path | None, *, force: bool, console: Console) -> None:
    """Write a network with its labels, and check it against torch with onnxruntime.

    Args:
        path: a run directory, a `.safetensors`, or the course's LeNet.
        out: the file to write; by default `model.onnx` in or beside `path`.
        force: write over a file that is there.
        console: where to say what was done.

    Raises:
        DlprojError: an ONNX package is missing, the file exists, or the two runtimes differ.
    """
    out = out or (path if path.is_dir() else path.parent) / "model.onnx"
    if out.exists() and not force:
        raise DlprojError(f"--out {out}: exists already; name another file, or add --force")
    model, about = load_model(path)
    if isinstance(model, CharGRU) and (model.cell == "rnn" or model.readout != "last"):
        raise DlprojError(
            f"{path}: trained with --cell {model.cell} --readout {model.readout}; ONNX takes words "
            "of any length only with --cell gru or lstm and --readout last"
        )
    batches = example_inputs(model)
    data = to_onnx(model, batches[len(batches) // 2], about)
    difference = largest_difference(data, model, batches)
    if not difference <= TOLERANCE:
        raise DlprojError(f"{path}: onnxruntime and torch differ by {difference:.2g}")
    try:
        write_file(out, data)
    except OSError as error:
        raise DlprojError(f"--out {out}: cannot be written ({error.strerror})") from None
    found = document(
        "export",
        model=str(path),
        file=str(out),
        metrics={"bytes": len(data), "inputs": CHECKED, "max_difference": difference},
    )
    rows = [
        ["file", str(out)],
        ["size", f"{len(data) / 1e6:.1f} MB"],
        ["inputs compared", f"{CHECKED:,}"],
        ["largest difference", f"{difference:.1g}"],
    ]
    console.result(found, [Table("Exported", ("", ""), rows)])


def example_inputs(model: Any) -> list[Tensor]:
    """Random inputs of the kind the network takes, as many as are checked, in unlike batches."""
    generator = torch.Generator().manual_seed(0)
    match BY_NAME[type(model).__name__].reads:
        case "words":
            words = CHECKED // len(WORD_LENGTHS)
            return [
                torch.randint(-1, int(model.letters), (words, length), generator=generator)
                for length in WORD_LENGTHS
            ]
        case "points":
            dtype = next(model.parameters()).dtype
            x = (torch.rand(CHECKED, 1, generator=generator) * 2 - 1).to(dtype) * 2 * torch.pi
            return [x[:1], x[1:]]
    images = torch.rand(CHECKED, 1, 28, 28, generator=generator)
    return [images[:1], images[1:]]


def to_onnx(model: nn.Module, inputs: Tensor, about: dict[str, Any]) -> bytes:
    """The network as an ONNX file whose batches, and words, may have any length.

    Words may be padded with -1 at the end.
    """
    try:
        import onnxscript  # noqa: F401, PLC0415 - an optional dependency
    except ImportError:
        raise DlprojError(
            "--format onnx needs more packages: pip install -c constraints.txt '.[onnx]'"
        ) from None
    words = not inputs.is_floating_point()
    shape = {0: Dim("batch")} | ({1: Dim("length", min=4)} if words else {})
    # torch exchanges what computes a GRU while it exports, but remembers the first that it took.
    torch.ops.aten.gru.input._dispatch_cache.clear()
    for name in ("onnxscript", "onnx_ir"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about itself
        program: Any = torch.onnx.export(
            model.eval(),
            # Two, because torch.export takes a size of one for a constant.
            (inputs[:2],),
            dynamo=True,
            verbose=False,
            input_names=["inputs"],
            output_names=["outputs"],
            dynamic_shapes=(shape,),
        )
    program.model.metadata_props["dlproj"] = __version__
    for name in ("network", "labels", "alphabet"):
        if name in about:
            program.model.metadata_props[name] = json.dumps(about[name], ensure_ascii=False)
    proto = program.model_proto
    give_lengths(proto.graph)
    return bytes(proto.SerializeToString())


@torch.inference_mode()
def largest_difference(data: bytes, model: nn.Module, batches: Iterable[Tensor]) -> float:
    """Between the outputs of onnxruntime and of torch."""
    import onnxruntime  # noqa: PLC0415 - an optional dependency

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    differences = []
    for inputs in batches:
        (outputs,) = session.run(None, {"inputs": inputs.numpy()})
        differences.append(np.abs(outputs - model(inputs).numpy()).max())
    return float(np.max(differences))  # not a number, if any is
