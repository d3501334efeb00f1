"""Adversarial examples: small changes of an image that change what a network sees in it.

Every attack takes images (batch, ...) in [0, 1] and integer labels (batch,), and returns images
of the same shape, in [0, 1], none further than `epsilon` from the original: in the largest change
of a pixel ("linf"), or in the Euclidean length of the whole change ("l2"). The model is used in
evaluation mode, its weights are not touched, and its mode is restored. With `targeted`, the
labels are the classes to be seen; otherwise, those not to be. `fab`, `fab_targeted` and `deepfool`
look for the smallest change, and need no `epsilon`. Many attacks on one network are faster on
`prepare(model)`.
"""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from dlproj.attacks.apgd import apgd, apgd_targeted
from dlproj.attacks.ensemble import autoattack, ensemble
from dlproj.attacks.gradient import bim, fgsm, fgsm_sweep, mifgsm, pgd
from dlproj.attacks.minimal.deepfool import deepfool
from dlproj.attacks.minimal.fab import fab, fab_targeted
from dlproj.attacks.prepare import prepare
from dlproj.attacks.square import square

# By the name that `attack --method` has for them.
METHODS: dict[str, Callable[..., Tensor]] = {
    "fgsm": fgsm,
    "bim": bim,
    "pgd": pgd,
    "mifgsm": mifgsm,
    "apgd-ce": partial(apgd, loss="ce"),
    "apgd-dlr": partial(apgd, loss="dlr"),
    "apgd-t": apgd_targeted,
    "fab": fab,
    "fab-t": fab_targeted,
    "deepfool": deepfool,
    "square": square,
    "ensemble": ensemble,
    "autoattack": autoattack,
}
STEPS = {  # as published; of the others 10
    "apgd-ce": 100,
    "apgd-dlr": 100,
    "apgd-t": 100,
    "fab": 100,
    "fab-t": 100,
    "deepfool": 50,
    "ensemble": 100,
    "autoattack": 100,
}
QUERIES = {"autoattack": 5000}  # as published; of the others 1000

__all__ = [
    "METHODS",
    "QUERIES",
    "STEPS",
    "apgd",
    "apgd_targeted",
    "autoattack",
    "bim",
    "deepfool",
    "ensemble",
    "fab",
    "fab_targeted",
    "fgsm",
    "fgsm_sweep",
    "mifgsm",
    "pgd",
    "prepare",
    "square",
]
