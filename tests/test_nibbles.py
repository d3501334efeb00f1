"""Tables with four bits for a number."""

from pathlib import Path

import pytest
import torch

from dlproj.errors import DlprojError
from dlproj.models.files import load_model
from dlproj.models.ngrams import NgramBag
from dlproj.store.nibbles import from_nibbles, on_levels, to_nibbles
from dlproj.store.weights import pack


@pytest.mark.parametrize("shape", [(1, 2), (3, 5), (4, 2), (7,)])
@pytest.mark.parametrize("scale", [0.3, 1.0, 20.0])
def test_each_number_becomes_the_nearest_level(shape: tuple[int, ...], scale: float) -> None:
    table = torch.randn(shape, generator=torch.Generator().manual_seed(0)) * scale
    packed, how = to_nibbles(table)
    assert packed.dtype == torch.uint8
    assert packed.numel() == (table.numel() + 1) // 2
    levels = torch.tensor(how["levels"])
    nearest = levels[(table.unsqueeze(-1) - levels).abs().argmin(-1)]
    assert from_nibbles(packed, **how).equal(nearest)
    assert levels.to(torch.float8_e4m3fn).float().equal(levels)  # as the page holds them


def test_little_of_the_variance_is_lost() -> None:
    """Of a normal variable; with 16 levels it is 1.15 % at the least (Max 1960)."""
    table = torch.randn(100_000, generator=torch.Generator().manual_seed(0)) * 0.3
    packed, how = to_nibbles(table)
    lost = (from_nibbles(packed, **how) - table).var() / table.var()
    assert 0.0115 < lost < 0.025


def test_a_table_with_few_numbers_but_zero_keeps_them() -> None:
    table = torch.zeros(1000, 100)
    table[::7, 0] = torch.randn(143, generator=torch.Generator().manual_seed(0))
    assert (on_levels(table) - table).square().sum() < 0.025 * table.square().sum()
    assert on_levels(torch.zeros(3, 2)).equal(torch.zeros(3, 2))


@pytest.mark.parametrize("shift_rows", [False, True])
@pytest.mark.parametrize("scale", [0.3, 1.0, 20.0])
def test_what_is_on_levels_is_kept_exactly(scale: float, shift_rows: bool) -> None:
    table = torch.randn(5000, 5, generator=torch.Generator().manual_seed(0)) * scale
    rounded = on_levels(table, shift_rows=shift_rows)
    packed, how = to_nibbles(rounded)
    assert from_nibbles(packed, **how).equal(rounded)


def test_rows_are_moved_to_where_less_is_lost() -> None:
    """What one language has and the others have not, as most rows of counted n-grams are."""
    heights = torch.rand(5000, 1, generator=torch.Generator().manual_seed(0)) * 4
    table = heights * torch.tensor([[0.8, -0.2, -0.2, -0.2, -0.2]])
    table[7] = 0
    shifted = on_levels(table, shift_rows=True)
    assert shifted[7].eq(0).all()

    def lost(rounded: torch.Tensor) -> float:
        """Of the differences between the columns."""
        return (rounded - table).var(1, correction=0).mean().item()

    assert lost(shifted) < lost(on_levels(table)) / 4


def in_nibbles(path: Path, **changes: object) -> NgramBag:
    """A network whose file has its log-odds in nibbles, which are described with changes."""
    torch.manual_seed(0)
    model = NgramBag(letters=3, classes=2, buckets=16, slots=16).eval()
    model.count([(torch.tensor([[0, 1, 2], [2, 1, 0]]), torch.tensor([0, 1]))])
    weights = model.state_dict()
    weights["log_odds"], how = to_nibbles(model.log_odds)
    about = {"network": "NgramBag", "arguments": model.arguments}
    path.write_bytes(pack(weights, about | {"nibbles": {"log_odds": how | changes}}))
    return model


def test_a_network_comes_back_from_nibbles(tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    model = in_nibbles(path)
    found, about = load_model(path)
    assert "nibbles" not in about  # what is loaded has whole numbers, and is packed as such
    packed, how = to_nibbles(model.log_odds)
    assert found.get_buffer("log_odds").equal(from_nibbles(packed, **how))
    assert found.get_buffer("log_odds").any()


@pytest.mark.parametrize(
    "changes",
    [
        {"levels": [0.0]},
        {"levels": "levels"},
        {"levels": [float("nan")] * 16},
        {"shape": [17, 3]},
        {"shape": [10**9, 10**9]},
        {"shape": None},
        {"more": 1},
    ],
)
def test_nibbles_of_another_form_are_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    path = tmp_path / "damaged.safetensors"
    in_nibbles(path, **changes)
    with pytest.raises(DlprojError, match=r"holds no network that dlproj made|not finite"):
        load_model(path)
