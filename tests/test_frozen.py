"""What holds data is the same to all who hold it: it cannot be changed."""

import dataclasses
import importlib
import pkgutil

import dlproj.data


def test_classes_of_data_are_frozen() -> None:
    found = {
        kind
        for module in pkgutil.walk_packages(dlproj.data.__path__, "dlproj.data.")
        for kind in vars(importlib.import_module(module.name)).values()
        if isinstance(kind, type) and dataclasses.is_dataclass(kind)
    }
    assert {"Images", "Digits", "WordData", "Picture", "Part"} <= {kind.__name__ for kind in found}
    for kind in found:
        assert kind.__dataclass_params__.frozen, kind  # type: ignore[attr-defined]
