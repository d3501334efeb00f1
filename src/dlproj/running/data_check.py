"""Whether a run goes on with the data that it was started with."""

from pathlib import Path

from dlproj.errors import DlprojError
from dlproj.settings import Config
from dlproj.store.fingerprint import fingerprint
from dlproj.store.runs import RunDir

DATA = "data.json"  # in a run on the user's data, what they were


def note_data(config: Config, run: RunDir) -> None:
    """Write down what the user's data are, where a run has any."""
    if prints := _fingerprints(config):
        run.write_json(DATA, prints)


def check_data(config: Config, run: RunDir) -> None:
    """Whether the user's data are still those that a run was started with.

    Raises:
        DlprojError: they are others, or gone.
    """
    started_with = run.read_json(DATA)
    if started_with is None:
        return
    found = _fingerprints(config)
    for path, digest in started_with.items():
        if path != "sha256" and found.get(path) != digest:
            what = "has changed" if path in found else "is gone"
            raise DlprojError(
                f"{run.path}: {path} {what} since the run was started; put it back, or start a new "
                "run"
            )


def _fingerprints(config: Config) -> dict[str, str]:
    """Of the user's data, by their paths."""
    configs = (config, *getattr(config, "cells", {}).values())
    paths = {path for one in configs if isinstance(path := getattr(one, "data", None), Path)}
    return {str(path): fingerprint(path) for path in sorted(paths) if path.exists()}
