"""JSON schemas of what the commands print with `--json`."""

from typing import Any

NUMBER = {"type": "number"}
COUNT = {"type": "integer", "minimum": 0}
FRACTION = {"type": "number", "minimum": 0, "maximum": 1}
TEXT = {"type": "string"}


def record(**properties: Any) -> dict[str, Any]:
    """An object that has all of these, and may have more."""
    return {"type": "object", "required": list(properties), "properties": properties}


def rows(**properties: Any) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": record(**properties)}


SUMMARY = record(
    mean=NUMBER,
    std=NUMBER,
    ci95={"type": "array", "items": NUMBER, "minItems": 2},
    values={"type": "array", "items": NUMBER, "minItems": 1},
)

METRICS = {
    "train-digits": record(test_accuracy=FRACTION, test_loss=NUMBER, parameters=COUNT),
    "train-regression": record(test_loss=NUMBER, test_mse=NUMBER, max_abs_error=NUMBER),
    "train-langid": record(
        test_accuracy=FRACTION, dev_accuracy=FRACTION, per_language=record(), parameters=COUNT
    ),
    "attack": record(
        clean_accuracy=FRACTION,
        attacks=rows(
            method=TEXT,
            norm=TEXT,
            epsilon=NUMBER,
            accuracy=FRACTION,
            success_rate=FRACTION,
            max_perturbation=NUMBER,
            seconds=NUMBER,
        ),
    ),
    "ablate-batchnorm": record(
        cells=rows(
            lr=NUMBER,
            difference=NUMBER,
            ci95={"type": "array", "items": NUMBER},
            p_value={"type": ["number", "null"]},
            **{"with": SUMMARY, "without": SUMMARY},
        ),
        verdict=TEXT,
    ),
    "sweep": record(
        experiment=TEXT,
        score=TEXT,
        cells=rows(rank=COUNT, name=TEXT, settings=record(), score=SUMMARY, diverged=COUNT),
        best=record(name=TEXT),
    ),
}

TIMING = {
    "train-digits": record(train_seconds=NUMBER, images_per_second=NUMBER),
    "train-regression": record(train_seconds=NUMBER),
    "train-langid": record(train_seconds=NUMBER),
    "attack": record(attack_seconds=NUMBER),
    "ablate-batchnorm": record(train_seconds=NUMBER),
    "sweep": record(train_seconds=NUMBER),
}


def document(command: str) -> dict[str, Any]:
    """The whole document of a command that makes a run."""
    return record(
        schema_version={"const": 1},
        command={"const": command},
        version=TEXT,
        run_dir=TEXT,
        config=record(command={"const": command}, seed=COUNT, device=TEXT),
        metrics=METRICS[command],
        timing=TIMING[command],
        environment=record(torch=TEXT, device=TEXT, threads=COUNT, precision=TEXT, platform=TEXT),
    )


PREDICTIONS = record(
    schema_version={"const": 1},
    command=TEXT,
    predictions=rows(input=TEXT, label=TEXT, confidence=FRACTION, probabilities=record()),
)

CLAIM = record(
    claim=TEXT,
    evidence=TEXT,
    verdict={"enum": ["supported", "not supported", "mixed", "undecided"]},
)
