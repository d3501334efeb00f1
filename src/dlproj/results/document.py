"""The document of a finished run, checked as it is read back."""

from typing import Any, Literal

from typing_extensions import TypedDict

from dlproj.results.attack import AttackMetrics, AttackTiming
from dlproj.results.batchnorm import BatchnormMetrics, BatchnormTiming
from dlproj.results.digits import DigitsMetrics, DigitsTiming
from dlproj.results.langid import LangidMetrics, LangidTiming
from dlproj.results.regression import RegressionMetrics, RegressionTiming
from dlproj.results.sweep import SweepMetrics, SweepTiming

# By command, the types of `metrics` and `timing`.
FOUND: dict[str, tuple[Any, Any]] = {
    "train-digits": (DigitsMetrics, DigitsTiming),
    "ablate-batchnorm": (BatchnormMetrics, BatchnormTiming),
    "train-regression": (RegressionMetrics, RegressionTiming),
    "attack": (AttackMetrics, AttackTiming),
    "train-langid": (LangidMetrics, LangidTiming),
    "sweep": (SweepMetrics, SweepTiming),
}


class Document(TypedDict):
    """`result.json`."""

    schema_version: Literal[1]
    command: str
    version: str
    run_dir: str
    config: dict[str, Any]
    metrics: dict[str, Any]
    timing: dict[str, Any]
    environment: dict[str, Any]
    files: dict[str, str]  # SHA-256 of each


def check_document(document: dict[str, Any]) -> None:
    """Whether it has all keys, with values of their types.

    Raises:
        ValueError: it has not.
    """
    from pydantic import TypeAdapter  # noqa: PLC0415 - takes a tenth of a second

    def check(kind: Any, value: Any) -> None:
        TypeAdapter(kind).validate_python(value, strict=True)

    check(Document, document)
    if document["command"] not in FOUND:
        raise ValueError(document["command"])
    metrics, timing = FOUND[document["command"]]
    check(metrics, document["metrics"])
    check(timing, document["timing"])
