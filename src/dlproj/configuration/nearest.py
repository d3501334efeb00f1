"""Which of our names is meant by one that we do not have: misspelt, or of another tool."""

from collections.abc import Collection
from difflib import get_close_matches

from dlproj.configuration.messages import alternatives

# What other tools and papers call it, and what it is called here. Dashes stand for underscores.
ELSEWHERE = {
    "learning-rate": "lr",
    "eta": "lr",
    "wd": "weight-decay",
    "optim": "optimizer",
    "lr-schedule": "schedule",
    "lr-scheduler": "schedule",
    "scheduler": "schedule",
    "bs": "batch-size",
    "n-epochs": "epochs",
    "max-epochs": "epochs",
    "random-state": "seed",
    "n-seeds": "seeds",
    "o": "out",
    "output": "out",
    "output-dir": "out",
    "outdir": "out",
    "save-dir": "out",
    "log-dir": "out",
    "data-dir": "data",
    "dataset-path": "data",
    "gpu": "device",
    "cuda": "device",
    "no-cuda": "device",
    "cpu": "device",
    "mps": "device",
    "amp": "precision",
    "bf16": "precision",
    "dtype": "precision",
    "n-jobs": "jobs",
    "eps": "epsilon",
    "attack": "method",
    "alpha": "step-size",
    "eps-step": "step-size",
    "eps-iter": "step-size",
    "iterations": "steps",
    "iters": "steps",
    "max-iter": "steps",
    "nb-iter": "steps",
    "num-iter": "steps",
    "n-queries": "queries",
    "checkpoint": "model",
    "ckpt": "model",
    "weights": "model",
    "hidden-size": "hidden",
    "num-layers": "layers",
    "bidir": "bidirectional",
    "top-k": "top",
    "fgsm": "attack",
    "pgd": "attack",
    "adversarial": "attack",
    "mnist": "train-digits",
    "sin": "train-regression",
    "usage": "help",
    "v": "version",
}


def did_you_mean(word: str, names: Collection[str]) -> str:
    """A question for the nearest of our names, such as "; did you mean --lr?", or nothing.

    Args:
        word: what was written.
        names: flags, settings or commands, all of one kind; they are shown as they are here.
    """
    ours = {_bare(name): name for name in sorted(names)}
    asked = _bare(word)
    known = ELSEWHERE.get(asked, asked)
    if known in ours:
        near = [known]
    else:
        near = get_close_matches(asked, ours, n=2, cutoff=0.7)
        near = near or [name for name in ours if asked in name.split("-")]
    return f"; did you mean {alternatives([ours[name] for name in near])}?" if near else ""


def _bare(name: str) -> str:
    """The name whether it is a flag, a setting or a command."""
    return name.lstrip("-").replace("_", "-").lower()
