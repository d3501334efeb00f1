"""Classic deep-learning experiments, one command each.

From Python, `dlproj` offers what `dlproj.api` holds, and imports it (and torch with it) when it is
first asked for.
"""

from typing import TYPE_CHECKING

from dlproj.version import __version__ as __version__

__all__ = [
    "DIGITS",
    "LANGID",
    "DataWarning",
    "DlprojError",
    "Finished",
    "Prediction",
    "UsageError",
    "ablate_batchnorm",
    "apgd",
    "apgd_targeted",
    "attack",
    "autoattack",
    "bim",
    "deepfool",
    "ensemble",
    "fab",
    "fab_targeted",
    "fgsm",
    "fgsm_sweep",
    "load_digits",
    "load_model",
    "load_run",
    "mifgsm",
    "pgd",
    "predict_digits",
    "predict_langid",
    "prepare",
    "square",
    "to_pixels",
    "train_digits",
    "train_langid",
    "train_regression",
]

if TYPE_CHECKING:
    from dlproj.api import *
else:

    def __getattr__(name: str) -> object:
        """What the package offers, on first use (PEP 562)."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from dlproj import api

        return getattr(api, name)

    def __dir__() -> list[str]:
        return sorted([*globals(), *__all__])
