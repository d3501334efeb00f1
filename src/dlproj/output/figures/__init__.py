"""Figures of the results. This package alone imports matplotlib."""

import contextlib
import os
import sys


def _import_matplotlib() -> None:
    """Import matplotlib whatever MPLBACKEND says: figures that go to files need no backend.

    Matplotlib cannot be imported where that names none; so it hears of it afterwards.
    """
    backend = os.environ.pop("MPLBACKEND", None)
    import matplotlib as mpl  # noqa: PLC0415

    if backend is not None:
        os.environ["MPLBACKEND"] = backend
        with contextlib.suppress(ValueError):
            mpl.rcParams["backend"] = backend


if "matplotlib" not in sys.modules:
    _import_matplotlib()
